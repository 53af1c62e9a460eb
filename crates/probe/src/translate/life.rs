//! Births, execs and deaths as events.

use eyas_event::id;

use crate::generated::{CAPABILITIES, CLONE_FLAGS};
use crate::params::Params;
use crate::record::{Record, Task};

const CHILD_IN_PIDNS: u32 = 1 << 29;
const SUBSYSTEMS: [&str; 6] = ["cpuset", "cpu", "cpuacct", "io", "memory", "unified"];
/// Parameters of exec and clone events.
const EXEC: usize = 31;
const EXECVEAT: usize = 30;
const CLONE: usize = 21;
/// Most bytes of each list of strings.
const MAX_LIST: usize = 4096;

/// Path of a blob of names, the last first; what has no place in any directory is its own name.
pub(crate) fn path(names: &[u8]) -> Vec<u8> {
    let names = names.strip_suffix(b"\0").unwrap_or(names);
    if let Some(name) = names.strip_suffix(b"\0") {
        return name.to_vec();
    }
    let mut out = Vec::with_capacity(names.len() + 2);
    for name in names.rsplit(|b| *b == 0).filter(|name| !name.is_empty()) {
        out.push(b'/');
        out.extend_from_slice(name);
    }
    if out.is_empty() {
        out.push(b'/');
    }
    out
}

/// `subsystem=path` entries, each ended by NUL.
pub(crate) fn cgroups(mut blob: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut last = Vec::new();
    for (i, name) in SUBSYSTEMS.iter().enumerate() {
        let Some((mark, rest)) = blob.split_first() else { break };
        blob = rest;
        if *mark == 0 {
            continue;
        }
        if *mark == 2 {
            let end = rest.windows(2).position(|w| w == b"\0\0").map_or(rest.len(), |at| at + 2);
            // The root has no names: its end is the empty one alone.
            let end = if rest.first() == Some(&0) { 1 } else { end };
            last = path(&rest[..end.saturating_sub(1)]);
            blob = &rest[end..];
        } else if i == SUBSYSTEMS.len() - 1 {
            // The unified hierarchy is that of a subsystem: nothing new.
            break;
        }
        out.extend_from_slice(name.as_bytes());
        out.push(b'=');
        out.extend_from_slice(&last);
        out.push(0);
    }
    out.truncate(MAX_LIST);
    out
}

/// First string and the others.
pub(crate) fn split_program(args: &[u8]) -> (&[u8], &[u8]) {
    let cut = args.iter().position(|b| *b == 0).map_or(args.len(), |at| at + 1);
    args.split_at(cut)
}

/// Parameters 1 to 14 of exec and clone events.
fn common(out: &mut Params<'_>, task: &Task<'_>, args: &[u8], groups: &[u8]) {
    let (exe, args) = split_program(args);
    out.text(exe);
    out.bytes(args);
    out.long(task.tid().into());
    out.long(task.pid().into());
    out.long(task.ptid().into());
    out.text(b"");
    out.ulong(task.fdlimit());
    out.ulong(task.maj_flt());
    out.ulong(task.min_flt());
    out.word(task.vm_size());
    out.word(task.vm_rss());
    out.word(task.vm_swap());
    out.text(task.comm());
    out.bytes(groups);
}

/// Parameters 15 to 29 of exec events.
fn program(out: &mut Params<'_>, task: &Task<'_>, env: &[u8], names: &[u8]) {
    out.bytes(env);
    out.word(task.tty());
    out.long(task.vpgid().into());
    out.word(task.loginuid());
    out.word(task.exe_flags());
    out.ulong(CAPABILITIES.apply(task.cap_inheritable()));
    out.ulong(CAPABILITIES.apply(task.cap_permitted()));
    out.ulong(CAPABILITIES.apply(task.cap_effective()));
    out.ulong(task.exe_ino());
    out.ulong(task.exe_ctime());
    out.ulong(task.exe_mtime());
    out.word(task.uid());
    out.text(&path(names));
    out.long(task.pgid().into());
    out.word(task.gid());
}

/// A successful exec: the caller, arguments, environment, cgroups, program, file name.
pub(crate) fn exec(record: &Record<'_>, out: &mut Vec<u8>) -> Option<()> {
    let task = Task::read(record.blob(0))?;
    let mut params = Params::begin(out, record.ts, record.tid, id::SYSCALL_EXECVE_19_X, EXEC);
    params.long(0);
    common(&mut params, &task, record.blob(1), &cgroups(record.blob(3)));
    program(&mut params, &task, record.blob(2), record.blob(4));
    params.text(record.blob(5));
    params.end();
    Some(())
}

/// A failed exec: the file name, the caller, arguments, environment, cgroups, program.
pub(crate) fn failed_exec(record: &Record<'_>, kind: u16, out: &mut Vec<u8>) -> Option<()> {
    let task = Task::read(record.blob(1))?;
    let count = if kind == id::SYSCALL_EXECVEAT_X { EXECVEAT } else { EXEC };
    let mut params = Params::begin(out, record.ts, record.tid, kind, count);
    params.long(record.ret);
    common(&mut params, &task, record.blob(2), &cgroups(record.blob(4)));
    program(&mut params, &task, record.blob(3), record.blob(5));
    if count == EXEC {
        params.text(record.blob(0));
    }
    params.end();
    Some(())
}

/// The child's side of a birth; `name` is the call that made it.
pub(crate) fn fork(record: &Record<'_>, name: Option<&str>, out: &mut Vec<u8>) -> Option<()> {
    let kind = match name {
        Some("clone3") => id::SYSCALL_CLONE3_X,
        Some("fork") => id::SYSCALL_FORK_20_X,
        Some("vfork") => id::SYSCALL_VFORK_20_X,
        _ => id::SYSCALL_CLONE_20_X,
    };
    birth(record, kind, 0, out)
}

/// The caller's side of a birth.
pub(crate) fn caller(record: &Record<'_>, kind: u16, out: &mut Vec<u8>) -> Option<()> {
    birth(record, kind, record.ret, out)
}

fn birth(record: &Record<'_>, kind: u16, result: i64, out: &mut Vec<u8>) -> Option<()> {
    let task = Task::read(record.blob(0))?;
    let mut flags = CLONE_FLAGS.apply(task.clone_flags()) as u32;
    if task.in_namespace() != 0 {
        flags |= CHILD_IN_PIDNS;
    }
    let mut params = Params::begin(out, record.ts, record.tid, kind, CLONE);
    params.long(result);
    common(&mut params, &task, record.blob(1), &cgroups(record.blob(2)));
    params.word(flags);
    params.word(task.uid());
    params.word(task.gid());
    params.long(task.vtid().into());
    params.long(task.vpid().into());
    params.ulong(task.namespace_start());
    params.end();
    Some(())
}

pub(crate) fn exit(record: &Record<'_>, out: &mut Vec<u8>) {
    let status = record.ret as i32;
    let mut params = Params::begin(out, record.ts, record.tid, id::PROCEXIT_1_E, 5);
    params.long(status.into());
    params.long((status >> 8 & 0xff).into());
    params.bytes(&[(status & 0x7f) as u8]);
    params.bytes(&[u8::from(status & 0x80 != 0)]);
    params.ulong(record.args[0]);
    params.end();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_put_together_from_its_names() {
        assert_eq!(path(b"ls\0bin\0usr\0"), b"/usr/bin/ls");
        assert_eq!(path(b""), b"/");
        assert_eq!(path(b"memfd:x\0\0"), b"memfd:x");
    }

    #[test]
    fn the_program_is_cut_from_its_arguments() {
        assert_eq!(split_program(b"sh\0-c\0id\0"), (&b"sh\0"[..], &b"-c\0id\0"[..]));
        assert_eq!(split_program(b""), (&b""[..], &b""[..]));
    }

    #[test]
    fn cgroups_are_told_once_and_repeated_by_mark() {
        let blob = b"\x02b\0a\0\0\x01\x00\x02\0\x01\x01";
        assert_eq!(cgroups(blob), b"cpuset=/a/b\0cpu=/a/b\0io=/\0memory=/\0");
        let other = b"\x00\x00\x00\x00\x00\x02x\0\0";
        assert_eq!(cgroups(other), b"unified=/x\0");
    }
}
