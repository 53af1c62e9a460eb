//! Birth and death of threads.

use eyas_event::{Event, id};

use crate::thread::{Slot, Text, Thread, bits};
use crate::{Seen, State};

/// Exited threads that are remembered.
const EXITED: usize = 8192;
/// Age within which an exited thread's late clone event is recognised, and a record counts as fresh.
const RECENT_NS: u64 = 2_000_000_000;
/// What stands for a text that an event lacks.
pub(super) const UNKNOWN: &[u8] = b"<NA>";

impl State {
    pub(super) fn clone_exit(&mut self, event: &Event<'_>, seen: &mut Seen) {
        match event.signed(0) {
            Some(0) => self.clone_child(event, seen),
            Some(child) if child > 0 => self.clone_caller(event, child, seen),
            _ => {}
        }
        if let Some(slot) = seen.thread {
            self.find_container(slot);
        }
    }

    fn clone_caller(&mut self, event: &Event<'_>, child: i64, seen: &mut Seen) {
        let Some(caller) = self.threads.lookup(event.tid).or_else(|| self.placeholder(event.tid)) else {
            return;
        };
        seen.thread = Some(caller);
        let flags = event.unsigned(15).unwrap_or(0) as u32;
        let known = !self.complete_caller(caller, event);
        let Some(thread) = self.threads.get(caller) else { return };
        if flags & (bits::CHILD_IN_PIDNS | bits::NEWPID | bits::PARENT) != 0 || thread.tid != thread.vtid {
            return;
        }
        if event.kind == id::SYSCALL_VFORK_20_X || flags & bits::VFORK != 0 {
            return;
        }
        let just_exited = |e: &(i64, i64, u64)| {
            (e.0, e.1) == (event.tid, child) && event.ts.saturating_sub(e.2) < RECENT_NS
        };
        if self.exited.iter().any(just_exited) {
            return;
        }
        if let Some(old) = self.threads.find(child) {
            if self.flags_of(old) & bits::INVERTED != 0 {
                return;
            }
            self.replace(old);
        }
        let mut new =
            Thread { flags, pid: child, ptid: event.tid, vtid: child, vpid: child, ..Thread::blank(child) };
        if flags & bits::THREAD != 0 {
            (new.pid, new.ptid, new.vpid) = (thread_pid(self, caller), thread_ptid(self, caller), -1);
            new.vpid = new.pid;
        }
        if !known {
            self.threads.with(caller, |t| set_program(t, event));
        }
        self.born(new, Some(caller).filter(|_| known), event);
    }

    /// Fills what an unknown caller reveals of itself; whether there was anything to fill.
    fn complete_caller(&mut self, caller: Slot, event: &Event<'_>) -> bool {
        let Some(thread) = self.threads.get_mut(caller).filter(|t| t.is_invalid()) else { return false };
        thread.pid = event.signed(4).unwrap_or(-1);
        thread.ptid = event.signed(5).unwrap_or(-1);
        (thread.vtid, thread.vpid) = namespace_ids(event, thread.tid);
        self.admit(caller);
        self.lineage += 1; // known threads may have named it as their parent
        true
    }

    fn clone_child(&mut self, event: &Event<'_>, seen: &mut Seen) {
        if let Some(old) = self.threads.find(event.tid) {
            let born = self.threads.get(old).map_or(0, |t| t.clone_ts);
            if born != 0 && event.ts.saturating_sub(born) < RECENT_NS {
                return;
            }
            if born != 0 || self.threads.get(old).is_some_and(|t| !t.is_invalid()) {
                self.replace(old);
            }
        }
        let flags = event.unsigned(15).unwrap_or(0) as u32 | bits::INVERTED;
        let (vtid, vpid) = namespace_ids(event, event.tid);
        let new = Thread {
            flags,
            pid: event.signed(4).unwrap_or(-1),
            ptid: event.signed(5).unwrap_or(-1),
            vtid,
            vpid,
            ..Thread::blank(event.tid)
        };
        let source_tid = if flags & bits::THREAD == 0 { new.ptid } else { new.pid };
        let source = self.threads.find(source_tid).or_else(|| self.placeholder(source_tid));
        let known = source.filter(|s| self.threads.get(*s).is_some_and(|t| !t.is_invalid()));
        if let Some(source) = source.filter(|_| flags & bits::THREAD != 0) {
            self.complete_main(source, &new, event);
        }
        seen.thread = self.born(new, known, event);
    }

    /// A thread reveals its unknown main thread.
    fn complete_main(&mut self, main: Slot, child: &Thread, event: &Event<'_>) {
        let Some(thread) = self.threads.get_mut(main) else { return };
        if !thread.is_invalid() {
            return;
        }
        (thread.pid, thread.ptid, thread.vpid, thread.vtid) = (child.pid, child.ptid, child.vpid, child.vpid);
        set_program(thread, event);
        self.admit(main);
        self.lineage += 1; // as above
    }

    /// Enters a new thread with what the event says and what it inherits from a thread that is known.
    fn born(&mut self, mut new: Thread, source: Option<Slot>, event: &Event<'_>) -> Option<Slot> {
        let own = new.flags & bits::THREAD == 0;
        if let Some(source) = source.and_then(|s| self.threads.get(s)) {
            inherit(&mut new, source);
            if own {
                let owner = self.files_owner_of(source);
                new.files = owner.map(|t| t.files.clone()).unwrap_or_default();
                let main = self.threads.find(source.tid).and_then(|s| self.threads.main(s));
                if let Some(main) = main.and_then(|m| self.threads.get(m)) {
                    (new.cwd, new.env) = (main.cwd.clone(), main.env.clone());
                }
            } else {
                new.lastexec_ts = source.lastexec_ts;
            }
        }
        if own {
            new.flags &= !bits::FILES;
        } else {
            new.flags |= bits::FILES;
        }
        set_program(&mut new, event);
        set_numbers(&mut new, event);
        new.clone_ts = event.ts;
        let boot = self.machine.boot_ts;
        let in_namespace = new.in_pidns() || new.flags & bits::NEWPID != 0;
        new.pidns_init_start_ts = match event.unsigned(20) {
            _ if !in_namespace => boot,
            Some(start) => start.wrapping_add(boot),
            None => 0,
        };
        let slot = self.threads.insert(new)?;
        self.admit(slot);
        self.threads.lookup(event.tid);
        Some(slot)
    }

    fn files_owner_of(&self, thread: &Thread) -> Option<&Thread> {
        let slot = self.threads.find(thread.tid)?;
        self.threads.get(self.files_owner(slot)?)
    }

    /// An id was used again: the old record goes.
    fn replace(&mut self, old: Slot) {
        self.lineage += 1;
        self.threads.remove(old);
        if self.threads.get(old).is_some() {
            self.threads.erase(old);
        }
    }

    pub(super) fn exit(&mut self, event: &Event<'_>, seen: &Seen) {
        let Some(slot) = seen.thread else { return };
        let Some(thread) = self.threads.get_mut(slot) else { return };
        if !thread.is_dead() {
            thread.flags |= bits::CLOSED;
            let pid = thread.pid;
            if let Some(group) = self.threads.group_mut(pid) {
                group.alive = group.alive.saturating_sub(1);
            }
        }
        let Some(thread) = self.threads.get_mut(slot) else { return };
        if !thread.children.is_empty() {
            thread.reaper_tid = event.signed(4).unwrap_or(-1);
        }
        let (ptid, tid) = (thread.ptid, thread.tid);
        if thread.vpid == 1 && thread.vtid == 1 {
            let container = thread.container_id.clone();
            self.users.remove_container(&container);
        }
        self.exiting = Some(tid);
        if self.exited.len() >= EXITED {
            self.exited.pop_front();
        }
        self.exited.push_back((ptid, tid, event.ts));
    }
}

/// Thread and process id in the namespace of the child; old captures do not tell.
fn namespace_ids(event: &Event<'_>, tid: i64) -> (i64, i64) {
    match event.signed(19) {
        Some(vpid) => (event.signed(18).unwrap_or(tid), vpid),
        None => (tid, -1),
    }
}

fn thread_pid(state: &State, slot: Slot) -> i64 {
    state.threads.get(slot).map_or(-1, |t| t.pid)
}

fn thread_ptid(state: &State, slot: Slot) -> i64 {
    state.threads.get(slot).map_or(-1, |t| t.ptid)
}

fn inherit(new: &mut Thread, source: &Thread) {
    if source.is_invalid() {
        return;
    }
    new.cgroups = source.cgroups.clone();
    new.exepath = source.exepath.clone();
    new.exe_writable = source.exe_writable;
    new.exe_upper_layer = source.exe_upper_layer;
    new.exe_lower_layer = source.exe_lower_layer;
    new.exe_from_memfd = source.exe_from_memfd;
    new.root = source.root.clone();
    new.sid = source.sid;
    new.vpgid = source.vpgid;
    new.pgid = source.pgid;
    new.tty = source.tty;
    new.loginuid = source.loginuid;
    new.cap_inheritable = source.cap_inheritable;
    new.cap_permitted = source.cap_permitted;
    new.cap_effective = source.cap_effective;
    new.exe_ino = source.exe_ino;
    new.exe_ino_ctime = source.exe_ino_ctime;
    new.exe_ino_mtime = source.exe_ino_mtime;
    new.exe_ino_ctime_duration_clone_ts = source.exe_ino_ctime_duration_clone_ts;
}

/// exe, comm and args of a clone or exec event.
pub(super) fn set_program(thread: &mut Thread, event: &Event<'_>) {
    let exe = event.text(1).unwrap_or(UNKNOWN);
    thread.exe = share(&thread.exe, exe);
    thread.comm = share(&thread.comm, event.text(13).unwrap_or(exe));
    if let Some(args) = event.param(2) {
        thread.set_args(args);
    }
}

/// The old text when it is the same.
pub(super) fn share(old: &Text, new: &[u8]) -> Text {
    if old.as_ref() == new { old.clone() } else { Text::from(new) }
}

/// Numbers that clone events carry at the same place as exec events, and ids after them.
fn set_numbers(thread: &mut Thread, event: &Event<'_>) {
    set_sizes(thread, event);
    thread.uid = event.unsigned(16).map_or(thread.uid, |n| n as u32);
    thread.gid = event.unsigned(17).map_or(thread.gid, |n| n as u32);
}

/// fdlimit, page faults, memory sizes and cgroups: parameters 7 to 14.
pub(super) fn set_sizes(thread: &mut Thread, event: &Event<'_>) {
    thread.fdlimit = event.signed(7).unwrap_or(thread.fdlimit);
    thread.pfmajor = event.unsigned(8).unwrap_or(thread.pfmajor);
    thread.pfminor = event.unsigned(9).unwrap_or(thread.pfminor);
    thread.vmsize_kb = event.unsigned(10).map_or(thread.vmsize_kb, |n| n as u32);
    thread.vmrss_kb = event.unsigned(11).map_or(thread.vmrss_kb, |n| n as u32);
    thread.vmswap_kb = event.unsigned(12).map_or(thread.vmswap_kb, |n| n as u32);
    if let Some(list) = event.param(14).filter(|p| !p.is_empty()) {
        thread.cgroups.renew(list);
    }
}
