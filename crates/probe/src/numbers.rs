//! Numbers of system calls on this machine, and the calls of the table behind them.

use std::collections::BTreeMap;

use eyas_event::SYSCALL_CODES;

use crate::calls::{CALLS, Call};
use crate::generated::{COMPAT, NUMBERS};

/// Numbers that the kernel side knows.
pub(crate) const COUNT: usize = 512;
/// No call has this number.
pub(crate) const NONE: u16 = 0xffff;
/// Calls that only 32-bit callers have, with numbers of our own.
const OLD: [(&str, u32); 3] = [("umount", 500), ("send", 501), ("recv", 502)];
/// `umount` among the numbers of 32-bit callers.
const COMPAT_UMOUNT: u16 = 22;
/// What socketcall stands for, from its first number on (`SYS_SOCKET` is 1).
const SOCKETCALL: [&str; 20] = [
    "socket",
    "bind",
    "connect",
    "listen",
    "accept",
    "getsockname",
    "getpeername",
    "socketpair",
    "send",
    "recv",
    "sendto",
    "recvfrom",
    "shutdown",
    "setsockopt",
    "getsockopt",
    "sendmsg",
    "recvmsg",
    "accept4",
    "recvmmsg",
    "sendmmsg",
];
/// `socketcall` among the numbers of 32-bit callers.
pub(crate) const COMPAT_SOCKETCALL: u16 = 102;

/// Calls by number.
#[derive(Debug)]
pub(crate) struct Numbers {
    calls: Vec<Option<&'static Call>>,
    /// Numbers of calls without an event of their own, with the code that a generic event carries.
    generic: BTreeMap<u16, (&'static str, u16)>,
}

impl Numbers {
    /// Those of this architecture.
    pub(crate) fn native() -> Numbers {
        let mut calls = vec![None; COUNT];
        let mut generic = BTreeMap::new();
        for (name, number) in NUMBERS.iter().chain(&OLD) {
            if let Some(slot) = calls.get_mut(*number as usize) {
                *slot = CALLS.iter().find(|call| call.name == *name);
            }
        }
        for (name, number) in NUMBERS.iter().filter(|(name, _)| is_generic(name)) {
            let code =
                SYSCALL_CODES.iter().find(|(known, _)| known == name).map_or(0, |(_, code)| *code as u16);
            generic.insert(*number as u16, (*name, code));
        }
        Numbers { calls, generic }
    }

    /// Code of a call without an event of its own.
    pub(crate) fn generic(&self, number: u16) -> Option<u16> {
        self.generic.get(&number).map(|(_, code)| *code)
    }

    /// Every call without an event of its own, with its number.
    pub(crate) fn generics(&self) -> impl Iterator<Item = (u16, &'static str)> {
        self.generic.iter().map(|(number, (name, _))| (*number, *name))
    }

    /// The call with a number.
    pub(crate) fn call(&self, number: u16) -> Option<&'static Call> {
        *self.calls.get(usize::from(number))?
    }

    /// Name of the call with a number.
    pub(crate) fn name(&self, number: u16) -> Option<&'static str> {
        Some(self.call(number)?.name)
    }

    /// Every call with its number.
    pub(crate) fn all(&self) -> impl Iterator<Item = (u16, &'static Call)> {
        self.calls.iter().enumerate().filter_map(|(number, call)| Some((number as u16, (*call)?)))
    }
}

/// Whether a call has no event of its own.
pub(crate) fn is_generic(name: &str) -> bool {
    NUMBERS.iter().any(|(known, _)| *known == name) && !CALLS.iter().any(|call| call.name == name)
}

/// Number of a call, `NONE` when this machine has none.
pub(crate) fn number(name: &str) -> u16 {
    NUMBERS.iter().chain(&OLD).find(|(known, _)| *known == name).map_or(NONE, |(_, number)| *number as u16)
}

/// Our number for each number of a 32-bit caller.
pub(crate) fn compat() -> Vec<u16> {
    let mut numbers = vec![NONE; COUNT];
    if cfg!(target_arch = "x86_64") {
        COMPAT.iter().for_each(|(old, new)| numbers[usize::from(*old)] = *new);
        numbers[usize::from(COMPAT_UMOUNT)] = number("umount");
    }
    numbers
}

/// Calls that operations of io_uring stand for.
const RING: [(u16, &str); 17] = [
    (9, "sendmsg"),
    (10, "recvmsg"),
    (13, "accept4"),
    (16, "connect"),
    (18, "openat"),
    (19, "close"),
    (26, "sendto"),
    (27, "recvfrom"),
    (28, "openat2"),
    (34, "shutdown"),
    (35, "renameat2"),
    (36, "unlinkat"),
    (37, "mkdirat"),
    (38, "symlinkat"),
    (39, "linkat"),
    (45, "socket"),
    (57, "listen"),
];

/// Our number for each operation of io_uring.
pub(crate) fn ring() -> Vec<u16> {
    let mut numbers = vec![NONE; 64];
    RING.iter().for_each(|(operation, name)| numbers[usize::from(*operation)] = number(name));
    numbers
}

/// Our number for each kind of socketcall.
pub(crate) fn socketcall() -> Vec<u16> {
    let mut numbers = vec![NONE; 32];
    for (slot, name) in numbers[1..].iter_mut().zip(SOCKETCALL) {
        *slot = number(name);
    }
    numbers
}
