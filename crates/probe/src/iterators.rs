//! What is true now, as the iterators of the kernel side tell it: the same records that /proc gives, in two passes.

use std::collections::HashSet;
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use eyas_event::{File, FileKind, Process, Snapshot};
use libbpf_rs::{Iter, Link};

use crate::procfs::{self, Socket};
use crate::record::{KIND_FILE, KIND_TASK, Record, Task, u16_at, u32_at, u64_at};
use crate::translate::life;

/// Read at a time; no record is longer.
const CHUNK: usize = 1 << 16;
const SIZE_AT: usize = 20;
/// Bits of `process.exe_flags` (`record.h`).
const WRITABLE: u32 = 1;
const UPPER: u32 = 2;
const MEMFD: u32 = 4;
const LOWER: u32 = 8;
/// Flags of a thread that is no leader: PPM_CL_CLONE_THREAD and PPM_CL_CLONE_FILES.
const THREAD: u32 = 1 | 1 << 13;
const AF_UNIX: u8 = 1;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const AF_NETLINK: u8 = 16;

/// The iterators, attached.
pub(crate) struct Iterators {
    pub(crate) tasks: Link,
    pub(crate) files: Link,
}

impl Iterators {
    /// Every thread, then every open file; gives the processes that the iterators know, with those of the kernel.
    pub(crate) fn scan(&self, boot: u64, out: &mut dyn FnMut(Snapshot)) -> io::Result<HashSet<i64>> {
        let mut known = HashSet::new();
        each(&self.tasks, &mut |record| {
            known.insert(record.pid.into());
            if let Some(process) = process(record, boot) {
                out(Snapshot::Process(Box::new(process)));
            }
        })?;
        each(&self.files, &mut |record| {
            if let Some(file) = file(record) {
                out(Snapshot::File(file));
            }
        })?;
        Ok(known)
    }
}

fn each(link: &Link, take: &mut dyn FnMut(&Record<'_>)) -> io::Result<()> {
    let mut iter = Iter::new(link).map_err(io::Error::other)?;
    let mut bytes = vec![0; 2 * CHUNK];
    let mut have = 0;
    loop {
        let read = iter.read(&mut bytes[have..])?;
        if read == 0 {
            return Ok(());
        }
        have += read;
        let mut at = 0;
        while let Some(size) = u32_at(&bytes[at..have], SIZE_AT) {
            let Some(one) = bytes[at..have].get(..size as usize) else { break };
            Record::read(one).iter().for_each(&mut *take);
            at += one.len();
        }
        bytes.copy_within(at..have, 0);
        have -= at;
    }
}

fn process(record: &Record<'_>, boot: u64) -> Option<Process> {
    let task = Task::read(record.blob(0)).filter(|_| record.kind == KIND_TASK)?;
    let (pid, tid) = (i64::from(task.pid()), i64::from(task.tid()));
    let arguments = title(record.blob(1), record.blob(2), record.args[4] != 0);
    let (exe, args) = life::split_program(&arguments);
    let exepath = life::path(record.blob(4));
    let in_memory = task.exe_flags() & MEMFD != 0;
    Some(Process {
        tid,
        pid,
        ptid: record.args[1].cast_signed(),
        sid: record.args[0].cast_signed(),
        vpgid: task.vpgid().into(),
        pgid: task.pgid().into(),
        vtid: task.vtid().into(),
        vpid: task.vpid().into(),
        comm: task.comm().to_vec(),
        exe: exe.strip_suffix(b"\0").unwrap_or(exe).to_vec(),
        args: args.to_vec(),
        exepath: if in_memory { [b"/", exepath.as_slice()].concat() } else { exepath },
        env: record.blob(2).to_vec(),
        cgroups: life::cgroups(record.blob(3)),
        cwd: place(record.blob(5), record.args[3] != 0),
        root: life::path(record.blob(6)),
        fdlimit: task.fdlimit().cast_signed(),
        flags: if pid == tid { 0 } else { THREAD },
        uid: task.uid(),
        gid: task.gid(),
        loginuid: task.loginuid(),
        vmsize_kb: task.vm_size(),
        vmrss_kb: task.vm_rss(),
        vmswap_kb: task.vm_swap(),
        pfmajor: task.maj_flt(),
        pfminor: task.min_flt(),
        tty: task.tty(),
        clone_ts: boot + record.args[2],
        exe_writable: task.exe_flags() & WRITABLE != 0,
        exe_upper_layer: task.exe_flags() & UPPER != 0,
        exe_lower_layer: task.exe_flags() & LOWER != 0,
        exe_from_memfd: in_memory,
        exe_ino: task.exe_ino(),
        exe_ino_ctime: task.exe_ctime(),
        exe_ino_mtime: task.exe_mtime(),
        cap_inheritable: task.cap_inheritable(),
        cap_permitted: task.cap_permitted(),
        cap_effective: task.cap_effective(),
        ..Process::default()
    })
}

/// Arguments; a program that has written a title over them, perhaps beyond their end, has that title instead
/// (get_mm_cmdline() in fs/proc/base.c).
fn title(args: &[u8], env: &[u8], env_follows: bool) -> Vec<u8> {
    if args.last().is_none_or(|last| *last == 0) || args.len() >= procfs::MAX_LIST {
        return args.to_vec();
    }
    let env = if env_follows { env } else { b"" };
    let mut title = [args, env].concat();
    let end = title.iter().position(|b| *b == 0).map_or(title.len(), |at| at + 1);
    title.truncate(end.min(procfs::MAX_LIST));
    title
}

fn place(names: &[u8], deleted: bool) -> Vec<u8> {
    let mut path = life::path(names);
    if deleted {
        path.extend_from_slice(b" (deleted)");
    }
    path
}

fn file(record: &Record<'_>) -> Option<File> {
    let facts = record.blob(0);
    let tell = |kind| {
        Some(File { tid: record.tid.into(), fd: record.args[0].cast_signed(), ino: u64_at(facts, 8)?, kind })
    };
    if record.kind != KIND_FILE {
        return None;
    }
    let text = record.blob(1);
    if record.args[1] & u64::from(libc::S_IFMT) == u64::from(libc::S_IFSOCK) {
        return tell(socket(record, text)?);
    }
    let name = text.strip_suffix(b"\0").unwrap_or(text).to_vec();
    let dev = crate::translate::device(u32_at(facts, 0)?) as u32;
    tell(procfs::kind(record.args[1] as u32, name, dev))
}

fn socket(record: &Record<'_>, ends: &[u8]) -> Option<FileKind> {
    let ip = |at: usize| -> Option<IpAddr> {
        Some(if ends.first() == Some(&AF_INET) {
            Ipv4Addr::from(<[u8; 4]>::try_from(ends.get(at..at + 4)?).ok()?).into()
        } else {
            Ipv6Addr::from(<[u8; 16]>::try_from(ends.get(at..at + 16)?).ok()?).into()
        })
    };
    let width = if ends.first() == Some(&AF_INET) { 4 } else { 16 };
    match *ends.first()? {
        AF_INET | AF_INET6 => procfs::inet(Socket {
            protocol: record.args[2],
            state: record.args[3],
            own: (ip(1)?, u16_at(ends, 1 + width)?),
            peer: (ip(3 + width)?, u16_at(ends, 3 + 2 * width)?.swap_bytes()),
        }),
        AF_UNIX => {
            let name = ends.get(17..)?.split(|b| *b == 0).next()?;
            let at = if record.args[4] != 0 { &b"@"[..] } else { b"" };
            Some(FileKind::Unix {
                source: u64_at(ends, 1)?,
                dest: u64_at(ends, 9)?,
                name: [at, name].concat(),
            })
        }
        AF_NETLINK => Some(FileKind::Named { code: 15, name: Vec::new() }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_may_go_beyond_the_arguments() {
        assert_eq!(title(b"a\0b\0", b"X=1\0", true), b"a\0b\0");
        assert_eq!(title(b"nginx: wor", b"ker\0=1\0", true), b"nginx: worker\0");
        assert_eq!(title(b"nginx: wor", b"ker\0=1\0", false), b"nginx: wor");
        assert_eq!(title(b"", b"X=1\0", true), b"");
    }
}
