//! Fields about the thread.

use eyas_event::{CAPABILITIES, id};
use eyas_state::Thread;

use crate::field::{Arg, ArgKind, Field, Flag, Show};
use crate::value::{flag, known, owned, text, uint};
use crate::{Cx, Key, Scope, Type, Value};

/// The fields of this family.
pub(crate) static FIELDS: &[Field] = &[
    Field {
        name: "thread.cap_permitted",
        about: "Permitted capability names",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| owned(capabilities(cx.thread()?.cap_permitted)),
        ..Field::NEW
    },
    Field {
        name: "thread.cap_inheritable",
        about: "Inheritable capability names",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| owned(capabilities(cx.thread()?.cap_inheritable)),
        ..Field::NEW
    },
    Field {
        name: "thread.cap_effective",
        about: "Effective capability names",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| owned(capabilities(cx.thread()?.cap_effective)),
        ..Field::NEW
    },
    Field {
        name: "thread.pfmajor",
        about: "Major page faults so far",
        kind: Type::Uint,
        declared: "UINT64",
        get: |cx, _| uint(cx.thread()?.pfmajor),
        ..Field::NEW
    },
    Field {
        name: "thread.pfminor",
        about: "Minor page faults so far",
        kind: Type::Uint,
        declared: "UINT64",
        get: |cx, _| uint(cx.thread()?.pfminor),
        ..Field::NEW
    },
    Field {
        name: "thread.tid",
        about: "Thread id",
        kind: Type::Int,
        declared: "INT64",
        scope: Scope::Process,
        get: |cx, _| (-1..=i64::from(u32::MAX)).contains(&cx.event.tid).then_some(Value::Int(cx.event.tid)),
        ..Field::NEW
    },
    Field {
        name: "thread.ismain",
        about: "Whether this is the main thread",
        kind: Type::Bool,
        declared: "BOOL",
        scope: Scope::Process,
        get: |cx, _| flag(cx.thread()?.is_main()),
        ..Field::NEW
    },
    Field {
        name: "thread.vtid",
        about: "Thread id inside its pid namespace",
        kind: Type::Int,
        declared: "INT64",
        scope: Scope::Process,
        get: |cx, _| known(cx.thread()?.vtid),
        ..Field::NEW
    },
    Field {
        name: "thread.nametid",
        about: "comm and tid combined as an identifier",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        flags: &[Flag::TableOnly],
        get: |cx, _| owned([&cx.thread()?.comm, cx.event.tid.to_string().as_bytes()].concat()),
        ..Field::NEW
    },
    Field {
        name: "thread.exectime",
        about: "CPU ns used in the last slice (switch events)",
        kind: Type::RelTime,
        declared: "RELTIME",
        get: |_, _| uint(0),
        ..Field::NEW
    },
    Field {
        name: "thread.totexectime",
        about: "CPU ns used since the capture began (switch events)",
        kind: Type::RelTime,
        declared: "RELTIME",
        get: |cx, _| cx.thread().map(|_| Value::Uint(0)),
        ..Field::NEW
    },
    Field {
        name: "thread.cgroups",
        about: "All cgroups as subsystem=path text",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| owned(cgroups(cx.thread()?)?),
        ..Field::NEW
    },
    Field {
        name: "thread.cgroup",
        about: "Cgroup path of the subsystem named in the argument",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        arg: Arg { kind: ArgKind::Name, required: true },
        get: |cx, key| cgroup(cx, key),
        ..Field::NEW
    },
    Field {
        name: "thread.cpu",
        about: "CPU percentage in the last second",
        kind: Type::Double,
        declared: "DOUBLE",
        show: Show::Zero,
        get: |cx, _| processor_share(cx, |user, system| user.wrapping_add(system)),
        ..Field::NEW
    },
    Field {
        name: "thread.cpu.user",
        about: "User CPU percentage in the last second",
        kind: Type::Double,
        declared: "DOUBLE",
        show: Show::Zero,
        get: |cx, _| processor_share(cx, |user, _| user),
        ..Field::NEW
    },
    Field {
        name: "thread.cpu.system",
        about: "System CPU percentage in the last second",
        kind: Type::Double,
        declared: "DOUBLE",
        show: Show::Zero,
        get: |cx, _| processor_share(cx, |_, system| system),
        ..Field::NEW
    },
    Field {
        name: "thread.vmsize",
        about: "Virtual memory kB, main thread only",
        kind: Type::Uint,
        declared: "UINT64",
        get: |cx, _| uint(memory(cx.thread()?, |t| t.vmsize_kb)),
        ..Field::NEW
    },
    Field {
        name: "thread.vmsize.b",
        about: "Virtual memory bytes, main thread only",
        kind: Type::Uint,
        declared: "UINT64",
        flags: &[Flag::TableOnly],
        get: |cx, _| uint(memory(cx.thread()?, |t| t.vmsize_kb) * 1024),
        ..Field::NEW
    },
    Field {
        name: "thread.vmrss",
        about: "Resident memory kB, main thread only",
        kind: Type::Uint,
        declared: "UINT64",
        get: |cx, _| uint(memory(cx.thread()?, |t| t.vmrss_kb)),
        ..Field::NEW
    },
    Field {
        name: "thread.vmrss.b",
        about: "Resident memory bytes, main thread only",
        kind: Type::Uint,
        declared: "UINT64",
        flags: &[Flag::TableOnly],
        get: |cx, _| uint(memory(cx.thread()?, |t| t.vmrss_kb) * 1024),
        ..Field::NEW
    },
];

fn capabilities(mask: u64) -> Vec<u8> {
    let names = CAPABILITIES.iter().filter(|(_, bit)| mask >> bit & 1 == 1).map(|(name, _)| *name);
    names.collect::<Vec<_>>().join(" ").into_bytes()
}

fn cgroups(thread: &Thread) -> Option<Vec<u8>> {
    if thread.cgroups.is_empty() {
        return None;
    }
    let pairs = thread.cgroups.iter().map(|(name, path)| [name, &b"="[..], path].concat());
    Some(pairs.collect::<Vec<_>>().join(&b' '))
}

fn cgroup<'a>(cx: &Cx<'a>, key: &Key) -> Option<Value<'a>> {
    let Key::Name(wanted) = key else { return None };
    let (_, path) = cx.thread()?.cgroups.iter().find(|(name, _)| name.as_ref() == wanted.as_bytes())?;
    text(path)
}

/// Memory belongs to the process: shown on its main thread only.
fn memory(thread: &Thread, read: fn(&Thread) -> u32) -> u64 {
    if thread.is_main() { u64::from(read(thread)) } else { 0 }
}

/// Percent of processor time since it was asked for last; the mark is one for all kinds of time.
fn processor_share<'a>(cx: &Cx<'a>, kind: fn(u64, u64) -> u64) -> Option<Value<'a>> {
    if cx.event.kind != id::PROCINFO_E {
        return None;
    }
    let now = kind(cx.event.unsigned(0).unwrap_or(0), cx.event.unsigned(1).unwrap_or(0));
    let share = match cx.thread()?.cpu_mark.replace(now) {
        0 => 0.0,
        before => (now.wrapping_sub(before) as f64).min(100.0),
    };
    Some(Value::Double(share))
}
