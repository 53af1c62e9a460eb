//! Parameters of an event as text: `evt.args`, `evt.arg.NAME`, and their values, `evt.rawarg.NAME`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use eyas_event::table::{Format, Kind, Names, Param};
use eyas_event::{SIGNALS, id};

use crate::render::base64;
use crate::value::{owned, uint};
use crate::{Cx, Key, Value, evt, fd, paths};

const AT_FDCWD: i64 = -100;
const SECOND: u64 = 1_000_000_000;

fn position(cx: &Cx<'_>, key: &Key) -> Option<usize> {
    match key {
        Key::Param(table) => {
            table.get(usize::from(cx.event.kind)).filter(|at| **at != 255).map(|at| usize::from(*at))
        }
        Key::Index(n) => usize::try_from(*n).ok(),
        _ => None,
    }
}

/// `name=raw(resolved)` of every parameter.
pub(crate) fn all<'a>(cx: &Cx<'a>) -> Option<Value<'a>> {
    if cx.event.kind == id::GENERIC_X {
        return owned(Vec::new());
    }
    let mut out = Vec::new();
    let count = cx.event.params.count();
    for (i, param) in cx.event.info().params.iter().enumerate().take(count) {
        let Some(bytes) = cx.event.param(i) else { break };
        if !out.is_empty() {
            out.push(b' ');
        }
        out.extend_from_slice(param.name.as_bytes());
        out.push(b'=');
        out.extend_from_slice(&plain(cx, param, bytes));
        if let Some(shown) = shown_text(cx, param, bytes).filter(|s| !s.is_empty()) {
            out.push(b'(');
            out.extend_from_slice(&shown);
            out.push(b')');
        }
    }
    owned(out)
}

/// One parameter: resolved text when there is one, else the plain text.
pub(crate) fn shown<'a>(cx: &Cx<'a>, key: &Key) -> Option<Value<'a>> {
    let i = position(cx, key)?;
    let param = cx.event.info().params.get(i)?;
    let bytes = cx.event.param(i)?;
    let shown = shown_text(cx, param, bytes).filter(|s| !s.is_empty());
    owned(shown.unwrap_or_else(|| plain(cx, param, bytes)))
}

/// One parameter as a value of its own type.
pub(crate) fn raw<'a>(cx: &Cx<'a>, key: &Key) -> Option<Value<'a>> {
    let i = position(cx, key)?;
    let param = cx.event.info().params.get(i)?;
    let bytes = cx.event.param(i)?;
    match param.kind {
        Kind::Charbuf | Kind::Fspath | Kind::Fsrelpath => {
            Some(Value::Text(cx.event.text(i).unwrap_or(b"<NA>").into()))
        }
        Kind::Bytebuf => Some(Value::Bytes(bytes.into())),
        Kind::Int8
        | Kind::Int16
        | Kind::Int32
        | Kind::Int64
        | Kind::Errno
        | Kind::Fd
        | Kind::Fd32
        | Kind::Pid
        | Kind::Pid32 => cx.event.signed(i).map(Value::Int),
        kind if kind.size().is_some() => uint(cx.event.unsigned(i)?),
        _ => owned(plain(cx, param, bytes)),
    }
}

fn signed(bytes: &[u8]) -> Option<i64> {
    Some(match *bytes {
        [a] => i64::from(a.cast_signed()),
        [a, b] => i64::from(i16::from_le_bytes([a, b])),
        [a, b, c, d] => i64::from(i32::from_le_bytes([a, b, c, d])),
        _ => i64::from_le_bytes(bytes.try_into().ok()?),
    })
}

fn unsigned(bytes: &[u8]) -> Option<u64> {
    Some(match *bytes {
        [a] => u64::from(a),
        [a, b] => u64::from(u16::from_le_bytes([a, b])),
        [a, b, c, d] => u64::from(u32::from_le_bytes([a, b, c, d])),
        _ => u64::from_le_bytes(bytes.try_into().ok()?),
    })
}

fn based(format: Format, n: u64) -> Vec<u8> {
    match format {
        Format::Hex => format!("{n:X}"),
        Format::Oct if n != 0 => format!("0{n:o}"),
        _ => n.to_string(),
    }
    .into_bytes()
}

fn without_nul(bytes: &[u8]) -> &[u8] {
    &bytes[..memchr::memchr(0, bytes).unwrap_or(bytes.len())]
}

fn printable(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|b| if (b' '..=b'~').contains(b) { *b } else { b'.' }).collect()
}

/// The plain text of a parameter.
fn plain(cx: &Cx<'_>, param: &Param, bytes: &[u8]) -> Vec<u8> {
    let na = || b"<NA>".to_vec();
    match param.kind {
        Kind::Charbuf | Kind::Fspath | Kind::Fsrelpath => match without_nul(bytes) {
            _ if bytes.is_empty() => na(),
            b"(NULL)" => na(),
            text => text.to_vec(),
        },
        Kind::Bytebuf
        | Kind::Socktuple
        | Kind::Fdlist
        | Kind::Charbufarray
        | Kind::CharbufPairArray
        | Kind::Dyn
            if bytes.is_empty() =>
        {
            b"NULL".to_vec()
        }
        _ if bytes.is_empty() => na(),
        Kind::Bytebuf if cx.base64 => base64(bytes),
        Kind::Bytebuf => printable(bytes),
        Kind::Charbufarray => {
            bytes.split(|b| *b == 0).filter(|s| !s.is_empty()).collect::<Vec<_>>().join(&b'.')
        }
        Kind::Sockaddr => address_text(bytes),
        Kind::Socktuple => tuple_text(bytes),
        Kind::Ipv4addr | Kind::Ipv6addr => ip(bytes).map_or_else(na, |ip| ip.to_string().into_bytes()),
        Kind::Fdlist => fdlist(cx, bytes),
        Kind::Dyn => dynamic(cx, param, bytes),
        Kind::Sigset => unsigned(bytes).map_or_else(na, |set| signals(set as u32)),
        Kind::Uid | Kind::Gid => signed(bytes).map_or_else(na, |n| n.to_string().into_bytes()),
        Kind::Reltime => unsigned(bytes)
            .map_or_else(na, |n| if n == u64::MAX { b"none".to_vec() } else { n.to_string().into_bytes() }),
        Kind::Abstime => unsigned(bytes).map_or_else(na, |n| crate::time::zoned(n).into_bytes()),
        Kind::Int8
        | Kind::Int16
        | Kind::Int32
        | Kind::Int64
        | Kind::Uint8
        | Kind::Uint16
        | Kind::Uint32
        | Kind::Uint64
        | Kind::Errno
        | Kind::Fd
        | Kind::Fd32
        | Kind::Pid
        | Kind::Pid32 => match param.format {
            Format::Hex | Format::Oct => unsigned(bytes).map_or_else(na, |n| based(param.format, n)),
            _ => signed(bytes).map_or_else(na, |n| n.to_string().into_bytes()),
        },
        Kind::Flags8
        | Kind::Flags16
        | Kind::Flags32
        | Kind::Enumflags8
        | Kind::Enumflags16
        | Kind::Enumflags32 => unsigned(bytes).map_or_else(na, |n| n.to_string().into_bytes()),
        _ => unsigned(bytes).map_or_else(na, |n| based(param.format, n)),
    }
}

fn dynamic(cx: &Cx<'_>, param: &Param, bytes: &[u8]) -> Vec<u8> {
    let (index, rest) = (bytes[0], &bytes[1..]);
    let kind =
        param.dynamic.and_then(|d| d.kinds().get(usize::from(index)).copied()).unwrap_or(Kind::Bytebuf);
    plain(
        cx,
        &Param { kind, dynamic: None, table: None, name: param.name, format: param.format, dirfd: None },
        rest,
    )
}

/// The readable form of a parameter, if it has one.
fn shown_text(cx: &Cx<'_>, param: &Param, bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.is_empty() {
        return None;
    }
    match param.kind {
        Kind::Errno => {
            signed(bytes).filter(|n| *n < 0).and_then(evt::errno_name).map(|n| n.as_bytes().to_vec())
        }
        Kind::Fd | Kind::Fd32 => descriptor(cx, signed(bytes)?),
        Kind::Pid | Kind::Pid32 => {
            let slot = cx.state.threads.find(signed(bytes)?)?;
            cx.state.threads.get(slot).map(|t| t.comm.to_vec())
        }
        Kind::Uid | Kind::Gid => Some(identity(cx, param.kind, unsigned(bytes)? as u32)),
        Kind::Sigtype => {
            let n = unsigned(bytes)? as u32;
            SIGNALS.iter().find(|(_, c)| *c == n).map(|(name, _)| name.as_bytes().to_vec())
        }
        Kind::Syscallid => Some(evt::type_name(cx).to_vec()),
        Kind::Reltime => {
            let n = unsigned(bytes).filter(|n| *n != u64::MAX)?;
            Some(format!("{}s", seconds(n)).into_bytes())
        }
        Kind::Fspath | Kind::Fsrelpath => resolved_path(cx, param, bytes),
        Kind::Dyn => {
            let kind = param.dynamic?.kinds().get(usize::from(bytes[0])).copied()?;
            let inner = Param {
                kind,
                dynamic: None,
                table: None,
                name: param.name,
                format: param.format,
                dirfd: None,
            };
            shown_text(cx, &inner, &bytes[1..])
        }
        Kind::Mode => Some(mode_names(param.table?, unsigned(bytes)? as u32)),
        Kind::Flags8 | Kind::Flags16 | Kind::Flags32 => {
            Some(flag_names(param.table?, unsigned(bytes)? as u32))
        }
        Kind::Enumflags8 | Kind::Enumflags16 | Kind::Enumflags32 => {
            Some(value_names(param.table?, unsigned(bytes)? as u32))
        }
        _ => None,
    }
}

/// Seconds with six significant digits, as C prints `%g`.
fn seconds(ns: u64) -> String {
    let value = ns as f64 / SECOND as f64;
    if value == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{value:.5e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let plain = |text: &str| text.trim_end_matches('0').trim_end_matches('.').to_owned();
    if !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", plain(digits), exponent.abs());
    }
    let places = usize::try_from(5 - exponent).unwrap_or(0);
    let text = format!("{value:.places$}");
    if places == 0 { text } else { plain(&text) }
}

/// Names of the set flags, joined by `|`; the name of the whole value ends the list.
pub(crate) fn flag_names(names: &Names, value: u32) -> Vec<u8> {
    let mut left = value;
    let mut found = Vec::new();
    for (name, bits) in names {
        let zero = *bits == 0 && value == 0;
        if zero || (*bits != 0 && left & bits == *bits && left != 0) {
            found.push(*name);
            left &= !bits;
            if *bits == value {
                break;
            }
        }
    }
    found.join("|").into_bytes()
}

/// Names of permission and type bits, joined by `|`: a name of the whole value ends the list, even when other
/// names have already spoken of its bits.
fn mode_names(names: &Names, value: u32) -> Vec<u8> {
    let mut left = value;
    let mut found = Vec::new();
    for (name, bits) in names {
        if *bits == value {
            found.push(*name);
            break;
        }
        if *bits != 0 && left & bits == *bits {
            found.push(*name);
            left &= !bits;
        }
    }
    found.join("|").into_bytes()
}

/// Every name of an enumerated value, joined by `|`.
fn value_names(names: &Names, value: u32) -> Vec<u8> {
    let found: Vec<_> = names.iter().filter(|(_, v)| *v == value).map(|(name, _)| *name).collect();
    found.join("|").into_bytes()
}

fn identity(cx: &Cx<'_>, kind: Kind, number: u32) -> Vec<u8> {
    if number == u32::MAX {
        return b"<NONE>".to_vec();
    }
    let Some(container) = cx.thread().map(|t| &t.container_id) else { return b"<NA>".to_vec() };
    let name = match kind {
        Kind::Uid => cx.state.users.user(container, number).map(|u| u.name.clone()),
        _ => cx.state.users.group(container, number).map(|g| g.name.clone()),
    };
    match name.filter(|name| !name.is_empty()) {
        Some(name) => name.to_vec(),
        None if number == 0 => b"root".to_vec(),
        None => b"<NA>".to_vec(),
    }
}

fn descriptor(cx: &Cx<'_>, num: i64) -> Option<Vec<u8>> {
    cx.seen.thread?;
    if num == AT_FDCWD {
        return Some(b"AT_FDCWD".to_vec());
    }
    if num < 0 {
        return evt::errno_name(num).map(|n| n.as_bytes().to_vec());
    }
    let owner = cx.state.files_owner(cx.seen.thread?)?;
    let file = cx.state.threads.get(owner)?.files.get(num)?;
    let letter: &[u8] = match (fd::kind(file).1, fd::transport(file)) {
        (b'4' | b'6', 2) => b"t",
        (b'4' | b'6', 3) => b"u",
        (b'4' | b'6', 4) => b"i",
        (b'4' | b'6', 5) => b"r",
        _ => b"",
    };
    Some([b"<", &[fd::kind(file).1][..], letter, b">", &file.name].concat())
}

fn resolved_path(cx: &Cx<'_>, param: &Param, bytes: &[u8]) -> Option<Vec<u8>> {
    let path = without_nul(bytes);
    if path.is_empty() || path.starts_with(b"/") || path == b"(NULL)" || path == b"<NA>" {
        return None;
    }
    cx.seen.thread?;
    let dirfd = param.dirfd.map_or(AT_FDCWD, |i| cx.event.signed(i).unwrap_or(AT_FDCWD));
    Some(paths::joined(cx, dirfd, path, b"").into_owned())
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => Some(Ipv4Addr::from(*bytes.first_chunk::<4>()?).into()),
        16 => Some(Ipv6Addr::from(*bytes.first_chunk::<16>()?).into()),
        _ => None,
    }
}

/// IPv4 in the clothes of IPv6; the address of zeros counts.
fn is_mapped(address: &[u8]) -> bool {
    address[..10].iter().all(|b| *b == 0)
        && (address[10..12] == [255, 255] || address[10..].iter().all(|b| *b == 0))
}

fn end_text(address: &[u8], port: &[u8]) -> Option<String> {
    Some(format!("{}:{}", ip(address)?, u16::from_le_bytes(*port.first_chunk()?)))
}

/// An address: `ip:port`, or the path of a unix socket.
pub(crate) fn address_text(bytes: &[u8]) -> Vec<u8> {
    let (family, rest) = (bytes[0], &bytes[1..]);
    let text = match (family, rest.len()) {
        (2, 6) => end_text(&rest[..4], &rest[4..]),
        (10, 18) => end_text(&rest[..16], &rest[16..]),
        (2, _) => Some("INVALID IPv4".to_owned()),
        (10, _) => Some("INVALID IPv6".to_owned()),
        (1, _) => return without_nul(rest).to_vec(),
        (other, _) => Some(format!("family {other}")),
    };
    text.unwrap_or_default().into_bytes()
}

/// A tuple: `ip:port->ip:port`, or `hex->hex path`. Two IPv4 addresses written as IPv6 are shown as IPv4.
pub(crate) fn tuple_text(bytes: &[u8]) -> Vec<u8> {
    let Some((family, rest)) = bytes.split_first() else { return b"NULL".to_vec() };
    let text = match (family, rest.len()) {
        (2, 12) => pair_text(rest, 4, 0),
        (10, 36) if is_mapped(&rest[..16]) && is_mapped(&rest[18..34]) => pair_text(rest, 16, 12),
        (10, 36) => pair_text(rest, 16, 0),
        (2, _) => Some("INVALID IPv4".to_owned()),
        (10, _) => Some("INVALID IPv6".to_owned()),
        (1, _) => return unix_text(rest).unwrap_or_default(),
        (other, _) => Some(format!("family {other}")),
    };
    text.unwrap_or_default().into_bytes()
}

/// Two ends of addresses `width` bytes long, of which the first `skip` are not shown.
fn pair_text(bytes: &[u8], width: usize, skip: usize) -> Option<String> {
    let end = |at: usize| end_text(&bytes[at + skip..at + width], &bytes[at + width..]);
    Some(format!("{}->{}", end(0)?, end(width + 2)?))
}

fn unix_text(rest: &[u8]) -> Option<Vec<u8>> {
    let source = u64::from_le_bytes(*rest.first_chunk()?);
    let dest = u64::from_le_bytes(*rest.get(8..)?.first_chunk()?);
    let path = without_nul(rest.get(16..)?);
    Some([format!("{source:x}->{dest:x} ").as_bytes(), path].concat())
}

/// Entries of a poll list.
pub(crate) fn entries(bytes: &[u8]) -> Vec<(i64, u16)> {
    let Some((count, rest)) = bytes.split_first_chunk::<2>() else { return Vec::new() };
    let entry = |e: &[u8]| {
        let (num, flags) = e.split_first_chunk::<8>()?;
        Some((i64::from_le_bytes(*num), u16::from_le_bytes(*flags.first_chunk()?)))
    };
    rest.chunks_exact(10).take(usize::from(u16::from_le_bytes(*count))).filter_map(entry).collect()
}

/// `fd:typechar+flags` of every descriptor; `?` stands for one that is not known.
fn fdlist(cx: &Cx<'_>, bytes: &[u8]) -> Vec<u8> {
    let files =
        cx.seen.thread.and_then(|slot| cx.state.files_owner(slot)).and_then(|o| cx.state.threads.get(o));
    let show = |(num, flags): (i64, u16)| {
        let kind = files.and_then(|t| t.files.get(num)).map_or('?', |file| char::from(fd::kind(file).1));
        format!("{}:{kind}{:x}", num.cast_unsigned(), i32::from(flags.cast_signed()))
    };
    entries(bytes).into_iter().map(show).collect::<Vec<_>>().join(" ").into_bytes()
}

/// Names of the signals in a set, joined by blanks.
fn signals(set: u32) -> Vec<u8> {
    let name = |bit: u32| SIGNALS.iter().find(|(_, number)| *number == bit + 1).map(|(name, _)| *name);
    let names: Vec<_> = (0..32).filter(|bit| set >> bit & 1 == 1).filter_map(name).collect();
    names.join(" ").into_bytes()
}
