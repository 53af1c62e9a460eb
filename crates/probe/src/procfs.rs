//! What /proc tells: the initial state, and facts about one process.

use std::collections::HashSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use eyas_event::{File, FileKind, Group, Interface, Machine, Process, Snapshot, User};

mod sockets;

use sockets::Sockets;
pub(crate) use sockets::{Socket, inet};

/// Most bytes of arguments and environment that are kept.
pub(crate) const MAX_LIST: usize = 4096;
const SECOND: u64 = 1_000_000_000;
const READINGS: usize = 5;
/// Inode of the first pid namespace (PROC_PID_INIT_INO).
const FIRST_PID_NAMESPACE: u32 = 0xEFFF_FFFC;

fn root() -> PathBuf {
    std::env::var_os("HOST_ROOT").map_or_else(|| PathBuf::from("/"), PathBuf::from)
}

fn proc(rest: impl AsRef<Path>) -> PathBuf {
    root().join("proc").join(rest)
}

fn lines(path: impl AsRef<Path>) -> Vec<String> {
    fs::read(path)
        .map(|b| String::from_utf8_lossy(&b).lines().map(str::to_owned).collect())
        .unwrap_or_default()
}

/// Boot time in nanoseconds since the epoch: the narrowest of some readings, for anything may come between two clocks.
pub fn boot_time() -> u64 {
    let reading = || {
        let (before, now, after) = (clock(libc::CLOCK_BOOTTIME), crate::now(), clock(libc::CLOCK_BOOTTIME));
        (after - before, now.saturating_sub(before.midpoint(after)))
    };
    (0..READINGS).map(|_| reading()).min().map_or(0, |(_, boot)| boot)
}

/// A clock of this machine, in nanoseconds.
pub(crate) fn clock(id: libc::clockid_t) -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a valid timespec.
    unsafe { libc::clock_gettime(id, &raw mut now) };
    now.tv_sec.cast_unsigned() * SECOND + now.tv_nsec.cast_unsigned()
}

/// Facts about the host.
pub fn machine() -> Machine {
    let number =
        |path: PathBuf| fs::read_to_string(path).ok().and_then(|t| t.trim().parse().ok()).unwrap_or(0);
    let memory =
        lines(proc("meminfo")).first().and_then(|l| l.split_whitespace().nth(1)?.parse::<u64>().ok());
    Machine {
        cpus: std::thread::available_parallelism().map_or(1, |n| n.get() as u32),
        memory: memory.unwrap_or(0) * 1024,
        max_pid: number(proc("sys/kernel/pid_max")),
        hostname: fs::read(proc("sys/kernel/hostname")).map(|h| h.trim_ascii().to_vec()).unwrap_or_default(),
        boot_ts: boot_time(),
    }
}

/// Everything that is true now.
pub fn scan(out: &mut dyn FnMut(Snapshot)) {
    host(out);
    threads(&HashSet::new(), out);
}

/// The machine, its addresses, users and groups.
pub(crate) fn host(out: &mut dyn FnMut(Snapshot)) {
    out(Snapshot::Machine(machine()));
    interfaces().into_iter().for_each(|i| out(Snapshot::Interface(i)));
    users().into_iter().for_each(|u| out(Snapshot::User(u)));
    groups().into_iter().for_each(|g| out(Snapshot::Group(g)));
}

/// Whether this process is in the first pid namespace, and so sees every process of the machine.
pub(crate) fn sees_all() -> bool {
    link("/proc/self/ns/pid".into()) == format!("pid:[{FIRST_PID_NAMESPACE}]").as_bytes()
}

/// Every thread and every open file, except of processes that are known already.
pub(crate) fn threads(known: &HashSet<i64>, out: &mut dyn FnMut(Snapshot)) {
    let mut sockets = Sockets::default();
    for pid in numbers(&proc("")).into_iter().filter(|pid| !known.contains(pid)) {
        let Some(main) = process(pid, pid) else { continue };
        out(Snapshot::Process(Box::new(main)));
        for tid in numbers(&proc(format!("{pid}/task"))).into_iter().filter(|tid| *tid != pid) {
            if let Some(thread) = process(pid, tid) {
                out(Snapshot::Process(Box::new(thread)));
            }
        }
        files(pid, &mut sockets).into_iter().for_each(|f| out(Snapshot::File(f)));
    }
}

fn numbers(dir: &Path) -> Vec<i64> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    entries.flatten().filter_map(|e| e.file_name().to_str()?.parse().ok()).collect()
}

fn head(path: PathBuf) -> Vec<u8> {
    let mut bytes = fs::read(path).unwrap_or_default();
    bytes.truncate(MAX_LIST);
    bytes
}

fn link(path: PathBuf) -> Vec<u8> {
    fs::read_link(path).map(|p| p.as_os_str().as_bytes().to_vec()).unwrap_or_default()
}

/// Whether a thread is there.
pub fn exists(tid: i64) -> bool {
    proc(tid.to_string()).exists()
}

/// A thread by id, for one that nobody saw start.
pub fn thread(tid: i64) -> Option<Process> {
    let pid = status(&proc(format!("{tid}/status")))
        .iter()
        .find_map(|(k, v)| (k == "Tgid").then(|| v.parse().ok()))??;
    process(pid, tid)
}

fn status(path: &Path) -> Vec<(String, String)> {
    lines(path)
        .iter()
        .filter_map(|l| l.split_once(':').map(|(k, v)| (k.to_owned(), v.trim().to_owned())))
        .collect()
}

/// One thread; `None` for kernel threads and those that are gone.
fn process(pid: i64, tid: i64) -> Option<Process> {
    let dir = proc(format!("{pid}/task/{tid}"));
    let cmdline = head(dir.join("cmdline"));
    let exe_link = link(dir.join("exe"));
    if cmdline.is_empty() && exe_link.is_empty() {
        return None;
    }
    let status = status(&dir.join("status"));
    let field =
        |key: &str| status.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str()).unwrap_or_default();
    let nth = |key: &str, n: usize| field(key).split_whitespace().nth(n).and_then(|v| v.parse::<i64>().ok());
    let last = |key: &str| field(key).split_whitespace().last().and_then(|v| v.parse::<i64>().ok());
    let hex = |key: &str| u64::from_str_radix(field(key), 16).unwrap_or(0);
    let stat = fs::read_to_string(dir.join("stat")).unwrap_or_default();
    let stat: Vec<&str> =
        stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
    let stat = |n: usize| stat.get(n).and_then(|v| v.parse::<i64>().ok()).unwrap_or(0);
    let cut = cmdline.iter().position(|b| *b == 0).map_or(cmdline.len(), |at| at + 1);
    let exepath = exe_link.strip_suffix(b" (deleted)").unwrap_or(&exe_link).to_vec();
    let image = fs::metadata(dir.join("exe")).ok();
    let comm = fs::read(dir.join("comm")).unwrap_or_default();
    Some(Process {
        tid,
        pid,
        ptid: nth("PPid", 0)?,
        sid: stat(3),
        vpgid: last("NSpgid").unwrap_or(-1),
        pgid: nth("NSpgid", 0).unwrap_or_else(|| stat(2)),
        vtid: last("NSpid").unwrap_or(tid),
        vpid: last("NStgid").unwrap_or(pid),
        comm: comm.strip_suffix(b"\n").unwrap_or(&comm).to_vec(),
        exe: cmdline[..cut].strip_suffix(b"\0").unwrap_or(&cmdline[..cut]).to_vec(),
        args: cmdline[cut..].to_vec(),
        exe_from_memfd: exepath.starts_with(b"/memfd:"),
        exepath,
        env: head(dir.join("environ")),
        cgroups: cgroups(u32::try_from(pid).ok()?),
        cwd: link(dir.join("cwd")),
        root: link(dir.join("root")),
        fdlimit: limit(pid),
        flags: if pid == tid { 0 } else { 1 | 1 << 13 },
        uid: nth("Uid", 1)? as u32,
        gid: nth("Gid", 1)? as u32,
        loginuid: fs::read_to_string(dir.join("loginuid"))
            .ok()
            .and_then(|t| t.parse().ok())
            .unwrap_or(u32::MAX),
        vmsize_kb: nth("VmSize", 0).unwrap_or(0) as u32,
        vmrss_kb: nth("VmRSS", 0).unwrap_or(0) as u32,
        vmswap_kb: nth("VmSwap", 0).unwrap_or(0) as u32,
        pfmajor: stat(9).cast_unsigned(),
        pfminor: stat(7).cast_unsigned(),
        tty: stat(4) as u32,
        clone_ts: boot_time() + stat(19).cast_unsigned() * (SECOND / 100),
        exe_ino: image.as_ref().map_or(0, MetadataExt::ino),
        exe_ino_ctime: image.as_ref().map_or(0, |m| (m.ctime() as u64) * SECOND + m.ctime_nsec() as u64),
        exe_ino_mtime: image.as_ref().map_or(0, |m| (m.mtime() as u64) * SECOND + m.mtime_nsec() as u64),
        exe_writable: exe_flags(u32::try_from(pid).ok()?) & 1 != 0,
        cap_inheritable: hex("CapInh"),
        cap_permitted: hex("CapPrm"),
        cap_effective: hex("CapEff"),
        ..Process::default()
    })
}

fn limit(pid: i64) -> i64 {
    let lines = lines(proc(format!("{pid}/limits")));
    let line = lines.iter().find(|l| l.starts_with("Max open files"));
    line.and_then(|l| l.split_whitespace().nth(3)?.parse().ok()).unwrap_or(-1)
}

/// `subsystem=path` entries, each ended by NUL.
pub fn cgroups(pid: u32) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines(proc(format!("{pid}/cgroup"))) {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(names), Some(path)) = (parts.next(), parts.next()) else { continue };
        for name in names.split(',') {
            let name = if name.is_empty() { "unified" } else { name };
            out.extend_from_slice(format!("{name}={path}\0").as_bytes());
        }
    }
    out.truncate(MAX_LIST);
    out
}

/// Whether the program file can be written by its owner, and whether it lies in memory or in an upper layer.
pub fn exe_flags(pid: u32) -> u32 {
    let path = link(proc(format!("{pid}/exe")));
    let memory = u32::from(path.starts_with(b"/memfd:")) * 4;
    let Ok(meta) = fs::metadata(proc(format!("{pid}/exe"))) else { return memory };
    let owner = fs::metadata(proc(format!("{pid}"))).map_or(u32::MAX, |m| m.uid());
    let writable = (meta.uid() == owner && meta.permissions().mode() & 0o200 != 0) || owner == 0;
    memory | u32::from(writable)
}

/// ctime or mtime of the program file.
pub fn exe_time(pid: u32, changed: bool) -> u64 {
    let Ok(m) = fs::metadata(proc(format!("{pid}/exe"))) else { return 0 };
    let (seconds, ns) = if changed { (m.ctime(), m.ctime_nsec()) } else { (m.mtime(), m.mtime_nsec()) };
    seconds as u64 * SECOND + ns as u64
}

fn files(pid: i64, sockets: &mut Sockets) -> Vec<File> {
    let dir = proc(format!("{pid}/fd"));
    numbers(&dir).into_iter().filter_map(|fd| file(pid, fd, &dir, sockets)).collect()
}

fn file(pid: i64, fd: i64, dir: &Path, sockets: &mut Sockets) -> Option<File> {
    let path = dir.join(fd.to_string());
    let name = link(path.clone());
    let meta = fs::metadata(&path).ok()?;
    let kind = if meta.file_type().is_socket() {
        sockets.find(pid, meta.ino())?
    } else {
        let (major, minor) = (libc::major(meta.dev()), libc::minor(meta.dev()));
        kind(meta.mode(), name, minor & 0xff | major << 8 | (minor & !0xff) << 12)
    };
    Some(File { tid: pid, fd, ino: meta.ino(), kind })
}

/// What kind of file one is that is no socket, by its mode and the name that the kernel gives it.
pub(crate) fn kind(mode: u32, name: Vec<u8>, dev: u32) -> FileKind {
    let named = |code: u8, name: &[u8]| FileKind::Named { code, name: name.to_vec() };
    match mode & libc::S_IFMT {
        libc::S_IFIFO => named(7, &name),
        libc::S_IFDIR => named(2, &name),
        _ => match (name.strip_prefix(b"/memfd:"), name.strip_prefix(b"anon_inode:")) {
            (Some(rest), _) => named(20, rest),
            (None, Some(rest)) => named(anonymous(rest), &name),
            (None, None) => FileKind::Regular { flags: 0, name, dev, mount_id: 0 },
        },
    }
}

fn anonymous(name: &[u8]) -> u8 {
    match name {
        b"[eventfd]" => 9,
        b"[eventpoll]" => 12,
        b"inotify" => 13,
        b"[signalfd]" => 11,
        b"[timerfd]" => 14,
        b"[io_uring]" => 19,
        b"[userfaultfd]" => 18,
        b"[pidfd]" => 21,
        name if name.starts_with(b"bpf") || name.starts_with(b"[bpf") => 17,
        _ => 10,
    }
}

fn users() -> Vec<User> {
    let fields = |line: &String| {
        let f: Vec<&str> = line.split(':').collect();
        Some(User {
            uid: f.get(2)?.parse().ok()?,
            gid: f.get(3)?.parse().ok()?,
            name: f.first()?.as_bytes().to_vec(),
            home: f.get(5)?.as_bytes().to_vec(),
            shell: f.get(6)?.as_bytes().to_vec(),
        })
    };
    lines(root().join("etc/passwd")).iter().filter_map(fields).collect()
}

fn groups() -> Vec<Group> {
    let fields = |line: &String| {
        let f: Vec<&str> = line.split(':').collect();
        Some(Group { gid: f.get(2)?.parse().ok()?, name: f.first()?.as_bytes().to_vec() })
    };
    lines(root().join("etc/group")).iter().filter_map(fields).collect()
}

/// Addresses of this host.
fn interfaces() -> Vec<Interface> {
    let mut list: *mut libc::ifaddrs = std::ptr::null_mut();
    // SAFETY: getifaddrs fills the pointer or fails; freeifaddrs gets what it gave, once.
    unsafe {
        if libc::getifaddrs(&raw mut list) != 0 {
            return Vec::new();
        }
        let mut found = Vec::new();
        let mut at = list;
        while let Some(entry) = at.as_ref() {
            if let (Some(address), Some(netmask)) = (ip(entry.ifa_addr), ip(entry.ifa_netmask)) {
                let name = std::ffi::CStr::from_ptr(entry.ifa_name).to_bytes().to_vec();
                let none = if address.is_ipv4() {
                    Ipv4Addr::UNSPECIFIED.into()
                } else {
                    Ipv6Addr::UNSPECIFIED.into()
                };
                let broadcast =
                    ip(entry.ifa_ifu).filter(|b| b.is_ipv4() == address.is_ipv4()).unwrap_or(none);
                found.push(Interface { name, address, netmask, broadcast, linkspeed: 0 });
            }
            at = entry.ifa_next;
        }
        libc::freeifaddrs(list);
        found
    }
}

/// # Safety
/// The pointer is null or points to a socket address.
unsafe fn ip(address: *const libc::sockaddr) -> Option<IpAddr> {
    // SAFETY: the family says which structure it is.
    unsafe {
        match i32::from(address.as_ref()?.sa_family) {
            libc::AF_INET => {
                let v4 = &*address.cast::<libc::sockaddr_in>();
                Some(Ipv4Addr::from(v4.sin_addr.s_addr.to_ne_bytes()).into())
            }
            libc::AF_INET6 => {
                let v6 = &*address.cast::<libc::sockaddr_in6>();
                Some(Ipv6Addr::from(v6.sin6_addr.s6_addr).into())
            }
            _ => None,
        }
    }
}
