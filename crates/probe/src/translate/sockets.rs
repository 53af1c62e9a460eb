//! Addresses and pairs of them.

use crate::calls::Origin;
use crate::params::{Params, until_nul};
use crate::record::Record;

const AF_UNIX: u8 = 1;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const EINPROGRESS: i64 = 115;

/// One end of an IP socket as the event table writes it: address, then port.
type End<'a> = [&'a [u8]; 2];

pub(crate) fn param(origin: Origin, record: &Record<'_>, out: &mut Params<'_>) {
    match origin {
        Origin::Address(n) => address(record.blob(n), out),
        Origin::Reached(said, n) if connected(record) => reached(record.blob(n), record.blob(said), out),
        Origin::Reached(said, _) => address(record.blob(said), out),
        Origin::Outbound(n, peer) if record.ret >= 0 => {
            tuple(record.blob(n), peer.map_or(&[], |p| record.blob(p)), false, out);
        }
        Origin::Inbound(n, peer) if record.ret >= 0 => {
            tuple(record.blob(n), peer.map_or(&[], |p| record.blob(p)), true, out);
        }
        Origin::Connected(n, peer) if connected(record) => {
            tuple(record.blob(n), record.blob(peer), false, out);
        }
        _ => out.empty(),
    }
}

/// Whether a call has connected its socket, or has begun to.
fn connected(record: &Record<'_>) -> bool {
    record.ret >= 0 || record.ret == -EINPROGRESS
}

/// The peer of an IP socket; of one without, and of others, the address that the call was given.
fn reached(b: &[u8], said: &[u8], out: &mut Params<'_>) {
    match b.first() {
        Some(&AF_INET) if b.len() >= 13 && b[7..11] != [0; 4] => {
            out.parts(&[&[AF_INET], &b[7..11], &port(&b[11..13])]);
        }
        Some(&AF_INET6) if b.len() >= 37 && b[19..35] != [0; 16] => {
            out.parts(&[&[AF_INET6], &b[19..35], &port(&b[35..37])]);
        }
        _ => address(said, out),
    }
}

/// Port of network order as the machine has it.
fn port(b: &[u8]) -> [u8; 2] {
    [b[1], b[0]]
}

/// A `struct sockaddr`.
fn address(b: &[u8], out: &mut Params<'_>) {
    match b {
        [AF_INET, 0, p0, p1, a, bb, c, d, ..] => out.parts(&[&[AF_INET], &[*a, *bb, *c, *d], &[*p1, *p0]]),
        [AF_INET6, 0, rest @ ..] if rest.len() >= 22 => {
            out.parts(&[&[AF_INET6], &rest[6..22], &port(&rest[..2])]);
        }
        [AF_UNIX, 0, 0, name @ ..] if !name.is_empty() => out.parts(&[&[AF_UNIX], until_nul(name), b"\0"]),
        [AF_UNIX, 0, name @ ..] if !name.is_empty() => out.parts(&[&[AF_UNIX], until_nul(name), b"\0"]),
        _ => out.empty(),
    }
}

/// Both ends of a socket: the own end first for what goes out, the peer first for what comes in.
/// A socket that is not connected has no peer; then `given`, the address of the call, is the peer.
fn tuple(b: &[u8], given: &[u8], inbound: bool, out: &mut Params<'_>) {
    match b.first() {
        Some(&AF_INET) if b.len() >= 13 => {
            let known = b[7..11] != [0; 4];
            let given = given.get(2..8).filter(|_| !known && given.first() == Some(&AF_INET));
            let peer_port = given.map_or_else(|| port(&b[11..13]), port);
            let peer = [given.map_or(&b[7..11], |g| &g[2..6]), &peer_port];
            ends(AF_INET, [&b[1..5], &b[5..7]], peer, inbound, out);
        }
        Some(&AF_INET6) if b.len() >= 37 => {
            let known = b[19..35] != [0; 16];
            let given = given.get(2..24).filter(|_| !known && given.first() == Some(&AF_INET6));
            let peer_port = given.map_or_else(|| port(&b[35..37]), port);
            let peer = [given.map_or(&b[19..35], |g| &g[6..22]), &peer_port];
            ends(AF_INET6, [&b[1..17], &b[17..19]], peer, inbound, out);
        }
        Some(&AF_UNIX) if b.len() >= 19 => unix(b, given, inbound, out),
        _ => out.empty(),
    }
}

fn ends(family: u8, own: End<'_>, peer: End<'_>, inbound: bool, out: &mut Params<'_>) {
    let (first, second) = if inbound { (peer, own) } else { (own, peer) };
    out.parts(&[&[family], first[0], first[1], second[0], second[1]]);
}

/// Kernel addresses and a path: peer, own and the peer's path for what goes out; own, peer and the own path for what
/// comes in.
fn unix(b: &[u8], given: &[u8], inbound: bool, out: &mut Params<'_>) {
    let (own, peer) = (&b[1..9], &b[9..17]);
    let own_name = until_nul(&b[17..]);
    let peer_name = until_nul(b.get(17 + own_name.len() + 1..).unwrap_or_default());
    if inbound {
        return out.parts(&[&[AF_UNIX], own, peer, own_name, b"\0"]);
    }
    let asked = given.get(2..).unwrap_or_default();
    let asked = until_nul(asked.strip_prefix(b"\0").unwrap_or(asked));
    let name = if peer_name.is_empty() { asked } else { peer_name };
    out.parts(&[&[AF_UNIX], peer, own, name, b"\0"]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut Params<'_>)) -> Vec<u8> {
        let mut out = Vec::new();
        let mut params = Params::begin(&mut out, 0, 0, 0, 1);
        write(&mut params);
        params.end();
        out.split_off(28)
    }

    #[test]
    fn addresses_are_rewritten() {
        let of = |b: &[u8]| written(|out| address(b, out));
        assert_eq!(of(&[2, 0, 0, 80, 127, 0, 0, 1]), [2, 127, 0, 0, 1, 80, 0]);
        assert_eq!(of(b"\x01\0/run/x\0"), b"\x01/run/x\0");
        assert_eq!(of(b"\x01\0\0name"), b"\x01name\0");
        assert_eq!(of(&[9]), b"");
    }

    #[test]
    fn the_peer_of_a_socket_is_told_and_not_what_the_memory_of_the_program_says_now() {
        let said = [2, 0, 0, 80, 127, 0, 0, 1];
        let of = |b: &[u8]| written(|out| reached(b, &said, out));
        assert_eq!(of(&[2, 10, 0, 0, 1, 0x39, 0x30, 8, 8, 8, 8, 1, 187]), [2, 8, 8, 8, 8, 187, 1]);
        assert_eq!(of(&[2, 10, 0, 0, 1, 0x39, 0x30, 0, 0, 0, 0, 0, 0]), [2, 127, 0, 0, 1, 80, 0]);
        assert_eq!(of(&[0]), [2, 127, 0, 0, 1, 80, 0]);
    }

    #[test]
    fn a_tuple_stands_by_its_direction() {
        let b = [2, 10, 0, 0, 1, 0x39, 0x30, 10, 0, 0, 2, 0, 80];
        let of = |inbound| written(|out| tuple(&b, &[], inbound, out));
        assert_eq!(of(false), [2, 10, 0, 0, 1, 0x39, 0x30, 10, 0, 0, 2, 80, 0]);
        assert_eq!(of(true), [2, 10, 0, 0, 2, 80, 0, 10, 0, 0, 1, 0x39, 0x30]);
    }

    #[test]
    fn a_socket_without_a_peer_takes_the_given_one() {
        let b = [2, 10, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0];
        let given = [2, 0, 0, 53, 8, 8, 8, 8, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(written(|out| tuple(&b, &given, false, out)), [2, 10, 0, 0, 1, 1, 0, 8, 8, 8, 8, 53, 0]);
    }

    #[test]
    fn a_unix_tuple_names_the_peer_on_the_way_out() {
        let mut b = vec![1];
        b.extend([1; 8]);
        b.extend([2; 8]);
        b.extend(b"\0/run/x\0");
        let expected = [&[1u8][..], &[2; 8], &[1; 8], b"/run/x\0"].concat();
        assert_eq!(written(|out| tuple(&b, &[], false, out)), expected);
    }
}
