//! A thread runs another program.

use eyas_event::{Event, id};

use super::clone::{UNKNOWN, set_program, set_sizes};
use super::files::NOWHERE;
use crate::path::normalise;
use crate::thread::{List, Slot, Text, Thread, bits};
use crate::{FdKind, Seen, State};

const O_CLOEXEC: u32 = 4096;
const MFD_CLOEXEC: u32 = 1;
const AT_EMPTY_PATH: u64 = 1;
const DELETED: &[u8] = b" (deleted)";

impl State {
    pub(super) fn exec(&mut self, event: &Event<'_>, seen: &mut Seen) {
        let Some(slot) = seen.thread else { return };
        if event.signed(0).is_none_or(|res| res < 0) {
            return;
        }
        self.revive(slot);
        let exepath = self.exepath(slot, event);
        let Some(thread) = self.threads.get_mut(slot) else { return };
        set_program(thread, event);
        thread.pid = event.signed(4).unwrap_or(thread.pid);
        thread.lastexec_ts = event.ts;
        let invalid = thread.is_invalid();
        if invalid {
            thread.ptid = event.signed(5).unwrap_or(-1);
            if thread.flags & bits::CHILD_IN_PIDNS == 0 {
                (thread.vtid, thread.vpid) = (thread.tid, thread.pid);
            }
        }
        set_sizes(thread, event);
        set_credentials(thread, event);
        set_image(thread, event);
        thread.exepath = exepath;
        let kept = bits::PIPE_SRC | bits::PIPE_DST | bits::IS_MAIN | bits::INVERTED;
        thread.flags = thread.flags & kept | bits::ACTIVE | bits::NAME_CHANGED;
        thread.files.remove_where(|_, fd| match fd.kind {
            FdKind::Memfd => fd.open_flags & (MFD_CLOEXEC | O_CLOEXEC) != 0,
            _ => fd.open_flags & O_CLOEXEC != 0,
        });
        if invalid {
            self.admit(slot);
        }
        if self.threads.group(slot).is_some_and(|g| g.alive > 1) {
            self.lineage += 1;
        }
        self.threads.keep_only(slot);
        self.find_container(slot);
        self.touch(slot);
    }

    fn revive(&mut self, slot: Slot) {
        let Some(thread) = self.threads.get_mut(slot) else { return };
        if thread.is_dead() {
            thread.flags &= !bits::CLOSED;
            let pid = thread.pid;
            if let Some(group) = self.threads.group_mut(pid) {
                group.alive += 1;
            }
            self.exiting = None;
        }
    }

    fn exepath(&self, slot: Slot, event: &Event<'_>) -> Text {
        if let Some(path) = event.text(27).filter(|p| !p.is_empty()) {
            return Text::from(path.strip_suffix(DELETED).unwrap_or(path));
        }
        match self.entered_path(slot) {
            Some(path) => Text::from(path),
            None => self.threads.get(slot).map(|t| t.exepath.clone()).unwrap_or_default(),
        }
    }

    /// Path of the program as the enter event asked for it; none without one.
    fn entered_path(&self, slot: Slot) -> Option<Vec<u8>> {
        let thread = self.threads.get(slot)?;
        let enter = Event::parse(thread.enter.as_ref()?, 0, 0).ok()?;
        if enter.kind == id::SYSCALL_EXECVE_19_E {
            let path = enter.text(0).unwrap_or(UNKNOWN);
            return Some(if path == UNKNOWN {
                UNKNOWN.to_vec()
            } else {
                normalise(self.cwd(slot), path).into_owned()
            });
        }
        let (dirfd, path) = (enter.signed(0)?, enter.text(1).unwrap_or(UNKNOWN));
        let itself = enter.unsigned(2).is_some_and(|flags| flags & AT_EMPTY_PATH != 0);
        let base = self.base(slot, dirfd, path);
        Some(match () {
            () if base == NOWHERE || (path == UNKNOWN && !itself) => UNKNOWN.to_vec(),
            () if itself => normalise(b"", &base).into_owned(),
            () => normalise(&base, path).into_owned(),
        })
    }
}

fn set_credentials(thread: &mut Thread, event: &Event<'_>) {
    let number = |i: usize, old: u32| event.unsigned(i).map_or(old, |n| n as u32);
    thread.tty = number(16, thread.tty);
    thread.vpgid = event.signed(17).unwrap_or(thread.vpgid);
    thread.loginuid = number(18, thread.loginuid);
    thread.cap_inheritable = event.unsigned(20).unwrap_or(thread.cap_inheritable);
    thread.cap_permitted = event.unsigned(21).unwrap_or(thread.cap_permitted);
    thread.cap_effective = event.unsigned(22).unwrap_or(thread.cap_effective);
    thread.uid = number(26, thread.uid);
    thread.pgid = event.signed(28).unwrap_or(-1);
    thread.gid = number(29, thread.gid);
}

fn set_image(thread: &mut Thread, event: &Event<'_>) {
    if let Some(env) = event.param(15).filter(|p| !p.is_empty()) {
        thread.env = List::new(env);
    }
    if let Some(flags) = event.unsigned(19) {
        thread.exe_writable = flags & 1 != 0;
        thread.exe_upper_layer = flags & 2 != 0;
        thread.exe_from_memfd = flags & 4 != 0;
        thread.exe_lower_layer = flags & 8 != 0;
    }
    thread.exe_ino = event.unsigned(23).unwrap_or(thread.exe_ino);
    if let Some(ctime) = event.unsigned(24) {
        thread.exe_ino_ctime = ctime;
        if thread.clone_ts != 0 {
            thread.exe_ino_ctime_duration_clone_ts = thread.clone_ts.wrapping_sub(ctime);
        }
        if thread.pidns_init_start_ts != 0 && ctime > thread.pidns_init_start_ts {
            thread.exe_ino_ctime_duration_pidns_start = ctime - thread.pidns_init_start_ts;
        }
    }
    thread.exe_ino_mtime = event.unsigned(25).unwrap_or(thread.exe_ino_mtime);
}
