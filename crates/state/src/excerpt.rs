//! What an event was about, cut out of all that was true: it can be looked at again when more is known.

use crate::fd::FdTable;
use crate::thread::{Slot, Thread};
use crate::{Seen, State};

/// Ancestors that are looked at.
const LINE: usize = 32;

impl State {
    /// The thread of an event with its ancestors and leaders, the file of the event, and what is known of the host;
    /// users and containers stay behind. With it comes what was seen of the event, in terms of the excerpt.
    pub fn excerpt(&self, seen: &Seen) -> (State, Seen) {
        let mut part =
            State { interfaces: self.interfaces.clone(), machine: self.machine.clone(), ..State::default() };
        let slots: Vec<Slot> =
            self.around(seen).into_iter().filter_map(|thread| part.threads.insert(bare(thread))).collect();
        if let Some((owner, num)) = seen.fd
            && let (Some(thread), Some(fd)) = (self.threads.get(owner), self.fd(seen))
            && let Some(slot) = part.threads.find(thread.tid)
        {
            part.threads.enter(slot, num, fd.clone());
        }
        slots.into_iter().for_each(|slot| part.admit(slot));
        let moved = |slot: Slot| part.threads.find(self.threads.get(slot)?.tid);
        let fd = seen.fd.and_then(|(owner, num)| Some((moved(owner)?, num)));
        let seen = Seen { thread: seen.thread.and_then(moved), fd, ..*seen };
        (part, seen)
    }

    /// Threads that fields of an event can be about, those who came first ahead of the others.
    fn around(&self, seen: &Seen) -> Vec<&Thread> {
        let Some(slot) = seen.thread else { return Vec::new() };
        let threads = &self.threads;
        let leaders = [threads.session_leader(slot), threads.vpgid_leader(slot), threads.pgid_leader(slot)];
        let mut line = vec![Some(slot), threads.main(slot), seen.fd.map(|(owner, _)| owner)];
        let mut at = threads.main(slot);
        for _ in 0..LINE {
            // A thread that is not the main one may have been the parent.
            let Some(parent) = at.and_then(|slot| threads.parent(slot)) else { break };
            at = threads.main(parent);
            line.extend([Some(parent), at]);
        }
        let mut found: Vec<&Thread> =
            line.into_iter().rev().flatten().filter_map(|slot| threads.get(slot)).collect();
        found.extend(leaders.into_iter().flatten());
        found
    }
}

/// A thread without its files and its links to others.
fn bare(thread: &Thread) -> Thread {
    Thread { files: FdTable::default(), main: None, enter: None, children: Vec::new(), ..thread.clone() }
}
