//! What is true now: threads, files, users and containers, folded from events.

mod container;
mod fd;
mod thread;
mod user;

pub use container::{Container, Containers};
pub use fd::{Fd, FdKind, FdTable, Unix};
pub use thread::{Slot, Text, Thread, ThreadGroup, Threads};
pub use user::{GroupEntry, UserEntry, Users};

use eyas_event::{Event, Interface, Machine, Snapshot};

/// Everything that fields can ask about the host.
#[derive(Debug, Default)]
pub struct State {
    /// Threads, groups and their files.
    pub threads: Threads,
    /// Users and groups per container id.
    pub users: Users,
    /// Container metadata by id.
    pub containers: Containers,
    /// Addresses of the host.
    pub interfaces: Vec<Interface>,
    /// Host facts.
    pub machine: Machine,
    /// Changes whenever a thread that others can see (as ancestor or leader) changed; see `Thread::version`.
    pub lineage: u64,
}

/// What `fold` found out about an event; valid until the next `fold`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// Thread of the event.
    pub thread: Option<Slot>,
    /// Last descriptor of the thread (`fd.num`).
    pub fd_num: Option<i64>,
    /// The event refers to a known open file: owner of the table and descriptor.
    pub fd: Option<(Slot, i64)>,
    /// `-p0` of a failed call.
    pub errno: Option<i64>,
    /// The event changed the name of its file (`fd.name_changed`).
    pub fd_renamed: bool,
    /// Events that no rule sees: enter events, state-only events, suppressed threads.
    pub hidden: bool,
}

impl State {
    /// Takes one record of the initial state.
    pub fn seed(&mut self, record: &Snapshot) {
        let _ = record;
    }

    /// Links parents, groups and leaders once all records of the initial state are in.
    pub fn seeded(&mut self) {}

    /// Applies an event; what it says is visible to fields afterwards.
    pub fn fold(&mut self, event: &Event<'_>) -> Seen {
        let _ = event;
        Seen::default()
    }

    /// The file an event refers to.
    pub fn fd(&self, seen: &Seen) -> Option<&Fd> {
        let (owner, num) = seen.fd?;
        self.threads.get(owner)?.files.get(num)
    }
}
