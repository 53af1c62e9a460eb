//! Writes captures that every reader of the format understands: version 1.2, gzip or plain.

use std::collections::BTreeMap;
use std::fs::File as Disk;
use std::io::{self, BufWriter, Write};
use std::net::IpAddr;
use std::path::Path;

use eyas_event::table::Flags;
use eyas_event::{Event, File, FileKind, Group, Interface, Machine, Process, Snapshot, User};
use flate2::write::GzEncoder;

use crate::companion::{COMPANION, companion, earlier};
use crate::{block, snapshot};

/// How the file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// As it is.
    Plain,
    /// gzip.
    Gzip,
}

impl Compression {
    /// What a file name asks for: gzip for `.gz` and `.scapz`.
    pub fn of(path: &Path) -> Compression {
        match path.extension().and_then(|e| e.to_str()) {
            Some("gz" | "scapz") => Compression::Gzip,
            _ => Compression::Plain,
        }
    }
}

enum Sink {
    Plain(BufWriter<Box<dyn Write + Send>>),
    Gzip(Box<BufWriter<GzEncoder<Box<dyn Write + Send>>>>),
}

/// A capture being written. Snapshot records are collected and written before the first event.
pub struct Writer {
    sink: Sink,
    head: Option<Head>,
    scratch: Vec<u8>,
    enter: Vec<u8>,
    older: Vec<u8>,
}

/// Dump flag of an event that only carries state.
const STATE_ONLY: u32 = 1;

#[derive(Default)]
struct Head {
    machine: Machine,
    interfaces: Vec<Interface>,
    users: Vec<User>,
    groups: Vec<Group>,
    processes: Vec<Process>,
    files: BTreeMap<i64, Vec<File>>,
}

impl Writer {
    /// Creates a file, packed as its name says.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn create(path: &Path) -> io::Result<Writer> {
        if path.as_os_str() == "-" {
            return Ok(Writer::new(io::stdout(), Compression::Plain));
        }
        Ok(Writer::new(Disk::create(path)?, Compression::of(path)))
    }

    /// Writes to a stream.
    pub fn new(out: impl Write + Send + 'static, compression: Compression) -> Writer {
        let out: Box<dyn Write + Send> = Box::new(out);
        let sink = match compression {
            Compression::Plain => Sink::Plain(BufWriter::with_capacity(1 << 18, out)),
            Compression::Gzip => {
                Sink::Gzip(Box::new(BufWriter::new(GzEncoder::new(out, flate2::Compression::fast()))))
            }
        };
        Writer {
            sink,
            head: Some(Head::default()),
            scratch: Vec::new(),
            enter: Vec::new(),
            older: Vec::new(),
        }
    }

    /// Starts a new section in the same file.
    ///
    /// # Errors
    /// When the bytes cannot be written.
    pub fn section(&mut self) -> io::Result<()> {
        self.flush_head()?;
        self.head = Some(Head::default());
        Ok(())
    }

    /// Takes a record of the initial state; those after the first event of a section are too late and dropped.
    pub fn snapshot(&mut self, record: Snapshot) {
        let Some(head) = &mut self.head else { return };
        match record {
            Snapshot::Machine(machine) => head.machine = machine,
            Snapshot::Process(process) => head.processes.push(*process),
            Snapshot::File(file) => head.files.entry(file.tid).or_default().push(file),
            Snapshot::Interface(interface) => head.interfaces.push(interface),
            Snapshot::User(user) => head.users.push(user),
            Snapshot::Group(group) => head.groups.push(group),
        }
    }

    /// Appends an event as it is; an exit event with the enter event that older readers expect before it.
    ///
    /// # Errors
    /// When the bytes cannot be written.
    pub fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        if self.head.is_some() {
            self.flush_head()?;
        }
        let (mut enter, mut older) = (std::mem::take(&mut self.enter), std::mem::take(&mut self.older));
        enter.clear();
        older.clear();
        let result = self.pair(event, &mut enter, &mut older);
        (self.enter, self.older) = (enter, older);
        result
    }

    /// Writes an event behind its enter event; the header's time may differ from the bytes when a tape moved it.
    fn pair(&mut self, event: &Event<'_>, enter: &mut Vec<u8>, older: &mut Vec<u8>) -> io::Result<()> {
        let dump_flags = event.dump_flags & !COMPANION;
        if earlier(event, enter, older) {
            self.append((event.cpu, STATE_ONLY), event.ts, enter, false)?;
            return self.append((event.cpu, dump_flags), event.ts, older, false);
        }
        if companion(event, enter) {
            self.append((event.cpu, STATE_ONLY | COMPANION), event.ts, enter, false)?;
        }
        let large = event.info().flags.has(Flags::LARGE_PAYLOAD);
        self.append((event.cpu, dump_flags), event.ts, event.bytes, large)
    }

    fn append(
        &mut self,
        (cpu, dump_flags): (u16, u32),
        ts: u64,
        event: &[u8],
        large: bool,
    ) -> io::Result<()> {
        let flagged = dump_flags & !4 != 0;
        let kind = match (flagged, large) {
            (false, false) => block::EVENT,
            (false, true) => block::EVENT_LARGE,
            (true, false) => block::EVENT_FLAGGED,
            (true, true) => block::EVENT_FLAGGED_LARGE,
        };
        self.scratch.clear();
        self.scratch.extend_from_slice(&cpu.to_le_bytes());
        if flagged {
            self.scratch.extend_from_slice(&dump_flags.to_le_bytes());
        }
        self.scratch.extend_from_slice(&ts.to_le_bytes());
        self.scratch.extend_from_slice(&event[8..]);
        let body = std::mem::take(&mut self.scratch);
        let result = self.block(kind, &body);
        self.scratch = body;
        result
    }

    /// Writes what is pending and closes the stream.
    ///
    /// # Errors
    /// When the bytes cannot be written.
    pub fn finish(mut self) -> io::Result<()> {
        self.flush_head()?;
        match self.sink {
            Sink::Plain(mut out) => out.flush(),
            Sink::Gzip(out) => out.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?.flush(),
        }
    }

    fn flush_head(&mut self) -> io::Result<()> {
        let Some(head) = self.head.take() else { return Ok(()) };
        let mut section = Vec::new();
        put32(&mut section, block::MAGIC);
        put16(&mut section, 1);
        put16(&mut section, 2);
        put64(&mut section, u64::MAX);
        self.block(block::SECTION, &section)?;
        self.block(block::MACHINE, &machine(&head.machine))?;
        self.block(block::INTERFACES, &interfaces(&head.interfaces))?;
        self.block(block::USERS, &users(&head.users, &head.groups))?;
        self.block(block::PROCESSES, &head.processes.iter().flat_map(process).collect::<Vec<u8>>())?;
        for (tid, files) in &head.files {
            let mut body = tid.to_le_bytes().to_vec();
            files.iter().for_each(|f| body.extend(sized(&file(f), true)));
            self.block(block::FILES, &body)?;
        }
        Ok(())
    }

    fn block(&mut self, kind: u32, body: &[u8]) -> io::Result<()> {
        let pad = body.len().wrapping_neg() % 4;
        let total = u32::try_from(body.len() + pad + 12).map_err(io::Error::other)?.to_le_bytes();
        let out: &mut dyn Write = match &mut self.sink {
            Sink::Plain(out) => out,
            Sink::Gzip(out) => out,
        };
        out.write_all(&kind.to_le_bytes())?;
        out.write_all(&total)?;
        out.write_all(body)?;
        out.write_all(&[0; 3][..pad])?;
        out.write_all(&total)
    }
}

fn put8(out: &mut Vec<u8>, v: u8) {
    out.push(v);
}

fn put16(out: &mut Vec<u8>, v: u16) {
    out.extend_from_slice(&v.to_le_bytes());
}

fn put32(out: &mut Vec<u8>, v: u32) {
    out.extend_from_slice(&v.to_le_bytes());
}

fn put64(out: &mut Vec<u8>, v: u64) {
    out.extend_from_slice(&v.to_le_bytes());
}

fn put_i64(out: &mut Vec<u8>, v: i64) {
    out.extend_from_slice(&v.to_le_bytes());
}

/// Text with its length, cut to what readers accept.
fn put_text(out: &mut Vec<u8>, text: &[u8], max: usize) {
    let text = &text[..text.len().min(max)];
    put16(out, u16::try_from(text.len()).unwrap_or(u16::MAX));
    out.extend_from_slice(text);
}

fn put_ip(out: &mut Vec<u8>, ip: IpAddr) {
    match ip {
        IpAddr::V4(ip) => out.extend_from_slice(&ip.octets()),
        IpAddr::V6(ip) => out.extend_from_slice(&ip.octets()),
    }
}

/// An entry behind its length, which counts itself or not.
fn sized(entry: &[u8], itself: bool) -> Vec<u8> {
    let len = entry.len() + if itself { 4 } else { 0 };
    [&u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes(), entry].concat()
}

fn machine(machine: &Machine) -> Vec<u8> {
    let mut out = Vec::new();
    put32(&mut out, machine.cpus);
    put64(&mut out, machine.memory);
    put64(&mut out, machine.max_pid);
    let mut hostname = machine.hostname.clone();
    hostname.truncate(127);
    hostname.resize(128, 0);
    out.extend(hostname);
    put64(&mut out, machine.boot_ts);
    out.extend([0; 24]);
    out
}

fn interfaces(all: &[Interface]) -> Vec<u8> {
    let (v4, v6): (Vec<&Interface>, Vec<&Interface>) = all.iter().partition(|i| i.address.is_ipv4());
    v4.into_iter().chain(v6).flat_map(|i| sized(&interface(i), false)).collect()
}

fn interface(i: &Interface) -> Vec<u8> {
    let mut out = Vec::new();
    put16(&mut out, if i.address.is_ipv4() { 1 } else { 2 });
    put16(&mut out, u16::try_from(i.name.len()).unwrap_or(0));
    [i.address, i.netmask, i.broadcast].into_iter().for_each(|ip| put_ip(&mut out, ip));
    put64(&mut out, i.linkspeed);
    out.extend_from_slice(&i.name);
    out
}

const NAME_MAX: usize = 255;
const PATH_MAX: usize = 1024;
const FILE_NAME_MAX: usize = 1023;
const LIST_MAX: usize = 4096;

fn users(users: &[User], groups: &[Group]) -> Vec<u8> {
    let mut out = Vec::new();
    for user in users {
        let mut entry = vec![0];
        put32(&mut entry, user.uid);
        put32(&mut entry, user.gid);
        put_text(&mut entry, &user.name, NAME_MAX);
        put_text(&mut entry, &user.home, PATH_MAX);
        put_text(&mut entry, &user.shell, PATH_MAX);
        out.extend(sized(&entry, true));
    }
    for group in groups {
        let mut entry = vec![1];
        put32(&mut entry, group.gid);
        put_text(&mut entry, &group.name, NAME_MAX);
        out.extend(sized(&entry, true));
    }
    out
}

fn process(p: &Process) -> Vec<u8> {
    let mut out = Vec::new();
    [p.tid, p.pid, p.ptid, p.sid, p.vpgid].into_iter().for_each(|v| put_i64(&mut out, v));
    put_text(&mut out, &p.comm, PATH_MAX);
    put_text(&mut out, &p.exe, PATH_MAX);
    put_text(&mut out, &p.exepath, PATH_MAX);
    put_text(&mut out, &p.args, LIST_MAX);
    put_text(&mut out, &p.cwd, PATH_MAX);
    put_i64(&mut out, p.fdlimit);
    [p.flags, p.uid, p.gid, p.vmsize_kb, p.vmrss_kb, p.vmswap_kb]
        .into_iter()
        .for_each(|v| put32(&mut out, v));
    [p.pfmajor, p.pfminor].into_iter().for_each(|v| put64(&mut out, v));
    put_text(&mut out, &p.env, LIST_MAX);
    [p.vtid, p.vpid].into_iter().for_each(|v| put_i64(&mut out, v));
    put_text(&mut out, &p.cgroups, LIST_MAX);
    put_text(&mut out, &p.root, PATH_MAX);
    process_tail(p, &mut out);
    sized(&out, true)
}

fn process_tail(p: &Process, out: &mut Vec<u8>) {
    put64(out, p.pidns_init_start_ts);
    put32(out, p.tty);
    put32(out, p.loginuid);
    put8(out, u8::from(p.exe_writable));
    [p.cap_inheritable, p.cap_permitted, p.cap_effective].into_iter().for_each(|v| put64(out, v));
    put8(out, u8::from(p.exe_upper_layer));
    [p.exe_ino, p.exe_ino_ctime, p.exe_ino_mtime].into_iter().for_each(|v| put64(out, v));
    put8(out, u8::from(p.exe_from_memfd));
    put8(out, u8::from(p.exe_lower_layer));
    put_i64(out, p.pgid);
}

fn file(file: &File) -> Vec<u8> {
    let mut out = Vec::new();
    put_i64(&mut out, file.fd);
    put64(&mut out, file.ino);
    match &file.kind {
        FileKind::Connection { source, dest, sport, dport, l4 } => {
            put8(&mut out, if source.is_ipv4() { 3 } else { 4 });
            put_ip(&mut out, *source);
            put_ip(&mut out, *dest);
            put16(&mut out, *sport);
            put16(&mut out, *dport);
            put8(&mut out, *l4);
        }
        FileKind::Listener { ip, port, l4 } => {
            put8(&mut out, if ip.is_ipv4() { 5 } else { 6 });
            put_ip(&mut out, *ip);
            put16(&mut out, *port);
            put8(&mut out, *l4);
        }
        FileKind::Unix { source, dest, name } => {
            put8(&mut out, 8);
            put64(&mut out, *source);
            put64(&mut out, *dest);
            put_text(&mut out, name, FILE_NAME_MAX);
        }
        FileKind::Regular { flags, name, dev, .. } => {
            put8(&mut out, 16);
            put32(&mut out, *flags);
            put_text(&mut out, name, FILE_NAME_MAX);
            put32(&mut out, *dev);
        }
        FileKind::Named { code: 0, .. } => put8(&mut out, 0),
        FileKind::Named { code, name } => {
            let (code, name) = snapshot::common(*code, name);
            put8(&mut out, code);
            put_text(&mut out, &name, FILE_NAME_MAX);
        }
    }
    out
}
