//! Events from names and readable values: what tests, demos and rule tests write.

use std::net::{IpAddr, SocketAddr};

use crate::encode::{EncodeError, encode};
use crate::generated::{ERRNO, EVENTS, SYSCALL_CODES};
use crate::table::{Flags, Info, Kind, Param};

/// A value as a person gives it; its parameter says how it is encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// Not available.
    Nothing,
    /// A number.
    Int(i128),
    /// Text, flag names (`O_RDWR|O_CREAT`), an address (`1.2.3.4:5->6.7.8.9:80`), an error (`ENOENT`) or a number.
    Text(Vec<u8>),
    /// Arguments, an environment, or the entries of a poll list (`3:1`).
    List(Vec<Vec<u8>>),
}

/// Why values do not make an event.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum BuildError {
    #[error("no event is called {0}")]
    Event(String),
    #[error("event {event} has no parameter {param}")]
    Param { event: &'static str, param: String },
    #[error("parameter {param} of {event}: {why}")]
    Value { event: &'static str, param: &'static str, why: String },
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// The current event type of a name, its exit event when it has one. `NAME>` and `NAME<` ask for enter and exit,
/// a number for an id.
pub fn find(name: &str) -> Option<&'static Info> {
    if let Ok(id) = name.parse::<usize>() {
        return EVENTS.get(id);
    }
    let plain = name.trim_end_matches(['<', '>']);
    let current = |e: &&Info| e.name == plain && !e.flags.has(Flags::UNUSED);
    let wanted = |e: &&Info| match name.as_bytes().last() {
        Some(b'>') => !e.is_exit(),
        Some(b'<') => e.is_exit(),
        _ => !e.flags.has(Flags::OLD_VERSION),
    };
    EVENTS.iter().filter(current).filter(wanted).max_by_key(|e| (e.is_exit(), e.id))
}

/// Bytes of an event. Parameters that are not given are empty, a result that is not given is 0.
///
/// # Errors
/// When a parameter is unknown or its value does not fit.
pub fn build(
    info: &'static Info,
    ts: u64,
    tid: i64,
    params: &[(&str, Given)],
) -> Result<Vec<u8>, BuildError> {
    let mut values: Vec<Vec<u8>> =
        info.params.iter().map(|p| if p.name == "res" { vec![0; 8] } else { Vec::new() }).collect();
    for (name, given) in params {
        let unknown = || BuildError::Param { event: info.name, param: (*name).to_owned() };
        let at = info.param(name).ok_or_else(unknown)?;
        let param = &info.params[at];
        values[at] = bytes(param, given).map_err(|why| BuildError::Value {
            event: info.name,
            param: param.name,
            why,
        })?;
    }
    let slices: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
    let mut out = Vec::new();
    encode(&mut out, ts, tid, info.id, &slices)?;
    Ok(out)
}

fn bytes(param: &Param, given: &Given) -> Result<Vec<u8>, String> {
    if *given == Given::Nothing {
        return Ok(Vec::new());
    }
    match param.kind {
        Kind::Charbuf | Kind::Fspath | Kind::Fsrelpath => Ok(terminated(&text(given)?)),
        Kind::Bytebuf | Kind::Charbufarray | Kind::CharbufPairArray => Ok(match given {
            Given::List(items) => items.iter().flat_map(|i| terminated(i)).collect(),
            other => text(other)?,
        }),
        Kind::Sockaddr => address(&text(given)?),
        Kind::Socktuple => tuple(&text(given)?),
        Kind::Fdlist => fdlist(given),
        Kind::Dyn => dynamic(param, given),
        Kind::Ipv4addr | Kind::Ipv6addr => Ok(octets(parse(&text(given)?)?)),
        kind => {
            let width = kind.size().ok_or("this kind of value cannot be written")?;
            fixed(number(param, given)?, width)
        }
    }
}

fn text(given: &Given) -> Result<Vec<u8>, String> {
    match given {
        Given::Nothing => Ok(Vec::new()),
        Given::Int(n) => Ok(n.to_string().into_bytes()),
        Given::Text(text) => Ok(text.clone()),
        Given::List(_) => Err("a text is expected, found a list".to_owned()),
    }
}

fn terminated(text: &[u8]) -> Vec<u8> {
    [text, b"\0"].concat()
}

fn parse<T: std::str::FromStr>(text: &[u8]) -> Result<T, String> {
    let text = String::from_utf8_lossy(text);
    text.trim().parse().map_err(|_| format!("`{text}` is not what is expected here"))
}

fn fixed(value: i128, width: usize) -> Result<Vec<u8>, String> {
    let bits = width * 8;
    let range = -(1_i128 << (bits - 1))..(1_i128 << bits);
    if range.contains(&value) {
        Ok(value.to_le_bytes()[..width].to_vec())
    } else {
        Err(format!("{value} does not fit {width} bytes"))
    }
}

fn number(param: &Param, given: &Given) -> Result<i128, String> {
    match given {
        Given::Int(n) => Ok(*n),
        Given::Text(text) => {
            let text = String::from_utf8_lossy(text);
            text.split('|')
                .filter(|part| !part.is_empty())
                .try_fold(0, |sum, part| Ok(sum | word(param, part.trim())?))
        }
        Given::Nothing | Given::List(_) => Err("a number is expected".to_owned()),
    }
}

/// One number or name.
fn word(param: &Param, word: &str) -> Result<i128, String> {
    let radix =
        |prefix, base| word.strip_prefix(prefix).and_then(|digits| i128::from_str_radix(digits, base).ok());
    let named =
        |table: &[(&str, u32)]| table.iter().find(|(name, _)| *name == word).map(|(_, v)| i128::from(*v));
    let special = match param.kind {
        Kind::Fd if word == "AT_FDCWD" => Some(-100),
        Kind::Errno | Kind::Fd | Kind::Pid => named(&ERRNO).map(|n| -n),
        Kind::Syscallid => named(&SYSCALL_CODES),
        Kind::Sigtype => named(&crate::generated::SIGNALS),
        _ => None,
    };
    let plain = || word.parse().ok().or_else(|| radix("0x", 16)).or_else(|| radix("0o", 8));
    special
        .or_else(|| param.table.and_then(named))
        .or_else(plain)
        .ok_or_else(|| format!("`{word}` is neither a number nor a name that this parameter has"))
}

fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

const UNIX: u8 = 1;

fn family(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 2 } else { 10 }
}

fn endpoint(address: SocketAddr) -> Vec<u8> {
    [octets(address.ip()), address.port().to_le_bytes().to_vec()].concat()
}

fn address(text: &[u8]) -> Result<Vec<u8>, String> {
    match parse::<SocketAddr>(text) {
        Ok(address) => Ok([vec![family(address.ip())], endpoint(address)].concat()),
        Err(_) => Ok([vec![UNIX], terminated(text)].concat()),
    }
}

/// `1.2.3.4:5->6.7.8.9:80`, or for a unix socket its path with or without `hex->hex` in front.
fn tuple(text: &[u8]) -> Result<Vec<u8>, String> {
    let whole = String::from_utf8_lossy(text).into_owned();
    let Some((left, right)) = whole.split_once("->") else {
        return Ok([vec![UNIX], vec![0; 16], terminated(text)].concat());
    };
    if let (Ok(source), Ok(dest)) = (left.trim().parse::<SocketAddr>(), right.trim().parse::<SocketAddr>()) {
        return if source.is_ipv4() == dest.is_ipv4() {
            Ok([vec![family(source.ip())], endpoint(source), endpoint(dest)].concat())
        } else {
            Err("both ends must be of one family".to_owned())
        };
    }
    let (dest, path) = right.split_once(' ').unwrap_or((right, ""));
    let pointer = |hex: &str| {
        u64::from_str_radix(hex.trim(), 16).map_err(|_| format!("`{whole}` is not a socket tuple"))
    };
    let ends = [pointer(left)?.to_le_bytes(), pointer(dest)?.to_le_bytes()].concat();
    Ok([vec![UNIX], ends, terminated(path.as_bytes())].concat())
}

fn fdlist(given: &Given) -> Result<Vec<u8>, String> {
    let items: Vec<Vec<u8>> = match given {
        Given::List(items) => items.clone(),
        other => text(other)?.split(|b| *b == b' ').filter(|s| !s.is_empty()).map(<[u8]>::to_vec).collect(),
    };
    let count = u16::try_from(items.len()).map_err(|_| "too many descriptors".to_owned())?;
    let mut out = count.to_le_bytes().to_vec();
    for item in items {
        let item = String::from_utf8_lossy(&item).into_owned();
        let (fd, flags) = item.split_once(':').unwrap_or((&item, "0"));
        out.extend(parse::<i64>(fd.as_bytes())?.to_le_bytes());
        out.extend(parse::<i16>(flags.as_bytes())?.to_le_bytes());
    }
    Ok(out)
}

/// `INDEX:VALUE`, or a number for the first numeric kind of the set.
fn dynamic(param: &Param, given: &Given) -> Result<Vec<u8>, String> {
    let kinds = param.dynamic.map_or(&[][..], |d| d.kinds());
    let (index, value) = match given {
        Given::Int(_) => (kinds.iter().position(|k| k.size().is_some()).unwrap_or(0), given.clone()),
        other => {
            let whole = text(other)?;
            let colon = whole.iter().position(|b| *b == b':').ok_or("INDEX:VALUE is expected")?;
            (parse(&whole[..colon])?, Given::Text(whole[colon + 1..].to_vec()))
        }
    };
    let kind = *kinds.get(index).ok_or_else(|| format!("there is no kind {index} here"))?;
    let inner =
        Param { name: param.name, kind, format: param.format, table: None, dynamic: None, dirfd: None };
    let index = u8::try_from(index).map_err(|e| e.to_string())?;
    Ok([vec![index], bytes(&inner, &value)?].concat())
}
