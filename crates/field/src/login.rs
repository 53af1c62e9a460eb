//! Fields about the login session of a process: where it was opened from, at which terminal.

use std::net::IpAddr;

use eyas_state::{FdKind, Thread};

use crate::field::{Field, Flag, Type};
use crate::process::variable;
use crate::value::{owned, text, uint};
use crate::{Cx, Scope, Value};

/// Ancestors that are searched for the server of a session.
const DEPTH: usize = 64;
/// Programs that let somebody in from elsewhere.
const SERVERS: [&[u8]; 5] = [b"sshd", b"sshd-session", b"sshd-auth", b"dropbear", b"in.telnetd"];
/// Major numbers of terminals: consoles and serial lines, and the range of pseudo-terminals.
const CONSOLE: u32 = 4;
const PSEUDO: std::ops::RangeInclusive<u32> = 136..=143;
/// The first serial line among the consoles.
const SERIAL: u32 = 64;

/// The fields of this family.
pub(crate) static FIELDS: &[Field] = &[
    Field {
        name: "eyas.login.address",
        about: "Address that the login session of the process was opened from, by SSH and its like: the other end of \
                the connection of the nearest server among the ancestors; where the connection was not seen, what \
                that server told the session (`SSH_CONNECTION`)",
        kind: Type::Ip,
        declared: "IPADDR",
        flags: &[Flag::SuggestedOutput],
        get: |cx, _| Some(Value::Ip(origin(cx)?.0)),
        ..Field::NEW
    },
    Field {
        name: "eyas.login.port",
        about: "Port that the login session of the process was opened from",
        kind: Type::Port,
        declared: "PORT",
        get: |cx, _| uint(u64::from(origin(cx)?.1)),
        ..Field::NEW
    },
    Field {
        name: "eyas.login.server",
        about: "Name of the program that let the login session in: sshd, dropbear",
        kind: Type::Text,
        declared: "CHARBUF",
        get: |cx, _| text(&server(cx)?.1.comm),
        ..Field::NEW
    },
    Field {
        name: "eyas.login.terminal",
        about: "Name of the controlling terminal: pts/0, tty1, ttyS0",
        kind: Type::Text,
        declared: "CHARBUF",
        scope: Scope::Process,
        get: |cx, _| owned(terminal(cx.thread()?.tty)?),
        ..Field::NEW
    },
];

/// The nearest server of sessions among the ancestors, and its generation.
fn server<'a>(cx: &Cx<'a>) -> Option<(usize, &'a Thread)> {
    let ancestors = (1..DEPTH).map_while(|n| Some((n, cx.ancestor(n)?)));
    ancestors.into_iter().find(|(_, thread)| SERVERS.contains(&thread.comm.as_ref()))
}

fn origin(cx: &Cx<'_>) -> Option<(IpAddr, u16)> {
    let (generation, server) = server(cx)?;
    connection(server).or_else(|| told(cx.ancestor(generation - 1)?))
}

/// The client of a connection that the server holds. Each session has a process of its own, so there is one.
fn connection(server: &Thread) -> Option<(IpAddr, u16)> {
    server.files.iter().find_map(|(_, fd)| match fd.kind {
        FdKind::Connection { source, sport, .. } if fd.role_server => Some((source, sport)),
        _ => None,
    })
}

/// What the server put into the environment: address and port of the client, then those of the server.
fn told(session: &Thread) -> Option<(IpAddr, u16)> {
    let words = std::str::from_utf8(variable(session, b"SSH_CONNECTION")?).ok()?;
    let mut words = words.split(' ');
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

/// Name of a terminal by its device number, as the kernel encodes it for programs.
fn terminal(device: u32) -> Option<String> {
    let (major, minor) = (device >> 8 & 0xfff, device & 0xff | device >> 12 & 0xfff00);
    match major {
        CONSOLE if minor < SERIAL => Some(format!("tty{minor}")),
        CONSOLE => Some(format!("ttyS{}", minor - SERIAL)),
        _ if PSEUDO.contains(&major) => Some(format!("pts/{}", (major - PSEUDO.start()) << 8 | minor)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_have_the_names_of_their_files() {
        for (device, name) in
            [(0x8800, "pts/0"), (0x8803, "pts/3"), (0x8900, "pts/256"), (0x0401, "tty1"), (0x0440, "ttyS0")]
        {
            assert_eq!(terminal(device).as_deref(), Some(name));
        }
        assert_eq!(terminal(0), None);
    }
}
