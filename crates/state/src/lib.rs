//! What is true now: threads, files, users and containers, folded from events.

mod address;
mod cgroup;
mod container;
mod excerpt;
mod fd;
mod fold;
mod path;
mod seed;
mod table;
mod thread;
mod user;

pub use cgroup::Cgroups;
pub use container::{Container, Containers};
pub use fd::{Fd, FdKind, FdTable, Unix};
pub use table::Threads;
pub use thread::{List, Slot, Text, Thread, ThreadGroup};
pub use user::{GroupEntry, UserEntry, Users};

use std::collections::VecDeque;
use std::net::IpAddr;

use eyas_event::{Interface, Machine};
use rustc_hash::{FxHashMap, FxHashSet};

pub use path::normalise;

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
    clock: u64,
    begun: bool,
    exiting: Option<i64>,
    closing: Vec<(Slot, i64)>,
    exited: VecDeque<(i64, i64, u64)>,
    listening: FxHashSet<u16>,
    switched: FxHashMap<u16, u64>,
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
    /// Events that no rule sees: enter events, state-only events.
    pub hidden: bool,
    /// Nanoseconds since the previous switch on this CPU (switch events).
    pub exectime: u64,
}

impl State {
    /// The file an event refers to.
    pub fn fd(&self, seen: &Seen) -> Option<&Fd> {
        let (owner, num) = seen.fd?;
        self.threads.get(owner)?.files.get(num)
    }

    /// The thread whose descriptors `slot` uses.
    pub fn files_owner(&self, slot: Slot) -> Option<Slot> {
        let thread = self.threads.get(slot)?;
        if thread.flags & thread::bits::FILES == 0 { Some(slot) } else { self.threads.main(slot) }
    }

    /// Working directory of a thread, ending in `/`.
    pub fn cwd(&self, slot: Slot) -> &[u8] {
        self.threads.main(slot).and_then(|m| self.threads.get(m)).map_or(b"./", |t| &t.cwd)
    }

    /// Whether an address is one of this host or of the container it belongs to.
    pub fn is_local(&self, ip: IpAddr, container: &[u8]) -> bool {
        let own = |i: &Interface| i.address == ip;
        if container.is_empty() {
            return self.interfaces.iter().any(|i| own(i) || (ip.is_ipv6() && same_subnet(i, ip)));
        }
        if ip.is_ipv6() {
            return false;
        }
        match self.containers.get(container).map(|c| c.text("ip")).filter(|ip| !ip.is_empty()) {
            Some(known) => known.parse() == Ok(ip) || self.interfaces.iter().any(own),
            None => self.containers.iter().any(|c| c.text("ip").parse() == Ok(ip)),
        }
    }

    /// A number never given before.
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// Marks a thread as changed, and the lineage when others can see it.
    fn touch(&mut self, slot: Slot) {
        let version = self.tick();
        let Some(thread) = self.threads.get_mut(slot) else { return };
        thread.version = version;
        let seen_by_others = thread.late
            || !thread.children.is_empty()
            || (thread.tid == thread.sid && thread.sid > 0)
            || (thread.tid == thread.pgid && thread.pgid > 0)
            || thread.main.is_some_and(|main| main != slot);
        let has_siblings = self.threads.group(slot).is_some_and(|g| g.alive > 1);
        if seen_by_others || has_siblings {
            self.lineage += 1;
        }
    }
}

/// IPv6 subnets are taken to be of 64 bits.
fn same_subnet(i: &Interface, ip: IpAddr) -> bool {
    match (i.address, i.netmask, ip) {
        (IpAddr::V4(a), IpAddr::V4(m), IpAddr::V4(ip)) => {
            a.to_bits() & m.to_bits() == ip.to_bits() & m.to_bits()
        }
        (IpAddr::V6(a), _, IpAddr::V6(ip)) => a.to_bits() >> 64 == ip.to_bits() >> 64,
        _ => false,
    }
}
