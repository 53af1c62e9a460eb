//! Threads, thread groups, and who is whose parent.

use std::cell::Cell;
use std::sync::Arc;

use crate::cgroup::Cgroups;
use crate::fd::FdTable;

/// Bytes that many records share.
pub type Text = Arc<[u8]>;

/// Index of a thread record, stable while the thread lives and reused later; `Thread::version` tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub u32);

/// One thread; see `State` for the rules that change it.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Thread {
    pub tid: i64,
    pub pid: i64,
    pub ptid: i64,
    pub reaper_tid: i64,
    pub sid: i64,
    pub vpgid: i64,
    pub pgid: i64,
    pub vtid: i64,
    pub vpid: i64,
    pub comm: Text,
    pub exe: Text,
    pub exepath: Text,
    pub args: List,
    /// comm and args joined by blanks.
    pub cmdline: Text,
    /// Of the main thread.
    pub env: List,
    /// Of the main thread; ends in `/`.
    pub cwd: Text,
    pub root: Text,
    pub cgroups: Cgroups,
    /// Clone-flag bits and the engine's own.
    pub flags: u32,
    pub fdlimit: i64,
    pub uid: u32,
    pub gid: u32,
    pub loginuid: u32,
    pub tty: u32,
    pub cap_inheritable: u64,
    pub cap_permitted: u64,
    pub cap_effective: u64,
    pub exe_writable: bool,
    pub exe_upper_layer: bool,
    pub exe_lower_layer: bool,
    pub exe_from_memfd: bool,
    pub exe_ino: u64,
    pub exe_ino_ctime: u64,
    pub exe_ino_mtime: u64,
    pub exe_ino_ctime_duration_clone_ts: u64,
    pub exe_ino_ctime_duration_pidns_start: u64,
    pub vmsize_kb: u32,
    pub vmrss_kb: u32,
    pub vmswap_kb: u32,
    pub pfmajor: u64,
    pub pfminor: u64,
    pub pidns_init_start_ts: u64,
    pub clone_ts: u64,
    pub lastexec_ts: u64,
    pub exectime_total: u64,
    /// Processor time that was asked for last, of whatever kind: asking moves it, as in Falco.
    pub cpu_mark: Cell<u64>,
    pub lastevent_ts: u64,
    pub prevevent_ts: u64,
    /// Container id, empty on the host.
    pub container_id: Text,
    /// Health-probe category of the process.
    pub category: u8,
    /// Slot of the main thread; itself for a main thread.
    pub main: Option<Slot>,
    /// Open files; only those of the main thread are used.
    pub files: FdTable,
    /// Globally unique, drawn anew on every change that a proc.*, thread.*, user.*, group.* or container.*
    /// predicate about this thread itself could notice. Page faults, memory sizes and event times excepted.
    pub version: u64,
    /// Descriptor of the thread's last event, -1 when there was none.
    pub(crate) last_fd: i64,
    /// The enter event that waits for its exit.
    pub(crate) enter: Option<Box<[u8]>>,
    /// It was unknown at first: threads that are not among its children may have named it as their parent.
    pub(crate) late: bool,
    /// Threads whose `ptid` is this one, newest last.
    pub(crate) children: Vec<Slot>,
}

/// Bits of `Thread::flags` that the engine reads or sets itself.
pub(crate) mod bits {
    pub(crate) const FILES: u32 = 1;
    pub(crate) const NEWPID: u32 = 1 << 6;
    pub(crate) const PARENT: u32 = 1 << 8;
    pub(crate) const THREAD: u32 = 1 << 13;
    pub(crate) const INVERTED: u32 = 1 << 16;
    pub(crate) const NAME_CHANGED: u32 = 1 << 17;
    pub(crate) const CLOSED: u32 = 1 << 18;
    pub(crate) const ACTIVE: u32 = 1 << 19;
    pub(crate) const NEWUSER: u32 = 1 << 20;
    pub(crate) const PIPE_SRC: u32 = 1 << 21;
    pub(crate) const PIPE_DST: u32 = 1 << 22;
    pub(crate) const VFORK: u32 = 1 << 27;
    pub(crate) const CHILD_IN_PIDNS: u32 = 1 << 29;
    pub(crate) const IS_MAIN: u32 = 1 << 30;
}

impl Thread {
    /// A record that only has an id: what stands for a thread nobody knows.
    pub(crate) fn unknown(tid: i64) -> Thread {
        let na = Text::from(&b"<NA>"[..]);
        Thread { comm: na.clone(), exe: na.clone(), cmdline: na, late: true, ..Thread::blank(tid) }
    }

    /// A record with every default.
    pub(crate) fn blank(tid: i64) -> Thread {
        let none = Text::default();
        Thread {
            tid,
            pid: -1,
            ptid: -1,
            reaper_tid: -1,
            sid: -1,
            vpgid: -1,
            pgid: -1,
            vtid: -1,
            vpid: -1,
            comm: none.clone(),
            exe: none.clone(),
            exepath: none.clone(),
            args: List::default(),
            cmdline: none.clone(),
            env: List::default(),
            cwd: none.clone(),
            root: none.clone(),
            cgroups: Cgroups::default(),
            flags: bits::NAME_CHANGED,
            fdlimit: -1,
            uid: u32::MAX,
            gid: u32::MAX,
            loginuid: u32::MAX,
            tty: 0,
            cap_inheritable: 0,
            cap_permitted: 0,
            cap_effective: 0,
            exe_writable: false,
            exe_upper_layer: false,
            exe_lower_layer: false,
            exe_from_memfd: false,
            exe_ino: 0,
            exe_ino_ctime: 0,
            exe_ino_mtime: 0,
            exe_ino_ctime_duration_clone_ts: 0,
            exe_ino_ctime_duration_pidns_start: 0,
            vmsize_kb: 0,
            vmrss_kb: 0,
            vmswap_kb: 0,
            pfmajor: 0,
            pfminor: 0,
            pidns_init_start_ts: 0,
            clone_ts: 0,
            lastexec_ts: 0,
            exectime_total: 0,
            cpu_mark: Cell::new(0),
            lastevent_ts: 0,
            prevevent_ts: 0,
            container_id: none,
            category: 0,
            main: None,
            files: FdTable::default(),
            version: 0,
            last_fd: -1,
            enter: None,
            late: false,
            children: Vec::new(),
        }
    }

    /// Nothing is known but the id.
    pub fn is_invalid(&self) -> bool {
        self.tid < 0 || self.pid < 0 || self.ptid < 0
    }

    /// The thread whose id is the process id.
    pub fn is_main(&self) -> bool {
        self.tid == self.pid || self.flags & bits::IS_MAIN != 0
    }

    /// Lives in a pid namespace of its own.
    pub fn in_pidns(&self) -> bool {
        self.flags & bits::CHILD_IN_PIDNS != 0 || (self.vtid >= 0 && self.tid != self.vtid)
    }

    /// Has exited.
    pub fn is_dead(&self) -> bool {
        self.flags & bits::CLOSED != 0
    }

    /// Sets the arguments and what follows from them.
    pub(crate) fn set_args(&mut self, list: &[u8]) {
        self.args = List::new(list);
        let mut line = self.comm.to_vec();
        for arg in self.args.iter() {
            line.push(b' ');
            line.extend_from_slice(arg);
        }
        self.cmdline = Text::from(line);
    }
}

/// Texts with a NUL between each, as the kernel keeps arguments and environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List(Text);

impl List {
    /// The NUL at the end is optional.
    pub(crate) fn new(list: &[u8]) -> List {
        List(Text::from(list.strip_suffix(b"\0").unwrap_or(list)))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        if self.is_empty() { 0 } else { memchr::memchr_iter(0, &self.0).count() + 1 }
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|b| *b == 0).take(if self.is_empty() { 0 } else { usize::MAX })
    }

    /// All of them with a blank between each.
    pub fn joined(&self) -> Vec<u8> {
        self.0.iter().map(|b| if *b == 0 { b' ' } else { *b }).collect()
    }
}

/// Threads that share a pid.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct ThreadGroup {
    pub pid: i64,
    pub alive: u32,
    pub reaper: bool,
    pub(crate) members: Vec<Slot>,
}
