//! Threads, thread groups, and who is whose parent.

use std::sync::Arc;

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
    pub args: Arc<[Text]>,
    /// comm and args joined by blanks.
    pub cmdline: Text,
    /// Of the main thread.
    pub env: Arc<[Text]>,
    /// Of the main thread; ends in `/`.
    pub cwd: Text,
    pub root: Text,
    /// (subsystem, path).
    pub cgroups: Arc<[(Text, Text)]>,
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
}

/// Threads that share a pid.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct ThreadGroup {
    pub pid: i64,
    pub alive: u32,
    pub reaper: bool,
}

/// The thread table.
#[derive(Debug, Default)]
pub struct Threads {}

impl Threads {
    /// The record in a slot.
    pub fn get(&self, slot: Slot) -> Option<&Thread> {
        let _ = slot;
        None
    }

    /// The slot of a thread id.
    pub fn find(&self, tid: i64) -> Option<Slot> {
        let _ = tid;
        None
    }

    /// Threads in the table.
    pub fn len(&self) -> usize {
        0
    }

    /// Whether the table is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Main thread of a record.
    pub fn main(&self, slot: Slot) -> Option<Slot> {
        self.get(slot)?.main
    }

    /// Parent in the table, or none at the top, on a gap or in a loop.
    pub fn parent(&self, slot: Slot) -> Option<Slot> {
        let _ = slot;
        None
    }

    /// `n`-th ancestor as `proc.aname[n]` counts: 0 is the main thread of the record itself.
    pub fn ancestor(&self, slot: Slot, n: usize) -> Option<Slot> {
        let _ = (slot, n);
        None
    }

    /// Ancestors of a record, its parent first.
    pub fn ancestors(&self, slot: Slot) -> impl Iterator<Item = &Thread> + '_ {
        let _ = slot;
        std::iter::empty()
    }

    /// Leader of the session, virtual process group or process group.
    pub fn session_leader(&self, slot: Slot) -> Option<&Thread> {
        let _ = slot;
        None
    }

    /// See `session_leader`.
    pub fn vpgid_leader(&self, slot: Slot) -> Option<&Thread> {
        let _ = slot;
        None
    }

    /// See `session_leader`.
    pub fn pgid_leader(&self, slot: Slot) -> Option<&Thread> {
        let _ = slot;
        None
    }

    /// Group of a record.
    pub fn group(&self, slot: Slot) -> Option<&ThreadGroup> {
        let _ = slot;
        None
    }
}
