//! Writes captures of the current version, which the other tools of the field read.

use std::fs::File as Out;
use std::io::{self, BufWriter, Write};
use std::net::IpAddr;
use std::path::Path;

use eyas_event::table::Flags;
use eyas_event::{EVENTS, File, FileKind, Group, Interface, Machine, Process, Snapshot, User};
use flate2::write::GzEncoder;

use crate::block;

/// Limits of the format.
const MAX_PATH: usize = 1024;
const MAX_LIST: usize = 4096;

/// How a capture is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// As is.
    None,
    /// One gzip member.
    Gzip,
}

enum Sink {
    Plain(Box<dyn Write + Send>),
    Gzip(GzEncoder<Box<dyn Write + Send>>),
}

impl Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Sink::Plain(out) => out.write_all(bytes),
            Sink::Gzip(out) => out.write_all(bytes),
        }
    }
}

/// A capture being written: state first, then events.
pub struct Writer {
    sink: Sink,
    body: Vec<u8>,
    head: Head,
    started: bool,
    /// Events written.
    pub events: u64,
}

/// Initial state, gathered until the first event.
#[derive(Default)]
struct Head {
    machine: Machine,
    interfaces: Vec<Interface>,
    users: Vec<User>,
    groups: Vec<Group>,
    processes: Vec<Process>,
    files: Vec<File>,
}

impl Writer {
    /// Creates a capture file.
    ///
    /// # Errors
    /// When the file cannot be created or written.
    pub fn create(path: &Path, compression: Compression) -> io::Result<Writer> {
        Writer::new(Box::new(BufWriter::with_capacity(1 << 18, Out::create(path)?)), compression)
    }

    /// Writes a capture to any sink.
    ///
    /// # Errors
    /// When the sink refuses the section header.
    pub fn new(sink: Box<dyn Write + Send>, compression: Compression) -> io::Result<Writer> {
        let sink = match compression {
            Compression::None => Sink::Plain(sink),
            Compression::Gzip => Sink::Gzip(GzEncoder::new(sink, flate2::Compression::fast())),
        };
        let mut writer = Writer { sink, body: Vec::new(), head: Head::default(), started: false, events: 0 };
        writer.body.extend_from_slice(&block::MAGIC.to_le_bytes());
        writer.body.extend_from_slice(&[1, 0, 2, 0]);
        writer.body.extend_from_slice(&u64::MAX.to_le_bytes());
        writer.flush(block::SECTION)?;
        Ok(writer)
    }

    /// Takes a record of the initial state; records that come after the first event are ignored.
    pub fn snapshot(&mut self, record: Snapshot) {
        let head = &mut self.head;
        match record {
            Snapshot::Machine(machine) => head.machine = machine,
            Snapshot::Interface(interface) => head.interfaces.push(interface),
            Snapshot::User(user) => head.users.push(user),
            Snapshot::Group(group) => head.groups.push(group),
            Snapshot::Process(process) => head.processes.push(*process),
            Snapshot::File(file) => head.files.push(file),
        }
    }

    /// Writes an event in the current layout.
    ///
    /// # Errors
    /// When the sink fails.
    pub fn event(&mut self, bytes: &[u8], cpu: u16, dump_flags: u32) -> io::Result<()> {
        self.start()?;
        let kind = bytes.get(20..22).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]));
        let large = EVENTS.get(usize::from(kind)).is_some_and(|e| e.flags.has(Flags::LARGE_PAYLOAD));
        let flags = dump_flags & !4;
        self.body.extend_from_slice(&cpu.to_le_bytes());
        if flags != 0 {
            self.body.extend_from_slice(&flags.to_le_bytes());
        }
        self.body.extend_from_slice(bytes);
        self.events += 1;
        self.flush(match (flags != 0, large) {
            (false, false) => block::EVENT_V2,
            (true, false) => block::EVENT_FLAGS_V2,
            (false, true) => block::EVENT_LARGE,
            (true, true) => block::EVENT_FLAGS_LARGE,
        })
    }

    /// Ends the capture.
    ///
    /// # Errors
    /// When the sink fails.
    pub fn close(mut self) -> io::Result<()> {
        self.start()?;
        match self.sink {
            Sink::Plain(mut out) => out.flush(),
            Sink::Gzip(out) => out.finish()?.flush(),
        }
    }

    /// Writes the initial state before the first event.
    fn start(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.started, true) {
            return Ok(());
        }
        let head = std::mem::take(&mut self.head);
        machine(&mut self.body, &head.machine);
        self.flush(block::MACHINE)?;
        let v4 = head.interfaces.iter().filter(|i| i.address.is_ipv4());
        let v6 = head.interfaces.iter().filter(|i| i.address.is_ipv6());
        v4.chain(v6).for_each(|i| interface(&mut self.body, i));
        self.flush(block::INTERFACES_V2)?;
        head.users.iter().for_each(|u| user(&mut self.body, u));
        head.groups.iter().for_each(|g| group(&mut self.body, g));
        self.flush(block::USERS_V2)?;
        head.processes.iter().for_each(|p| process(&mut self.body, p));
        self.flush(block::PROCESSES_V9)?;
        self.files(&head.files)
    }

    /// One block for every run of files of the same thread.
    fn files(&mut self, files: &[File]) -> io::Result<()> {
        for run in files.chunk_by(|a, b| a.tid == b.tid) {
            self.body.extend_from_slice(&run[0].tid.to_le_bytes());
            run.iter().for_each(|f| file(&mut self.body, f));
            self.flush(block::FILES_V2)?;
        }
        Ok(())
    }

    /// Writes the gathered body as one block.
    fn flush(&mut self, kind: u32) -> io::Result<()> {
        let padding = self.body.len().wrapping_neg() & 3;
        let total = ((self.body.len() + padding + 12) as u32).to_le_bytes();
        self.body.resize(self.body.len() + padding, 0);
        self.sink.write(&kind.to_le_bytes())?;
        self.sink.write(&total)?;
        self.sink.write(&self.body)?;
        self.sink.write(&total)?;
        self.body.clear();
        Ok(())
    }
}

fn text(out: &mut Vec<u8>, bytes: &[u8], most: usize) {
    let bytes = &bytes[..bytes.len().min(most)];
    out.extend_from_slice(&(bytes.len() as u16).to_le_bytes());
    out.extend_from_slice(bytes);
}

/// Appends what `write` makes, with its length (itself included) in front.
fn sized(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    write(out);
    let len = ((out.len() - at) as u32).to_le_bytes();
    out[at..at + 4].copy_from_slice(&len);
}

fn machine(out: &mut Vec<u8>, m: &Machine) {
    out.extend_from_slice(&m.cpus.to_le_bytes());
    out.extend_from_slice(&m.memory.to_le_bytes());
    out.extend_from_slice(&m.max_pid.to_le_bytes());
    let mut name = m.hostname.clone();
    name.truncate(127);
    name.resize(128, 0);
    out.extend_from_slice(&name);
    out.extend_from_slice(&m.boot_ts.to_le_bytes());
    out.extend_from_slice(&[0; 24]);
}

fn address(out: &mut Vec<u8>, ip: IpAddr) {
    match ip {
        IpAddr::V4(ip) => out.extend_from_slice(&ip.octets()),
        IpAddr::V6(ip) => out.extend_from_slice(&ip.octets()),
    }
}

fn interface(out: &mut Vec<u8>, i: &Interface) {
    let at = out.len();
    sized(out, |out| {
        out.extend_from_slice(&(if i.address.is_ipv4() { 1u16 } else { 2 }).to_le_bytes());
        out.extend_from_slice(&(i.name.len() as u16).to_le_bytes());
        [i.address, i.netmask, i.broadcast].into_iter().for_each(|ip| address(out, ip));
        out.extend_from_slice(&i.linkspeed.to_le_bytes());
        out.extend_from_slice(&i.name);
    });
    // The length of an interface entry does not count itself.
    let len = ((out.len() - at - 4) as u32).to_le_bytes();
    out[at..at + 4].copy_from_slice(&len);
}

fn user(out: &mut Vec<u8>, u: &User) {
    sized(out, |out| {
        out.push(0);
        out.extend_from_slice(&u.uid.to_le_bytes());
        out.extend_from_slice(&u.gid.to_le_bytes());
        text(out, &u.name, 255);
        text(out, &u.home, MAX_PATH);
        text(out, &u.shell, MAX_PATH);
    });
}

fn group(out: &mut Vec<u8>, g: &Group) {
    sized(out, |out| {
        out.push(1);
        out.extend_from_slice(&g.gid.to_le_bytes());
        text(out, &g.name, 255);
    });
}

fn process(out: &mut Vec<u8>, p: &Process) {
    sized(out, |out| {
        for id in [p.tid, p.pid, p.ptid, p.sid, p.vpgid] {
            out.extend_from_slice(&id.to_le_bytes());
        }
        for path in [&p.comm, &p.exe, &p.exepath] {
            text(out, path, MAX_PATH);
        }
        text(out, &p.args, MAX_LIST);
        text(out, if p.cwd.is_empty() { b"/" } else { &p.cwd }, MAX_PATH);
        out.extend_from_slice(&p.fdlimit.to_le_bytes());
        for n in [p.flags, p.uid, p.gid, p.vmsize_kb, p.vmrss_kb, p.vmswap_kb] {
            out.extend_from_slice(&n.to_le_bytes());
        }
        out.extend_from_slice(&p.pfmajor.to_le_bytes());
        out.extend_from_slice(&p.pfminor.to_le_bytes());
        text(out, &p.env, MAX_LIST);
        out.extend_from_slice(&p.vtid.to_le_bytes());
        out.extend_from_slice(&p.vpid.to_le_bytes());
        text(out, &p.cgroups, MAX_LIST);
        text(out, &p.root, MAX_PATH);
        tail(out, p);
    });
}

fn tail(out: &mut Vec<u8>, p: &Process) {
    out.extend_from_slice(&p.pidns_init_start_ts.to_le_bytes());
    out.extend_from_slice(&p.tty.to_le_bytes());
    out.extend_from_slice(&p.loginuid.to_le_bytes());
    out.push(u8::from(p.exe_writable));
    for n in [p.cap_inheritable, p.cap_permitted, p.cap_effective] {
        out.extend_from_slice(&n.to_le_bytes());
    }
    out.push(u8::from(p.exe_upper_layer));
    for n in [p.exe_ino, p.exe_ino_ctime, p.exe_ino_mtime] {
        out.extend_from_slice(&n.to_le_bytes());
    }
    out.push(u8::from(p.exe_from_memfd));
    out.push(u8::from(p.exe_lower_layer));
    out.extend_from_slice(&p.pgid.to_le_bytes());
}

fn code(kind: &FileKind) -> u8 {
    match kind {
        FileKind::Connection { source: IpAddr::V4(_), .. } => 3,
        FileKind::Connection { .. } => 4,
        FileKind::Listener { ip: IpAddr::V4(_), .. } => 5,
        FileKind::Listener { .. } => 6,
        FileKind::Unix { .. } => 8,
        FileKind::Regular { .. } => 16,
        FileKind::Named { code, .. } => *code,
    }
}

fn file(out: &mut Vec<u8>, f: &File) {
    sized(out, |out| {
        out.extend_from_slice(&f.fd.to_le_bytes());
        out.extend_from_slice(&f.ino.to_le_bytes());
        out.push(code(&f.kind));
        match &f.kind {
            FileKind::Connection { source, dest, sport, dport, l4 } => {
                address(out, *source);
                address(out, *dest);
                out.extend_from_slice(&sport.to_le_bytes());
                out.extend_from_slice(&dport.to_le_bytes());
                out.push(*l4);
            }
            FileKind::Listener { ip, port, l4 } => {
                address(out, *ip);
                out.extend_from_slice(&port.to_le_bytes());
                out.push(*l4);
            }
            FileKind::Unix { source, dest, name } => {
                out.extend_from_slice(&source.to_le_bytes());
                out.extend_from_slice(&dest.to_le_bytes());
                text(out, name, MAX_PATH - 1);
            }
            FileKind::Regular { flags, name, dev, .. } => {
                out.extend_from_slice(&flags.to_le_bytes());
                text(out, name, MAX_PATH - 1);
                out.extend_from_slice(&dev.to_le_bytes());
            }
            FileKind::Named { code: 0, .. } => {}
            FileKind::Named { name, .. } => text(out, name, MAX_PATH - 1),
        }
    });
}
