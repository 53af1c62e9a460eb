//! What is true before the first event: the records that a capture's head, the iterators and /proc all give.
//!
//! Strings are raw bytes without terminator. Absent numbers hold the default of the capture format.

use std::net::IpAddr;

/// An age that no entry holds and that is beyond those which rules ask about. Falco has an address of its memory in
/// that place; this is the highest there is.
pub const BEYOND_AGE: u64 = (1 << 47) - 1;

/// Host facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// Processors.
    pub cpus: u32,
    /// Bytes of memory.
    pub memory: u64,
    /// `/proc/sys/kernel/pid_max`.
    pub max_pid: u64,
    /// Host name.
    pub hostname: Vec<u8>,
    /// Boot time, nanoseconds since the epoch.
    pub boot_ts: u64,
}

/// One thread; fields as in an entry of the process list (v9).
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Process {
    pub tid: i64,
    pub pid: i64,
    pub ptid: i64,
    pub sid: i64,
    pub vpgid: i64,
    pub pgid: i64,
    pub vtid: i64,
    pub vpid: i64,
    pub comm: Vec<u8>,
    pub exe: Vec<u8>,
    pub exepath: Vec<u8>,
    /// NUL-separated.
    pub args: Vec<u8>,
    /// NUL-separated.
    pub env: Vec<u8>,
    /// NUL-separated `subsystem=path`.
    pub cgroups: Vec<u8>,
    pub cwd: Vec<u8>,
    pub root: Vec<u8>,
    pub fdlimit: i64,
    pub flags: u32,
    pub uid: u32,
    pub gid: u32,
    pub loginuid: u32,
    pub vmsize_kb: u32,
    pub vmrss_kb: u32,
    pub vmswap_kb: u32,
    pub pfmajor: u64,
    pub pfminor: u64,
    pub tty: u32,
    pub pidns_init_start_ts: u64,
    pub clone_ts: u64,
    pub exe_writable: bool,
    pub exe_upper_layer: bool,
    pub exe_lower_layer: bool,
    pub exe_from_memfd: bool,
    pub exe_ino: u64,
    pub exe_ino_ctime: u64,
    pub exe_ino_mtime: u64,
    /// Age of the program's inode when the thread started, nanoseconds; 0 is unknown.
    pub exe_age: u64,
    /// Age of the program's inode when the pid namespace started, nanoseconds; 0 is unknown.
    pub exe_age_in_namespace: u64,
    pub cap_inheritable: u64,
    pub cap_permitted: u64,
    pub cap_effective: u64,
}

impl Default for Process {
    fn default() -> Process {
        Process {
            tid: -1,
            pid: -1,
            ptid: -1,
            sid: -1,
            vpgid: -1,
            pgid: -1,
            vtid: -1,
            vpid: -1,
            comm: Vec::new(),
            exe: Vec::new(),
            exepath: Vec::new(),
            args: Vec::new(),
            env: Vec::new(),
            cgroups: Vec::new(),
            cwd: Vec::new(),
            root: Vec::new(),
            fdlimit: -1,
            flags: 0,
            uid: u32::MAX,
            gid: u32::MAX,
            loginuid: u32::MAX,
            vmsize_kb: 0,
            vmrss_kb: 0,
            vmswap_kb: 0,
            pfmajor: 0,
            pfminor: 0,
            tty: 0,
            pidns_init_start_ts: 0,
            clone_ts: 0,
            exe_writable: false,
            exe_upper_layer: false,
            exe_lower_layer: false,
            exe_from_memfd: false,
            exe_ino: 0,
            exe_ino_ctime: 0,
            exe_ino_mtime: 0,
            exe_age: 0,
            exe_age_in_namespace: 0,
            cap_inheritable: 0,
            cap_permitted: 0,
            cap_effective: 0,
        }
    }
}

/// One open file of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Thread that owns the table.
    pub tid: i64,
    /// Descriptor number.
    pub fd: i64,
    /// Inode.
    pub ino: u64,
    /// Kind and what belongs to it.
    pub kind: FileKind,
}

/// Kinds of open files; `code` of the capture format in the comment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum FileKind {
    /// 3, 4
    Connection { source: IpAddr, dest: IpAddr, sport: u16, dport: u16, l4: u8 },
    /// 5, 6
    Listener { ip: IpAddr, port: u16, l4: u8 },
    /// 8
    Unix { source: u64, dest: u64, name: Vec<u8> },
    /// 1 and 16
    Regular { flags: u32, name: Vec<u8>, dev: u32, mount_id: u32 },
    /// every other code: 0 unknown, 2 directory, 7 fifo, 9 eventfd … 21 pidfd
    Named { code: u8, name: Vec<u8> },
}

/// One address of one network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Name, such as `eth0`.
    pub name: Vec<u8>,
    /// Address.
    pub address: IpAddr,
    /// Netmask.
    pub netmask: IpAddr,
    /// Broadcast address.
    pub broadcast: IpAddr,
    /// Bits per second, 0 when unknown.
    pub linkspeed: u64,
}

/// One user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct User {
    pub uid: u32,
    pub gid: u32,
    pub name: Vec<u8>,
    pub home: Vec<u8>,
    pub shell: Vec<u8>,
}

/// One group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Group {
    pub gid: u32,
    pub name: Vec<u8>,
}

/// One record of the initial state.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Snapshot {
    Machine(Machine),
    Process(Box<Process>),
    File(File),
    Interface(Interface),
    User(User),
    Group(Group),
}
