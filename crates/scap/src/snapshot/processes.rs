//! Process lists, versions 1 to 9.

use eyas_event::{BEYOND_AGE, Process, Snapshot};

use super::Records;
use crate::cursor::Cursor;
use crate::error::ScapError;

const PATH_MAX: usize = 1024;
const LIST_MAX: usize = 65535;
/// Longest tail written before the start time of the pid namespace and the terminal were put in front of it.
const OLD_TAIL: usize = 29;
/// What Falco shows as the age of a program whose age no entry holds; rules that compare it behave alike here.
const UNTOLD_AGE: u64 = 3;

pub(super) fn decode(version: u8, mut body: Cursor<'_>, out: &mut Records) -> Result<(), ScapError> {
    while body.left() >= 4 {
        let process = if version >= 9 {
            let len = body.u32()? as usize;
            let mut entry = body.part(len.saturating_sub(4))?;
            let mut process = head(version, &mut entry)?;
            tail(&mut entry, &mut process)?;
            process
        } else {
            head(version, &mut body)?
        };
        out.push_back(Snapshot::Process(Box::new(process)));
    }
    Ok(())
}

/// Fields in the order of the file; a list version says which are there.
fn head(version: u8, entry: &mut Cursor<'_>) -> Result<Process, ScapError> {
    let mut p = Process { exe_age: UNTOLD_AGE, exe_age_in_namespace: BEYOND_AGE, ..Process::default() };
    (p.tid, p.pid, p.ptid) = (entry.i64()?, entry.i64()?, entry.i64()?);
    if version >= 6 {
        p.sid = entry.i64()?;
    }
    if version >= 8 {
        p.vpgid = entry.i64()?;
    }
    p.comm = entry.text(PATH_MAX)?;
    p.exe = entry.text(PATH_MAX)?;
    if version >= 7 {
        p.exepath = entry.text(PATH_MAX)?;
    }
    p.args = entry.text(LIST_MAX)?;
    p.cwd = entry.text(PATH_MAX)?;
    p.fdlimit = entry.i64()?;
    p.flags = entry.u32()?;
    p.uid = entry.u32()?;
    p.gid = entry.u32()?;
    if version >= 2 {
        memory(entry, &mut p)?;
    }
    if version >= 3 {
        p.env = entry.text(LIST_MAX)?;
    }
    if version >= 4 {
        p.vtid = entry.i64()?;
        p.vpid = entry.i64()?;
        p.cgroups = entry.text(LIST_MAX)?;
    }
    if version >= 5 {
        p.root = entry.text(PATH_MAX)?;
    }
    Ok(p)
}

fn memory(entry: &mut Cursor<'_>, p: &mut Process) -> Result<(), ScapError> {
    p.vmsize_kb = entry.u32()?;
    p.vmrss_kb = entry.u32()?;
    p.vmswap_kb = entry.u32()?;
    p.pfmajor = entry.u64()?;
    p.pfminor = entry.u64()?;
    Ok(())
}

/// Takes one field of the tail.
type Read = fn(&mut Cursor<'_>, &mut Process) -> Result<(), ScapError>;

/// Fields of version 9 that came later; each is there only when the entry is long enough.
fn tail(entry: &mut Cursor<'_>, p: &mut Process) -> Result<(), ScapError> {
    let old = entry.left() <= OLD_TAIL;
    if !old {
        p.pidns_init_start_ts = entry.u64()?;
        p.tty = entry.u32()?;
    }
    let fields: [(usize, Read); 12] = [
        (4, |e, p| e.u32().map(|v| p.loginuid = v)),
        (1, |e, p| e.u8().map(|v| p.exe_writable = v != 0)),
        (8, |e, p| e.u64().map(|v| p.cap_inheritable = v)),
        (8, |e, p| e.u64().map(|v| p.cap_permitted = v)),
        (8, |e, p| e.u64().map(|v| p.cap_effective = v)),
        (1, |e, p| e.u8().map(|v| p.exe_upper_layer = v != 0)),
        (8, |e, p| e.u64().map(|v| p.exe_ino = v)),
        (8, |e, p| e.u64().map(|v| p.exe_ino_ctime = v)),
        (8, |e, p| e.u64().map(|v| p.exe_ino_mtime = v)),
        (1, |e, p| e.u8().map(|v| p.exe_from_memfd = v != 0)),
        (1, |e, p| e.u8().map(|v| p.exe_lower_layer = v != 0)),
        (8, |e, p| e.i64().map(|v| p.pgid = v)),
    ];
    for (width, read) in fields {
        if entry.left() < width {
            return Ok(());
        }
        read(entry, p)?;
    }
    Ok(())
}
