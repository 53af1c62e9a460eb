//! Which system call makes which event, what the kernel side has to send, and where each parameter comes from.

use eyas_event::id;

/// Where a parameter comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Return value.
    Ret,
    /// Register argument as a number.
    Arg(usize),
    /// Register argument with open flags.
    OpenFlags(usize),
    /// Mode, when open flags in this argument create something.
    OpenMode(usize),
    /// Register argument with other flags: kernel bit and ours.
    Bits(usize, &'static [(u32, u32)]),
    /// Next text blob.
    Text,
    /// Next address blob.
    Address,
    /// Tuple seen from the caller: own end first.
    Outbound,
    /// Tuple of an accepted connection: peer first.
    Inbound,
    /// First or second descriptor of a pair.
    Pair(usize),
    Dev,
    Ino,
    /// A number.
    Fixed(u64),
    /// Not available.
    Empty,
}

/// One system call.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) name: &'static str,
    pub(crate) event: u16,
    /// Bits of `record.h`.
    pub(crate) wants: u32,
    pub(crate) params: &'static [Origin],
}

pub(crate) const ON: u32 = 0x8000_0000;
const T0: u32 = 1;
const T1: u32 = 2;
const T3: u32 = 8;
const ADDRESS: u32 = 64;
const TUPLE: u32 = 128;
const TUPLE_RET: u32 = 256;
const FILE: u32 = 512;
const PAIR: u32 = 1024;
const PAIR3: u32 = 2048;

const CLOEXEC: &[(u32, u32)] = &[(0o2_000_000, 4096), (0o4000, 64)];
const CLONE: &[(u32, u32)] = &[
    (0x100, 0x8000),
    (0x200, 0x2),
    (0x400, 0x1),
    (0x800, 0x800),
    (0x2000, 0x400),
    (0x4000, 0x8000000),
    (0x8000, 0x100),
    (0x10000, 0x2000),
    (0x20000, 0x20),
    (0x40000, 0x1000),
    (0x80000, 0x2000000),
    (0x100000, 0x200),
    (0x200000, 0x800000),
    (0x800000, 0x4000),
    (0x1000000, 0x1000000),
    (0x2000000, 0x10000000),
    (0x4000000, 0x80),
    (0x8000000, 0x8),
    (0x10000000, 0x100000),
    (0x20000000, 0x40),
    (0x40000000, 0x10),
    (0x80000000, 0x4),
];
const MEMFD: &[(u32, u32)] = &[(1, 1), (2, 2), (4, 4)];

use Origin::{
    Address, Arg, Bits, Dev, Empty, Fixed, Inbound, Ino, OpenFlags, OpenMode, Outbound, Pair, Ret, Text,
};

/// Every system call that the probe sends.
#[rustfmt::skip]
pub(crate) static CALLS: &[Call] = &[
    Call { name: "open", event: id::SYSCALL_OPEN_X, wants: T0 | FILE, params: &[Ret, Text, OpenFlags(1), OpenMode(2), Dev, Ino] },
    Call { name: "creat", event: id::SYSCALL_CREAT_X, wants: T0 | FILE, params: &[Ret, Text, Arg(1), Dev, Ino, Fixed(0)] },
    Call { name: "openat", event: id::SYSCALL_OPENAT_2_X, wants: T1 | FILE, params: &[Ret, Arg(0), Text, OpenFlags(2), OpenMode(3), Dev, Ino] },
    Call { name: "close", event: id::SYSCALL_CLOSE_X, wants: ON, params: &[Ret, Arg(0)] },
    Call { name: "dup", event: id::SYSCALL_DUP_1_X, wants: ON, params: &[Ret, Arg(0)] },
    Call { name: "dup2", event: id::SYSCALL_DUP2_X, wants: ON, params: &[Ret, Arg(0), Arg(1)] },
    Call { name: "dup3", event: id::SYSCALL_DUP3_X, wants: ON, params: &[Ret, Arg(0), Arg(1), Bits(2, CLOEXEC)] },
    Call { name: "pipe", event: id::SYSCALL_PIPE_X, wants: PAIR, params: &[Ret, Pair(0), Pair(1), Empty] },
    Call { name: "pipe2", event: id::SYSCALL_PIPE2_X, wants: PAIR, params: &[Ret, Pair(0), Pair(1), Empty, Bits(1, CLOEXEC)] },
    Call { name: "socketpair", event: id::SOCKET_SOCKETPAIR_X, wants: PAIR3, params: &[Ret, Pair(0), Pair(1), Empty, Empty, Arg(0), Arg(1), Arg(2)] },
    Call { name: "socket", event: id::SOCKET_SOCKET_X, wants: ON, params: &[Ret, Arg(0), Arg(1), Arg(2), Bits(1, CLOEXEC)] },
    Call { name: "connect", event: id::SOCKET_CONNECT_X, wants: ADDRESS | TUPLE, params: &[Ret, Outbound, Arg(0), Address] },
    Call { name: "accept", event: id::SOCKET_ACCEPT_5_X, wants: TUPLE_RET, params: &[Ret, Inbound, Empty, Empty, Empty] },
    Call { name: "accept4", event: id::SOCKET_ACCEPT4_6_X, wants: TUPLE_RET, params: &[Ret, Inbound, Empty, Empty, Empty, Bits(3, CLOEXEC)] },
    Call { name: "bind", event: id::SOCKET_BIND_X, wants: ADDRESS, params: &[Ret, Address, Arg(0)] },
    Call { name: "listen", event: id::SOCKET_LISTEN_X, wants: ON, params: &[Ret, Arg(0), Arg(1)] },
    Call { name: "sendto", event: id::SOCKET_SENDTO_X, wants: TUPLE, params: &[Ret, Empty, Arg(0), Arg(2), Outbound] },
    Call { name: "sendmsg", event: id::SOCKET_SENDMSG_X, wants: TUPLE, params: &[Ret, Empty, Arg(0), Ret, Outbound] },
    Call { name: "recvfrom", event: id::SOCKET_RECVFROM_X, wants: TUPLE, params: &[Ret, Empty, Inbound, Arg(0), Arg(2)] },
    Call { name: "recvmsg", event: id::SOCKET_RECVMSG_X, wants: TUPLE, params: &[Ret, Ret, Empty, Inbound, Empty, Arg(0)] },
    Call { name: "ptrace", event: id::SYSCALL_PTRACE_X, wants: ON, params: &[Ret, Empty, Empty, Arg(0), Arg(1)] },
    Call { name: "rename", event: id::SYSCALL_RENAME_X, wants: T0 | T1, params: &[Ret, Text, Text] },
    Call { name: "renameat", event: id::SYSCALL_RENAMEAT_X, wants: T1 | T3, params: &[Ret, Arg(0), Text, Arg(2), Text] },
    Call { name: "renameat2", event: id::SYSCALL_RENAMEAT2_X, wants: T1 | T3, params: &[Ret, Arg(0), Text, Arg(2), Text, Arg(4)] },
    Call { name: "symlink", event: id::SYSCALL_SYMLINK_X, wants: T0 | T1, params: &[Ret, Text, Text] },
    Call { name: "symlinkat", event: id::SYSCALL_SYMLINKAT_X, wants: T0 | 4, params: &[Ret, Text, Arg(1), Text] },
    Call { name: "link", event: id::SYSCALL_LINK_2_X, wants: T0 | T1, params: &[Ret, Text, Text] },
    Call { name: "linkat", event: id::SYSCALL_LINKAT_2_X, wants: T1 | T3, params: &[Ret, Arg(0), Text, Arg(2), Text, Arg(4)] },
    Call { name: "unlink", event: id::SYSCALL_UNLINK_2_X, wants: T0, params: &[Ret, Text] },
    Call { name: "unlinkat", event: id::SYSCALL_UNLINKAT_2_X, wants: T1, params: &[Ret, Arg(0), Text, Arg(2)] },
    Call { name: "mkdir", event: id::SYSCALL_MKDIR_2_X, wants: T0, params: &[Ret, Text, Arg(1)] },
    Call { name: "mkdirat", event: id::SYSCALL_MKDIRAT_X, wants: T1, params: &[Ret, Arg(0), Text, Arg(2)] },
    Call { name: "rmdir", event: id::SYSCALL_RMDIR_2_X, wants: T0, params: &[Ret, Text] },
    Call { name: "chmod", event: id::SYSCALL_CHMOD_X, wants: T0, params: &[Ret, Text, Arg(1)] },
    Call { name: "fchmod", event: id::SYSCALL_FCHMOD_X, wants: ON, params: &[Ret, Arg(0), Arg(1)] },
    Call { name: "fchmodat", event: id::SYSCALL_FCHMODAT_X, wants: T1, params: &[Ret, Arg(0), Text, Arg(2)] },
    Call { name: "chdir", event: id::SYSCALL_CHDIR_X, wants: T0, params: &[Ret, Text] },
    Call { name: "fchdir", event: id::SYSCALL_FCHDIR_X, wants: ON, params: &[Ret, Arg(0)] },
    Call { name: "chroot", event: id::SYSCALL_CHROOT_X, wants: T0, params: &[Ret, Text] },
    Call { name: "setuid", event: id::SYSCALL_SETUID_X, wants: ON, params: &[Ret, Arg(0)] },
    Call { name: "setgid", event: id::SYSCALL_SETGID_X, wants: ON, params: &[Ret, Arg(0)] },
    Call { name: "setreuid", event: id::SYSCALL_SETREUID_X, wants: ON, params: &[Ret, Arg(0), Arg(1)] },
    Call { name: "setregid", event: id::SYSCALL_SETREGID_X, wants: ON, params: &[Ret, Arg(0), Arg(1)] },
    Call { name: "setresuid", event: id::SYSCALL_SETRESUID_X, wants: ON, params: &[Ret, Arg(0), Arg(1), Arg(2)] },
    Call { name: "setresgid", event: id::SYSCALL_SETRESGID_X, wants: ON, params: &[Ret, Arg(0), Arg(1), Arg(2)] },
    Call { name: "setsid", event: id::SYSCALL_SETSID_X, wants: ON, params: &[Ret] },
    Call { name: "setns", event: id::SYSCALL_SETNS_X, wants: ON, params: &[Ret, Arg(0), Bits(1, CLONE)] },
    Call { name: "unshare", event: id::SYSCALL_UNSHARE_X, wants: ON, params: &[Ret, Bits(0, CLONE)] },
    Call { name: "userfaultfd", event: id::SYSCALL_USERFAULTFD_X, wants: ON, params: &[Ret, Arg(0)] },
    Call { name: "memfd_create", event: id::SYSCALL_MEMFD_CREATE_X, wants: T0, params: &[Ret, Text, Bits(1, MEMFD)] },
    Call { name: "bpf", event: id::SYSCALL_BPF_2_X, wants: ON, params: &[Ret, Arg(0)] },
    Call { name: "init_module", event: id::SYSCALL_INIT_MODULE_X, wants: 4, params: &[Ret, Empty, Arg(1), Text] },
    Call { name: "finit_module", event: id::SYSCALL_FINIT_MODULE_X, wants: T1, params: &[Ret, Arg(0), Text, Arg(2)] },
    Call { name: "mount", event: id::SYSCALL_MOUNT_X, wants: T0 | T1 | 4, params: &[Ret, Text, Text, Text, Arg(3)] },
    Call { name: "umount2", event: id::SYSCALL_UMOUNT2_X, wants: T0, params: &[Ret, Text, Arg(1)] },
];

/// Calls that keep the state true whatever the rules ask.
pub(crate) const STATE: &[&str] = &[
    "open",
    "creat",
    "openat",
    "close",
    "dup",
    "dup2",
    "dup3",
    "socket",
    "connect",
    "accept",
    "accept4",
    "bind",
    "chdir",
    "fchdir",
    "chroot",
    "setuid",
    "setgid",
    "setreuid",
    "setregid",
    "setresuid",
    "setresgid",
    "setsid",
    "memfd_create",
    "pipe",
    "pipe2",
    "socketpair",
];
