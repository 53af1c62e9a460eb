//! Fields about the event itself.

use eyas_event::table::{Category, Flags};
use eyas_event::{ERRNO, Event, SYSCALL_CODES, id};
use eyas_state::FdKind;
use memchr::memmem;

use crate::field::{Arg, ArgKind, Compare, Field, Flag, Show};
use crate::value::{flag, int, owned, text, uint};
use crate::{Cx, Key, Type, Value, args, fd, open, paths, time};

const SECOND: u64 = 1_000_000_000;

/// The fields of this family.
pub(crate) static FIELDS: &[Field] = &[
    Field {
        name: "evt.num",
        about: "Sequence number of the event in this stream (starts at 1)",
        kind: Type::Uint,
        declared: "UINT64",
        everywhere: true,
        get: |cx, _| uint(cx.event.num),
        ..Field::NEW
    },
    Field {
        name: "evt.time",
        about: "Local wall-clock time of the event with nanoseconds",
        kind: Type::Text,
        declared: "CHARBUF",
        everywhere: true,
        show: Show::EventTime,
        get: |cx, _| owned(time::clock(cx.event.ts, true)),
        ..Field::NEW
    },
    Field {
        name: "evt.time.s",
        about: "Local wall-clock time of the event, seconds precision",
        kind: Type::Text,
        declared: "CHARBUF",
        everywhere: true,
        get: |cx, _| owned(time::clock(cx.event.ts, false)),
        ..Field::NEW
    },
    Field {
        name: "evt.time.iso8601",
        about: "UTC timestamp in ISO 8601 form with nanoseconds",
        kind: Type::Text,
        declared: "CHARBUF",
        everywhere: true,
        show: Show::EventTime,
        get: |cx, _| owned(time::iso8601(cx.event.ts)),
        ..Field::NEW
    },
    Field {
        name: "evt.datetime",
        about: "Local date and time with nanoseconds",
        kind: Type::Text,
        declared: "CHARBUF",
        everywhere: true,
        get: |cx, _| owned(time::date(cx.event.ts, true)),
        ..Field::NEW
    },
    Field {
        name: "evt.datetime.s",
        about: "Local date and time, seconds precision",
        kind: Type::Text,
        declared: "CHARBUF",
        everywhere: true,
        get: |cx, _| owned(time::date(cx.event.ts, false)),
        ..Field::NEW
    },
    Field {
        name: "evt.outputtime",
        about: "Time in the format chosen by the front end (print only)",
        kind: Type::Text,
        declared: "CHARBUF",
        flags: &[Flag::PrintOnly],
        show: Show::EventTime,
        get: |cx, _| owned(time::clock(cx.event.ts, true)),
        ..Field::NEW
    },
    Field {
        name: "evt.rawtime",
        about: "Event timestamp, ns since the Unix epoch",
        kind: Type::AbsTime,
        declared: "ABSTIME",
        everywhere: true,
        get: |cx, _| uint(cx.event.ts),
        ..Field::NEW
    },
    Field {
        name: "evt.rawtime.s",
        about: "Whole seconds of the epoch timestamp",
        kind: Type::AbsTime,
        declared: "ABSTIME",
        everywhere: true,
        get: |cx, _| uint(cx.event.ts / SECOND),
        ..Field::NEW
    },
    Field {
        name: "evt.rawtime.ns",
        about: "Sub-second nanoseconds of the epoch timestamp",
        kind: Type::AbsTime,
        declared: "ABSTIME",
        everywhere: true,
        show: Show::Padded,
        get: |cx, _| uint(cx.event.ts % SECOND),
        ..Field::NEW
    },
    Field {
        name: "evt.reltime",
        about: "Nanoseconds since the first event seen",
        kind: Type::RelTime,
        declared: "RELTIME",
        everywhere: true,
        get: |cx, _| uint(cx.event.ts.wrapping_sub(cx.first_ts)),
        ..Field::NEW
    },
    Field {
        name: "evt.reltime.s",
        about: "Whole seconds since the first event seen",
        kind: Type::RelTime,
        declared: "RELTIME",
        everywhere: true,
        get: |cx, _| uint(cx.event.ts.wrapping_sub(cx.first_ts) / SECOND),
        ..Field::NEW
    },
    Field {
        name: "evt.reltime.ns",
        about: "Sub-second nanoseconds since the first event seen",
        kind: Type::RelTime,
        declared: "RELTIME",
        everywhere: true,
        show: Show::Padded,
        get: |cx, _| uint(cx.event.ts.wrapping_sub(cx.first_ts) % SECOND),
        ..Field::NEW
    },
    Field {
        name: "evt.pluginname",
        about: "Plugin that generated the event (plugin events only)",
        kind: Type::Text,
        declared: "CHARBUF",
        everywhere: true,
        get: |cx, _| text(cx.record?.plugin().as_bytes()),
        ..Field::NEW
    },
    Field {
        name: "evt.plugininfo",
        about: "Plugin's own one-line rendering of the event",
        kind: Type::Text,
        declared: "CHARBUF",
        everywhere: true,
        get: |cx, _| owned(cx.record?.info()?),
        ..Field::NEW
    },
    Field {
        name: "evt.source",
        about: "Event source name (syscall or a plugin source)",
        kind: Type::Text,
        declared: "CHARBUF",
        everywhere: true,
        get: |cx, _| text(cx.record.map_or("syscall", |r| r.source()).as_bytes()),
        ..Field::NEW
    },
    Field {
        name: "evt.is_async",
        about: "Whether the event was injected asynchronously by a plugin",
        kind: Type::Bool,
        declared: "BOOL",
        everywhere: true,
        get: |cx, _| flag(is_meta(cx) || cx.record.is_some_and(|r| r.asynctype().is_some())),
        ..Field::NEW
    },
    Field {
        name: "evt.asynctype",
        about: "Name of the asynchronous event",
        kind: Type::Text,
        declared: "CHARBUF",
        everywhere: true,
        get: |cx, _| match cx.record {
            Some(record) => owned(record.asynctype()?),
            None => text(is_meta(cx).then(|| type_name(cx))?),
        },
        ..Field::NEW
    },
    Field {
        name: "evt.hostname",
        about: "Host name, overridable through an environment variable",
        kind: Type::Text,
        declared: "CHARBUF",
        everywhere: true,
        get: |cx, _| text(&cx.state.machine.hostname),
        ..Field::NEW
    },
    Field {
        name: "evt.latency",
        about: "Exit minus enter time; now always 0",
        kind: Type::RelTime,
        declared: "RELTIME",
        flags: &[Flag::Deprecated],
        get: |_, _| uint(0),
        ..Field::NEW
    },
    Field {
        name: "evt.latency.s",
        about: "Seconds part of evt.latency; now always 0",
        kind: Type::RelTime,
        declared: "RELTIME",
        flags: &[Flag::Deprecated],
        get: |_, _| uint(0),
        ..Field::NEW
    },
    Field {
        name: "evt.latency.ns",
        about: "Sub-second part of evt.latency; now always 0",
        kind: Type::RelTime,
        declared: "RELTIME",
        flags: &[Flag::Deprecated],
        get: |_, _| uint(0),
        ..Field::NEW
    },
    Field {
        name: "evt.latency.quantized",
        about: "Log-scaled evt.latency for spectrograms; now always 0",
        kind: Type::Uint,
        declared: "UINT64",
        flags: &[Flag::Deprecated, Flag::TableOnly],
        get: |_, _| uint(0),
        ..Field::NEW
    },
    Field {
        name: "evt.wait_latency",
        about: "Time spent blocked; deprecated",
        kind: Type::RelTime,
        declared: "RELTIME",
        flags: &[Flag::Deprecated],
        get: |_, _| uint(0),
        ..Field::NEW
    },
    Field {
        name: "evt.latency.human",
        about: "evt.latency as readable text; now always 0ns",
        kind: Type::Text,
        declared: "CHARBUF",
        flags: &[Flag::Deprecated],
        get: |_, _| text(b"0ns"),
        ..Field::NEW
    },
    Field {
        name: "evt.deltatime",
        about: "Nanoseconds since the previous event",
        kind: Type::RelTime,
        declared: "RELTIME",
        show: Show::Zero,
        get: |cx, _| uint(cx.event.ts.wrapping_sub(cx.previous_ts)),
        ..Field::NEW
    },
    Field {
        name: "evt.deltatime.s",
        about: "Whole seconds since the previous event",
        kind: Type::RelTime,
        declared: "RELTIME",
        show: Show::Zero,
        get: |cx, _| uint(cx.event.ts.wrapping_sub(cx.previous_ts) / SECOND),
        ..Field::NEW
    },
    Field {
        name: "evt.deltatime.ns",
        about: "Sub-second nanoseconds since the previous event",
        kind: Type::RelTime,
        declared: "RELTIME",
        show: Show::Zero,
        get: |cx, _| uint(cx.event.ts.wrapping_sub(cx.previous_ts) % SECOND),
        ..Field::NEW
    },
    Field {
        name: "evt.dir",
        about: "Direction sign, > for enter and < for exit",
        kind: Type::Text,
        declared: "CHARBUF",
        flags: &[Flag::Deprecated],
        get: |cx, _| text(if cx.event.info().is_exit() { b"<" } else { b">" }),
        ..Field::NEW
    },
    Field {
        name: "evt.type",
        about: "Event name, e.g. openat; async name for async events",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| text(type_name(cx)),
        ..Field::NEW
    },
    Field {
        name: "evt.type.is",
        about: "1 if the event has the type named in the argument, else 0",
        kind: Type::Uint,
        declared: "UINT32",
        arg: Arg { kind: ArgKind::Name, required: true },
        get: |cx, key| uint(u64::from(key.matches_event(cx.event.kind))),
        ..Field::NEW
    },
    Field {
        name: "syscall.type",
        about: "System call name; absent for events that are not syscalls",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| text(is_syscall(cx).then(|| type_name(cx))?),
        ..Field::NEW
    },
    Field {
        name: "evt.category",
        about: "Category name of the event (file, net, process, ...)",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| text(category(cx).as_bytes()),
        ..Field::NEW
    },
    Field {
        name: "evt.cpu",
        about: "CPU number that produced the event",
        kind: Type::Int,
        declared: "INT16",
        get: |cx, _| int(i64::from(cx.event.cpu)),
        ..Field::NEW
    },
    Field {
        name: "evt.args",
        about: "All parameters rendered as name=value text",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| args::all(cx),
        ..Field::NEW
    },
    Field {
        name: "evt.info",
        about: "Same content as evt.args",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| args::all(cx),
        ..Field::NEW
    },
    Field {
        name: "evt.arg",
        about: "One parameter rendered as text, chosen by name or position",
        kind: Type::Text,
        declared: "CHARBUF",
        arg: Arg { kind: ArgKind::NameOrIndex, required: true },
        get: |cx, key| args::shown(cx, key),
        ..Field::NEW
    },
    Field {
        name: "evt.rawarg",
        about: "One parameter in its native type, chosen by name",
        kind: Type::Dynamic,
        declared: "DYN",
        arg: Arg { kind: ArgKind::Name, required: true },
        flags: &[Flag::NoRhs, Flag::NoTransformer],
        get: |cx, key| args::raw(cx, key),
        ..Field::NEW
    },
    Field {
        name: "evt.buffer",
        about: "Raw bytes of the I/O buffer of the event",
        kind: Type::Bytes,
        declared: "BYTEBUF",
        get: |cx, _| buffer(cx),
        ..Field::NEW
    },
    Field {
        name: "evt.buflen",
        about: "Length of the I/O buffer of the event",
        kind: Type::Uint,
        declared: "UINT64",
        get: |cx, _| buflen(cx, Io::Any, Way::Any),
        ..Field::NEW
    },
    Field {
        name: "evt.buflen.in",
        about: "Buffer length, input events only",
        kind: Type::Uint,
        declared: "UINT64",
        flags: &[Flag::TableOnly],
        get: |cx, _| buflen(cx, Io::Any, Way::In),
        ..Field::NEW
    },
    Field {
        name: "evt.buflen.out",
        about: "Buffer length, output events only",
        kind: Type::Uint,
        declared: "UINT64",
        flags: &[Flag::TableOnly],
        get: |cx, _| buflen(cx, Io::Any, Way::Out),
        ..Field::NEW
    },
    Field {
        name: "evt.buflen.file",
        about: "Buffer length, file I/O only",
        kind: Type::Uint,
        declared: "UINT64",
        flags: &[Flag::TableOnly],
        get: |cx, _| buflen(cx, Io::File, Way::Any),
        ..Field::NEW
    },
    Field {
        name: "evt.buflen.file.in",
        about: "Buffer length, file reads only",
        kind: Type::Uint,
        declared: "UINT64",
        flags: &[Flag::TableOnly],
        get: |cx, _| buflen(cx, Io::File, Way::In),
        ..Field::NEW
    },
    Field {
        name: "evt.buflen.file.out",
        about: "Buffer length, file writes only",
        kind: Type::Uint,
        declared: "UINT64",
        flags: &[Flag::TableOnly],
        get: |cx, _| buflen(cx, Io::File, Way::Out),
        ..Field::NEW
    },
    Field {
        name: "evt.buflen.net",
        about: "Buffer length, network I/O only",
        kind: Type::Uint,
        declared: "UINT64",
        flags: &[Flag::TableOnly],
        get: |cx, _| buflen(cx, Io::Net, Way::Any),
        ..Field::NEW
    },
    Field {
        name: "evt.buflen.net.in",
        about: "Buffer length, network receives only",
        kind: Type::Uint,
        declared: "UINT64",
        flags: &[Flag::TableOnly],
        get: |cx, _| buflen(cx, Io::Net, Way::In),
        ..Field::NEW
    },
    Field {
        name: "evt.buflen.net.out",
        about: "Buffer length, network sends only",
        kind: Type::Uint,
        declared: "UINT64",
        flags: &[Flag::TableOnly],
        get: |cx, _| buflen(cx, Io::Net, Way::Out),
        ..Field::NEW
    },
    Field {
        name: "evt.res",
        about: "Return value as text: SUCCESS or an errno name",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| match result(cx)? {
            res if res >= 0 => text(b"SUCCESS"),
            _ => args::shown(cx, &Key::Index(0)),
        },
        ..Field::NEW
    },
    Field {
        name: "evt.rawres",
        about: "Return value as a signed number",
        kind: Type::Int,
        declared: "INT64",
        get: |cx, _| int(result(cx)?),
        ..Field::NEW
    },
    Field {
        name: "evt.failed",
        about: "Whether the event returned an error",
        kind: Type::Bool,
        declared: "BOOL",
        get: |cx, _| flag(result(cx)? < 0),
        ..Field::NEW
    },
    Field {
        name: "evt.is_io",
        about: "Whether the event moves data through an fd",
        kind: Type::Bool,
        declared: "BOOL",
        get: |cx, _| flag(reads(cx) || writes(cx)),
        ..Field::NEW
    },
    Field {
        name: "evt.is_io_read",
        about: "Whether the event reads from an fd",
        kind: Type::Bool,
        declared: "BOOL",
        get: |cx, _| flag(reads(cx)),
        ..Field::NEW
    },
    Field {
        name: "evt.is_io_write",
        about: "Whether the event writes to an fd",
        kind: Type::Bool,
        declared: "BOOL",
        get: |cx, _| flag(writes(cx)),
        ..Field::NEW
    },
    Field {
        name: "evt.io_dir",
        about: "Data direction text of an I/O event (read or write)",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| {
            text(if writes(cx) {
                b"write"
            } else if reads(cx) {
                b"read"
            } else {
                return None;
            })
        },
        ..Field::NEW
    },
    Field {
        name: "evt.is_wait",
        about: "Whether the syscall may block",
        kind: Type::Bool,
        declared: "BOOL",
        get: |cx, _| flag(cx.event.info().flags.has(Flags::WAITS)),
        ..Field::NEW
    },
    Field {
        name: "evt.is_syslog",
        about: "Whether the event writes to the syslog socket",
        kind: Type::Bool,
        declared: "BOOL",
        get: |cx, _| {
            flag(writes(cx) && cx.fd().is_some_and(|fd| memmem::find(&fd.name, b"/dev/log").is_some()))
        },
        ..Field::NEW
    },
    Field {
        name: "evt.count",
        about: "Constant 1",
        kind: Type::Uint,
        declared: "UINT32",
        get: |_, _| uint(1),
        ..Field::NEW
    },
    Field {
        name: "evt.count.error",
        about: "1 if the event failed",
        kind: Type::Uint,
        declared: "UINT32",
        get: |cx, _| failures(cx, true),
        ..Field::NEW
    },
    Field {
        name: "evt.count.error.file",
        about: "1 if the event failed and concerns files",
        kind: Type::Uint,
        declared: "UINT32",
        get: |cx, _| failures(cx, concern(cx) == Concern::File),
        ..Field::NEW
    },
    Field {
        name: "evt.count.error.net",
        about: "1 if the event failed and concerns the network",
        kind: Type::Uint,
        declared: "UINT32",
        get: |cx, _| failures(cx, concern(cx) == Concern::Net),
        ..Field::NEW
    },
    Field {
        name: "evt.count.error.memory",
        about: "1 if the event failed and concerns memory",
        kind: Type::Uint,
        declared: "UINT32",
        get: |cx, _| failures(cx, cx.event.info().category == Category::Memory),
        ..Field::NEW
    },
    Field {
        name: "evt.count.error.other",
        about: "1 if the event failed in no other category",
        kind: Type::Uint,
        declared: "UINT32",
        get: |cx, _| failures(cx, concern(cx) == Concern::Other),
        ..Field::NEW
    },
    Field {
        name: "evt.count.exit",
        about: "1 for exit events",
        kind: Type::Uint,
        declared: "UINT32",
        get: |cx, _| cx.event.info().is_exit().then_some(Value::Uint(1)),
        ..Field::NEW
    },
    Field {
        name: "evt.count.procinfo",
        about: "1 for procinfo events of main threads",
        kind: Type::Uint,
        declared: "UINT32",
        flags: &[Flag::TableOnly],
        get: |cx, _| {
            let main = cx.thread().is_some_and(eyas_state::Thread::is_main);
            uint(u64::from(cx.event.kind == id::PROCINFO_E && main))
        },
        ..Field::NEW
    },
    Field {
        name: "evt.count.threadinfo",
        about: "1 for procinfo events",
        kind: Type::Uint,
        declared: "UINT32",
        flags: &[Flag::TableOnly],
        get: |cx, _| uint(u64::from(cx.event.kind == id::PROCINFO_E)),
        ..Field::NEW
    },
    Field {
        name: "evt.around",
        about: "True when the event lies within D ms of timestamp T given as argument",
        kind: Type::Uint,
        declared: "UINT64",
        arg: Arg { kind: ArgKind::Index, required: true },
        flags: &[Flag::FilterOnly, Flag::NoRhs, Flag::NoTransformer],
        compare: Compare::Around,
        get: |cx, _| uint(cx.event.ts),
        ..Field::NEW
    },
    Field {
        name: "evt.abspath",
        about: "Absolute path built from dirfd and path params; argument may be src or dst",
        kind: Type::Text,
        declared: "CHARBUF",
        arg: Arg { kind: ArgKind::Name, required: false },
        get: |cx, key| paths::absolute(cx, key),
        ..Field::NEW
    },
    Field {
        name: "evt.is_open_read",
        about: "Open-family event whose flags allow reading",
        kind: Type::Bool,
        declared: "BOOL",
        get: |cx, _| flag(open::is_read(cx)),
        ..Field::NEW
    },
    Field {
        name: "evt.is_open_write",
        about: "Open-family event whose flags allow writing",
        kind: Type::Bool,
        declared: "BOOL",
        get: |cx, _| flag(open::is_write(cx)),
        ..Field::NEW
    },
    Field {
        name: "evt.is_open_create",
        about: "Open-family event that created the file",
        kind: Type::Bool,
        declared: "BOOL",
        get: |cx, _| flag(open::is_create(cx)),
        ..Field::NEW
    },
    Field {
        name: "evt.is_open_exec",
        about: "Open/creat event creating a file with an execute mode bit",
        kind: Type::Bool,
        declared: "BOOL",
        get: |cx, _| flag(open::is_exec(cx)),
        ..Field::NEW
    },
    Field {
        name: "evt.infra.docker.name",
        about: "Docker infrastructure event name (legacy)",
        kind: Type::Text,
        declared: "CHARBUF",
        flags: &[Flag::TableOnly],
        unavailable: Some("the events it came from are no longer written"),
        get: |_, _| None,
        ..Field::NEW
    },
    Field {
        name: "evt.infra.docker.container.id",
        about: "Container id of a docker infrastructure event (legacy)",
        kind: Type::Text,
        declared: "CHARBUF",
        flags: &[Flag::TableOnly],
        unavailable: Some("the events it came from are no longer written"),
        get: |_, _| None,
        ..Field::NEW
    },
    Field {
        name: "evt.infra.docker.container.name",
        about: "Container name of a docker infrastructure event (legacy)",
        kind: Type::Text,
        declared: "CHARBUF",
        flags: &[Flag::TableOnly],
        unavailable: Some("the events it came from are no longer written"),
        get: |_, _| None,
        ..Field::NEW
    },
    Field {
        name: "evt.infra.docker.container.image",
        about: "Container image of a docker infrastructure event (legacy)",
        kind: Type::Text,
        declared: "CHARBUF",
        flags: &[Flag::TableOnly],
        unavailable: Some("the events it came from are no longer written"),
        get: |_, _| None,
        ..Field::NEW
    },
];

/// Kind of file that an I/O event is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Io {
    Any,
    File,
    Net,
}

/// What a failed call was about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Concern {
    File,
    Net,
    Memory,
    Other,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Any,
    In,
    Out,
}

/// Container, user, plugin and internal events.
fn is_meta(cx: &Cx<'_>) -> bool {
    matches!(cx.event.info().category, Category::Internal) || cx.event.info().sources & 4096 != 0
}

pub(crate) fn is_syscall(cx: &Cx<'_>) -> bool {
    cx.event.info().sources & 512 != 0
}

/// Name of the event; of a generic event, that of its system call.
pub(crate) fn type_name<'a>(cx: &Cx<'a>) -> &'a [u8] {
    match cx.event.kind {
        id::GENERIC_X => syscall_name(cx.event).as_bytes(),
        id::ASYNCEVENT_E => cx.event.text(1).unwrap_or_default(),
        _ => cx.event.info().name.as_bytes(),
    }
}

fn syscall_name(event: &Event<'_>) -> &'static str {
    let code = event.unsigned(0).unwrap_or(0) as u32;
    SYSCALL_CODES.iter().find(|(_, c)| *c == code).map_or("unknown", |(name, _)| name)
}

fn reads(cx: &Cx<'_>) -> bool {
    cx.event.info().flags.has(Flags::READS_FROM_FD)
}

fn writes(cx: &Cx<'_>) -> bool {
    cx.event.info().flags.has(Flags::WRITES_TO_FD)
}

/// Return value of a system call that has one.
pub(crate) fn result(cx: &Cx<'_>) -> Option<i64> {
    let info = cx.event.info();
    let named = matches!(info.params.first()?.name, "res" | "fd");
    (info.is_exit() && is_syscall(cx) && named && cx.event.kind != id::GENERIC_X)
        .then(|| cx.event.signed(0))?
}

/// Name of a negative return value.
pub(crate) fn errno_name(res: i64) -> Option<&'static str> {
    let code = u32::try_from(res.checked_neg()?).ok()?;
    ERRNO.iter().find(|(_, c)| *c == code).map(|(name, _)| *name)
}

/// By the file, or by the call when it opened none.
fn concern(cx: &Cx<'_>) -> Concern {
    match (cx.fd().map(|fd| fd.kind), cx.event.kind) {
        (Some(FdKind::Regular | FdKind::Directory), _) => Concern::File,
        (Some(FdKind::Connection { .. } | FdKind::Listener { .. } | FdKind::Unix(_)), _) => Concern::Net,
        (Some(_), _) => Concern::Other,
        (None, kind) if open::opens(kind) => Concern::File,
        (None, id::SOCKET_ACCEPT_5_X | id::SOCKET_ACCEPT4_6_X | id::SOCKET_CONNECT_X) => Concern::Net,
        (None, _) if cx.event.info().category == Category::Memory => Concern::Memory,
        (None, _) => Concern::Other,
    }
}

/// Whether a call of that concern failed, as a number.
fn failures<'a>(cx: &Cx<'a>, concerned: bool) -> Option<Value<'a>> {
    uint(u64::from(result(cx).filter(|_| concerned)? < 0))
}

/// Category; that of I/O events follows from the file.
fn category(cx: &Cx<'_>) -> &'static str {
    match cx.event.info().category {
        Category::Unknown => "unknown",
        Category::Other => "other",
        Category::File => "file",
        Category::Net => "net",
        Category::Ipc => "IPC",
        Category::Memory => "memory",
        Category::Process => "process",
        Category::Sleep => "sleep",
        Category::System => "system",
        Category::Signal => "signal",
        Category::User => "user",
        Category::Time => "time",
        Category::Processing => "processing",
        Category::IoRead | Category::IoWrite | Category::IoOther => cx.fd().map_or("unknown", fd::category),
        Category::Wait => "wait",
        Category::Scheduler => "scheduler",
        Category::Internal => "internal",
    }
}

fn buffer<'a>(cx: &Cx<'a>) -> Option<Value<'a>> {
    let i = cx.event.info().param("data")?;
    cx.event.param(i).map(|data| Value::Bytes(data.into()))
}

/// Bytes read or written, on known files only.
fn buflen<'a>(cx: &Cx<'a>, kind: Io, way: Way) -> Option<Value<'a>> {
    let category = cx.event.info().category;
    let right_way = match way {
        Way::Any => matches!(category, Category::IoRead | Category::IoWrite | Category::IoOther),
        Way::In => category == Category::IoRead,
        Way::Out => category == Category::IoWrite,
    };
    let right_kind = matches!(
        (kind, cx.fd()?.kind),
        (Io::Any, _)
            | (Io::File, FdKind::Regular)
            | (Io::Net, FdKind::Connection { .. } | FdKind::Listener { .. })
    );
    let len = result(cx).filter(|n| *n >= 0 && right_way && right_kind)?;
    uint(len.unsigned_abs())
}
