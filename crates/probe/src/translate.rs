//! Records of the kernel side become events of the event table.

use eyas_event::table::Kind;
use eyas_event::{EVENTS, encode, id};

use crate::calls::{CALLS, Call, Origin};
use crate::procfs;
use crate::record::{Facts, KIND_EXEC, KIND_EXIT, KIND_FORK, Record};

const AF_UNIX: u16 = 1;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;
const O_CREAT: u32 = 0o100;
const O_TMPFILE: u32 = 0o20_000_000;
const PAGE_KB: u64 = 4;
const THREAD: u32 = 1 << 13;
const FILES: u32 = 1;
const CHILD_IN_PIDNS: u32 = 1 << 29;

/// Kernel open flags and what each becomes; the access mode is one more than the kernel's.
const OPEN_FLAGS: [(u32, u32); 12] = [
    (0o100, 4),
    (0o200, 32),
    (0o1000, 256),
    (0o2000, 8),
    (0o4000, 64),
    (0o10_000, 144),
    (0o40_000, 512),
    (0o100_000, 2048),
    (0o200_000, 9216),
    (0o2_000_000, 4096),
    (0o4_000_000, 128),
    (0o20_000_000, 8192),
];

/// Turns records into events; knows the boot time and where system calls stand.
#[derive(Debug)]
pub(crate) struct Translator {
    boot_ts: u64,
    by_number: Vec<Option<&'static Call>>,
}

impl Translator {
    pub(crate) fn new(boot_ts: u64) -> Translator {
        let mut by_number = vec![None; 512];
        for (name, number) in eyas_event::NATIVE_X86_64.iter() {
            if let Some(slot) = by_number.get_mut(*number as usize) {
                *slot = CALLS.iter().find(|call| call.name == *name);
            }
        }
        Translator { boot_ts, by_number }
    }

    /// Appends the event of a record to `out`; `None` when the record makes none.
    pub(crate) fn event(&self, bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let record = Record::read(bytes)?;
        let ts = record.ts.wrapping_add(self.boot_ts);
        let (kind, params) = match record.kind {
            KIND_EXEC => (id::SYSCALL_EXECVE_19_X, exec(&record)?),
            KIND_FORK => (id::SYSCALL_CLONE_20_X, fork(&record)?),
            KIND_EXIT => (id::PROCEXIT_1_E, exit(&record)),
            number => {
                let call = (*self.by_number.get(number as usize)?)?;
                (call.event, syscall(call, &record))
            }
        };
        let slices: Vec<&[u8]> = params.iter().map(Vec::as_slice).collect();
        encode(out, ts, i64::from(record.tid), kind, &slices).ok()
    }
}

fn long(n: impl Into<i64>) -> Vec<u8> {
    n.into().to_le_bytes().to_vec()
}

fn ulong(n: u64) -> Vec<u8> {
    n.to_le_bytes().to_vec()
}

fn word(n: u32) -> Vec<u8> {
    n.to_le_bytes().to_vec()
}

fn text(b: &[u8]) -> Vec<u8> {
    let mut out = b.split(|c| *c == 0).next().unwrap_or_default().to_vec();
    out.push(0);
    out
}

fn syscall(call: &Call, record: &Record<'_>) -> Vec<Vec<u8>> {
    let blobs = record.blobs();
    let mut next = blobs.iter();
    let info = &EVENTS[usize::from(call.event)];
    // The tuple follows the address that stands before it among the blobs.
    let tuple_at = call.params.iter().filter(|p| matches!(p, Origin::Text | Origin::Address)).count();
    let tuple = blobs.get(tuple_at).copied().unwrap_or_default();
    call.params
        .iter()
        .zip(info.params)
        .map(|(from, param)| match *from {
            Origin::Ret => number(record.ret, param.kind),
            Origin::Arg(i) => number(argument(record.args[i], param.kind), param.kind),
            Origin::Bits(i, map) => number(i64::from(bits(record.args[i] as u32, map)), param.kind),
            Origin::OpenFlags(i) => word(open_flags(record.args[i] as u32)),
            Origin::OpenMode(i) => {
                let creates = record.args[i - 1] as u32 & (O_CREAT | O_TMPFILE) != 0;
                word(if creates { record.args[i] as u32 } else { 0 })
            }
            Origin::Text => next.next().map(|b| text(b)).unwrap_or_default(),
            Origin::Address => next.next().map(|b| address(b)).unwrap_or_default(),
            Origin::Outbound => socket_tuple(tuple, false),
            Origin::Inbound => socket_tuple(tuple, true),
            Origin::Pair(i) => {
                let pair = blobs.first().and_then(|b| b.get(4 * i..4 * i + 4));
                pair.map_or_else(Vec::new, |b| long(i32::from_le_bytes([b[0], b[1], b[2], b[3]])))
            }
            Origin::Dev => word(device(record.dev)),
            Origin::Ino => ulong(record.ino),
            Origin::Fixed(n) => number(n.cast_signed(), param.kind),
            Origin::Empty => Vec::new(),
        })
        .collect()
}

/// Descriptors, results and ids are 32 bits wide in the kernel and signed.
fn argument(value: u64, kind: Kind) -> i64 {
    match kind {
        Kind::Fd | Kind::Pid | Kind::Int32 | Kind::Errno => i64::from(value as i32),
        _ => value.cast_signed(),
    }
}

fn number(value: i64, kind: Kind) -> Vec<u8> {
    let bytes = value.to_le_bytes();
    bytes[..kind.size().unwrap_or(0).min(8)].to_vec()
}

fn bits(value: u32, map: &[(u32, u32)]) -> u32 {
    map.iter().filter(|(kernel, _)| value & kernel != 0).fold(0, |all, (_, ours)| all | ours)
}

fn open_flags(kernel: u32) -> u32 {
    let mode = match kernel & 3 {
        0 => 1,
        1 => 2,
        _ => 3,
    };
    bits(kernel, &OPEN_FLAGS) | mode
}

/// The kernel's inner device number as user space writes it.
fn device(dev: u64) -> u32 {
    let (major, minor) = ((dev >> 20) as u32, (dev & 0xf_ffff) as u32);
    minor & 0xff | major << 8 | (minor & !0xff) << 12
}

/// A `struct sockaddr` as the event table writes it.
fn address(b: &[u8]) -> Vec<u8> {
    let Some(family) = b.get(..2).map(|f| u16::from_le_bytes([f[0], f[1]])) else { return Vec::new() };
    let port = b.get(2..4).map(|p| u16::from_be_bytes([p[0], p[1]])).unwrap_or(0).to_le_bytes();
    match family {
        AF_INET if b.len() >= 8 => [&[2][..], &b[4..8], &port].concat(),
        AF_INET6 if b.len() >= 24 => [&[10][..], &b[8..24], &port].concat(),
        AF_UNIX if b.len() > 2 => {
            let path = if b[2] == 0 { &b[3..] } else { &b[2..] };
            [vec![1], text(path)].concat()
        }
        _ => Vec::new(),
    }
}

/// Both ends of a socket: own end first for what goes out, the peer first for what comes in.
fn socket_tuple(b: &[u8], inbound: bool) -> Vec<u8> {
    let (family, width) = match b.first() {
        Some(2) if b.len() >= 13 => (2u8, 4),
        Some(10) if b.len() >= 37 => (10, 16),
        _ => return Vec::new(),
    };
    let own = [&b[1..1 + width], &b[1 + width..3 + width]].concat();
    let at = 3 + width;
    let port = u16::from_be_bytes([b[at + width], b[at + width + 1]]).to_le_bytes();
    let peer = [&b[at..at + width], &port].concat();
    if inbound { [vec![family], peer, own].concat() } else { [vec![family], own, peer].concat() }
}

/// Path of a blob of names, the last first.
pub(crate) fn path(names: &[u8]) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = names.split(|b| *b == 0).filter(|p| !p.is_empty()).collect();
    parts.reverse();
    [b"/", parts.join(&b'/').as_slice()].concat()
}

fn exec(record: &Record<'_>) -> Option<Vec<Vec<u8>>> {
    let facts = record.facts()?;
    let blobs = record.blobs();
    let args = blobs.first().copied().unwrap_or_default();
    let cut = args.iter().position(|b| *b == 0).map_or(args.len(), |at| at + 1);
    let mut params = common(record, &facts, &args[..cut], &args[cut..]);
    params.extend([
        procfs::cgroups(record.pid),
        blobs.get(1).copied().unwrap_or_default().to_vec(),
        word(facts.tty),
        long(facts.vpgid),
        word(facts.loginuid),
        word(procfs::exe_flags(record.pid)),
        ulong(facts.caps[0]),
        ulong(facts.caps[1]),
        ulong(facts.caps[2]),
        ulong(facts.exe_ino),
        ulong(procfs::exe_time(record.pid, true)),
        ulong(procfs::exe_time(record.pid, false)),
        word(record.uid),
        text(&path(blobs.get(2).copied().unwrap_or_default())),
        long(facts.pgid),
        word(record.gid),
        Vec::new(),
    ]);
    Some(params)
}

/// Parameters 0 to 13 of exec and clone events.
fn common(record: &Record<'_>, facts: &Facts, exe: &[u8], args: &[u8]) -> Vec<Vec<u8>> {
    vec![
        long(0),
        text(exe),
        args.to_vec(),
        long(record.tid),
        long(record.pid),
        long(record.ppid),
        vec![0],
        ulong(facts.fdlimit),
        ulong(facts.pfmajor),
        ulong(facts.pfminor),
        word((facts.vm_pages * PAGE_KB) as u32),
        word(0),
        word(0),
        text(&facts.comm),
    ]
}

/// The child's side of a clone; program and arguments are those of the parent, which the state knows.
fn fork(record: &Record<'_>) -> Option<Vec<Vec<u8>>> {
    let facts = record.facts()?;
    let thread = record.pid != record.tid;
    let mut flags = if record.args[0] != 0 { FILES } else { 0 };
    flags |= if thread { THREAD } else { 0 };
    flags |= if facts.in_namespace { CHILD_IN_PIDNS } else { 0 };
    let mut params = common(record, &facts, b"", b"");
    (params[1], params[2]) = (Vec::new(), Vec::new());
    params.extend([
        procfs::cgroups(record.pid),
        word(flags),
        word(record.uid),
        word(record.gid),
        long(facts.vtid),
        long(facts.vpid),
        ulong(0),
    ]);
    Some(params)
}

fn exit(record: &Record<'_>) -> Vec<Vec<u8>> {
    let status = record.ret as i32;
    vec![
        long(status),
        long(status >> 8 & 0xff),
        vec![(status & 0x7f) as u8],
        vec![u8::from(status & 0x80 != 0)],
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_flags_become_those_of_the_event_table() {
        assert_eq!(open_flags(0), 1);
        assert_eq!(open_flags(0o1101), 2 | 4 | 256);
        assert_eq!(open_flags(0o2_000_002), 3 | 4096);
    }

    #[test]
    fn a_path_is_put_together_from_its_names() {
        assert_eq!(path(b"ls\0bin\0usr\0"), b"/usr/bin/ls");
        assert_eq!(path(b""), b"/");
    }

    #[test]
    fn addresses_are_rewritten() {
        assert_eq!(address(&[2, 0, 0, 80, 127, 0, 0, 1]), [2, 127, 0, 0, 1, 80, 0]);
        assert_eq!(address(b"\x01\0/run/x\0"), b"\x01/run/x\0");
        assert_eq!(address(&[9]), b"");
    }
}
