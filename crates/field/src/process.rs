//! Fields about the process: its program, identity and descriptors.

use eyas_state::Thread;

use crate::field::{Arg, ArgKind, Field};
use crate::value::{flag, int, known, nonzero, owned, since, text, uint};
use crate::{Cx, Key, Scope, Show, Type, Value, fd};

/// The fields of this family.
pub(crate) static FIELDS: &[Field] = &[
    Field {
        name: "proc.exe",
        about: "argv[0] of the process",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| text(&cx.thread()?.exe),
        ..Field::NEW
    },
    Field {
        name: "proc.exepath",
        about: "Absolute path of the executable image",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| text(&cx.thread()?.exepath),
        ..Field::NEW
    },
    Field {
        name: "proc.name",
        about: "Kernel comm of the process (up to 15 chars)",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| text(&cx.thread()?.comm),
        ..Field::NEW
    },
    Field {
        name: "proc.args",
        about: "Arguments after argv[0] joined by spaces, or one by index",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        arg: Arg { kind: ArgKind::Index, required: false },
        get: |cx, key| args_of(cx.thread()?, key),
        ..Field::NEW
    },
    Field {
        name: "proc.cmdline",
        about: "comm followed by the arguments",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| text(&cx.thread()?.cmdline),
        ..Field::NEW
    },
    Field {
        name: "proc.cmdnargs",
        about: "Number of arguments after argv[0]",
        kind: Type::Uint,
        declared: "UINT64",
        scope: Scope::Process,
        get: |cx, _| uint(cx.thread()?.args.len() as u64),
        ..Field::NEW
    },
    Field {
        name: "proc.cmdlenargs",
        about: "Total length of the arguments after argv[0]",
        kind: Type::Uint,
        declared: "UINT64",
        scope: Scope::Process,
        get: |cx, _| uint(cx.thread()?.args.iter().map(|a| a.len() as u64).sum()),
        ..Field::NEW
    },
    Field {
        name: "proc.exeline",
        about: "argv[0] followed by the arguments",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| owned(exeline(cx.thread()?)),
        ..Field::NEW
    },
    Field {
        name: "proc.env",
        about: "Environment as NAME=value text, or one variable by name",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        arg: Arg { kind: ArgKind::KeyOrIndex, required: false },
        get: |cx, key| env_of(cx.main().or(cx.thread())?, key),
        ..Field::NEW
    },
    Field {
        name: "proc.cwd",
        about: "Current working directory, with trailing slash",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| text(cx.cwd()?),
        ..Field::NEW
    },
    Field {
        name: "proc.tty",
        about: "Controlling terminal device number, 0 when none",
        kind: Type::Uint,
        declared: "UINT32",
        scope: Scope::Process,
        get: |cx, _| uint(u64::from(cx.thread()?.tty)),
        ..Field::NEW
    },
    Field {
        name: "proc.pid",
        about: "Process id",
        kind: Type::Int,
        declared: "INT64",
        scope: Scope::Process,
        get: |cx, _| int(cx.thread()?.pid),
        ..Field::NEW
    },
    Field {
        name: "proc.vpid",
        about: "Process id inside its pid namespace",
        kind: Type::Int,
        declared: "INT64",
        scope: Scope::Process,
        get: |cx, _| known(cx.thread()?.vpid),
        ..Field::NEW
    },
    Field {
        name: "proc.sid",
        about: "Session id",
        kind: Type::Int,
        declared: "INT64",
        scope: Scope::Process,
        get: |cx, _| int(cx.thread()?.sid),
        ..Field::NEW
    },
    Field {
        name: "proc.vpgid",
        about: "Process group id inside the pid namespace",
        kind: Type::Int,
        declared: "INT64",
        scope: Scope::Process,
        get: |cx, _| int(cx.thread()?.vpgid),
        ..Field::NEW
    },
    Field {
        name: "proc.pgid",
        about: "Process group id in the host namespace",
        kind: Type::Int,
        declared: "INT64",
        scope: Scope::Process,
        get: |cx, _| int(cx.thread()?.pgid),
        ..Field::NEW
    },
    Field {
        name: "proc.duration",
        about: "Nanoseconds since the process was cloned",
        kind: Type::RelTime,
        declared: "RELTIME",
        get: |cx, _| since(cx, cx.thread()?.clone_ts),
        ..Field::NEW
    },
    Field {
        name: "proc.pid.ts",
        about: "Clone time of the process, epoch ns",
        kind: Type::RelTime,
        declared: "RELTIME",
        scope: Scope::Process,
        get: |cx, _| nonzero(cx.thread()?.clone_ts),
        ..Field::NEW
    },
    Field {
        name: "proc.is_exe_writable",
        about: "Executable is writable by the user that started it",
        kind: Type::Bool,
        declared: "BOOL",
        scope: Scope::Process,
        get: |cx, _| flag(cx.thread()?.exe_writable),
        ..Field::NEW
    },
    Field {
        name: "proc.is_exe_upper_layer",
        about: "Executable lives in an overlayfs upper layer",
        kind: Type::Bool,
        declared: "BOOL",
        scope: Scope::Process,
        get: |cx, _| flag(cx.thread()?.exe_upper_layer),
        ..Field::NEW
    },
    Field {
        name: "proc.is_exe_lower_layer",
        about: "Executable lives in an overlayfs lower layer",
        kind: Type::Bool,
        declared: "BOOL",
        scope: Scope::Process,
        get: |cx, _| flag(cx.thread()?.exe_lower_layer),
        ..Field::NEW
    },
    Field {
        name: "proc.is_exe_from_memfd",
        about: "Executable is an anonymous memfd file",
        kind: Type::Bool,
        declared: "BOOL",
        scope: Scope::Process,
        get: |cx, _| flag(cx.thread()?.exe_from_memfd),
        ..Field::NEW
    },
    Field {
        name: "proc.is_sid_leader",
        about: "sid equals vpid",
        kind: Type::Bool,
        declared: "BOOL",
        scope: Scope::Process,
        get: |cx, _| flag(cx.thread()?.sid == cx.thread()?.vpid),
        ..Field::NEW
    },
    Field {
        name: "proc.is_vpgid_leader",
        about: "vpgid equals vpid",
        kind: Type::Bool,
        declared: "BOOL",
        scope: Scope::Process,
        get: |cx, _| flag(cx.thread()?.vpgid == cx.thread()?.vpid),
        ..Field::NEW
    },
    Field {
        name: "proc.is_pgid_leader",
        about: "pgid equals pid",
        kind: Type::Bool,
        declared: "BOOL",
        scope: Scope::Process,
        get: |cx, _| flag(cx.thread()?.pgid == cx.thread()?.pid),
        ..Field::NEW
    },
    Field {
        name: "proc.exe_ino",
        about: "Inode number of the executable",
        kind: Type::Int,
        declared: "INT64",
        scope: Scope::Process,
        get: |cx, _| {
            (cx.thread()?.exe_ino != 0)
                .then(|| Value::Int(cx.thread().map_or(0, |t| t.exe_ino.cast_signed())))
        },
        ..Field::NEW
    },
    Field {
        name: "proc.exe_ino.ctime",
        about: "Inode change time of the executable, epoch ns",
        kind: Type::AbsTime,
        declared: "ABSTIME",
        scope: Scope::Process,
        get: |cx, _| nonzero(cx.thread()?.exe_ino_ctime),
        ..Field::NEW
    },
    Field {
        name: "proc.exe_ino.mtime",
        about: "Content modification time of the executable, epoch ns",
        kind: Type::AbsTime,
        declared: "ABSTIME",
        scope: Scope::Process,
        get: |cx, _| nonzero(cx.thread()?.exe_ino_mtime),
        ..Field::NEW
    },
    Field {
        name: "proc.exe_ino.ctime_duration_proc_start",
        about: "Process start minus executable ctime, ns",
        kind: Type::AbsTime,
        declared: "ABSTIME",
        scope: Scope::Process,
        get: |cx, _| nonzero(cx.thread()?.exe_ino_ctime_duration_clone_ts),
        ..Field::NEW
    },
    Field {
        name: "proc.exe_ino.ctime_duration_pidns_start",
        about: "Executable ctime minus pid-namespace start when later, ns",
        kind: Type::AbsTime,
        declared: "ABSTIME",
        scope: Scope::Process,
        show: Show::Known,
        get: |cx, _| nonzero(cx.thread()?.exe_ino_ctime_duration_pidns_start),
        ..Field::NEW
    },
    Field {
        name: "proc.pidns_init_start_ts",
        about: "Start time of the pid namespace init, epoch ns",
        kind: Type::Uint,
        declared: "UINT64",
        scope: Scope::Process,
        get: |cx, _| nonzero(cx.thread()?.pidns_init_start_ts),
        ..Field::NEW
    },
    Field {
        name: "proc.fdopencount",
        about: "Open fd count of the process",
        kind: Type::Uint,
        declared: "UINT64",
        get: |cx, _| uint(cx.thread().map(|_| cx.main().map_or(0, |t| t.files.len() as u64))?),
        ..Field::NEW
    },
    Field {
        name: "proc.fdlimit",
        about: "Soft limit on open fds",
        kind: Type::Int,
        declared: "INT64",
        scope: Scope::Process,
        get: |cx, _| int(cx.thread().map(|_| cx.main().map_or(0, |t| t.fdlimit))?),
        ..Field::NEW
    },
    Field {
        name: "proc.fdusage",
        about: "Open fds as a share of the limit",
        kind: Type::Double,
        declared: "DOUBLE",
        get: |cx, _| fd_usage(cx),
        ..Field::NEW
    },
    Field {
        name: "proc.vmsize",
        about: "Virtual memory size, kB",
        kind: Type::Uint,
        declared: "UINT64",
        get: |cx, _| uint(u64::from(cx.thread()?.vmsize_kb)),
        ..Field::NEW
    },
    Field {
        name: "proc.vmrss",
        about: "Resident memory, kB",
        kind: Type::Uint,
        declared: "UINT64",
        get: |cx, _| uint(u64::from(cx.thread()?.vmrss_kb)),
        ..Field::NEW
    },
    Field {
        name: "proc.vmswap",
        about: "Swapped memory, kB",
        kind: Type::Uint,
        declared: "UINT64",
        get: |cx, _| uint(u64::from(cx.thread()?.vmswap_kb)),
        ..Field::NEW
    },
    Field {
        name: "proc.stdin.type",
        about: "fd type of fd 0",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| fd::type_name(cx.standard(0)?),
        ..Field::NEW
    },
    Field {
        name: "proc.stdin.name",
        about: "fd name of fd 0",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| text(&cx.standard(0)?.name),
        ..Field::NEW
    },
    Field {
        name: "proc.stdout.type",
        about: "fd type of fd 1",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| fd::type_name(cx.standard(1)?),
        ..Field::NEW
    },
    Field {
        name: "proc.stdout.name",
        about: "fd name of fd 1",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| text(&cx.standard(1)?.name),
        ..Field::NEW
    },
    Field {
        name: "proc.stderr.type",
        about: "fd type of fd 2",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| fd::type_name(cx.standard(2)?),
        ..Field::NEW
    },
    Field {
        name: "proc.stderr.name",
        about: "fd name of fd 2",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| text(&cx.standard(2)?.name),
        ..Field::NEW
    },
    Field {
        name: "proc.nthreads",
        about: "Live threads of the process including the leader",
        kind: Type::Uint,
        declared: "UINT64",
        get: |cx, _| uint(alive(cx)?),
        ..Field::NEW
    },
    Field {
        name: "proc.nchilds",
        about: "Live threads of the process excluding the leader",
        kind: Type::Uint,
        declared: "UINT64",
        get: |cx, _| uint(alive(cx)?.saturating_sub(1)),
        ..Field::NEW
    },
];

/// All arguments, or one.
fn args_of<'a>(thread: &'a Thread, key: &Key) -> Option<Value<'a>> {
    match key {
        Key::Index(n) => text(thread.args.iter().nth(usize::try_from(*n).ok()?).unwrap_or_default()),
        _ => owned(thread.args.joined()),
    }
}

fn exeline(thread: &Thread) -> Vec<u8> {
    let mut line = thread.exe.to_vec();
    for arg in thread.args.iter() {
        line.push(b' ');
        line.extend_from_slice(arg);
    }
    if thread.args.is_empty() {
        line.push(b' ');
    }
    line
}

/// The whole environment, or one variable; a missing variable is empty.
fn env_of<'a>(thread: &'a Thread, key: &Key) -> Option<Value<'a>> {
    match key {
        Key::Name(name) => text(variable(thread, name.as_bytes()).unwrap_or_default()),
        _ => owned(thread.env.joined()),
    }
}

/// Value of the first variable of that name, without surrounding blanks.
pub(crate) fn variable<'a>(thread: &'a Thread, name: &[u8]) -> Option<&'a [u8]> {
    let value = thread.env.iter().find_map(|entry| entry.strip_prefix(name)?.strip_prefix(b"="))?;
    Some(value.trim_ascii())
}

fn fd_usage<'a>(cx: &Cx<'a>) -> Option<Value<'a>> {
    let main = cx.main()?;
    let limit = main.fdlimit.max(1);
    Some(Value::Double(main.files.len() as f64 * 100.0 / limit as f64))
}

/// Living threads of the process; 0 when it is unknown.
fn alive(cx: &Cx<'_>) -> Option<u64> {
    cx.thread()?;
    Some(cx.state.threads.group(cx.seen.thread?).map_or(0, |g| u64::from(g.alive)))
}
