//! Threads that nobody saw start, told as events, so that a recording holds what the live run knew.

use eyas_engine::Engine;
use eyas_event::table::Flags;
use eyas_event::{Event, Given, Process, build, find, id};
use eyas_probe::procfs;

/// Dump flag of an event that only carries state.
pub(crate) const STATE_ONLY: u32 = 1;
const AT_FDCWD: i64 = -100;

/// Whether an event is of a thread without a record, and does not bring the record itself.
pub(crate) fn is_unknown(event: &Event<'_>, engine: &Engine) -> bool {
    event.tid > 0 && !brings_record(event) && engine.state.threads.find(event.tid).is_none()
}

/// Whether nothing but the id of its thread is known, and the event does not bring more.
pub(crate) fn is_nameless(event: &Event<'_>, engine: &Engine) -> bool {
    let threads = &engine.state.threads;
    let known = threads.find(event.tid).and_then(|slot| threads.get(slot)).is_some_and(|t| !t.is_invalid());
    event.tid > 0 && !brings_record(event) && !known
}

fn brings_record(event: &Event<'_>) -> bool {
    matches!(
        event.kind,
        id::SYSCALL_CLONE_20_X
            | id::SYSCALL_CLONE3_X
            | id::SYSCALL_FORK_20_X
            | id::SYSCALL_VFORK_20_X
            | id::SYSCALL_EXECVE_19_X
            | id::SYSCALL_EXECVEAT_X
            | id::PROCEXIT_1_E
    )
}

/// The life of a thread so far, as events at `ts`; nothing when it is gone already.
pub(crate) fn story(tid: i64, ts: u64) -> Vec<Vec<u8>> {
    procfs::thread(tid).map(|process| life(&process, ts)).unwrap_or_default()
}

/// The life of a thread as events at `ts`.
pub(crate) fn life(process: &Process, ts: u64) -> Vec<Vec<u8>> {
    let mut told = vec![("clone", birth(process))];
    if process.tid == process.pid {
        told.push(("execve", program(process)));
        told.push(("chdir", vec![("path", Given::Text(process.cwd.clone()))]));
    }
    told.into_iter().filter_map(|(name, params)| build(find(name)?, ts, process.tid, &params).ok()).collect()
}

/// What a descriptor is that nobody saw opened, as an open at the time of the event. The sensor puts the kernel's path
/// behind the parameters.
pub(crate) fn descriptor(event: &Event<'_>, engine: &Engine) -> Option<Vec<u8>> {
    let info = event.info();
    let path = event.resolved().filter(|path| path.starts_with(b"/"))?;
    let num = event.signed(info.fd_param?).filter(|num| *num >= 0)?;
    let threads = &engine.state.threads;
    let owner = threads.find(event.tid).and_then(|slot| engine.state.files_owner(slot))?;
    if info.flags.has(Flags::CREATES_FD) || threads.get(owner)?.files.get(num).is_some() {
        return None;
    }
    let number = |n: i64| Given::Int(i128::from(n));
    let params = [("fd", number(num)), ("dirfd", number(AT_FDCWD)), ("name", Given::Text(path.to_vec()))];
    build(find("openat")?, event.ts, event.tid, &params).ok()
}

pub(crate) type Params = Vec<(&'static str, Given)>;

/// What clone and exec events share.
fn common(p: &Process) -> Params {
    let number = |n: i64| Given::Int(i128::from(n));
    let size = |n: u32| Given::Int(i128::from(n));
    vec![
        ("exe", Given::Text(p.exe.clone())),
        ("args", Given::Text(p.args.clone())),
        ("tid", number(p.tid)),
        ("pid", number(p.pid)),
        ("ptid", number(p.ptid)),
        ("cwd", Given::Text(p.cwd.clone())),
        ("fdlimit", number(p.fdlimit)),
        ("vm_size", size(p.vmsize_kb)),
        ("vm_rss", size(p.vmrss_kb)),
        ("vm_swap", size(p.vmswap_kb)),
        ("comm", Given::Text(p.comm.clone())),
        ("cgroups", Given::Text(p.cgroups.clone())),
        ("uid", size(p.uid)),
        ("gid", size(p.gid)),
    ]
}

fn birth(p: &Process) -> Params {
    let mut params = common(p);
    params.push(("flags", Given::Int(i128::from(p.flags))));
    params.push(("vtid", Given::Int(i128::from(p.vtid))));
    params.push(("vpid", Given::Int(i128::from(p.vpid))));
    params
}

pub(crate) fn program(p: &Process) -> Params {
    let image = u8::from(p.exe_writable)
        | u8::from(p.exe_upper_layer) << 1
        | u8::from(p.exe_from_memfd) << 2
        | u8::from(p.exe_lower_layer) << 3;
    let wide = |n: u64| Given::Int(i128::from(n));
    let mut params = common(p);
    params.extend([
        ("env", Given::Text(p.env.clone())),
        ("tty", wide(u64::from(p.tty))),
        ("vpgid", Given::Int(i128::from(p.vpgid))),
        ("loginuid", wide(u64::from(p.loginuid))),
        ("flags", wide(u64::from(image))),
        ("cap_inheritable", wide(p.cap_inheritable)),
        ("cap_permitted", wide(p.cap_permitted)),
        ("cap_effective", wide(p.cap_effective)),
        ("exe_ino", wide(p.exe_ino)),
        ("exe_ino_ctime", wide(p.exe_ino_ctime)),
        ("exe_ino_mtime", wide(p.exe_ino_mtime)),
        ("pgid", Given::Int(i128::from(p.pgid))),
        ("trusted_exepath", Given::Text(p.exepath.clone())),
    ]);
    params
}
