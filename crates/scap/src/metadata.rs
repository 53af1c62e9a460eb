//! Blocks before the events: machine, processes, files, interfaces, users.

use eyas_event::{File, FileKind, Group, Interface, Machine, Process, Snapshot, User};

use crate::cursor::Cursor;

/// Longest path, name or comm that a reader accepts.
const MAX_PATH: usize = 1024;
/// Longest tail of a process entry written before two fields were inserted in its middle.
const OLD_TAIL: usize = 29;

/// What went wrong at which byte of the body.
pub(crate) type Fault = (usize, &'static str);

/// Reads all entries of a body with `one`, while at least `min` bytes are left.
fn entries<'a>(
    body: &'a [u8],
    min: usize,
    what: &'static str,
    mut one: impl FnMut(&mut Cursor<'a>) -> Option<()>,
) -> Result<(), Fault> {
    let mut at = Cursor::new(body);
    while at.left() >= min {
        one(&mut at).ok_or((at.at(), what))?;
    }
    Ok(())
}

pub(crate) fn machine(body: &[u8], out: &mut Vec<Snapshot>) -> Result<(), Fault> {
    let mut at = Cursor::new(body);
    let read = |at: &mut Cursor<'_>| {
        let (cpus, memory, max_pid) = (at.u32()?, at.u64()?, at.u64()?);
        let name = at.take(128)?;
        let end = name.iter().position(|b| *b == 0).unwrap_or(name.len());
        Some(Machine { cpus, memory, max_pid, hostname: name[..end].to_vec(), boot_ts: at.u64()? })
    };
    let machine = read(&mut at).ok_or((at.at(), "machine info is shorter than 180 bytes"))?;
    out.push(Snapshot::Machine(machine));
    Ok(())
}

pub(crate) fn processes(body: &[u8], version: u8, out: &mut Vec<Snapshot>) -> Result<(), Fault> {
    entries(body, 4, "process entry runs past its block", |at| {
        let process = if version >= 9 { sized(at, process_v9)? } else { process(at, version)? };
        out.push(Snapshot::Process(Box::new(process)));
        Some(())
    })
}

/// An entry whose length, itself included, stands in front; what `read` leaves of it is skipped.
fn sized<'a, T>(at: &mut Cursor<'a>, read: impl FnOnce(&mut Cursor<'a>) -> Option<T>) -> Option<T> {
    let len = (at.u32()? as usize).checked_sub(4)?;
    read(&mut Cursor::new(at.take(len)?))
}

fn process_v9(at: &mut Cursor<'_>) -> Option<Process> {
    let mut p = process(at, 9)?;
    if at.left() > OLD_TAIL {
        p.pidns_init_start_ts = at.u64().unwrap_or(0);
        p.tty = at.u32().unwrap_or(0);
    }
    p.loginuid = at.u32().unwrap_or(u32::MAX);
    p.exe_writable = at.u8().unwrap_or(0) != 0;
    p.cap_inheritable = at.u64().unwrap_or(0);
    p.cap_permitted = at.u64().unwrap_or(0);
    p.cap_effective = at.u64().unwrap_or(0);
    p.exe_upper_layer = at.u8().unwrap_or(0) != 0;
    p.exe_ino = at.u64().unwrap_or(0);
    p.exe_ino_ctime = at.u64().unwrap_or(0);
    p.exe_ino_mtime = at.u64().unwrap_or(0);
    p.exe_from_memfd = at.u8().unwrap_or(0) != 0;
    p.exe_lower_layer = at.u8().unwrap_or(0) != 0;
    p.pgid = at.i64().unwrap_or(-1);
    Some(p)
}

fn path(at: &mut Cursor<'_>) -> Option<Vec<u8>> {
    at.text().filter(|t| t.len() <= MAX_PATH).map(<[u8]>::to_vec)
}

fn since<T>(on: bool, value: impl FnOnce() -> Option<T>, default: T) -> Option<T> {
    if on { value() } else { Some(default) }
}

fn process(at: &mut Cursor<'_>, version: u8) -> Option<Process> {
    let has = |from: u8| version >= from;
    Some(Process {
        tid: at.i64()?,
        pid: at.i64()?,
        ptid: at.i64()?,
        sid: since(has(6), || at.i64(), -1)?,
        vpgid: since(has(8), || at.i64(), -1)?,
        comm: path(at)?,
        exe: path(at)?,
        exepath: since(has(7), || path(at), Vec::new())?,
        args: at.text()?.to_vec(),
        cwd: path(at)?,
        fdlimit: at.i64()?,
        flags: at.u32()?,
        uid: at.u32()?,
        gid: at.u32()?,
        vmsize_kb: since(has(2), || at.u32(), 0)?,
        vmrss_kb: since(has(2), || at.u32(), 0)?,
        vmswap_kb: since(has(2), || at.u32(), 0)?,
        pfmajor: since(has(2), || at.u64(), 0)?,
        pfminor: since(has(2), || at.u64(), 0)?,
        env: since(has(3), || at.text().map(<[u8]>::to_vec), Vec::new())?,
        vtid: since(has(4), || at.i64(), -1)?,
        vpid: since(has(4), || at.i64(), -1)?,
        cgroups: since(has(4), || at.text().map(<[u8]>::to_vec), Vec::new())?,
        root: since(has(5), || path(at), Vec::new())?,
        ..Process::default()
    })
}

pub(crate) fn files(body: &[u8], version: u8, out: &mut Vec<Snapshot>) -> Result<(), Fault> {
    let Some((head, rest)) = body.split_first_chunk::<8>() else {
        return Err((0, "descriptor list without a thread id"));
    };
    let tid = i64::from_le_bytes(*head);
    let min = if version >= 2 { 21 } else { 17 };
    entries(rest, min, "descriptor entry runs past its block", |at| {
        let file = if version >= 2 { sized(at, |at| file(at, tid, true))? } else { file(at, tid, false)? };
        out.push(Snapshot::File(file));
        Some(())
    })
}

fn file(at: &mut Cursor<'_>, tid: i64, sized: bool) -> Option<File> {
    let (fd, ino, code) = (at.i64()?, at.u64()?, at.u8()?);
    let kind = match code {
        0 => FileKind::Named { code: 0, name: Vec::new() },
        1 => FileKind::Regular { flags: 0, name: path(at)?, dev: 0, mount_id: 0 },
        3 | 4 => connection(at, code == 4)?,
        5 => FileKind::Listener { ip: at.ipv4()?, port: at.u16()?, l4: at.u8()? },
        6 => FileKind::Listener { ip: at.ipv6()?, port: at.u16()?, l4: at.u8()? },
        8 => FileKind::Unix { source: at.u64()?, dest: at.u64()?, name: path(at)? },
        16 => FileKind::Regular {
            flags: at.u32()?,
            name: path(at)?,
            dev: if sized { at.u32().unwrap_or(0) } else { 0 },
            mount_id: 0,
        },
        2 | 7 | 9..=15 | 17..=21 => FileKind::Named { code, name: path(at)? },
        other if sized => FileKind::Named { code: 10, name: format!("unknown-type:[{other}]").into_bytes() },
        _ => return None,
    };
    Some(File { tid, fd, ino, kind })
}

fn connection(at: &mut Cursor<'_>, six: bool) -> Option<FileKind> {
    let source = if six { at.ipv6()? } else { at.ipv4()? };
    let dest = if six { at.ipv6()? } else { at.ipv4()? };
    Some(FileKind::Connection { source, dest, sport: at.u16()?, dport: at.u16()?, l4: at.u8()? })
}

pub(crate) fn interfaces(body: &[u8], version: u8, out: &mut Vec<Snapshot>) -> Result<(), Fault> {
    entries(body, 4, "interface entry runs past its block", |at| {
        // The length of a v2 entry does not count itself.
        let interface = if version >= 2 {
            let len = at.u32()? as usize;
            interface(&mut Cursor::new(at.take(len)?))?
        } else {
            interface(at)?
        };
        out.push(Snapshot::Interface(interface));
        Some(())
    })
}

fn interface(at: &mut Cursor<'_>) -> Option<Interface> {
    let (kind, name_len) = (at.u16()?, at.u16()?);
    let mut ip = || if matches!(kind, 1 | 3) { at.ipv4() } else { at.ipv6() };
    let (address, netmask, broadcast) = match kind {
        1..=4 => (ip()?, ip()?, ip()?),
        _ => return None,
    };
    let linkspeed = if kind <= 2 { at.u64()? } else { 0 };
    let name = at.take(usize::from(name_len))?.to_vec();
    Some(Interface { name, address, netmask, broadcast, linkspeed })
}

pub(crate) fn users(body: &[u8], version: u8, out: &mut Vec<Snapshot>) -> Result<(), Fault> {
    entries(body, 4, "user entry runs past its block", |at| {
        out.push(if version >= 2 { sized(at, user)? } else { user(at)? });
        Some(())
    })
}

fn user(at: &mut Cursor<'_>) -> Option<Snapshot> {
    match at.u8()? {
        0 => Some(Snapshot::User(User {
            uid: at.u32()?,
            gid: at.u32()?,
            name: path(at)?,
            home: path(at)?,
            shell: path(at)?,
        })),
        1 => Some(Snapshot::Group(Group { gid: at.u32()?, name: path(at)? })),
        _ => None,
    }
}
