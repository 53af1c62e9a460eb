//! How each event changes the state. One pass an event: settle what the last one left, locate, apply.

mod clone;
mod exec;
mod files;
mod ids;
mod meta;
mod sockets;

use eyas_event::table::{Flags, Info};
use eyas_event::{Event, id};

use crate::thread::{Slot, Thread, bits};
use crate::{Seen, State};

/// Longest enter event that is kept.
const MAX_ENTER: usize = 4096;

impl State {
    /// Applies an event; what it says is visible to fields afterwards.
    pub fn fold(&mut self, event: &Event<'_>) -> Seen {
        self.settle();
        let info = event.info();
        let mut seen = Seen { hidden: is_hidden(event) || self.at_head(event.kind), ..Seen::default() };
        self.locate(event, info, &mut seen);
        let had_name = self.fd(&seen).map(|fd| fd.name.clone());
        self.apply(event, &mut seen);
        let before = had_name.unwrap_or_default();
        seen.fd_renamed = self.fd(&seen).is_some_and(|fd| fd.name != before);
        self.leave(event, info, &mut seen);
        seen
    }

    /// State events before the first other event describe the start, nothing that happened.
    fn at_head(&mut self, kind: u16) -> bool {
        let state = matches!(
            kind,
            id::CONTAINER_JSON_2_E
                | id::USER_ADDED_E
                | id::USER_DELETED_E
                | id::GROUP_ADDED_E
                | id::GROUP_DELETED_E
                | id::ASYNCEVENT_E
        );
        self.begun |= !state;
        !self.begun
    }

    /// Does what the previous event left for later.
    fn settle(&mut self) {
        if let Some(tid) = self.exiting.take()
            && let Some(slot) =
                self.threads.find(tid).filter(|s| self.threads.get(*s).is_some_and(Thread::is_dead))
        {
            if self
                .threads
                .get(slot)
                .is_some_and(|t| !t.children.is_empty() || t.tid == t.sid || t.is_invalid())
            {
                self.lineage += 1;
            }
            self.threads.remove(slot);
        }
        while let Some((owner, num)) = self.closing.pop() {
            self.threads.with(owner, |t| t.files.remove(num));
        }
    }

    /// Finds the thread, the descriptor and the error code of an event.
    fn locate(&mut self, event: &Event<'_>, info: &Info, seen: &mut Seen) {
        seen.thread = self.thread_of(event, info);
        let exit = info.is_exit();
        let syscall = info.sources & 512 != 0;
        if exit && syscall && event.kind != id::GENERIC_X {
            seen.errno =
                event.signed(0).filter(|_| returns(info)).filter(|res| *res < 0).map(i64::wrapping_neg);
        }
        let Some(slot) = seen.thread else { return };
        let Some(thread) = self.threads.get_mut(slot) else { return };
        if exit {
            let valid = thread.enter.as_ref().is_some_and(|e| matches_exit(e, event.kind));
            if !valid {
                thread.last_fd = -1;
                thread.enter = None;
            }
        } else if event.kind != id::SCHEDSWITCH_6_E {
            thread.last_fd = -1;
            thread.enter = None;
        }
        if info.flags.has(Flags::USES_FD) {
            if thread.last_fd < 0 {
                thread.last_fd = info.fd_param.and_then(|i| event.signed(i)).unwrap_or(-1);
            }
            let num = thread.last_fd;
            let owner = self.files_owner(slot);
            seen.fd = owner.filter(|o| self.has_fd(*o, num)).map(|o| (o, num));
        }
    }

    fn has_fd(&self, owner: Slot, num: i64) -> bool {
        self.threads.get(owner).is_some_and(|t| t.files.get(num).is_some())
    }

    fn thread_of(&mut self, event: &Event<'_>, info: &Info) -> Option<Slot> {
        match event.kind {
            id::CONTAINER_JSON_2_E
            | id::USER_ADDED_E
            | id::USER_DELETED_E
            | id::GROUP_ADDED_E
            | id::GROUP_DELETED_E
            | id::PLUGINEVENT_E
            | id::ASYNCEVENT_E => None,
            id::SYSCALL_CLONE_20_X
            | id::SYSCALL_CLONE3_X
            | id::SYSCALL_FORK_20_X
            | id::SYSCALL_VFORK_20_X
            | id::SCHEDSWITCH_6_E
            | id::PROCEXIT_1_E
            | id::PROCINFO_E => self.threads.lookup(event.tid),
            _ if info.flags.has(Flags::SKIP_PARSER_RESET) => None,
            _ => self.threads.lookup(event.tid).or_else(|| self.placeholder(event.tid)),
        }
    }

    /// A record for a thread that nobody knows; others may have named it as their parent or leader before.
    pub(super) fn placeholder(&mut self, tid: i64) -> Option<Slot> {
        let slot = self.threads.insert(Thread::unknown(tid))?;
        self.lineage += 1;
        let version = self.tick();
        self.threads.with(slot, |t| t.version = version);
        Some(slot)
    }

    fn apply(&mut self, event: &Event<'_>, seen: &mut Seen) {
        match event.kind {
            id::SYSCALL_OPEN_E
            | id::SYSCALL_CREAT_E
            | id::SYSCALL_OPENAT_2_E
            | id::SYSCALL_OPENAT2_E
            | id::SYSCALL_EXECVE_19_E
            | id::SYSCALL_EXECVEAT_E
            | id::SOCKET_CONNECT_E => self.store_enter(event, seen),
            id::SYSCALL_CLONE_20_X
            | id::SYSCALL_CLONE3_X
            | id::SYSCALL_FORK_20_X
            | id::SYSCALL_VFORK_20_X => {
                self.clone_exit(event, seen);
            }
            id::SYSCALL_EXECVE_19_X | id::SYSCALL_EXECVEAT_X => self.exec(event, seen),
            id::PROCEXIT_1_E => self.exit(event, seen),
            id::CONTAINER_JSON_2_E
            | id::ASYNCEVENT_E
            | id::USER_ADDED_E
            | id::USER_DELETED_E
            | id::GROUP_ADDED_E
            | id::GROUP_DELETED_E => self.meta(event),
            id::SCHEDSWITCH_6_E | id::PROCINFO_E => self.accounting(event, seen),
            _ if self.files_event(event, seen) => {}
            _ if self.socket_event(event, seen) => {}
            _ => self.ids_event(event, seen),
        }
    }

    fn store_enter(&mut self, event: &Event<'_>, seen: &Seen) {
        let keeps = event.kind == id::SOCKET_CONNECT_E || event.kind == id::SYSCALL_EXECVEAT_E;
        let empty = event.param(0).is_none_or(<[u8]>::is_empty);
        if (empty && !keeps) || event.bytes.len() > MAX_ENTER {
            return;
        }
        if let Some(thread) = seen.thread.and_then(|s| self.threads.get_mut(s)) {
            thread.enter = Some(event.bytes.into());
        }
    }

    /// Notes descriptor and times of the event on its thread.
    fn leave(&mut self, event: &Event<'_>, info: &Info, seen: &mut Seen) {
        let Some(thread) = seen.thread.and_then(|s| self.threads.get_mut(s)) else { return };
        if info.flags.has(Flags(Flags::CREATES_FD.0 | Flags::USES_FD.0 | Flags::DESTROYS_FD.0)) {
            seen.fd_num = Some(thread.last_fd);
        }
        if event.kind != id::SCHEDSWITCH_6_E {
            thread.prevevent_ts = thread.lastevent_ts;
            thread.lastevent_ts = event.ts;
        }
        if info.is_exit() {
            thread.enter = None;
        }
    }

    /// The exit event opened `num`: the event now speaks of it.
    pub(super) fn opened(&mut self, slot: Slot, num: i64, mut fd: crate::Fd, seen: &mut Seen) {
        fd.version = self.tick();
        let Some(owner) = self.files_owner(slot) else { return };
        self.threads.enter(owner, num, fd);
        self.threads.with(slot, |t| t.last_fd = num);
        seen.fd = Some((owner, num)).filter(|_| self.has_fd(owner, num));
    }

    pub(super) fn flags_of(&self, slot: Slot) -> u32 {
        self.threads.get(slot).map_or(bits::CLOSED, |t| t.flags)
    }
}

/// Whether the first parameter is the return value.
fn returns(info: &Info) -> bool {
    matches!(info.params.first().map(|p| p.name), Some("res" | "fd"))
}

fn matches_exit(enter: &[u8], exit: u16) -> bool {
    let kind = u16::from_le_bytes([enter[20], enter[21]]);
    kind + 1 == exit || (exit == id::SYSCALL_EXECVE_19_X && kind == id::SYSCALL_EXECVEAT_E)
}

/// Events that only serve the state.
fn is_hidden(event: &Event<'_>) -> bool {
    event.dump_flags & 1 != 0
        || matches!(
            event.kind,
            id::SYSCALL_OPEN_E
                | id::SYSCALL_CREAT_E
                | id::SYSCALL_OPENAT_2_E
                | id::SYSCALL_OPENAT2_E
                | id::SYSCALL_EXECVE_19_E
                | id::SYSCALL_EXECVEAT_E
                | id::SOCKET_CONNECT_E
        )
}
