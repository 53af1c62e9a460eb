//! Sockets: made, bound, connected, accepted, and what traffic reveals of their ends.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use eyas_event::{Event, id};

use crate::address::{Address, End, Tuple, address, end_name, pair_name, tuple, unmapped, unmapped_pair};
use crate::fd::{Fd, FdKind, Unix};
use crate::thread::{Slot, Text};
use crate::{Seen, State, same_subnet};

const AF_UNIX: u64 = 1;
const AF_INET: u64 = 2;
const AF_INET6: u64 = 10;
const AF_NETLINK: u64 = 16;
const SOCK_STREAM: u64 = 1;
const SOCK_DGRAM: u64 = 2;
const SOCK_RAW: u64 = 3;
const TCP: u8 = 2;
const UDP: u8 = 3;
const ICMP: u8 = 4;
const RAW: u8 = 5;
const EINPROGRESS: i64 = -115;
const NO_IPV4: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
const NO_IPV6: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
const O_CLOEXEC: u32 = 4096;

/// Which way data went.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

impl State {
    /// Applies the event if it is one about sockets.
    pub(super) fn socket_event(&mut self, event: &Event<'_>, seen: &mut Seen) -> bool {
        let Some(slot) = seen.thread else { return false };
        let res = event.signed(0).unwrap_or(-1);
        let ok = res >= 0;
        match event.kind {
            id::SOCKET_SOCKET_X if ok => self.socket(event, slot, seen),
            id::SOCKET_BIND_X if ok => self.bind(event, seen),
            id::SOCKET_CONNECT_X if ok || res == EINPROGRESS => self.connect(event, slot, seen),
            id::SOCKET_ACCEPT_5_X | id::SOCKET_ACCEPT4_6_X if ok => self.accept(event, slot, seen),
            id::SOCKET_SOCKETPAIR_X if ok => self.socketpair(event, slot, seen),
            _ => return ok && self.traffic(event, slot, seen),
        }
        true
    }

    fn change(&mut self, at: (Slot, i64), change: impl FnOnce(&mut Fd)) {
        let version = self.tick();
        if let Some(fd) = self.threads.get_mut(at.0).and_then(|t| t.files.get_mut(at.1)) {
            change(fd);
            fd.version = version;
        }
    }

    fn socket(&mut self, event: &Event<'_>, slot: Slot, seen: &mut Seen) {
        let number = |i| event.unsigned(i).unwrap_or(0);
        let kind = match number(1) {
            AF_UNIX => FdKind::Unix(Unix { source: 0, dest: 0 }),
            AF_INET => connection(zero(Ipv4Addr::UNSPECIFIED.into()), zero(Ipv4Addr::UNSPECIFIED.into())),
            AF_INET6 => connection(zero(Ipv6Addr::UNSPECIFIED.into()), zero(Ipv6Addr::UNSPECIFIED.into())),
            AF_NETLINK => FdKind::Netlink,
            _ => FdKind::Unknown,
        };
        let mut fd = Fd::new(kind, Text::default());
        if matches!(kind, FdKind::Connection { .. }) {
            fd.l4 = transport(number(3), number(2));
        }
        fd.open_flags = event.unsigned(4).unwrap_or(0) as u32;
        self.opened(slot, event.signed(0).unwrap_or(-1), fd, seen);
    }

    fn socketpair(&mut self, event: &Event<'_>, slot: Slot, seen: &mut Seen) {
        let (one, two) = (event.signed(1).unwrap_or(-1), event.signed(2).unwrap_or(-1));
        if one == two {
            return;
        }
        let ends = Unix { source: event.unsigned(3).unwrap_or(0), dest: event.unsigned(4).unwrap_or(0) };
        for num in [one, two] {
            self.opened(slot, num, Fd::new(FdKind::Unix(ends), Text::default()), seen);
        }
        seen.fd = seen.fd.map(|(owner, _)| (owner, one));
    }

    fn bind(&mut self, event: &Event<'_>, seen: &Seen) {
        let (Some(at), Some(addr)) = (seen.fd, event.param(1).and_then(address)) else { return };
        match addr {
            Address::Inet(end) => {
                let ip = unmapped(end).map_or(end.ip, |end| end.ip);
                self.change(at, |fd| {
                    if end.port > 0 {
                        fd.kind = FdKind::Listener { ip, port: end.port };
                        fd.role_server = true;
                        fd.role_client = false;
                    }
                    fd.name = Text::from(end_name(end).as_bytes());
                });
            }
            Address::Unix(path) => self.change(at, |fd| fd.name = Text::from(path)),
        }
    }

    fn connect(&mut self, event: &Event<'_>, slot: Slot, seen: &mut Seen) {
        let Some(at) = seen.fd else { return };
        let stored = self.threads.get(slot).and_then(|t| t.enter.clone());
        let enter = stored.as_ref().and_then(|bytes| Event::parse(bytes, 0, 0).ok());
        let asked = enter.as_ref().and_then(|e| e.param(1)).and_then(address);
        self.change(at, |fd| fd.connected = true);
        match event.param(1).and_then(tuple) {
            None => {
                if let Some(Address::Inet(dest)) = asked {
                    let dest = unmapped(dest).unwrap_or(dest);
                    self.change(at, |fd| {
                        if let FdKind::Connection { source, sport, .. } = fd.kind {
                            let none = if dest.ip.is_ipv4() { NO_IPV4 } else { NO_IPV6 };
                            let source = if source.is_ipv4() == dest.ip.is_ipv4() { source } else { none };
                            fd.kind = connection(End { ip: source, port: sport }, dest);
                        }
                    });
                }
            }
            Some(Tuple::Inet { source, mut dest }) => {
                let said = event.param(3).and_then(address);
                if let (Some(Address::Inet(asked)), true) = (asked, said == Some(Address::Inet(dest))) {
                    dest = asked;
                }
                self.connected(at, source, dest);
            }
            Some(Tuple::Unix { source, dest, mut path }) => {
                let said = event.param(3).and_then(address);
                if let (Some(Address::Unix(asked)), true) = (asked, said == Some(Address::Unix(path))) {
                    path = asked;
                }
                let name = format!("{source:x}->{dest:x} ").into_bytes();
                self.change(at, |fd| {
                    fd.kind = FdKind::Unix(Unix { source, dest });
                    fd.name = Text::from([&name, path].concat());
                    fd.role_client |= !fd.has_role();
                });
            }
        }
    }

    fn connected(&mut self, at: (Slot, i64), source: End, dest: End) {
        let (mut source, mut dest, mapped) = unmapped_pair(source, dest);
        self.change(at, |fd| {
            fd.l4 = transport_kept(fd, mapped);
            if let Some((s, d)) = pair(fd).filter(|(s, d)| (*d, *s) == (source, dest)) {
                (source, dest) = (s, d);
            } else if fd.l4 == UDP && fd.role_server && source.ip.is_ipv4() {
                std::mem::swap(&mut source, &mut dest);
            }
            fd.kind = connection(source, dest);
            fd.name = Text::from(pair_name(source, dest, fd.l4).as_bytes());
            fd.role_client |= !fd.has_role();
        });
    }

    fn accept(&mut self, event: &Event<'_>, slot: Slot, seen: &mut Seen) {
        self.threads.with(slot, |t| t.last_fd = event.signed(0).unwrap_or(-1));
        let Some(ends) = event.param(1).and_then(tuple) else { return };
        let mut fd = match ends {
            Tuple::Inet { source, dest } => {
                let (source, dest, _) = unmapped_pair(source, dest);
                Fd { l4: TCP, ..Fd::new(connection(source, dest), pair_name(source, dest, TCP).as_bytes()) }
            }
            Tuple::Unix { source, dest, path } => {
                let name = [format!("{source:x}->{dest:x} ").as_bytes(), path].concat();
                Fd::new(FdKind::Unix(Unix { source, dest }), name)
            }
        };
        fd.role_server = true;
        fd.connected = true;
        if event.kind == id::SOCKET_ACCEPT4_6_X {
            fd.open_flags = event.unsigned(5).unwrap_or(0) as u32 & O_CLOEXEC;
        }
        self.opened(slot, event.signed(0).unwrap_or(-1), fd, seen);
    }

    fn traffic(&mut self, event: &Event<'_>, slot: Slot, seen: &mut Seen) -> bool {
        let (param, way) = match event.kind {
            id::SOCKET_RECVFROM_X => (2, Way::In),
            id::SOCKET_RECVMSG_X => (3, Way::In),
            id::SOCKET_RECV_X | id::SOCKET_RECVMMSG_X => (4, Way::In),
            id::SOCKET_SEND_X | id::SOCKET_SENDTO_X | id::SOCKET_SENDMSG_X | id::SOCKET_SENDMMSG_X => {
                (4, Way::Out)
            }
            id::SYSCALL_READ_X
            | id::SYSCALL_READV_X
            | id::SYSCALL_PREAD_X
            | id::SYSCALL_PREADV_X
            | id::SYSCALL_WRITE_X
            | id::SYSCALL_WRITEV_X
            | id::SYSCALL_PWRITE_X
            | id::SYSCALL_PWRITEV_X => return self.used(seen),
            _ => return false,
        };
        let ends = event.param(param).and_then(tuple);
        if seen.fd.is_none()
            && way == Way::Out
            && event.kind != id::SOCKET_SENDMMSG_X
            && let (Some(Tuple::Inet { source, .. }), Some(num)) = (ends, self.last_fd(slot))
        {
            let none = if source.ip.is_ipv4() {
                zero(Ipv4Addr::UNSPECIFIED.into())
            } else {
                zero(Ipv6Addr::UNSPECIFIED.into())
            };
            self.opened(slot, num, Fd { l4: UDP, ..Fd::new(connection(none, none), Text::default()) }, seen);
        }
        let Some(at) = seen.fd else { return true };
        let Some(fd) = self.fd(seen) else { return true };
        let tcp4 = fd.l4 == TCP && matches!(fd.kind, FdKind::Connection { source: IpAddr::V4(_), .. });
        let known = !fd.name.is_empty() && tcp4;
        self.used(seen);
        if let Some(ends) = ends.filter(|_| !known) {
            self.reveal(at, slot, ends, way);
        }
        true
    }

    /// A connection that carried data is connected.
    fn used(&mut self, seen: &Seen) -> bool {
        let idle = |fd: &Fd| matches!(fd.kind, FdKind::Connection { .. }) && !fd.connected;
        if let Some(at) = seen.fd.filter(|_| self.fd(seen).is_some_and(idle)) {
            self.change(at, |fd| fd.connected = true);
        }
        true
    }

    fn last_fd(&self, slot: Slot) -> Option<i64> {
        self.threads.get(slot).map(|t| t.last_fd).filter(|num| *num >= 0)
    }

    /// Applies the ends that a message showed: its sender and, as long as nobody knows it, its receiver.
    fn reveal(&mut self, at: (Slot, i64), slot: Slot, ends: Tuple<'_>, way: Way) {
        let (source, dest) = match ends {
            Tuple::Inet { source, dest } => (source, dest),
            Tuple::Unix { source, dest, path } => {
                let name = [format!("{source:x}->{dest:x} ").as_bytes(), path].concat();
                return self.change(at, |fd| {
                    fd.kind = FdKind::Unix(Unix { source, dest });
                    fd.name = Text::from(name);
                });
            }
        };
        let (source, dest, mapped) = unmapped_pair(source, dest);
        let Some(fd) = self.fd_at(at) else { return };
        if !matches!(fd.kind, FdKind::Connection { .. } | FdKind::Listener { .. }) {
            return;
        }
        let known = pair(fd).filter(|(s, _)| s.ip.is_ipv4() == source.ip.is_ipv4());
        if known.is_some_and(|(s, d)| (s, d) == (source, dest) || (d, s) == (source, dest)) {
            return;
        }
        let (mut source, mut dest) = (source, known.map_or(dest, |(_, old)| completed(old, dest)));
        let mut fd = fd.clone();
        fd.l4 = match transport_kept(&fd, mapped) {
            0 => UDP,
            l4 => l4,
        };
        self.fill(&mut source, &mut dest);
        if !fd.has_role() {
            let serves = self.guess(slot, source, way);
            (fd.role_server, fd.role_client) = (serves, !serves);
        }
        if (way == Way::In && fd.role_client) || (way == Way::Out && fd.role_server) {
            std::mem::swap(&mut source, &mut dest);
        }
        fd.kind = connection(source, dest);
        fd.name = Text::from(pair_name(source, dest, fd.l4).as_bytes());
        self.change(at, |old| *old = fd);
    }

    fn fd_at(&self, at: (Slot, i64)) -> Option<&Fd> {
        self.threads.get(at.0)?.files.get(at.1)
    }

    /// Replaces a zero address with the interface that leads to the other end.
    fn fill(&self, source: &mut End, dest: &mut End) {
        if source.ip.is_unspecified() {
            if let Some(ip) =
                self.interface_for(dest.ip).filter(|ip| *ip != dest.ip || source.port != dest.port)
            {
                source.ip = ip;
            }
        } else if dest.ip.is_unspecified()
            && let Some(ip) =
                self.interface_for(source.ip).filter(|ip| *ip != source.ip || source.port != dest.port)
        {
            dest.ip = ip;
        }
    }

    fn interface_for(&self, other: IpAddr) -> Option<IpAddr> {
        let family = || self.interfaces.iter().filter(|i| i.address.is_ipv4() == other.is_ipv4());
        let exact = family().find(|i| i.address == other);
        let near = || family().find(|i| same_subnet(i, other));
        let first = || family().find(|i| !i.address.is_loopback());
        exact.or_else(near).or_else(first).map(|i| i.address)
    }

    /// Whether the process serves. IPv4: who reads first serves, since its own socket always speaks for both
    /// answers. IPv6: the first half of the source is taken for ports that an IPv4 socket may be bound to.
    fn guess(&self, slot: Slot, source: End, way: Way) -> bool {
        let IpAddr::V6(ip) = source.ip else { return way == Way::In };
        let octets = ip.octets();
        let port = |at: usize| u16::from_le_bytes([octets[at], octets[at + 1]]);
        let (client, server) = (port(8), port(10));
        let Some(owner) = self.files_owner(slot).and_then(|o| self.threads.get(o)) else { return false };
        let kinds = || owner.files.iter().map(|(_, fd)| fd.kind);
        let bound = kinds().any(|kind| match kind {
            FdKind::Listener { ip, port } => ip.is_ipv4() && port == server,
            FdKind::Connection { dest, dport, .. } => dest.is_ipv4() && dport == server,
            _ => false,
        });
        let used = |kind| matches!(kind, FdKind::Connection { source, sport, .. } if source.is_ipv4() && sport == client);
        bound && (way == Way::In || !kinds().any(used))
    }
}

/// Ends of a connection.
fn pair(fd: &Fd) -> Option<(End, End)> {
    match fd.kind {
        FdKind::Connection { source, dest, sport, dport } => {
            Some((End { ip: source, port: sport }, End { ip: dest, port: dport }))
        }
        _ => None,
    }
}

/// What is known of an end, with the rest from a message.
fn completed(known: End, told: End) -> End {
    End {
        ip: if known.ip.is_unspecified() { told.ip } else { known.ip },
        port: if known.port == 0 { told.port } else { known.port },
    }
}

/// Transport of a socket whose ends are told anew. That of an IPv6 socket is lost when they turn out to be IPv4.
fn transport_kept(fd: &Fd, mapped: bool) -> u8 {
    match fd.kind {
        FdKind::Connection { source: IpAddr::V6(source), .. } if mapped => source.octets()[12],
        FdKind::Listener { .. } if mapped => 0,
        _ => fd.l4,
    }
}

fn zero(ip: IpAddr) -> End {
    End { ip, port: 0 }
}

fn connection(source: End, dest: End) -> FdKind {
    FdKind::Connection { source: source.ip, dest: dest.ip, sport: source.port, dport: dest.port }
}

/// Transport of a socket from its protocol and type; with flags in its type a raw socket passes for another.
fn transport(protocol: u64, kind: u64) -> u8 {
    match (protocol, kind, kind & 0xff) {
        (6 | 17 | 1, SOCK_RAW, _) => RAW,
        (6, ..) => TCP,
        (17, ..) => UDP,
        (0, _, SOCK_STREAM) => TCP,
        (0, _, SOCK_DGRAM) => UDP,
        (1, ..) => ICMP,
        (255, ..) => RAW,
        _ => 0,
    }
}
