//! Fields about the file, socket or other descriptor of the event.

use std::borrow::Cow;
use std::net::IpAddr;

use eyas_event::id;
use eyas_state::{Fd, FdKind};

use crate::field::{Arg, ArgKind, Compare, Field, Flag, Show};
use crate::value::{flag, int, owned, text};
use crate::{Cx, Key, Scope, Type, Value, args, fdlist, paths};

/// The fields of this family.
pub(crate) static FIELDS: &[Field] = &[
    Field {
        name: "fd.num",
        about: "File descriptor number",
        kind: Type::Int,
        declared: "INT64",
        get: |cx, _| int(number(cx)?),
        ..Field::NEW
    },
    Field {
        name: "fd.type",
        about: "Descriptor kind as text (file, ipv4, pipe, ...)",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Name,
        get: |cx, _| type_name(cx.fd()?),
        ..Field::NEW
    },
    Field {
        name: "fd.typechar",
        about: "Descriptor kind as one character",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Name,
        get: |cx, _| type_char(cx),
        ..Field::NEW
    },
    Field {
        name: "fd.name",
        about: "Path of a file, or the connection tuple of a socket",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Name,
        get: |cx, _| name(cx),
        ..Field::NEW
    },
    Field {
        name: "fd.nameraw",
        about: "File path as passed, before resolution",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Name,
        get: |cx, _| raw_name(cx),
        ..Field::NEW
    },
    Field {
        name: "fd.directory",
        about: "Directory part of a file path",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Name,
        get: |cx, _| directory(cx),
        ..Field::NEW
    },
    Field {
        name: "fd.filename",
        about: "Last component of a file path",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Name,
        get: |cx, _| filename(cx),
        ..Field::NEW
    },
    Field {
        name: "fd.ip",
        about: "Matches client or server address",
        kind: Type::Ip,
        declared: "IPADDR",
        flags: &[Flag::FilterOnly, Flag::NoRhs, Flag::NoTransformer],
        compare: Compare::AnyEnd,
        scope: Scope::File,
        get: |cx, _| ends(cx, |end| Value::Ip(end.ip)),
        ..Field::NEW
    },
    Field {
        name: "fd.port",
        about: "Matches client or server port",
        kind: Type::Port,
        declared: "PORT",
        flags: &[Flag::FilterOnly, Flag::NoRhs, Flag::NoTransformer],
        compare: Compare::AnyEnd,
        scope: Scope::File,
        get: |cx, _| ends(cx, |end| port(end.port)),
        ..Field::NEW
    },
    Field {
        name: "fd.proto",
        about: "Matches client or server service name",
        kind: Type::Port,
        declared: "PORT",
        flags: &[Flag::FilterOnly, Flag::NoRhs, Flag::NoTransformer],
        compare: Compare::AnyEnd,
        scope: Scope::File,
        get: |cx, _| ends(cx, |end| port(end.port)),
        ..Field::NEW
    },
    Field {
        name: "fd.net",
        about: "Matches client or server network",
        kind: Type::Net,
        declared: "IPNET",
        flags: &[Flag::FilterOnly, Flag::NoRhs, Flag::NoTransformer],
        compare: Compare::AnyEnd,
        scope: Scope::File,
        get: |cx, _| ends(cx, |end| Value::Ip(end.ip)),
        ..Field::NEW
    },
    Field {
        name: "fd.cip",
        about: "Client address",
        kind: Type::Ip,
        declared: "IPADDR",
        scope: Scope::File,
        get: |cx, _| Some(Value::Ip(client(cx)?.ip)),
        ..Field::NEW
    },
    Field {
        name: "fd.cport",
        about: "Client port",
        kind: Type::Port,
        declared: "PORT",
        scope: Scope::File,
        get: |cx, _| Some(port(client(cx)?.port)),
        ..Field::NEW
    },
    Field {
        name: "fd.cnet",
        about: "Client address tested against a CIDR",
        kind: Type::Net,
        declared: "IPNET",
        flags: &[Flag::FilterOnly, Flag::NoRhs, Flag::NoTransformer],
        show: Show::Network,
        scope: Scope::File,
        get: |cx, _| Some(Value::Ip(client(cx)?.ip)),
        ..Field::NEW
    },
    Field {
        name: "fd.cproto",
        about: "Client port rendered as service name",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| protocol(cx, client(cx)),
        ..Field::NEW
    },
    Field {
        name: "fd.cip.name",
        about: "Domain name resolving to the client address",
        kind: Type::Text,
        declared: "CHARBUF",
        flags: &[Flag::NoRhs, Flag::NoTransformer],
        compare: Compare::HostName,
        get: |cx, _| Some(Value::Ip(client(cx)?.ip)),
        ..Field::NEW
    },
    Field {
        name: "fd.sip",
        about: "Server address",
        kind: Type::Ip,
        declared: "IPADDR",
        scope: Scope::File,
        get: |cx, _| Some(Value::Ip(server(cx)?.ip)),
        ..Field::NEW
    },
    Field {
        name: "fd.sport",
        about: "Server port",
        kind: Type::Port,
        declared: "PORT",
        scope: Scope::File,
        get: |cx, _| Some(port(server_port(cx)?)),
        ..Field::NEW
    },
    Field {
        name: "fd.snet",
        about: "Server address tested against a CIDR",
        kind: Type::Net,
        declared: "IPNET",
        flags: &[Flag::FilterOnly, Flag::NoRhs, Flag::NoTransformer],
        show: Show::Network,
        scope: Scope::File,
        get: |cx, _| Some(Value::Ip(server(cx)?.ip)),
        ..Field::NEW
    },
    Field {
        name: "fd.sproto",
        about: "Server port rendered as service name",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| server_protocol(cx),
        ..Field::NEW
    },
    Field {
        name: "fd.sip.name",
        about: "Domain name resolving to the server address",
        kind: Type::Text,
        declared: "CHARBUF",
        flags: &[Flag::NoRhs, Flag::NoTransformer],
        compare: Compare::HostName,
        get: |cx, _| Some(Value::Ip(server(cx)?.ip)),
        ..Field::NEW
    },
    Field {
        name: "fd.lip",
        about: "Local address",
        kind: Type::Ip,
        declared: "IPADDR",
        get: |cx, _| Some(Value::Ip(local(cx)?.ip)),
        ..Field::NEW
    },
    Field {
        name: "fd.lport",
        about: "Local port",
        kind: Type::Port,
        declared: "PORT",
        get: |cx, _| Some(port(local(cx)?.port)),
        ..Field::NEW
    },
    Field {
        name: "fd.lnet",
        about: "Local address tested against a CIDR",
        kind: Type::Net,
        declared: "IPNET",
        flags: &[Flag::FilterOnly, Flag::NoRhs, Flag::NoTransformer],
        show: Show::Network,
        get: |cx, _| Some(Value::Ip(local(cx)?.ip)),
        ..Field::NEW
    },
    Field {
        name: "fd.lproto",
        about: "Local port rendered as service name",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| owned(local(cx)?.port.to_string()),
        ..Field::NEW
    },
    Field {
        name: "fd.lip.name",
        about: "Domain name resolving to the local address",
        kind: Type::Text,
        declared: "CHARBUF",
        flags: &[Flag::NoRhs, Flag::NoTransformer],
        compare: Compare::HostName,
        get: |cx, _| Some(Value::Ip(local(cx)?.ip)),
        ..Field::NEW
    },
    Field {
        name: "fd.rip",
        about: "Remote address",
        kind: Type::Ip,
        declared: "IPADDR",
        get: |cx, _| Some(Value::Ip(remote(cx)?.ip)),
        ..Field::NEW
    },
    Field {
        name: "fd.rport",
        about: "Remote port",
        kind: Type::Port,
        declared: "PORT",
        get: |cx, _| Some(port(remote(cx)?.port)),
        ..Field::NEW
    },
    Field {
        name: "fd.rnet",
        about: "Remote address tested against a CIDR",
        kind: Type::Net,
        declared: "IPNET",
        flags: &[Flag::FilterOnly, Flag::NoRhs, Flag::NoTransformer],
        show: Show::Network,
        get: |cx, _| Some(Value::Ip(remote(cx)?.ip)),
        ..Field::NEW
    },
    Field {
        name: "fd.rproto",
        about: "Remote port rendered as service name",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| owned(remote(cx)?.port.to_string()),
        ..Field::NEW
    },
    Field {
        name: "fd.rip.name",
        about: "Domain name resolving to the remote address",
        kind: Type::Text,
        declared: "CHARBUF",
        flags: &[Flag::NoRhs, Flag::NoTransformer],
        compare: Compare::HostName,
        get: |cx, _| Some(Value::Ip(remote(cx)?.ip)),
        ..Field::NEW
    },
    Field {
        name: "fd.l4proto",
        about: "Transport protocol text (tcp, udp, icmp, raw)",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::File,
        get: |cx, _| text(l4(cx.fd()?)),
        ..Field::NEW
    },
    Field {
        name: "fd.sockfamily",
        about: "Socket family text (ip or unix)",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::File,
        get: |cx, _| text(family(cx.fd()?)?),
        ..Field::NEW
    },
    Field {
        name: "fd.is_server",
        about: "Whether the process is the server side",
        kind: Type::Bool,
        declared: "BOOL",
        get: |cx, _| flag(is_server(cx)?),
        ..Field::NEW
    },
    Field {
        name: "fd.uid",
        about: "tid and fd number joined into an identifier",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| owned(format!("{}{}", cx.event.tid, number(cx)?)),
        ..Field::NEW
    },
    Field {
        name: "fd.containername",
        about: "Container id and fd name joined",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| owned(in_container(cx, name(cx)?)),
        ..Field::NEW
    },
    Field {
        name: "fd.containerdirectory",
        about: "Container id and directory joined",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| owned(in_container(cx, directory(cx)?)),
        ..Field::NEW
    },
    Field {
        name: "fd.connected",
        about: "Whether the TCP/UDP socket is connected",
        kind: Type::Bool,
        declared: "BOOL",
        scope: Scope::File,
        get: |cx, _| flag(cx.fd()?.connected),
        ..Field::NEW
    },
    Field {
        name: "fd.name_changed",
        about: "Whether this event changed the fd name",
        kind: Type::Bool,
        declared: "BOOL",
        get: |cx, _| cx.fd().map(|_| Value::Bool(cx.seen.fd_renamed)),
        ..Field::NEW
    },
    Field {
        name: "fd.dev",
        about: "Device number of the file",
        kind: Type::Int,
        declared: "INT32",
        scope: Scope::File,
        show: Show::Hex,
        get: |cx, _| int(i64::from(cx.fd()?.dev.cast_signed())),
        ..Field::NEW
    },
    Field {
        name: "fd.dev.major",
        about: "Device major number of the file",
        kind: Type::Int,
        declared: "INT32",
        scope: Scope::File,
        get: |cx, _| int(i64::from((cx.fd()?.dev >> 8) & 0xfff)),
        ..Field::NEW
    },
    Field {
        name: "fd.dev.minor",
        about: "Device minor number of the file",
        kind: Type::Int,
        declared: "INT32",
        scope: Scope::File,
        get: |cx, _| int(i64::from((cx.fd()?.dev & 0xff) | ((cx.fd()?.dev >> 12) & 0x000f_ff00))),
        ..Field::NEW
    },
    Field {
        name: "fd.ino",
        about: "Inode number of the file",
        kind: Type::Int,
        declared: "INT64",
        scope: Scope::File,
        get: |cx, _| int(cx.fd()?.ino.cast_signed()),
        ..Field::NEW
    },
    Field {
        name: "fd.types",
        about: "Kinds of all fds of the process, or of one fd by number",
        kind: Type::Text,
        declared: "CHARBUF",
        list: true,
        arg: Arg { kind: ArgKind::Index, required: false },
        flags: &[Flag::NoRhs],
        get: |cx, key| types(cx, key),
        ..Field::NEW
    },
    Field {
        name: "fd.is_upper_layer",
        about: "File is in an overlayfs upper layer",
        kind: Type::Bool,
        declared: "BOOL",
        scope: Scope::File,
        get: |cx, _| flag(cx.fd()?.upper_layer),
        ..Field::NEW
    },
    Field {
        name: "fd.is_lower_layer",
        about: "File is in an overlayfs lower layer",
        kind: Type::Bool,
        declared: "BOOL",
        scope: Scope::File,
        get: |cx, _| flag(cx.fd()?.lower_layer),
        ..Field::NEW
    },
    Field {
        name: "fdlist.nums",
        about: "fd numbers in a poll-family event",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| fdlist::list(cx, fdlist::Column::Numbers),
        ..Field::NEW
    },
    Field {
        name: "fdlist.names",
        about: "fd names in a poll-family event",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| fdlist::list(cx, fdlist::Column::Names),
        ..Field::NEW
    },
    Field {
        name: "fdlist.cips",
        about: "Client addresses in a poll-family event",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| fdlist::list(cx, fdlist::Column::ClientAddresses),
        ..Field::NEW
    },
    Field {
        name: "fdlist.sips",
        about: "Server addresses in a poll-family event",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| fdlist::list(cx, fdlist::Column::ServerAddresses),
        ..Field::NEW
    },
    Field {
        name: "fdlist.cports",
        about: "Client ports in a poll-family event",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| fdlist::list(cx, fdlist::Column::ClientPorts),
        ..Field::NEW
    },
    Field {
        name: "fdlist.sports",
        about: "Server ports in a poll-family event",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| fdlist::list(cx, fdlist::Column::ServerPorts),
        ..Field::NEW
    },
];

/// One end of a connection.
#[derive(Clone, Copy)]
struct End {
    ip: IpAddr,
    port: u16,
}

fn port<'a>(port: u16) -> Value<'a> {
    Value::Uint(u64::from(port))
}

fn number(cx: &Cx<'_>) -> Option<i64> {
    cx.seen.fd_num
}

/// Name of the kind; sockets by family.
pub(crate) fn kind_name(fd: &Fd) -> &'static str {
    kind(fd).0
}

/// Name and character of a kind.
pub(crate) fn kind(fd: &Fd) -> (&'static str, u8) {
    match fd.kind {
        FdKind::Regular => ("file", b'f'),
        FdKind::Directory => ("directory", b'd'),
        FdKind::Connection { source: IpAddr::V4(_), .. } | FdKind::Listener { ip: IpAddr::V4(_), .. } => {
            ("ipv4", b'4')
        }
        FdKind::Connection { .. } | FdKind::Listener { .. } => ("ipv6", b'6'),
        FdKind::Unix(_) => ("unix", b'u'),
        FdKind::Fifo => ("pipe", b'p'),
        FdKind::Eventfd => ("event", b'e'),
        FdKind::Signalfd => ("signalfd", b's'),
        FdKind::Epoll => ("eventpoll", b'l'),
        FdKind::Inotify => ("inotify", b'i'),
        FdKind::Timerfd => ("timerfd", b't'),
        FdKind::Netlink => ("netlink", b'n'),
        FdKind::Bpf => ("bpf", b'b'),
        FdKind::Userfaultfd => ("userfaultfd", b'u'),
        FdKind::IoUring => ("io_uring", b'r'),
        FdKind::Memfd => ("memfd", b'm'),
        FdKind::Pidfd => ("pidfd", b'P'),
        FdKind::Unsupported => ("<NA>", b'X'),
        FdKind::Unknown => ("<NA>", b'o'),
    }
}

pub(crate) fn type_name<'a>(fd: &'a Fd) -> Option<Value<'a>> {
    text(kind_name(fd).as_bytes())
}

/// Category of I/O on this file.
pub(crate) fn category(fd: &Fd) -> &'static str {
    match fd.kind {
        FdKind::Regular | FdKind::Directory => "file",
        FdKind::Connection { .. } | FdKind::Listener { .. } => "net",
        FdKind::Unix(_)
        | FdKind::Fifo
        | FdKind::Eventfd
        | FdKind::Signalfd
        | FdKind::Inotify
        | FdKind::Userfaultfd => "ipc",
        _ => "unknown",
    }
}

fn type_char<'a>(cx: &Cx<'a>) -> Option<Value<'a>> {
    number(cx)?;
    let c = match (cx.fd(), cx.event.kind) {
        (Some(fd), _) => kind(fd).1,
        (None, id::SYSCALL_OPENAT_2_X | id::SYSCALL_OPENAT2_X | id::SYSCALL_CREAT_X) => b'f',
        (None, id::SOCKET_SOCKET_X | id::SOCKET_ACCEPT_5_X | id::SOCKET_ACCEPT4_6_X) => b'4',
        (None, id::SYSCALL_PIPE_X | id::SYSCALL_PIPE2_X) => b'p',
        (None, id::SYSCALL_EVENTFD_X | id::SYSCALL_EVENTFD2_X) => b'e',
        (None, id::SYSCALL_SIGNALFD_X | id::SYSCALL_SIGNALFD4_X) => b's',
        (None, id::SYSCALL_TIMERFD_CREATE_X) => b't',
        (None, id::SYSCALL_INOTIFY_INIT_X | id::SYSCALL_INOTIFY_INIT1_X) => b'i',
        _ => b'o',
    };
    owned(vec![c])
}

/// Name of the file; without a record, what an opening event asked for.
fn name<'a>(cx: &Cx<'a>) -> Option<Value<'a>> {
    number(cx)?;
    if let Some(fd) = cx.fd() {
        return text(&fd.name);
    }
    if !cx.event.info().is_exit() {
        return text(b"");
    }
    match cx.event.kind {
        id::SYSCALL_OPEN_X
        | id::SYSCALL_CREAT_X
        | id::SOCKET_ACCEPT_5_X
        | id::SOCKET_ACCEPT4_6_X
        | id::SOCKET_CONNECT_X => args::shown(cx, &Key::Index(1)),
        id::SYSCALL_OPENAT_2_X | id::SYSCALL_OPENAT2_X => match cx.event.text(2) {
            Some(path) => owned(paths::joined(cx, cx.event.signed(1).unwrap_or(-100), path, b"<UNKNOWN>")),
            None => text(b""),
        },
        id::SYSCALL_OPEN_BY_HANDLE_AT_X => text(cx.event.text(3).unwrap_or_default()),
        _ => text(b""),
    }
}

fn raw_name<'a>(cx: &Cx<'a>) -> Option<Value<'a>> {
    number(cx)?;
    let Some(fd) = cx.fd() else { return name(cx) };
    if memchr::memmem::find(&fd.raw_name, b"//").is_none() {
        return text(&fd.raw_name);
    }
    let mut out: Vec<u8> = Vec::with_capacity(fd.raw_name.len());
    for b in fd.raw_name.iter() {
        if *b != b'/' || out.last() != Some(&b'/') {
            out.push(*b);
        }
    }
    owned(out)
}

fn path_bytes<'a>(value: Value<'a>) -> Cow<'a, [u8]> {
    match value {
        Value::Text(path) => path,
        _ => Cow::Borrowed(b""),
    }
}

fn directory<'a>(cx: &Cx<'a>) -> Option<Value<'a>> {
    let Some(fd) = cx.fd() else {
        number(cx)?;
        return owned(parent(&path_bytes(name(cx)?)).to_vec());
    };
    match fd.kind {
        FdKind::Directory => text(&fd.name),
        FdKind::Regular => text(parent(&fd.name)),
        _ => None,
    }
}

/// Up to the last slash, which may end the path; `/` when there is none or it is the first character.
fn parent(path: &[u8]) -> &[u8] {
    match memchr::memrchr(b'/', path) {
        None | Some(0) => b"/",
        Some(at) if at + 1 == path.len() => path,
        Some(at) => &path[..at],
    }
}

fn filename<'a>(cx: &Cx<'a>) -> Option<Value<'a>> {
    let fd = cx.fd().filter(|fd| fd.kind == FdKind::Regular)?;
    text(match memchr::memrchr(b'/', &fd.name) {
        None => b"/",
        Some(at) if at + 1 == fd.name.len() => &fd.name,
        Some(at) => &fd.name[at + 1..],
    })
}

/// Both ends of a connection, or the address of a listener.
fn ends<'a>(cx: &Cx<'a>, read: fn(End) -> Value<'a>) -> Option<Value<'a>> {
    let list = match cx.fd()?.kind {
        FdKind::Connection { source, dest, sport, dport } => {
            vec![read(End { ip: source, port: sport }), read(End { ip: dest, port: dport })]
        }
        FdKind::Listener { ip, port } => vec![read(End { ip, port })],
        _ => Vec::new(),
    };
    Some(Value::List(list))
}

/// Source and destination of a connection whose roles are known.
fn pair(cx: &Cx<'_>) -> Option<(End, End)> {
    let fd = cx.fd().filter(|fd| fd.has_role())?;
    match fd.kind {
        FdKind::Connection { source, dest, sport, dport } => {
            Some((End { ip: source, port: sport }, End { ip: dest, port: dport }))
        }
        _ => None,
    }
}

fn client(cx: &Cx<'_>) -> Option<End> {
    pair(cx).map(|(source, _)| source)
}

fn server(cx: &Cx<'_>) -> Option<End> {
    let fd = cx.fd()?;
    match fd.kind {
        FdKind::Listener { ip, port } if fd.has_role() => Some(End { ip, port }),
        _ => pair(cx).map(|(_, dest)| dest),
    }
}

fn server_port(cx: &Cx<'_>) -> Option<u16> {
    match cx.fd()?.kind {
        FdKind::Listener { port, .. } => Some(port),
        _ => pair(cx).map(|(_, dest)| dest.port),
    }
}

fn is_local(cx: &Cx<'_>, ip: IpAddr) -> bool {
    let container = cx.thread().map_or(&b""[..], |t| &t.container_id);
    cx.state.is_local(ip, container)
}

fn local(cx: &Cx<'_>) -> Option<End> {
    pair(cx).map(|(source, dest)| if is_local(cx, source.ip) { source } else { dest })
}

fn remote(cx: &Cx<'_>) -> Option<End> {
    pair(cx).map(|(source, dest)| if is_local(cx, source.ip) { dest } else { source })
}

/// Port of an end; sockets of other families have none, which is empty.
fn protocol<'a>(cx: &Cx<'a>, end: Option<End>) -> Option<Value<'a>> {
    match cx.fd()?.kind {
        FdKind::Unix(_) if cx.fd()?.has_role() => text(b""),
        FdKind::Listener { .. } => text(b""),
        _ => owned(end?.port.to_string()),
    }
}

/// Port of the server; that of an IPv6 listener is not told.
fn server_protocol<'a>(cx: &Cx<'a>) -> Option<Value<'a>> {
    match cx.fd()?.kind {
        FdKind::Listener { ip: IpAddr::V6(_), .. } => text(b""),
        _ => owned(server(cx)?.port.to_string()),
    }
}

/// Transport, when it is known for certain: a connection without a role is not.
pub(crate) fn transport(fd: &Fd) -> u8 {
    let vague = matches!(fd.kind, FdKind::Connection { .. }) && !fd.has_role() && fd.l4 != 5;
    if vague { 0 } else { fd.l4 }
}

fn l4(fd: &Fd) -> &'static [u8] {
    match (fd.kind, transport(fd)) {
        (FdKind::Connection { .. } | FdKind::Listener { .. }, 2) => b"tcp",
        (FdKind::Connection { .. } | FdKind::Listener { .. }, 3) => b"udp",
        (FdKind::Connection { .. } | FdKind::Listener { .. }, 4) => b"icmp",
        (FdKind::Connection { .. } | FdKind::Listener { .. }, 5) => b"raw",
        _ => b"<NA>",
    }
}

fn family(fd: &Fd) -> Option<&'static [u8]> {
    match fd.kind {
        FdKind::Connection { .. } | FdKind::Listener { .. } => Some(b"ip"),
        FdKind::Unix(_) => Some(b"unix"),
        _ => None,
    }
}

fn is_server(cx: &Cx<'_>) -> Option<bool> {
    match cx.fd()?.kind {
        FdKind::Listener { .. } => Some(true),
        FdKind::Connection { dest, .. } => Some(is_local(cx, dest)),
        _ => Some(false),
    }
}

fn in_container(cx: &Cx<'_>, value: Value<'_>) -> Vec<u8> {
    let container = cx.thread().map_or(&b""[..], |t| &t.container_id);
    [container, b":", &path_bytes(value)].concat()
}

/// Kinds of all open files of the process, or of one.
fn types<'a>(cx: &Cx<'a>, key: &Key) -> Option<Value<'a>> {
    number(cx)?;
    let owner = cx.state.files_owner(cx.seen.thread?)?;
    let files = &cx.state.threads.get(owner)?.files;
    let mut names: Vec<&'static str> = Vec::new();
    match key {
        Key::Index(n) => names.push(kind_name(files.get(i64::try_from(*n).ok()?)?)),
        _ => {
            for (_, fd) in files.iter() {
                let name = kind_name(fd);
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
    }
    names.reverse();
    Some(Value::List(names.into_iter().map(|n| Value::Text(Cow::Borrowed(n.as_bytes()))).collect()))
}
