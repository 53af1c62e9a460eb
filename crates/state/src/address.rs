//! Socket addresses and tuples as the probe writes them, and as names show them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const UNIX: u8 = 1;
const INET: u8 = 2;
const INET6: u8 = 10;

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) ip: IpAddr,
    pub(crate) port: u16,
}

/// A `socktuple` parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tuple<'a> {
    Inet { source: End, dest: End },
    Unix { source: u64, dest: u64, path: &'a [u8] },
}

/// A `sockaddr` parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Address<'a> {
    Inet(End),
    Unix(&'a [u8]),
}

fn end4(b: &[u8]) -> Option<End> {
    let [a, b2, c, d, p, q] = *b.first_chunk::<6>()?;
    Some(End { ip: Ipv4Addr::new(a, b2, c, d).into(), port: u16::from_le_bytes([p, q]) })
}

fn end6(b: &[u8]) -> Option<End> {
    let ip = Ipv6Addr::from(*b.first_chunk::<16>()?);
    let port = b.get(16..18)?;
    Some(End { ip: ip.into(), port: u16::from_le_bytes([port[0], port[1]]) })
}

fn until_nul(b: &[u8]) -> &[u8] {
    &b[..memchr::memchr(0, b).unwrap_or(b.len())]
}

/// Reads a tuple; `None` when it is empty, too short for its family, or a unix path has no end.
pub(crate) fn tuple(bytes: &[u8]) -> Option<Tuple<'_>> {
    let (family, rest) = bytes.split_first()?;
    match *family {
        INET if rest.len() >= 12 => Some(Tuple::Inet { source: end4(rest)?, dest: end4(&rest[6..])? }),
        INET6 if rest.len() >= 36 => Some(Tuple::Inet { source: end6(rest)?, dest: end6(&rest[18..])? }),
        UNIX if rest.len() >= 17 && rest.ends_with(&[0]) => Some(Tuple::Unix {
            source: u64::from_le_bytes(*rest.first_chunk()?),
            dest: u64::from_le_bytes(*rest[8..].first_chunk()?),
            path: until_nul(&rest[16..]),
        }),
        _ => None,
    }
}

/// Reads an address.
pub(crate) fn address(bytes: &[u8]) -> Option<Address<'_>> {
    let (family, rest) = bytes.split_first()?;
    match *family {
        INET => end4(rest).map(Address::Inet),
        INET6 => end6(rest).map(Address::Inet),
        UNIX => Some(Address::Unix(until_nul(rest))),
        _ => None,
    }
}

/// An IPv4 address written as IPv6, as IPv4; the address of zeros counts.
pub(crate) fn unmapped(end: End) -> Option<End> {
    let IpAddr::V6(ip) = end.ip else { return None };
    let v4 = ip.to_ipv4_mapped().or(ip.is_unspecified().then_some(Ipv4Addr::UNSPECIFIED))?;
    Some(End { ip: v4.into(), ..end })
}

/// Both ends as IPv4 when both are IPv4 written as IPv6, and whether they were.
pub(crate) fn unmapped_pair(source: End, dest: End) -> (End, End, bool) {
    match (unmapped(source), unmapped(dest)) {
        (Some(s), Some(d)) => (s, d, true),
        _ => (source, dest, false),
    }
}

/// `address:port`.
pub(crate) fn end_name(end: End) -> String {
    let mut name = String::with_capacity(24);
    push_end(&mut name, end);
    name
}

/// `address:port->address:port`, whatever the transport.
pub(crate) fn ends_name(source: End, dest: End) -> String {
    let mut name = String::with_capacity(48);
    push_end(&mut name, source);
    name.push_str("->");
    push_end(&mut name, dest);
    name
}

/// Connections are many: digits go without the machinery of formatting.
fn push_end(name: &mut String, end: End) {
    let mut digits = itoa::Buffer::new();
    match end.ip {
        IpAddr::V4(ip) => {
            for (n, part) in ip.octets().into_iter().enumerate() {
                name.push_str(if n == 0 { "" } else { "." });
                name.push_str(digits.format(part));
            }
        }
        IpAddr::V6(ip) => name.push_str(&ip.to_string()),
    }
    name.push(':');
    name.push_str(digits.format(end.port));
}

/// As `ends_name`; ICMP and raw sockets have no ports, and without a transport there is no name.
pub(crate) fn pair_name(source: End, dest: End, l4: u8) -> String {
    match l4 {
        0 => "<unknown>".to_owned(),
        4 | 5 => format!("{}->{}", source.ip, dest.ip),
        _ => ends_name(source, dest),
    }
}
