//! Sockets: their addresses, in both directions.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixDatagram, UnixListener};

use crate::files::sys;
use crate::stage::{Is, Is::N, Notes, Seen, Stage, c, check};

pub(crate) const CASES: &[crate::Case] = &[
    ("socket carries family, type and protocol", socket),
    ("a socketpair carries both descriptors and kernel addresses", socketpair),
    ("bind and listen carry the address and the queue", bind_listen),
    ("connect over IPv4 carries the pair of addresses", connect_v4),
    ("connect over IPv6 carries the pair of addresses", connect_v6),
    ("a refused connect carries the address only", connect_refused),
    ("connect to a unix socket carries its path", connect_unix),
    ("accept carries the peer first, and the queue", accept),
    ("sendto without connection carries the address that was given", sendto),
    ("recvfrom carries the sender", recvfrom),
    ("sendmsg and recvmsg carry the pair, the data and the control data", messages),
    ("sendmmsg gives an event for each message", many),
    ("socket options are carried by their type", options),
    ("shutdown carries how", shutdown),
];

const AF_INET: i64 = 2;
const CLOEXEC: i64 = 4096;
const ECONNREFUSED: i64 = -111;

/// `struct sockaddr` of an address.
fn sockaddr(address: SocketAddr) -> Vec<u8> {
    let port = address.port().to_be_bytes();
    match address {
        SocketAddr::V4(v4) => [&2u16.to_ne_bytes()[..], &port, &v4.ip().octets(), &[0; 8]].concat(),
        SocketAddr::V6(v6) => [&10u16.to_ne_bytes()[..], &port, &[0; 4], &v6.ip().octets(), &[0; 4]].concat(),
    }
}

fn end(address: SocketAddr) -> Vec<u8> {
    let port = address.port().to_le_bytes();
    match address {
        SocketAddr::V4(v4) => [&v4.ip().octets()[..], &port].concat(),
        SocketAddr::V6(v6) => [&v6.ip().octets()[..], &port].concat(),
    }
}

/// An address as events carry it.
fn address(of: SocketAddr) -> Is {
    Is::B([vec![if of.is_ipv4() { 2 } else { 10 }], end(of)].concat())
}

fn tuple(source: SocketAddr, dest: SocketAddr) -> Is {
    Is::B([vec![if source.is_ipv4() { 2 } else { 10 }], end(source), end(dest)].concat())
}

/// Notes the port to which a socket is bound.
fn note_port(notes: &Notes, n: usize, fd: i64) {
    let (mut address, mut len) = ([0u8; 28], 28u32);
    sys!(SYS_getsockname(fd as i32, address.as_mut_ptr(), &raw mut len));
    notes.put(n, u16::from_be_bytes([address[2], address[3]]).into());
}

fn noted(seen: &Seen, n: usize, ip: &str) -> SocketAddr {
    SocketAddr::new(ip.parse().expect("an address"), seen.notes.get(n) as u16)
}

fn socket(stage: &mut Stage) {
    let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;
    let seen =
        stage.run(&["socket"], |notes| sys!(notes[0] = SYS_socket(libc::AF_INET, kind, libc::IPPROTO_UDP)));
    seen.expect(
        "socket",
        &[
            ("fd", N(seen.notes.get(0))),
            ("domain", N(AF_INET)),
            ("type", N(kind.into())),
            ("proto", N(17)),
            ("flags", N(CLOEXEC)),
        ],
    );
}

fn socketpair(stage: &mut Stage) {
    let seen = stage.run(&["socketpair"], |notes| {
        let mut pair = [0i32; 2];
        sys!(SYS_socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, pair.as_mut_ptr()));
        notes.put(0, pair[0].into());
        notes.put(1, pair[1].into());
    });
    seen.expect(
        "socketpair",
        &[
            ("res", N(0)),
            ("fd1", N(seen.notes.get(0))),
            ("fd2", N(seen.notes.get(1))),
            ("source", Is::Some),
            ("peer", Is::Some),
            ("domain", N(1)),
            ("type", N(1)),
            ("proto", N(0)),
        ],
    );
    let event = seen.one("socketpair");
    assert!(event.unsigned(3) != Some(0) && event.unsigned(3) != event.unsigned(4));
}

fn bind_listen(stage: &mut Stage) {
    let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    let asked = sockaddr(any);
    let seen = stage.run(&["bind", "listen"], |notes| {
        sys!(notes[0] = SYS_socket(libc::AF_INET, libc::SOCK_STREAM, 0));
        sys!(SYS_bind(notes.get(0) as i32, asked.as_ptr(), asked.len()));
        sys!(SYS_listen(notes.get(0) as i32, 9));
    });
    let fd = N(seen.notes.get(0));
    seen.expect("bind", &[("res", N(0)), ("addr", address(any)), ("fd", fd.clone())]);
    seen.expect("listen", &[("res", N(0)), ("fd", fd), ("backlog", N(9))]);
}

fn connects(stage: &mut Stage, to: SocketAddr, family: i32) -> Seen {
    let asked = sockaddr(to);
    stage.run(&["connect"], |notes| {
        sys!(notes[0] = SYS_socket(family, libc::SOCK_STREAM, 0));
        sys!(SYS_connect(notes.get(0) as i32, asked.as_ptr(), asked.len()));
        note_port(notes, 1, notes.get(0));
    })
}

fn connect_v4(stage: &mut Stage) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let to = listener.local_addr().expect("an address");
    let seen = connects(stage, to, libc::AF_INET);
    let (fd, pair) = (N(seen.notes.get(0)), tuple(noted(&seen, 1, "127.0.0.1"), to));
    seen.expect("connect", &[("res", N(0)), ("tuple", pair), ("fd", fd), ("addr", address(to))]);
}

fn connect_v6(stage: &mut Stage) {
    let Ok(listener) = TcpListener::bind("[::1]:0") else {
        eprintln!("skipped: this machine has no IPv6");
        return;
    };
    let to = listener.local_addr().expect("an address");
    let seen = connects(stage, to, libc::AF_INET6);
    let (fd, pair) = (N(seen.notes.get(0)), tuple(noted(&seen, 1, "::1"), to));
    seen.expect("connect", &[("res", N(0)), ("tuple", pair), ("fd", fd), ("addr", address(to))]);
}

fn connect_refused(stage: &mut Stage) {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port");
    let seen = connects(stage, free, libc::AF_INET);
    let fd = N(seen.notes.get(0));
    seen.expect(
        "connect",
        &[("res", N(ECONNREFUSED)), ("tuple", Is::None), ("fd", fd), ("addr", address(free))],
    );
}

fn unix_address(path: &std::path::Path) -> Vec<u8> {
    [&1u16.to_ne_bytes()[..], c(path).as_bytes_with_nul()].concat()
}

fn connect_unix(stage: &mut Stage) {
    let path = stage.path("socket");
    let _listener = UnixListener::bind(&path).expect("a listener");
    let asked = unix_address(&path);
    let seen = stage.run(&["connect"], |notes| {
        sys!(notes[0] = SYS_socket(libc::AF_UNIX, libc::SOCK_STREAM, 0));
        sys!(SYS_connect(notes.get(0) as i32, asked.as_ptr(), asked.len()));
    });
    let event = seen.one("connect");
    let name = c(&path);
    let pair = event.param(1).expect("a tuple");
    assert_eq!((pair[0], &pair[17..]), (1, name.as_bytes_with_nul()));
    assert!(pair[1..9] != [0; 8] && pair[9..17] != [0; 8]);
    let own = [&[1], name.as_bytes_with_nul()].concat();
    assert_eq!(event.param(3), Some(own.as_slice()));
}

fn accept(stage: &mut Stage) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let to = listener.local_addr().expect("an address");
    let client = std::net::TcpStream::connect(to).expect("a connection");
    let from = client.local_addr().expect("an address");
    let fd = listener.as_raw_fd();
    let seen = stage.run(&["accept4"], |notes| sys!(notes[0] = SYS_accept4(fd, 0, 0, libc::SOCK_CLOEXEC)));
    seen.expect(
        "accept4",
        &[
            ("fd", N(seen.notes.get(0))),
            ("tuple", tuple(from, to)),
            ("queuepct", N(0)),
            ("queuelen", N(0)),
            ("queuemax", N(128)),
            ("flags", N(CLOEXEC)),
        ],
    );
}

fn sendto(stage: &mut Stage) {
    let receiver = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let to = receiver.local_addr().expect("an address");
    let asked = sockaddr(to);
    let seen = stage.run(&["sendto"], |notes| {
        sys!(notes[0] = SYS_socket(libc::AF_INET, libc::SOCK_DGRAM, 0));
        sys!(SYS_sendto(notes.get(0) as i32, b"hello".as_ptr(), 5, 0, asked.as_ptr(), asked.len()));
        note_port(notes, 1, notes.get(0));
    });
    let (fd, pair) = (N(seen.notes.get(0)), tuple(noted(&seen, 1, "0.0.0.0"), to));
    let data = Is::B(b"hello".to_vec());
    seen.expect("sendto", &[("res", N(5)), ("data", data), ("fd", fd), ("size", N(5)), ("tuple", pair)]);
}

fn recvfrom(stage: &mut Stage) {
    let receiver = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let sender = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let (to, from) = (receiver.local_addr().expect("an address"), sender.local_addr().expect("an address"));
    sender.send_to(b"hello", to).expect("it is sent");
    let fd = receiver.as_raw_fd();
    let seen = stage.run(&["recvfrom"], |_| {
        let (mut bytes, mut given, mut len) = ([0u8; 64], [0u8; 16], 16u32);
        sys!(SYS_recvfrom(fd, bytes.as_mut_ptr(), 64, 0, given.as_mut_ptr(), &raw mut len));
    });
    let data = Is::B(b"hello".to_vec());
    let got =
        [("res", N(5)), ("data", data), ("tuple", tuple(from, to)), ("fd", N(fd.into())), ("size", N(64))];
    seen.expect("recvfrom", &got);
}

fn messages(stage: &mut Stage) {
    let (one, two) = UnixDatagram::pair().expect("a pair");
    let (from, to) = (one.as_raw_fd(), two.as_raw_fd());
    let seen = stage.run(&["sendmsg", "recvmsg"], |_| {
        let (mut bytes, mut control) = (*b"with a file", [0u64; 8]);
        let mut part = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
        control[0] = 20;
        control[1] = 1 | 1 << 32;
        // SAFETY: a message head of zeros is valid.
        let mut head: libc::msghdr = unsafe { std::mem::zeroed() };
        (head.msg_iov, head.msg_iovlen) = (&raw mut part, 1);
        (head.msg_control, head.msg_controllen) = (control.as_mut_ptr().cast(), 24);
        sys!(SYS_sendmsg(from, &raw const head, 0));
        head.msg_controllen = 64;
        sys!(SYS_recvmsg(to, &raw mut head, 0));
    });
    let data = || Is::B(b"with a file".to_vec());
    let sent =
        [("res", N(11)), ("data", data()), ("fd", N(from.into())), ("size", N(11)), ("tuple", Is::Some)];
    seen.expect("sendmsg", &sent);
    let got = [
        ("res", N(11)),
        ("size", N(11)),
        ("data", data()),
        ("tuple", Is::Some),
        ("msgcontrol", Is::Some),
        ("fd", N(to.into())),
    ];
    seen.expect("recvmsg", &got);
    let event = seen.one("recvmsg");
    assert_eq!(event.param(4).map(|b| b[8..16].to_vec()), Some(vec![1, 0, 0, 0, 1, 0, 0, 0]));
}

fn many(stage: &mut Stage) {
    let receiver = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let sender = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let (to, from) = (receiver.local_addr().expect("an address"), sender.local_addr().expect("an address"));
    sender.connect(to).expect("it connects");
    let fd = sender.as_raw_fd();
    let seen = stage.run(&["sendmmsg"], |_| {
        let mut texts = [*b"first", *b"other"];
        let mut parts =
            texts.each_mut().map(|text| libc::iovec { iov_base: text.as_mut_ptr().cast(), iov_len: 5 });
        parts[1].iov_len = 3;
        // SAFETY: message heads of zeros are valid.
        let mut heads: [libc::mmsghdr; 2] = unsafe { std::mem::zeroed() };
        for (head, part) in heads.iter_mut().zip(&mut parts) {
            (head.msg_hdr.msg_iov, head.msg_hdr.msg_iovlen) = (part, 1);
        }
        sys!(SYS_sendmmsg(fd, heads.as_mut_ptr(), 2, 0));
    });
    let events = seen.all("sendmmsg");
    assert_eq!(events.len(), 2);
    for (event, (size, data)) in events.iter().zip([(5, "first"), (3, "oth")]) {
        let data = Is::B(data.as_bytes().to_vec());
        let sent = [
            ("res", N(2)),
            ("fd", N(fd.into())),
            ("size", N(size)),
            ("data", data),
            ("tuple", tuple(from, to)),
        ];
        check(event, &sent);
    }
}

fn options(stage: &mut Stage) {
    let seen = stage.run(&["setsockopt", "getsockopt"], |notes| {
        sys!(notes[0] = SYS_socket(libc::AF_INET, libc::SOCK_STREAM, 0));
        let (fd, on, time) = (notes.get(0) as i32, 1i32, [2i64, 500_000]);
        sys!(SYS_setsockopt(fd, libc::SOL_SOCKET, libc::SO_KEEPALIVE, &raw const on, 4));
        sys!(SYS_setsockopt(fd, libc::SOL_SOCKET, libc::SO_RCVTIMEO, time.as_ptr(), 16));
        let (mut error, mut len) = (0i32, 4u32);
        sys!(SYS_getsockopt(fd, libc::SOL_SOCKET, libc::SO_ERROR, &raw mut error, &raw mut len));
    });
    let fd = || N(seen.notes.get(0));
    let kept = seen.all("setsockopt");
    let expected = |name, value: Vec<u8>, len| {
        [
            ("res", N(0)),
            ("fd", fd()),
            ("level", N(1)),
            ("optname", N(name)),
            ("val", Is::B(value)),
            ("optlen", N(len)),
        ]
    };
    crate::stage::check(&kept[0], &expected(9, vec![2, 1, 0, 0, 0], 4));
    let wait = [&[4][..], &2_500_000_000u64.to_le_bytes()].concat();
    crate::stage::check(&kept[1], &expected(20, wait, 16));
    seen.expect("getsockopt", &expected(4, vec![1, 0, 0, 0, 0, 0, 0, 0, 0], 4));
}

fn shutdown(stage: &mut Stage) {
    let seen = stage.run(&["shutdown"], |_| {
        sys!(SYS_shutdown(488, libc::SHUT_RDWR));
    });
    seen.expect("shutdown", &[("res", N(-9)), ("fd", N(488)), ("how", N(2))]);
}
