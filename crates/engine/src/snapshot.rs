//! Snapshot records from JSON: what tests and demos write into the head of a capture.

use std::net::IpAddr;

use eyas_event::{File, FileKind, Group, Interface, Machine, Process, Snapshot, User};
use serde_json::{Map, Value};

/// Reads `{"machine": {…}, "processes": […], "files": […], "interfaces": […], "users": […], "groups": […]}`.
/// What is left out has the default of the capture format.
///
/// # Errors
/// When the text is no such object, with the place.
pub fn snapshot(json: &[u8]) -> Result<Vec<Snapshot>, String> {
    let whole: Map<String, Value> = serde_json::from_slice(json).map_err(|e| e.to_string())?;
    let mut out = Vec::new();
    for (kind, value) in &whole {
        let items = match value {
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        for (i, item) in items.iter().enumerate() {
            out.push(record(kind, item).map_err(|why| format!("{kind}[{i}]: {why}"))?);
        }
    }
    Ok(out)
}

fn record(kind: &str, item: &Value) -> Result<Snapshot, String> {
    let o = Object(item.as_object().ok_or("an object is expected")?);
    Ok(match kind {
        "machine" => Snapshot::Machine(Machine {
            cpus: o.number("cpus", 1)?,
            memory: o.number("memory", 0)?,
            max_pid: o.number("max_pid", 32768)?,
            hostname: o.text("hostname")?,
            boot_ts: o.number("boot_ts", 0)?,
        }),
        "processes" => Snapshot::Process(Box::new(process(&o)?)),
        "files" => Snapshot::File(file(&o)?),
        "interfaces" => Snapshot::Interface(Interface {
            name: o.text("name")?,
            address: o.ip("address")?,
            netmask: o.ip("netmask")?,
            broadcast: o.ip("broadcast")?,
            linkspeed: o.number("linkspeed", 0)?,
        }),
        "users" => Snapshot::User(User {
            uid: o.number("uid", 0)?,
            gid: o.number("gid", 0)?,
            name: o.text("name")?,
            home: o.text("home")?,
            shell: o.text("shell")?,
        }),
        "groups" => Snapshot::Group(Group { gid: o.number("gid", 0)?, name: o.text("name")? }),
        _ => return Err("machine, processes, files, interfaces, users or groups is expected".to_owned()),
    })
}

fn process(o: &Object<'_>) -> Result<Process, String> {
    let d = Process::default();
    let tid = o.number("tid", -1)?;
    let pid = o.number("pid", tid)?;
    Ok(Process {
        tid,
        pid,
        ptid: o.number("ptid", 0)?,
        sid: o.number("sid", d.sid)?,
        vpgid: o.number("vpgid", d.vpgid)?,
        pgid: o.number("pgid", d.pgid)?,
        vtid: o.number("vtid", tid)?,
        vpid: o.number("vpid", pid)?,
        comm: o.text("comm")?,
        exe: o.text("exe")?,
        exepath: o.text("exepath")?,
        args: o.list("args")?,
        env: o.list("env")?,
        cgroups: o.list("cgroups")?,
        cwd: o.text("cwd")?,
        root: o.text("root")?,
        fdlimit: o.number("fdlimit", 1024)?,
        flags: o.number("flags", 0)?,
        uid: o.number("uid", 0)?,
        gid: o.number("gid", 0)?,
        loginuid: o.number("loginuid", d.loginuid)?,
        vmsize_kb: o.number("vmsize_kb", 0)?,
        vmrss_kb: o.number("vmrss_kb", 0)?,
        vmswap_kb: o.number("vmswap_kb", 0)?,
        pfmajor: o.number("pfmajor", 0)?,
        pfminor: o.number("pfminor", 0)?,
        tty: o.number("tty", 0)?,
        pidns_init_start_ts: o.number("pidns_init_start_ts", 0)?,
        clone_ts: o.number("clone_ts", 0)?,
        exe_writable: o.flag("exe_writable")?,
        exe_upper_layer: o.flag("exe_upper_layer")?,
        exe_lower_layer: o.flag("exe_lower_layer")?,
        exe_from_memfd: o.flag("exe_from_memfd")?,
        exe_ino: o.number("exe_ino", 0)?,
        exe_ino_ctime: o.number("exe_ino_ctime", 0)?,
        exe_ino_mtime: o.number("exe_ino_mtime", 0)?,
        exe_age: o.number("exe_age", 0)?,
        exe_age_in_namespace: 0,
        cap_inheritable: o.number("cap_inheritable", 0)?,
        cap_permitted: o.number("cap_permitted", 0)?,
        cap_effective: o.number("cap_effective", 0)?,
    })
}

fn file(o: &Object<'_>) -> Result<File, String> {
    let l4 = o.number("l4", 2)?;
    let kind = match o.text("kind")?.as_slice() {
        b"regular" | b"" => FileKind::Regular {
            flags: o.number("flags", 1)?,
            name: o.text("name")?,
            dev: o.number("dev", 0)?,
            mount_id: 0,
        },
        b"connection" => FileKind::Connection {
            source: o.ip("source")?,
            dest: o.ip("dest")?,
            sport: o.number("sport", 0)?,
            dport: o.number("dport", 0)?,
            l4,
        },
        b"listener" => FileKind::Listener { ip: o.ip("ip")?, port: o.number("port", 0)?, l4 },
        b"unix" => FileKind::Unix {
            source: o.number("source", 0)?,
            dest: o.number("dest", 0)?,
            name: o.text("name")?,
        },
        other => FileKind::Named { code: code(other)?, name: o.text("name")? },
    };
    Ok(File { tid: o.number("tid", -1)?, fd: o.number("fd", 0)?, ino: o.number("ino", 0)?, kind })
}

fn code(kind: &[u8]) -> Result<u8, String> {
    const CODES: [(&str, u8); 13] = [
        ("directory", 2),
        ("fifo", 7),
        ("eventfd", 9),
        ("signalfd", 11),
        ("epoll", 12),
        ("inotify", 13),
        ("timerfd", 14),
        ("netlink", 15),
        ("bpf", 17),
        ("userfaultfd", 18),
        ("io_uring", 19),
        ("memfd", 20),
        ("pidfd", 21),
    ];
    let found = CODES.iter().find(|(name, _)| name.as_bytes() == kind).map(|(_, code)| *code);
    found.ok_or_else(|| format!("no kind of file is called {}", String::from_utf8_lossy(kind)))
}

struct Object<'a>(&'a Map<String, Value>);

impl Object<'_> {
    fn number<T: TryFrom<i128>>(&self, key: &str, default: T) -> Result<T, String> {
        let Some(value) = self.0.get(key) else { return Ok(default) };
        let number = value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from));
        let number = number.ok_or_else(|| format!("{key}: a whole number is expected"))?;
        T::try_from(number).map_err(|_| format!("{key}: {number} is out of range"))
    }

    fn flag(&self, key: &str) -> Result<bool, String> {
        self.0
            .get(key)
            .map_or(Ok(false), |v| v.as_bool().ok_or_else(|| format!("{key}: true or false is expected")))
    }

    fn text(&self, key: &str) -> Result<Vec<u8>, String> {
        let Some(value) = self.0.get(key) else { return Ok(Vec::new()) };
        value.as_str().map(|s| s.as_bytes().to_vec()).ok_or_else(|| format!("{key}: a text is expected"))
    }

    /// Strings, each with its NUL.
    fn list(&self, key: &str) -> Result<Vec<u8>, String> {
        let Some(value) = self.0.get(key) else { return Ok(Vec::new()) };
        let wrong = || format!("{key}: a list of texts is expected");
        let mut out = Vec::new();
        for item in value.as_array().ok_or_else(wrong)? {
            out.extend_from_slice(item.as_str().ok_or_else(wrong)?.as_bytes());
            out.push(0);
        }
        Ok(out)
    }

    fn ip(&self, key: &str) -> Result<IpAddr, String> {
        let text = self.text(key)?;
        let text = if text.is_empty() { "0.0.0.0".into() } else { String::from_utf8_lossy(&text) };
        text.parse().map_err(|_| format!("{key}: an address is expected"))
    }
}
