//! Socket tables of /proc, once for each network namespace.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use eyas_event::FileKind;

use super::{lines, link, proc};

const TCP: u8 = 2;
const UDP: u8 = 3;
const RAW: u8 = 5;
const IPPROTO_TCP: u64 = 6;
const IPPROTO_UDP: u64 = 17;
const IPPROTO_RAW: u64 = 255;
/// A TCP socket that neither listens nor is connected.
const TCP_CLOSE: u64 = 7;
const TABLES: [(&str, u64); 6] = [
    ("tcp", IPPROTO_TCP),
    ("udp", IPPROTO_UDP),
    ("raw", IPPROTO_RAW),
    ("tcp6", IPPROTO_TCP),
    ("udp6", IPPROTO_UDP),
    ("raw6", IPPROTO_RAW),
];

/// Sockets by network namespace and inode.
#[derive(Default)]
pub(super) struct Sockets {
    namespaces: HashMap<Vec<u8>, HashMap<u64, FileKind>>,
}

impl Sockets {
    pub(super) fn find(&mut self, pid: i64, ino: u64) -> Option<FileKind> {
        let namespace = link(proc(format!("{pid}/ns/net")));
        self.namespaces.entry(namespace).or_insert_with(|| read(pid)).get(&ino).cloned()
    }
}

fn read(pid: i64) -> HashMap<u64, FileKind> {
    let mut found = HashMap::new();
    for (name, protocol) in TABLES {
        for text in lines(proc(format!("{pid}/net/{name}"))).iter().skip(1) {
            found.extend(line(text, protocol));
        }
    }
    for line in lines(proc(format!("{pid}/net/unix"))).iter().skip(1) {
        found.extend(unix(line));
    }
    for line in lines(proc(format!("{pid}/net/netlink"))).iter().skip(1) {
        if let Some(ino) = line.split_whitespace().last().and_then(|i| i.parse().ok()) {
            found.insert(ino, FileKind::Named { code: 15, name: Vec::new() });
        }
    }
    found
}

fn line(line: &str, protocol: u64) -> Option<(u64, FileKind)> {
    let columns: Vec<&str> = line.split_whitespace().collect();
    let (own, peer) = (end(columns.get(1)?)?, end(columns.get(2)?)?);
    let state = u64::from_str_radix(columns.get(3)?, 16).ok()?;
    Some((columns.get(9)?.parse().ok()?, inet(Socket { protocol, state, own, peer })?))
}

/// An IP socket as the kernel has it.
pub(crate) struct Socket {
    pub(crate) protocol: u64,
    pub(crate) state: u64,
    pub(crate) own: (IpAddr, u16),
    pub(crate) peer: (IpAddr, u16),
}

/// A socket that sends or listens; none when it does nothing yet.
pub(crate) fn inet(socket: Socket) -> Option<FileKind> {
    let Socket { protocol, state, own: (source, sport), peer: (dest, dport) } = socket;
    let idle = sport == 0 || protocol == IPPROTO_TCP && state == TCP_CLOSE;
    let l4 = match protocol {
        IPPROTO_TCP => TCP,
        IPPROTO_UDP => UDP,
        _ => RAW,
    };
    if idle {
        return None;
    }
    Some(if dest.is_unspecified() {
        FileKind::Listener { ip: source, port: sport, l4 }
    } else {
        FileKind::Connection { source, dest, sport, dport, l4 }
    })
}

/// `0100007F:0050` or its IPv6 form: words in the order of the machine.
fn end(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let words: Vec<[u8; 4]> = address
        .as_bytes()
        .chunks(8)
        .map(|w| Some(u32::from_str_radix(std::str::from_utf8(w).ok()?, 16).ok()?.to_ne_bytes()))
        .collect::<Option<_>>()?;
    let ip = match words.as_slice() {
        [v4] => Ipv4Addr::from(*v4).into(),
        [_, _, _, _] => Ipv6Addr::from(<[u8; 16]>::try_from(words.concat()).ok()?).into(),
        _ => return None,
    };
    Some((ip, port))
}

fn unix(line: &str) -> Option<(u64, FileKind)> {
    let columns: Vec<&str> = line.split_whitespace().collect();
    let source = u64::from_str_radix(columns.first()?.trim_end_matches(':'), 16).unwrap_or(0);
    let ino = columns.get(6)?.parse().ok()?;
    let name = columns.get(7).unwrap_or(&"").as_bytes().to_vec();
    Some((ino, FileKind::Unix { source, dest: 0, name }))
}
