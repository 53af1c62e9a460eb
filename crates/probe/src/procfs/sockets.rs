//! Socket tables of /proc, once for each network namespace.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use eyas_event::FileKind;

use super::{lines, link, proc};

const TCP: u8 = 2;
const UDP: u8 = 3;
const RAW: u8 = 5;

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
    for (name, l4) in [("tcp", TCP), ("udp", UDP), ("raw", RAW), ("tcp6", TCP), ("udp6", UDP), ("raw6", RAW)]
    {
        for line in lines(proc(format!("{pid}/net/{name}"))).iter().skip(1) {
            found.extend(inet(line, l4));
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

fn inet(line: &str, l4: u8) -> Option<(u64, FileKind)> {
    let columns: Vec<&str> = line.split_whitespace().collect();
    let (source, sport) = end(columns.get(1)?)?;
    let (dest, dport) = end(columns.get(2)?)?;
    let ino = columns.get(9)?.parse().ok()?;
    let kind = if dest.is_unspecified() {
        FileKind::Listener { ip: source, port: sport, l4 }
    } else {
        FileKind::Connection { source, dest, sport, dport, l4 }
    };
    Some((ino, kind))
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
