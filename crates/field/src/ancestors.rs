//! Fields about who started the process: ancestors and leaders.

use std::borrow::Cow;

use eyas_state::{Text, Thread};

use crate::field::{Arg, ArgKind, Compare, Field, Flag};
use crate::process::variable;
use crate::value::{int, known, line, owned, since, text, uint};
use crate::{Cx, Key, Scope, Type, Value};

/// Ancestors that are searched for a variable.
const ENV_DEPTH: usize = 20;

/// The fields of this family.
pub(crate) static FIELDS: &[Field] = &[
    Field {
        name: "proc.pname",
        about: "comm of the parent process",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Lineage,
        get: |cx, _| text(&cx.ancestor(1)?.comm),
        ..Field::NEW
    },
    Field {
        name: "proc.pexe",
        about: "argv[0] of the parent process",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Lineage,
        get: |cx, _| text(&cx.ancestor(1)?.exe),
        ..Field::NEW
    },
    Field {
        name: "proc.pexepath",
        about: "Executable path of the parent",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Lineage,
        get: |cx, _| text(&cx.ancestor(1)?.exepath),
        ..Field::NEW
    },
    Field {
        name: "proc.pcmdline",
        about: "Command line of the parent",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Lineage,
        get: |cx, _| text(&cx.ancestor(1)?.cmdline),
        ..Field::NEW
    },
    Field {
        name: "proc.aname",
        about: "comm of the n-th ancestor, or of any ancestor without index",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Lineage,
        arg: Arg { kind: ArgKind::Index, required: false },
        flags: &[Flag::NoRhs, Flag::NoTransformer],
        compare: Compare::AnyAncestor,
        get: |cx, key| chain(cx, key, |t| Some(Cow::Borrowed(&t.comm))),
        ..Field::NEW
    },
    Field {
        name: "proc.aexe",
        about: "argv[0] of the n-th ancestor, or of any ancestor without index",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Lineage,
        arg: Arg { kind: ArgKind::Index, required: false },
        flags: &[Flag::NoRhs, Flag::NoTransformer],
        compare: Compare::AnyAncestor,
        get: |cx, key| chain(cx, key, |t| Some(Cow::Borrowed(&t.exe))),
        ..Field::NEW
    },
    Field {
        name: "proc.aexepath",
        about: "Executable path of the n-th ancestor, or of any ancestor",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Lineage,
        arg: Arg { kind: ArgKind::Index, required: false },
        flags: &[Flag::NoRhs, Flag::NoTransformer],
        compare: Compare::AnyAncestor,
        get: |cx, key| chain(cx, key, |t| Some(Cow::Borrowed(&t.exepath))),
        ..Field::NEW
    },
    Field {
        name: "proc.acmdline",
        about: "Command line of the n-th ancestor, or of any ancestor",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Lineage,
        arg: Arg { kind: ArgKind::Index, required: false },
        flags: &[Flag::NoRhs, Flag::NoTransformer],
        compare: Compare::AnyAncestor,
        get: |cx, key| chain(cx, key, |t| Some(Cow::Borrowed(&t.cmdline))),
        ..Field::NEW
    },
    Field {
        name: "proc.aargs",
        about: "Arguments of the n-th ancestor",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Lineage,
        arg: Arg { kind: ArgKind::Index, required: false },
        get: |cx, key| arguments(cx, key),
        ..Field::NEW
    },
    Field {
        name: "proc.aenv",
        about: "Environment of any ancestor, of the n-th one, or one variable looked up the tree",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Lineage,
        arg: Arg { kind: ArgKind::KeyOrIndex, required: false },
        flags: &[Flag::NoRhs, Flag::NoTransformer],
        compare: Compare::AnyAncestor,
        get: |cx, key| env(cx, key),
        ..Field::NEW
    },
    Field {
        name: "proc.apid",
        about: "Pid of the n-th ancestor, or of any ancestor",
        kind: Type::Int,
        declared: "INT64",
        scope: Scope::Lineage,
        arg: Arg { kind: ArgKind::Index, required: false },
        flags: &[Flag::NoRhs, Flag::NoTransformer],
        compare: Compare::AnyAncestor,
        get: |cx, key| pid(cx, key),
        ..Field::NEW
    },
    Field {
        name: "proc.ppid",
        about: "Parent process id",
        kind: Type::Int,
        declared: "INT64",
        scope: Scope::Lineage,
        get: |cx, _| int(cx.ancestor(1)?.pid),
        ..Field::NEW
    },
    Field {
        name: "proc.pvpid",
        about: "Parent pid inside its pid namespace",
        kind: Type::Int,
        declared: "INT64",
        scope: Scope::Lineage,
        get: |cx, _| known(cx.parent()?.vpid),
        ..Field::NEW
    },
    Field {
        name: "proc.ppid.duration",
        about: "Nanoseconds since the parent was cloned; open fds of the process when that is unknown, as in Falco",
        kind: Type::RelTime,
        declared: "RELTIME",
        get: |cx, _| parent_duration(cx),
        ..Field::NEW
    },
    Field {
        name: "proc.ppid.ts",
        about: "Clone time of the parent, epoch ns",
        kind: Type::RelTime,
        declared: "RELTIME",
        scope: Scope::Lineage,
        get: |cx, _| uint(cx.parent()?.clone_ts),
        ..Field::NEW
    },
    Field {
        name: "proc.loginshellid",
        about: "Pid of the oldest ancestor whose comm ends in sh",
        kind: Type::Int,
        declared: "INT64",
        scope: Scope::Lineage,
        get: |cx, _| login_shell(cx),
        ..Field::NEW
    },
    Field {
        name: "proc.sname",
        about: "comm of the session leader (eldest same-session ancestor)",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Lineage,
        get: |cx, _| leader(cx, cx.state.threads.session_leader(cx.seen.thread?), |t| &t.comm),
        ..Field::NEW
    },
    Field {
        name: "proc.sid.exe",
        about: "argv[0] of the session leader",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Lineage,
        get: |cx, _| leader(cx, cx.state.threads.session_leader(cx.seen.thread?), |t| &t.exe),
        ..Field::NEW
    },
    Field {
        name: "proc.sid.exepath",
        about: "Executable path of the session leader",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Lineage,
        get: |cx, _| leader(cx, cx.state.threads.session_leader(cx.seen.thread?), |t| &t.exepath),
        ..Field::NEW
    },
    Field {
        name: "proc.vpgid.name",
        about: "comm of the group leader found by vpgid",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Lineage,
        get: |cx, _| leader(cx, cx.state.threads.vpgid_leader(cx.seen.thread?), |t| &t.comm),
        ..Field::NEW
    },
    Field {
        name: "proc.vpgid.exe",
        about: "argv[0] of the group leader found by vpgid",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Lineage,
        get: |cx, _| leader(cx, cx.state.threads.vpgid_leader(cx.seen.thread?), |t| &t.exe),
        ..Field::NEW
    },
    Field {
        name: "proc.vpgid.exepath",
        about: "Executable path of the group leader found by vpgid",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Lineage,
        get: |cx, _| leader(cx, cx.state.threads.vpgid_leader(cx.seen.thread?), |t| &t.exepath),
        ..Field::NEW
    },
    Field {
        name: "proc.pgid.name",
        about: "comm of the group leader found by pgid",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Lineage,
        get: |cx, _| leader(cx, cx.state.threads.pgid_leader(cx.seen.thread?), |t| &t.comm),
        ..Field::NEW
    },
    Field {
        name: "proc.pgid.exe",
        about: "argv[0] of the group leader found by pgid",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Lineage,
        get: |cx, _| leader(cx, cx.state.threads.pgid_leader(cx.seen.thread?), |t| &t.exe),
        ..Field::NEW
    },
    Field {
        name: "proc.pgid.exepath",
        about: "Executable path of the group leader found by pgid",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Lineage,
        get: |cx, _| leader(cx, cx.state.threads.pgid_leader(cx.seen.thread?), |t| &t.exepath),
        ..Field::NEW
    },
];

/// Ancestor `n` with a key, all ancestors without.
fn chain<'a>(cx: &Cx<'a>, key: &Key, read: fn(&'a Thread) -> Option<Cow<'a, [u8]>>) -> Option<Value<'a>> {
    match key {
        Key::Index(n) => read(cx.ancestor(usize::try_from(*n).ok()?)?).map(Value::Text),
        _ => {
            cx.main()?;
            let all = cx.state.threads.ancestors(cx.seen.thread?).filter_map(read).map(Value::Text);
            Some(Value::List(all.collect()))
        }
    }
}

fn pid<'a>(cx: &Cx<'a>, key: &Key) -> Option<Value<'a>> {
    match key {
        Key::Index(n) => int(cx.ancestor(usize::try_from(*n).ok()?)?.pid),
        _ => {
            cx.main()?;
            Some(Value::List(
                cx.state.threads.ancestors(cx.seen.thread?).map(|t| Value::Int(t.pid)).collect(),
            ))
        }
    }
}

/// Time since the parent started. A parent from before the capture has no start: the value is then the number
/// of open files, by a slip of Falco that rules may have come to rely on.
fn parent_duration<'a>(cx: &Cx<'a>) -> Option<Value<'a>> {
    let start = cx.parent()?.clone_ts;
    since(cx, start).or_else(|| uint(cx.main().map_or(0, |t| t.files.len() as u64)))
}

/// Arguments of one ancestor, or of all in one text.
fn arguments<'a>(cx: &Cx<'a>, key: &Key) -> Option<Value<'a>> {
    match key {
        Key::Index(n) => owned(cx.ancestor(usize::try_from(*n).ok()?)?.args.joined()),
        _ => {
            cx.main()?;
            let all: Vec<_> = cx.state.threads.ancestors(cx.seen.thread?).map(|t| t.args.joined()).collect();
            owned(line(all)).filter(|v| *v != Value::Text(Cow::Borrowed(b"")))
        }
    }
}

fn env<'a>(cx: &Cx<'a>, key: &Key) -> Option<Value<'a>> {
    match key {
        Key::Name(name) => {
            let near = cx.state.threads.ancestors(cx.seen.thread?).take(ENV_DEPTH);
            text(
                near.filter_map(|t| variable(t, name.as_bytes())).find(|v| !v.is_empty()).unwrap_or_default(),
            )
        }
        Key::Index(_) => chain(cx, key, |t| Some(Cow::Owned(t.env.joined()))),
        _ => {
            cx.thread()?;
            let all = cx.state.threads.ancestors(cx.seen.thread?).map(|t| Value::Text(t.env.joined().into()));
            Some(Value::List(all.collect()))
        }
    }
}

/// Oldest of the process and its ancestors whose name ends in `sh`.
fn login_shell<'a>(cx: &Cx<'a>) -> Option<Value<'a>> {
    let own = cx.main()?;
    let line = std::iter::once(own).chain(cx.state.threads.ancestors(cx.seen.thread?));
    int(line.filter(|t| t.comm.ends_with(b"sh")).last()?.pid)
}

fn leader<'a>(
    cx: &Cx<'a>,
    leader: Option<&'a Thread>,
    read: fn(&'a Thread) -> &'a Text,
) -> Option<Value<'a>> {
    cx.thread()?;
    text(leader.map_or(b"", |t| read(t)))
}
