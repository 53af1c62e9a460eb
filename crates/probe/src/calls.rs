//! Which system call makes which event, what the kernel side sends for it, and where each parameter comes from.

use eyas_event::table::Flags;
use eyas_event::{EVENTS, id};

use crate::encoding::Encoding;
use crate::generated as code;
use crate::recipe::{
    ARGUMENTS, CGROUPS, Makes, PROCESS, PROGRAM, RETURNED, Step, bytes, data, file, first_data, message,
    message_control, message_data, pair, polled, queue, sized, sized_at, strings, text, tuple, vector,
};
use crate::test::Test;

/// A number that a record holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value {
    /// The result.
    Ret,
    /// Register argument.
    Arg(usize),
    /// A half-word, a word or a double word of a blob.
    U16(usize, usize),
    U32(usize, usize),
    U64(usize, usize),
}

/// Where a parameter comes from; numbers of blobs are those of the steps.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin {
    /// A number, cut to the width of the parameter.
    Number(Value),
    /// A number whose bits or value are written otherwise in the event table.
    Coded(Value, &'static Encoding),
    /// Open flags, with what the file in the blob adds: created, upper layer, lower layer.
    OpenFlags(Value, usize),
    /// Mode, when the open flags create something.
    OpenMode(Value, Value),
    /// Layer bits of the file in the blob, as creat has them.
    Layers(usize),
    /// Device of the file in the blob.
    Dev(usize),
    /// Inode of the file in the blob.
    Ino(usize),
    /// Blob as text, as bytes.
    Text(usize),
    Bytes(usize),
    /// Blob as text unless a register argument is one of these.
    TextFor(usize, usize, &'static [u64]),
    /// Blob as address.
    Address(usize),
    /// Blob as address, but that of the peer to which the call has connected the socket in the other blob: the
    /// program may have changed its memory since.
    Reached(usize, usize),
    /// Ends of the socket in the blob, the own one first; a peer that it does not have is in the other blob.
    Outbound(usize, Option<usize>),
    /// Ends of the socket in the blob, the peer first.
    Inbound(usize, Option<usize>),
    /// Ends of the socket in the blob, when the call connected it or has begun to.
    Connected(usize, usize),
    /// Percentage to which the queue in the blob is full.
    QueueShare(usize),
    /// Soft (0) or hard (1) limit in the blob, -1 when there is none.
    Limit(usize, usize),
    /// `struct timespec` in the blob, in nanoseconds.
    Duration(usize),
    /// File type and permissions as mknod takes them.
    NodeMode(usize),
    /// Value of a socket option: the blob, read by level and name.
    Option(usize),
    /// Word or address that ptrace moves, from the blob.
    PtraceData(usize),
    /// Argument of keyctl as a number.
    Dynamic(usize),
    /// prctl's second argument as number.
    PrctlNumber(usize),
    /// Path that the kernel knows, from the blob.
    Path(usize),
    /// Bytes of a blob when a register argument has this value.
    BytesFor(usize, usize, u64),
    /// Start of a blob.
    Head(usize),
    /// What was moved; nothing when the call failed.
    Moved,
    /// Bytes of the first message of a vector of messages.
    MessageSize(usize),
    /// Flags of mount without the magic number of old programs.
    MountFlags(usize),
    /// Command of quotactl, and whose quota.
    QuotaCommand(usize),
    QuotaKind(usize),
    /// Low 32 bits of an argument as an unsigned number.
    Unsigned32(usize),
    /// Name of a socket option.
    OptionName,
    /// Operation of futex with its flags.
    FutexOperation,
    /// Descriptors that are waited for, with what came of each.
    Polled(usize),
    /// A number.
    Fixed(u64),
    /// Not available.
    Empty,
}

/// How the parameters of an event are put together.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// One origin for each.
    Table(&'static [Origin]),
    /// A failed exec: the file name, the caller, arguments, environment, cgroups, program.
    Exec,
    /// The caller's side of a birth: the caller, arguments, cgroups.
    Clone,
}

/// In which column of the ledger a call is counted, and what is lost with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Class {
    Process,
    Open,
    Network,
    File,
    Other,
    /// Births, execs and deaths.
    Life,
}

/// One system call.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) name: &'static str,
    pub(crate) event: u16,
    pub(crate) class: Class,
    pub(crate) steps: &'static [Step],
    pub(crate) tests: &'static [Test],
    pub(crate) shape: Shape,
    /// Argument with a descriptor whose path the kernel knows.
    pub(crate) path: Option<u8>,
}

use Class::{File, Network, Open, Other, Process};
use Origin::{
    Address, Bytes, Coded, Connected, Dev, Duration, Dynamic, Empty, Fixed, Inbound, Ino, Layers, Limit,
    NodeMode, Number, OpenFlags, OpenMode, Option as SockOption, Outbound, Polled, PrctlNumber, PtraceData,
    QueueShare, Reached, Text, TextFor,
};
use Value::{Arg, Ret, U16, U32, U64};

const R: Origin = Number(Ret);
const A0: Origin = Number(Arg(0));
const A1: Origin = Number(Arg(1));
const A2: Origin = Number(Arg(2));
const A3: Origin = Number(Arg(3));
const A4: Origin = Number(Arg(4));
const T0: Origin = Text(0);
const T1: Origin = Text(1);
const OPENED: Step = file(RETURNED);
/// What prctl takes and gives as text.
const PR_NAMES: &[u64] = &[15, 16];
const FAILED: &[Test] = &[Test::Failed];
const NOT_ZERO: &[Test] = &[Test::NotZero];

const fn call(
    name: &'static str,
    event: u16,
    class: Class,
    steps: &'static [Step],
    params: &'static [Origin],
) -> Call {
    Call { name, event, class, steps, tests: &[], shape: Shape::Table(params), path: None }
}

const fn opens(name: &'static str, event: u16, steps: &'static [Step], params: &'static [Origin]) -> Call {
    Call { path: Some(RETURNED), ..call(name, event, Open, steps, params) }
}

const fn on_file(name: &'static str, event: u16, params: &'static [Origin]) -> Call {
    Call { path: Some(0), ..call(name, event, File, &[], params) }
}

const fn with_path(arg: u8, call: Call) -> Call {
    Call { path: Some(arg), ..call }
}

const fn execs(name: &'static str, event: u16, steps: &'static [Step]) -> Call {
    Call { name, event, class: Process, steps, tests: FAILED, shape: Shape::Exec, path: None }
}

const fn births(name: &'static str, event: u16) -> Call {
    let steps = &[PROCESS, ARGUMENTS, CGROUPS];
    Call { name, event, class: Process, steps, tests: NOT_ZERO, shape: Shape::Clone, path: None }
}

/// Every system call that the probe sends. Successful execs, and the child's side of births, come from the scheduler.
#[rustfmt::skip]
pub(crate) static CALLS: &[Call] = &[
    // Files by name.
    opens("open", id::SYSCALL_OPEN_X, &[text(0), OPENED], &[R, T0, OpenFlags(Arg(1), 1), OpenMode(Arg(1), Arg(2)), Dev(1), Ino(1)]),
    opens("creat", id::SYSCALL_CREAT_X, &[text(0), OPENED], &[R, T0, A1, Dev(1), Ino(1), Layers(1)]),
    opens("openat", id::SYSCALL_OPENAT_2_X, &[text(1), OPENED], &[R, A0, T0, OpenFlags(Arg(2), 1), OpenMode(Arg(2), Arg(3)), Dev(1), Ino(1)]),
    opens("openat2", id::SYSCALL_OPENAT2_X, &[text(1), bytes(2, 24), OPENED], &[R, A0, T0, OpenFlags(U64(1, 0), 2), OpenMode(U64(1, 0), U64(1, 8)), Coded(U64(1, 16), &code::OPENAT2_RESOLVE), Dev(2), Ino(2)]),
    opens("open_by_handle_at", id::SYSCALL_OPEN_BY_HANDLE_AT_X, &[crate::recipe::path(RETURNED), OPENED], &[R, A0, OpenFlags(Arg(2), 1), Origin::Path(0), Dev(1), Ino(1)]),
    call("rename", id::SYSCALL_RENAME_X, File, &[text(0), text(1)], &[R, T0, T1]),
    call("renameat", id::SYSCALL_RENAMEAT_X, File, &[text(1), text(3)], &[R, A0, T0, A2, T1]),
    call("renameat2", id::SYSCALL_RENAMEAT2_X, File, &[text(1), text(3)], &[R, A0, T0, A2, T1, A4]),
    call("link", id::SYSCALL_LINK_2_X, File, &[text(0), text(1)], &[R, T0, T1]),
    call("linkat", id::SYSCALL_LINKAT_2_X, File, &[text(1), text(3)], &[R, A0, T0, A2, T1, Coded(Arg(4), &code::LINKAT_FLAGS)]),
    call("symlink", id::SYSCALL_SYMLINK_X, File, &[text(0), text(1)], &[R, T0, T1]),
    call("symlinkat", id::SYSCALL_SYMLINKAT_X, File, &[text(0), text(2)], &[R, T0, A1, T1]),
    call("unlink", id::SYSCALL_UNLINK_2_X, File, &[text(0)], &[R, T0]),
    call("unlinkat", id::SYSCALL_UNLINKAT_2_X, File, &[text(1)], &[R, A0, T0, Coded(Arg(2), &code::UNLINKAT_FLAGS)]),
    call("mkdir", id::SYSCALL_MKDIR_2_X, File, &[text(0)], &[R, T0, A1]),
    call("mkdirat", id::SYSCALL_MKDIRAT_X, File, &[text(1)], &[R, A0, T0, A2]),
    call("rmdir", id::SYSCALL_RMDIR_2_X, File, &[text(0)], &[R, T0]),
    call("mknod", id::SYSCALL_MKNOD_X, File, &[text(0)], &[R, T0, NodeMode(1), A2]),
    call("mknodat", id::SYSCALL_MKNODAT_X, File, &[text(1)], &[R, A0, T0, NodeMode(2), A3]),
    call("chmod", id::SYSCALL_CHMOD_X, File, &[text(0)], &[R, T0, Coded(Arg(1), &code::CHMOD_MODE)]),
    call("fchmodat", id::SYSCALL_FCHMODAT_X, File, &[text(1)], &[R, A0, T0, Coded(Arg(2), &code::CHMOD_MODE)]),
    on_file("fchmod", id::SYSCALL_FCHMOD_X, &[R, A0, Coded(Arg(1), &code::CHMOD_MODE)]),
    call("chown", id::SYSCALL_CHOWN_X, File, &[text(0)], &[R, T0, A1, A2]),
    call("lchown", id::SYSCALL_LCHOWN_X, File, &[text(0)], &[R, T0, A1, A2]),
    on_file("fchown", id::SYSCALL_FCHOWN_X, &[R, A0, A1, A2]),
    call("fchownat", id::SYSCALL_FCHOWNAT_X, File, &[text(1)], &[R, A0, T0, A2, A3, Coded(Arg(4), &code::FCHOWNAT_FLAGS)]),
    call("access", id::SYSCALL_ACCESS_X, File, &[text(0)], &[R, T0, Coded(Arg(1), &code::ACCESS_FLAGS)]),
    call("stat", id::SYSCALL_STAT_X, File, &[text(0)], &[R, T0]),
    call("lstat", id::SYSCALL_LSTAT_X, File, &[text(0)], &[R, T0]),
    call("newfstatat", id::SYSCALL_NEWFSTATAT_X, File, &[text(1)], &[R, A0, T0, Coded(Arg(2), &code::NEWFSTATAT_FLAGS)]),
    on_file("fstat", id::SYSCALL_FSTAT_X, &[R, A0]),
    on_file("getdents", id::SYSCALL_GETDENTS_X, &[R, A0]),
    on_file("getdents64", id::SYSCALL_GETDENTS64_X, &[R, A0]),
    on_file("flock", id::SYSCALL_FLOCK_X, &[R, A0, Coded(Arg(1), &code::FLOCK_FLAGS)]),
    call("mount", id::SYSCALL_MOUNT_X, File, &[text(0), text(1), text(2)], &[R, T0, T1, Text(2), Origin::MountFlags(3)]),
    call("umount", id::SYSCALL_UMOUNT_1_X, File, &[text(0)], &[R, T0]),
    call("umount2", id::SYSCALL_UMOUNT2_X, File, &[text(0)], &[R, T0, Coded(Arg(1), &code::UMOUNT2_FLAGS)]),
    call("fsconfig", id::SYSCALL_FSCONFIG_X, File, &[text(2), text(3), sized(3, 4)], &[R, A0, A1, TextFor(0, 1, &[0, 1, 2, 3, 4, 5]), Origin::BytesFor(2, 1, 2), TextFor(1, 1, &[1, 3, 4]), A4]),
    call("quotactl", id::SYSCALL_QUOTACTL_X, File, &[text(1)], &[R, T0, Empty, Empty, Empty, Empty, Empty, Empty, Empty, Empty, Empty, Empty, Empty, Empty, Origin::QuotaCommand(0), Origin::QuotaKind(0), A2, Empty]),
    call("chdir", id::SYSCALL_CHDIR_X, File, &[text(0)], &[R, T0]),
    on_file("fchdir", id::SYSCALL_FCHDIR_X, &[R, A0]),
    call("chroot", id::SYSCALL_CHROOT_X, File, &[text(0)], &[R, T0]),
    call("getcwd", id::SYSCALL_GETCWD_X, File, &[text(0)], &[R, T0]),

    // Descriptors.
    call("close", id::SYSCALL_CLOSE_X, Other, &[], &[R, A0]),
    call("close_range", id::SYSCALL_CLOSE_RANGE_X, Other, &[], &[R, A0, A1, Coded(Arg(2), &code::CLOSE_RANGE_FLAGS)]),
    call("dup", id::SYSCALL_DUP_1_X, Other, &[], &[R, A0]),
    call("dup2", id::SYSCALL_DUP2_X, Other, &[], &[R, A0, A1]),
    call("dup3", id::SYSCALL_DUP3_X, Other, &[], &[R, A0, A1, Coded(Arg(2), &code::DUP3_FLAGS)]),
    call("fcntl", id::SYSCALL_FCNTL_X, Other, &[], &[R, A0, Coded(Arg(1), &code::FCNTL_CMD), A2]),
    on_file("ioctl", id::SYSCALL_IOCTL_3_X, &[R, A0, A1, A2]),
    call("pipe", id::SYSCALL_PIPE_X, Other, &[pair(0)], &[R, Number(U32(0, 0)), Number(U32(0, 4)), Number(U64(0, 8))]),
    call("pipe2", id::SYSCALL_PIPE2_X, Other, &[pair(0)], &[R, Number(U32(0, 0)), Number(U32(0, 4)), Number(U64(0, 8)), Coded(Arg(1), &code::PIPE2_FLAGS)]),
    call("eventfd", id::SYSCALL_EVENTFD_X, Other, &[], &[R, A0, Fixed(0)]),
    call("eventfd2", id::SYSCALL_EVENTFD2_X, Other, &[], &[R, Coded(Arg(1), &code::EVENTFD2_FLAGS), A0]),
    call("signalfd", id::SYSCALL_SIGNALFD_X, Other, &[], &[R, A0, Fixed(0), Fixed(0)]),
    call("signalfd4", id::SYSCALL_SIGNALFD4_X, Other, &[], &[R, Coded(Arg(3), &code::SIGNALFD4_FLAGS), A0, Fixed(0)]),
    call("timerfd_create", id::SYSCALL_TIMERFD_CREATE_X, Other, &[], &[R, A0, Coded(Arg(1), &code::TIMERFD_CREATE_FLAGS)]),
    call("inotify_init", id::SYSCALL_INOTIFY_INIT_X, Other, &[], &[R, Fixed(0)]),
    call("inotify_init1", id::SYSCALL_INOTIFY_INIT1_X, Other, &[], &[R, Coded(Arg(0), &code::INOTIFY_INIT1_FLAGS)]),
    call("epoll_create", id::SYSCALL_EPOLL_CREATE_X, Other, &[], &[R, A0]),
    call("epoll_create1", id::SYSCALL_EPOLL_CREATE1_X, Other, &[], &[R, Coded(Arg(0), &code::EPOLL_CREATE1_FLAGS)]),
    call("memfd_create", id::SYSCALL_MEMFD_CREATE_X, Other, &[text(0)], &[R, T0, Coded(Arg(1), &code::MEMFD_CREATE_FLAGS)]),
    call("userfaultfd", id::SYSCALL_USERFAULTFD_X, Other, &[], &[R, A0]),
    call("pidfd_open", id::SYSCALL_PIDFD_OPEN_X, Other, &[], &[R, A0, Coded(Arg(1), &code::PIDFD_OPEN_FLAGS)]),
    call("pidfd_getfd", id::SYSCALL_PIDFD_GETFD_X, Other, &[], &[R, A0, A1, A2]),
    call("bpf", id::SYSCALL_BPF_2_X, Other, &[], &[R, A0]),
    call("epoll_wait", id::SYSCALL_EPOLLWAIT_X, Other, &[], &[R, A2]),
    call("poll", id::SYSCALL_POLL_X, Other, &[polled(0)], &[R, Polled(0), Origin::Unsigned32(2)]),
    call("ppoll", id::SYSCALL_PPOLL_X, Other, &[bytes(2, 16), polled(0)], &[R, Polled(1), Duration(0), Empty]),
    call("select", id::SYSCALL_SELECT_X, Other, &[], &[R]),

    // Data.
    with_path(0, call("read", id::SYSCALL_READ_X, File, &[data(1)], &[R, Bytes(0), A0, A2])),
    with_path(0, call("write", id::SYSCALL_WRITE_X, File, &[data(1)], &[R, Bytes(0), A0, A2])),
    with_path(0, call("pread64", id::SYSCALL_PREAD_X, File, &[data(1)], &[R, Bytes(0), A0, A2, A3])),
    with_path(0, call("pwrite64", id::SYSCALL_PWRITE_X, File, &[data(1)], &[R, Bytes(0), A0, A2, A3])),
    with_path(0, call("readv", id::SYSCALL_READV_X, File, &[vector(1)], &[R, Origin::Moved, Bytes(0), A0])),
    with_path(0, call("writev", id::SYSCALL_WRITEV_X, File, &[vector(1)], &[R, Bytes(0), A0, Origin::Moved])),
    with_path(0, call("preadv", id::SYSCALL_PREADV_X, File, &[vector(1)], &[R, Origin::Moved, Bytes(0), A0, A3])),
    with_path(0, call("pwritev", id::SYSCALL_PWRITEV_X, File, &[vector(1)], &[R, Bytes(0), A0, Origin::Moved, A3])),
    on_file("lseek", id::SYSCALL_LSEEK_X, &[R, A0, A1, Coded(Arg(2), &code::LSEEK_WHENCE)]),
    call("sendfile", id::SYSCALL_SENDFILE_X, File, &[bytes(2, 8)], &[R, Number(U64(0, 0)), A0, A1, A3]),
    call("splice", id::SYSCALL_SPLICE_X, File, &[], &[R, A0, A2, A4, Coded(Arg(5), &code::SPLICE_FLAGS)]),
    call("copy_file_range", id::SYSCALL_COPY_FILE_RANGE_X, File, &[bytes(1, 8), bytes(3, 8)], &[R, A2, Number(U64(1, 0)), A0, Number(U64(0, 0)), A4]),
    call("process_vm_readv", id::SYSCALL_PROCESS_VM_READV_X, Other, &[vector(1)], &[R, A0, Bytes(0)]),
    call("process_vm_writev", id::SYSCALL_PROCESS_VM_WRITEV_X, Other, &[vector(1)], &[R, A0, Bytes(0)]),

    // Sockets.
    call("socket", id::SOCKET_SOCKET_X, Network, &[], &[R, Coded(Arg(0), &code::SOCKET_FAMILY), A1, A2, Coded(Arg(1), &code::SOCKET_FLAGS)]),
    call("socketpair", id::SOCKET_SOCKETPAIR_X, Network, &[pair(3)], &[R, Number(U32(0, 0)), Number(U32(0, 4)), Number(U64(0, 16)), Number(U64(0, 24)), Coded(Arg(0), &code::SOCKET_FAMILY), A1, A2]),
    call("bind", id::SOCKET_BIND_X, Network, &[sized(1, 2)], &[R, Address(0), A0]),
    call("connect", id::SOCKET_CONNECT_X, Network, &[sized(1, 2), tuple(0)], &[R, Connected(1, 0), A0, Reached(0, 1)]),
    call("listen", id::SOCKET_LISTEN_X, Network, &[], &[R, A0, A1]),
    call("accept", id::SOCKET_ACCEPT_5_X, Network, &[tuple(RETURNED), queue(0)], &[R, Inbound(0, None), QueueShare(1), Number(U32(1, 0)), Number(U32(1, 4))]),
    call("accept4", id::SOCKET_ACCEPT4_6_X, Network, &[tuple(RETURNED), queue(0)], &[R, Inbound(0, None), QueueShare(1), Number(U32(1, 0)), Number(U32(1, 4)), Coded(Arg(3), &code::SOCKET_FLAGS)]),
    call("send", id::SOCKET_SEND_X, Network, &[data(1), tuple(0)], &[R, Bytes(0), A0, A2, Outbound(1, None)]),
    call("sendto", id::SOCKET_SENDTO_X, Network, &[data(1), sized(4, 5), tuple(0)], &[R, Bytes(0), A0, A2, Outbound(2, Some(1))]),
    call("sendmsg", id::SOCKET_SENDMSG_X, Network, &[message_data(1), message(1), tuple(0)], &[R, Bytes(0), A0, Origin::Moved, Outbound(2, Some(1))]),
    call("sendmmsg", id::SOCKET_SENDMMSG_X, Network, &[first_data(1), message(1), tuple(0), bytes(1, 64)], &[R, A0, Origin::MessageSize(3), Bytes(0), Outbound(2, Some(1))]),
    call("recv", id::SOCKET_RECV_X, Network, &[data(1), tuple(0)], &[R, Bytes(0), A0, A2, Inbound(1, None)]),
    call("recvfrom", id::SOCKET_RECVFROM_X, Network, &[data(1), sized_at(4, 5), tuple(0)], &[R, Bytes(0), Inbound(2, Some(1)), A0, A2]),
    call("recvmsg", id::SOCKET_RECVMSG_X, Network, &[message_data(1), message(1), tuple(0), message_control(1)], &[R, Origin::Moved, Bytes(0), Inbound(2, Some(1)), Bytes(3), A0]),
    call("recvmmsg", id::SOCKET_RECVMMSG_X, Network, &[first_data(1), message(1), tuple(0), message_control(1), bytes(1, 64)], &[R, A0, Origin::MessageSize(4), Bytes(0), Inbound(2, Some(1)), Bytes(3)]),
    call("shutdown", id::SOCKET_SHUTDOWN_X, Network, &[], &[R, A0, Coded(Arg(1), &code::SHUTDOWN_HOW)]),
    call("getsockname", id::SOCKET_GETSOCKNAME_X, Network, &[], &[]),
    call("getpeername", id::SOCKET_GETPEERNAME_X, Network, &[], &[]),
    call("setsockopt", id::SOCKET_SETSOCKOPT_X, Network, &[sized(3, 4)], &[R, A0, Coded(Arg(1), &code::SOCKOPT_LEVEL), Origin::OptionName, SockOption(0), A4]),
    call("getsockopt", id::SOCKET_GETSOCKOPT_X, Network, &[sized_at(3, 4), bytes(4, 4)], &[R, A0, Coded(Arg(1), &code::SOCKOPT_LEVEL), Origin::OptionName, SockOption(0), Number(U32(1, 0))]),

    // Processes.
    execs("execve", id::SYSCALL_EXECVE_19_X, &[text(0), PROCESS, strings(1), strings(2), CGROUPS, PROGRAM]),
    execs("execveat", id::SYSCALL_EXECVEAT_X, &[text(1), PROCESS, strings(2), strings(3), CGROUPS, PROGRAM]),
    births("clone", id::SYSCALL_CLONE_20_X),
    births("clone3", id::SYSCALL_CLONE3_X),
    births("fork", id::SYSCALL_FORK_20_X),
    births("vfork", id::SYSCALL_VFORK_20_X),
    call("setuid", id::SYSCALL_SETUID_X, Process, &[], &[R, A0]),
    call("setgid", id::SYSCALL_SETGID_X, Process, &[], &[R, A0]),
    call("setreuid", id::SYSCALL_SETREUID_X, Process, &[], &[R, A0, A1]),
    call("setregid", id::SYSCALL_SETREGID_X, Process, &[], &[R, A0, A1]),
    call("setresuid", id::SYSCALL_SETRESUID_X, Process, &[], &[R, A0, A1, A2]),
    call("setresgid", id::SYSCALL_SETRESGID_X, Process, &[], &[R, A0, A1, A2]),
    call("getuid", id::SYSCALL_GETUID_X, Process, &[], &[R]),
    call("geteuid", id::SYSCALL_GETEUID_X, Process, &[], &[R]),
    call("getgid", id::SYSCALL_GETGID_X, Process, &[], &[R]),
    call("getegid", id::SYSCALL_GETEGID_X, Process, &[], &[R]),
    call("getresuid", id::SYSCALL_GETRESUID_X, Process, &[bytes(0, 4), bytes(1, 4), bytes(2, 4)], &[R, Number(U32(0, 0)), Number(U32(1, 0)), Number(U32(2, 0))]),
    call("getresgid", id::SYSCALL_GETRESGID_X, Process, &[bytes(0, 4), bytes(1, 4), bytes(2, 4)], &[R, Number(U32(0, 0)), Number(U32(1, 0)), Number(U32(2, 0))]),
    call("capset", id::SYSCALL_CAPSET_X, Process, &[PROCESS], &[R, Number(U64(0, 88)), Number(U64(0, 96)), Number(U64(0, 104))]),
    call("setsid", id::SYSCALL_SETSID_X, Process, &[], &[R]),
    call("setpgid", id::SYSCALL_SETPGID_X, Process, &[], &[R, A0, A1]),
    on_file("setns", id::SYSCALL_SETNS_X, &[R, A0, Coded(Arg(1), &code::CLONE_FLAGS)]),
    call("unshare", id::SYSCALL_UNSHARE_X, Process, &[], &[R, Coded(Arg(0), &code::CLONE_FLAGS)]),
    call("prctl", id::SYSCALL_PRCTL_X, Process, &[text(1), bytes(1, 4)], &[R, A0, TextFor(0, 0, PR_NAMES), PrctlNumber(1)]),
    call("seccomp", id::SYSCALL_SECCOMP_X, Process, &[], &[R, A0, A1]),
    call("ptrace", id::SYSCALL_PTRACE_X, Process, &[bytes(3, 8)], &[R, Dynamic(2), PtraceData(0), Coded(Arg(0), &code::PTRACE_REQUESTS), A1]),
    call("kill", id::SYSCALL_KILL_X, Process, &[], &[R, A0, A1]),
    call("tkill", id::SYSCALL_TKILL_X, Process, &[], &[R, A0, A1]),
    call("tgkill", id::SYSCALL_TGKILL_X, Process, &[], &[R, A0, A1, A2]),
    call("getrlimit", id::SYSCALL_GETRLIMIT_X, Process, &[bytes(1, 16)], &[R, Limit(0, 0), Limit(0, 1), Coded(Arg(0), &code::RLIMIT_RESOURCE)]),
    call("setrlimit", id::SYSCALL_SETRLIMIT_X, Process, &[bytes(1, 16)], &[R, Limit(0, 0), Limit(0, 1), Coded(Arg(0), &code::RLIMIT_RESOURCE)]),
    call("prlimit64", id::SYSCALL_PRLIMIT_X, Process, &[bytes(2, 16), bytes(3, 16)], &[R, Limit(0, 0), Limit(0, 1), Limit(1, 0), Limit(1, 1), A0, Coded(Arg(1), &code::RLIMIT_RESOURCE)]),
    call("nanosleep", id::SYSCALL_NANOSLEEP_X, Other, &[bytes(0, 16)], &[R, Duration(0)]),

    // The kernel itself.
    call("init_module", id::SYSCALL_INIT_MODULE_X, Other, &[sized(0, 1), text(2)], &[R, Origin::Head(0), A1, T1]),
    with_path(0, call("finit_module", id::SYSCALL_FINIT_MODULE_X, Other, &[text(1)], &[R, A0, T0, Coded(Arg(2), &code::FINIT_MODULE_FLAGS)])),
    call("delete_module", id::SYSCALL_DELETE_MODULE_X, Other, &[text(0)], &[R, T0, Coded(Arg(1), &code::DELETE_MODULE_FLAGS)]),
    call("keyctl", id::SYSCALL_KEYCTL_X, Other, &[], &[R, A0, Dynamic(1), Dynamic(2), Dynamic(3), Dynamic(4)]),
    call("io_uring_setup", id::SYSCALL_IO_URING_SETUP_X, Other, &[bytes(1, 24)], &[R, A0, Number(U32(0, 0)), Number(U32(0, 4)), Coded(U32(0, 8), &code::IO_URING_SETUP_FLAGS), Number(U32(0, 12)), Number(U32(0, 16)), Coded(U32(0, 20), &code::IO_URING_SETUP_FEATS)]),
    call("io_uring_enter", id::SYSCALL_IO_URING_ENTER_X, Other, &[], &[R, A0, A1, A2, Coded(Arg(3), &code::IO_URING_ENTER_FLAGS), Empty]),
    call("io_uring_register", id::SYSCALL_IO_URING_REGISTER_X, Other, &[], &[R, A0, A1, A2, A3]),

    // Memory.
    call("mmap", id::SYSCALL_MMAP_X, Other, &[PROCESS], &[R, Number(U32(0, 52)), Number(U32(0, 56)), Number(U32(0, 60)), A0, A1, Coded(Arg(2), &code::PROT_FLAGS), Coded(Arg(3), &code::MMAP_FLAGS), A4, Number(Arg(5))]),
    call("munmap", id::SYSCALL_MUNMAP_X, Other, &[PROCESS], &[R, Number(U32(0, 52)), Number(U32(0, 56)), Number(U32(0, 60)), A0, A1]),
    call("brk", id::SYSCALL_BRK_4_X, Other, &[PROCESS], &[R, Number(U32(0, 52)), Number(U32(0, 56)), Number(U32(0, 60)), A0]),
    call("mprotect", id::SYSCALL_MPROTECT_X, Other, &[], &[R, A0, A1, Coded(Arg(2), &code::PROT_FLAGS)]),
    call("mlock", id::SYSCALL_MLOCK_X, Other, &[], &[R, A0, A1]),
    call("munlock", id::SYSCALL_MUNLOCK_X, Other, &[], &[R, A0, A1]),
    call("mlock2", id::SYSCALL_MLOCK2_X, Other, &[], &[R, A0, A1, Coded(Arg(2), &code::MLOCK2_FLAGS)]),
    call("mlockall", id::SYSCALL_MLOCKALL_X, Other, &[], &[R, Coded(Arg(0), &code::MLOCKALL_FLAGS)]),
    call("munlockall", id::SYSCALL_MUNLOCKALL_X, Other, &[], &[R]),
    call("futex", id::SYSCALL_FUTEX_X, Other, &[], &[R, A0, Origin::FutexOperation, A2]),
    call("semop", id::SYSCALL_SEMOP_X, Other, &[bytes(1, 12)], &[R, A2, Number(U16(0, 0)), Number(U16(0, 2)), Coded(U16(0, 4), &code::SEMOP_FLAGS), Number(U16(0, 6)), Number(U16(0, 8)), Coded(U16(0, 10), &code::SEMOP_FLAGS), A0]),
    call("semctl", id::SYSCALL_SEMCTL_X, Other, &[], &[R, A0, A1, Coded(Arg(2), &code::SEMCTL_CMD), A3]),
    call("semget", id::SYSCALL_SEMGET_X, Other, &[], &[R, A0, A1, Coded(Arg(2), &code::SEMGET_FLAGS)]),
];

impl Call {
    /// Descriptors that the call makes or forgets.
    pub(crate) fn makes(&self) -> Makes {
        match self.name {
            "pipe" | "pipe2" | "socketpair" => Makes::Pair,
            "close_range" => Makes::ForgetsAll,
            "sendmmsg" | "recvmmsg" => Makes::Messages,
            "fcntl" => Makes::Result,
            _ if EVENTS[usize::from(self.event)].flags.has(Flags::CREATES_FD) => Makes::Result,
            _ => Makes::Nothing,
        }
    }

    /// How opens for reading, and closes, are left out when no rule can ask about them (`enum wanted`).
    pub(crate) fn sieved(&self) -> Option<Wanted> {
        match self.name {
            "open" => Some(Wanted::SievedOpen),
            "openat" => Some(Wanted::SievedOpenat),
            "openat2" => Some(Wanted::SievedOpenat2),
            "close" => Some(Wanted::SievedClose),
            _ => None,
        }
    }
}

/// What becomes of a call (`enum wanted` of `record.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Wanted {
    Not,
    Sent,
    SievedOpen,
    SievedOpenat,
    SievedOpenat2,
    SievedClose,
}

/// Open flags that are not those of reading a file: O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_DIRECTORY, O_PATH, O_TMPFILE.
pub(crate) const NOT_READING: u32 =
    (libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC | libc::O_DIRECTORY | libc::O_PATH | libc::O_TMPFILE)
        as u32;

/// Calls that connect sockets: of them the state needs none that no rule asks for, when no other event's rule looks at
/// sockets.
pub(crate) static CONNECTIONS: &[&str] = &["connect", "accept", "accept4"];

/// Calls that keep the state true whatever the rules ask.
#[rustfmt::skip]
pub(crate) static STATE: &[&str] = &[
    "open", "creat", "openat", "openat2", "open_by_handle_at", "close", "close_range", "dup", "dup2", "dup3", "fcntl",
    "pipe", "pipe2", "eventfd", "eventfd2", "signalfd", "signalfd4", "timerfd_create", "inotify_init", "inotify_init1",
    "epoll_create", "epoll_create1", "memfd_create", "userfaultfd", "pidfd_open", "pidfd_getfd", "bpf", "io_uring_setup",
    "socket", "socketpair", "connect", "accept", "accept4", "bind", "chdir", "fchdir", "chroot",
    "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setsid", "setpgid", "capset", "setns", "unshare",
    "setrlimit", "prlimit64", "prctl",
];
