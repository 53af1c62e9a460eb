//! The thread table: records by id, groups, and who is whose parent.

use std::hash::Hasher;

use rustc_hash::{FxHashMap, FxHasher};

use crate::fd::Fd;
use crate::thread::{Slot, Thread, ThreadGroup, bits};

/// Most threads that are tracked.
const CAPACITY: usize = 262_144;
/// Ancestors that a line is followed for.
const LINE: usize = 48;
/// Ancestors after which a walk is taken for a loop.
const MAX_DEPTH: usize = 10_000;

/// The thread table.
#[derive(Debug, Default)]
pub struct Threads {
    slots: Vec<Option<Box<Thread>>>,
    free: Vec<Slot>,
    by_tid: FxHashMap<i64, Slot>,
    groups: FxHashMap<i64, ThreadGroup>,
    last: Option<(i64, Slot)>,
    /// Threads that a full table refused.
    pub refused: u64,
    /// Open files that a full table of a process refused.
    pub refused_files: u64,
    /// Threads added since the start.
    pub added: u64,
    /// Threads removed since the start.
    pub removed: u64,
}

impl Threads {
    /// The record in a slot.
    #[inline]
    pub fn get(&self, slot: Slot) -> Option<&Thread> {
        self.slots.get(slot.0 as usize)?.as_deref()
    }

    /// The record in a slot, to be changed.
    #[inline]
    pub(crate) fn get_mut(&mut self, slot: Slot) -> Option<&mut Thread> {
        self.slots.get_mut(slot.0 as usize)?.as_deref_mut()
    }

    /// The slot of a thread id.
    pub fn find(&self, tid: i64) -> Option<Slot> {
        match self.last {
            Some((last, slot)) if last == tid => Some(slot),
            _ => self.by_tid.get(&tid).copied(),
        }
    }

    /// As `find`, remembering the answer for the next event.
    #[inline]
    pub(crate) fn lookup(&mut self, tid: i64) -> Option<Slot> {
        if let Some((last, slot)) = self.last
            && last == tid
        {
            return Some(slot);
        }
        let slot = self.by_tid.get(&tid).copied()?;
        self.last = Some((tid, slot));
        Some(slot)
    }

    /// Threads in the table.
    pub fn len(&self) -> usize {
        self.by_tid.len()
    }

    /// Whether the table is empty.
    pub fn is_empty(&self) -> bool {
        self.by_tid.is_empty()
    }

    /// Slots handed out so far; every slot is smaller.
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    /// Every thread.
    pub fn iter(&self) -> impl Iterator<Item = (Slot, &Thread)> + '_ {
        self.slots.iter().enumerate().filter_map(|(i, t)| Some((Slot(i as u32), t.as_deref()?)))
    }

    /// Puts a record in the table in place of one with the same id; `None` when the table is full.
    pub(crate) fn insert(&mut self, thread: Thread) -> Option<Slot> {
        let tid = thread.tid;
        if let Some(slot) = self.by_tid.get(&tid).copied() {
            self.slots[slot.0 as usize] = Some(Box::new(thread));
            return Some(slot);
        }
        if self.by_tid.len() >= CAPACITY {
            self.refused += 1;
            return None;
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            Slot((self.slots.len() - 1) as u32)
        });
        self.slots[slot.0 as usize] = Some(Box::new(thread));
        self.by_tid.insert(tid, slot);
        self.added += 1;
        Some(slot)
    }

    /// Takes a record out of the table.
    pub(crate) fn erase(&mut self, slot: Slot) {
        let Some(thread) = self.slots.get_mut(slot.0 as usize).and_then(Option::take) else { return };
        self.by_tid.remove(&thread.tid);
        self.last = None;
        self.free.push(slot);
        self.removed += 1;
        if let Some(parent) = self.by_tid.get(&thread.ptid).copied()
            && let Some(parent) = self.get_mut(parent)
        {
            parent.children.retain(|child| *child != slot);
        }
        if let Some(group) = self.groups.get_mut(&thread.pid) {
            group.members.retain(|member| *member != slot);
            if group.members.is_empty() {
                self.groups.remove(&thread.pid);
            }
        }
    }

    /// Enters a record into its group and links it to its parent; invalid records stay alone.
    pub(crate) fn link(&mut self, slot: Slot) {
        let Some(thread) = self.get(slot) else { return };
        if thread.is_invalid() {
            return;
        }
        let (tid, pid, ptid, vpid) = (thread.tid, thread.pid, thread.ptid, thread.vpid);
        let main = thread.is_main();
        let group = self.groups.entry(pid).or_insert_with(|| ThreadGroup {
            pid,
            reaper: pid == 1 || vpid == 1,
            ..ThreadGroup::default()
        });
        if !group.members.contains(&slot) {
            group.alive += 1;
            if main { group.members.insert(0, slot) } else { group.members.push(slot) }
        }
        self.find_mains(pid);
        if tid == 1 {
            return;
        }
        let parent =
            self.by_tid.get(&ptid).copied().filter(|p| self.get(*p).is_some_and(|t| !t.is_invalid()));
        match parent {
            Some(parent) => self.adopt(parent, slot),
            None => self.with(slot, |t| t.ptid = 0),
        }
    }

    /// Sets the main thread of every member of a group.
    fn find_mains(&mut self, pid: i64) {
        let Some(group) = self.groups.get(&pid) else { return };
        let members = group.members.clone();
        let first = members.first().copied().filter(|s| self.get(*s).is_some_and(Thread::is_main));
        for member in members {
            self.with(member, |t| t.main = first);
        }
    }

    /// Makes a record main of itself whether or not it is in a group.
    pub(crate) fn settle(&mut self, slot: Slot) {
        self.with(slot, |t| {
            if t.is_main() && t.main.is_none() {
                t.main = Some(slot);
            }
        });
    }

    pub(crate) fn adopt(&mut self, parent: Slot, child: Slot) {
        let tid = self.get(parent).map_or(0, |t| t.tid);
        if let Some(parent) = self.get_mut(parent)
            && !parent.children.contains(&child)
        {
            parent.children.push(child);
        }
        self.with(child, |t| t.ptid = tid);
    }

    pub(crate) fn with(&mut self, slot: Slot, change: impl FnOnce(&mut Thread)) {
        if let Some(thread) = self.get_mut(slot) {
            change(thread);
        }
    }

    /// Enters an open file of a process.
    pub(crate) fn enter(&mut self, owner: Slot, num: i64, fd: Fd) {
        let taken = self.get_mut(owner).is_none_or(|t| t.files.insert(num, fd));
        self.refused_files += u64::from(!taken);
    }

    /// Main thread of a record.
    #[inline]
    pub fn main(&self, slot: Slot) -> Option<Slot> {
        let thread = self.get(slot)?;
        if thread.is_main() { Some(slot) } else { thread.main }
    }

    /// Parent in the table, or none at the top or on a gap.
    pub fn parent(&self, slot: Slot) -> Option<Slot> {
        let ptid = self.get(slot)?.ptid;
        self.by_tid.get(&ptid).copied()
    }

    /// `n`-th ancestor as `proc.aname[n]` counts: 0 is the main thread of the record itself.
    pub fn ancestor(&self, slot: Slot, n: usize) -> Option<Slot> {
        let mut at = self.main(slot)?;
        if n > MAX_DEPTH {
            return None;
        }
        for _ in 0..n {
            at = self.main(self.parent(at)?)?;
        }
        Some(at)
    }

    /// Ancestors of a record, its parent first, as `ancestor(1)`, `ancestor(2)` …; a loop ends the walk.
    pub fn ancestors(&self, slot: Slot) -> impl Iterator<Item = &Thread> + '_ {
        let start = self.main(slot);
        let mut at = start;
        let mut left = self.len().min(MAX_DEPTH);
        std::iter::from_fn(move || {
            at = self.parent(at?).and_then(|p| self.main(p));
            if at == start || left == 0 {
                at = None;
            }
            left = left.saturating_sub(1);
            self.get(at?)
        })
    }

    fn leader(&self, slot: Slot, direct: bool, id: impl Fn(&Thread) -> i64) -> Option<&Thread> {
        let thread = self.get(slot)?;
        let wanted = id(thread);
        if wanted == -1 {
            return None;
        }
        if (direct || !thread.in_pidns())
            && let Some(found) = self.by_tid.get(&wanted)
        {
            return self.get(*found);
        }
        let mut leader = None;
        for ancestor in self.ancestors(slot) {
            if id(ancestor) != wanted {
                break;
            }
            leader = Some(ancestor);
        }
        leader
    }

    /// A number that stays the same while no ancestor and no leader of a record changes; none for a line too long to
    /// be worth the walk.
    pub fn line(&self, slot: Slot) -> Option<u64> {
        let mut line = FxHasher::default();
        let mut at = self.main(slot)?;
        for _ in 0..LINE {
            let Some(parent) = self.parent(at) else {
                for leader in [self.session_leader(slot), self.vpgid_leader(slot), self.pgid_leader(slot)] {
                    line.write_u64(leader.map_or(0, |t| t.version));
                }
                return Some(line.finish());
            };
            let main = self.main(parent);
            line.write_u64(self.get(parent)?.version);
            line.write_u64(main.and_then(|main| self.get(main)).map_or(0, |t| t.version));
            at = main.unwrap_or(parent);
        }
        None
    }

    /// Leader of the session.
    pub fn session_leader(&self, slot: Slot) -> Option<&Thread> {
        self.leader(slot, false, |t| t.sid)
    }

    /// Leader of the process group, by its id in the innermost namespace.
    pub fn vpgid_leader(&self, slot: Slot) -> Option<&Thread> {
        self.leader(slot, false, |t| t.vpgid)
    }

    /// Leader of the process group, by its id on the host.
    pub fn pgid_leader(&self, slot: Slot) -> Option<&Thread> {
        self.leader(slot, true, |t| t.pgid)
    }

    /// Group of a record.
    pub fn group(&self, slot: Slot) -> Option<&ThreadGroup> {
        self.groups.get(&self.get(slot)?.pid).filter(|g| g.members.contains(&slot))
    }

    pub(crate) fn group_mut(&mut self, pid: i64) -> Option<&mut ThreadGroup> {
        self.groups.get_mut(&pid)
    }

    /// Who inherits the children of a thread that exits.
    pub(crate) fn reaper(&self, slot: Slot) -> Option<Slot> {
        let thread = self.get(slot)?;
        if thread.reaper_tid > 0 {
            let named = self.by_tid.get(&thread.reaper_tid).copied();
            if let Some(named) = named.filter(|s| self.get(*s).is_some_and(|t| !t.is_invalid())) {
                return Some(named);
            }
        }
        if let Some(sibling) = self.alive_member(thread.pid, Some(slot)) {
            return Some(sibling);
        }
        let inside = thread.in_pidns();
        let mut at = slot;
        for _ in 0..self.len().min(MAX_DEPTH) {
            at = self.parent(at)?;
            let ancestor = self.get(at)?;
            if ancestor.in_pidns() == inside
                && self.groups.get(&ancestor.pid).is_some_and(|g| g.reaper)
                && let Some(alive) = self.alive_member(ancestor.pid, None)
            {
                return Some(alive);
            }
        }
        None
    }

    fn alive_member(&self, pid: i64, except: Option<Slot>) -> Option<Slot> {
        let members = &self.groups.get(&pid)?.members;
        members.iter().copied().find(|m| Some(*m) != except && self.get(*m).is_some_and(|t| !t.is_dead()))
    }

    /// Takes a dead thread out: children go to their reaper, a dead main thread stays while others live.
    pub(crate) fn remove(&mut self, slot: Slot) {
        let Some(thread) = self.get(slot) else { return };
        let pid = thread.pid;
        if thread.is_invalid() || !self.groups.contains_key(&pid) {
            return self.erase(slot);
        }
        let dead = thread.is_dead();
        self.hand_over_children(slot, pid);
        if !dead {
            self.with(slot, |t| t.flags |= bits::CLOSED);
            if let Some(group) = self.groups.get_mut(&pid) {
                group.alive = group.alive.saturating_sub(1);
            }
        }
        let (alive, members) =
            self.groups.get(&pid).map_or((0, Vec::new()), |g| (g.alive, g.members.clone()));
        if alive == 0 {
            members.into_iter().for_each(|member| self.erase(member));
        } else if !self.get(slot).is_some_and(Thread::is_main) {
            self.erase(slot);
        }
    }

    fn hand_over_children(&mut self, slot: Slot, pid: i64) {
        let children = self.get_mut(slot).map(|t| std::mem::take(&mut t.children)).unwrap_or_default();
        if children.is_empty() {
            return;
        }
        let reaper = self.reaper(slot);
        if let Some(group) = reaper.and_then(|r| self.get(r)).map(|t| t.pid).filter(|p| *p != pid)
            && let Some(group) = self.groups.get_mut(&group)
        {
            group.reaper = true;
        }
        for child in children {
            match reaper {
                Some(reaper) if reaper != child => self.adopt(reaper, child),
                _ => self.with(child, |t| t.ptid = 0),
            }
        }
    }

    /// Ends every other thread of a group: its program was replaced.
    pub(crate) fn keep_only(&mut self, slot: Slot) {
        let Some(pid) = self.get(slot).map(|t| t.pid) else { return };
        let Some(group) = self.groups.get(&pid) else { return };
        if group.alive <= 1 {
            return;
        }
        let others: Vec<Slot> = group.members.iter().copied().filter(|m| *m != slot).collect();
        others.into_iter().for_each(|other| self.remove(other));
    }
}
