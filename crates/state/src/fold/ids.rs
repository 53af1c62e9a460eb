//! Identity, directories and limits of a process.

use eyas_event::{Event, id};

use crate::path::normalise;
use crate::seed::directory;
use crate::thread::{Slot, Text, Thread, bits};
use crate::{Seen, State};

const RLIMIT_NOFILE: u64 = 7;
const ALL_CAPABILITIES: u64 = (1 << 41) - 1;
const PR_SET_CHILD_SUBREAPER: u64 = 36;
const PR_GET_CHILD_SUBREAPER: u64 = 37;

impl State {
    pub(super) fn ids_event(&mut self, event: &Event<'_>, seen: &Seen) {
        let Some(slot) = seen.thread else { return };
        let number = |i: usize| event.unsigned(i).map(|n| n as u32);
        // Of several ids some may stay as they are: -1.
        let changed = |i: usize| number(i).filter(|id| *id != u32::MAX);
        let res = event.signed(0);
        let (ok, zero) = (res.is_some_and(|res| res >= 0), res == Some(0));
        match event.kind {
            id::SYSCALL_BRK_4_X | id::SYSCALL_MMAP_X | id::SYSCALL_MMAP2_X | id::SYSCALL_MUNMAP_X => {
                self.threads.with(slot, |t| set_memory(t, event, 1));
            }
            _ if !ok => {}
            id::SYSCALL_SETRESUID_X | id::SYSCALL_SETREUID_X if zero => {
                self.set(slot, changed(2), |t| &mut t.uid)
            }
            id::SYSCALL_SETUID_X if zero => self.set(slot, number(1), |t| &mut t.uid),
            id::SYSCALL_SETRESGID_X | id::SYSCALL_SETREGID_X if zero => {
                self.set(slot, changed(2), |t| &mut t.gid)
            }
            id::SYSCALL_SETGID_X if zero => self.set(slot, number(1), |t| &mut t.gid),
            id::SYSCALL_SETSID_X => self.set(slot, event.signed(0), |t| &mut t.sid),
            id::SYSCALL_CAPSET_X => {
                self.set(slot, event.unsigned(1), |t| &mut t.cap_inheritable);
                self.set(slot, event.unsigned(2), |t| &mut t.cap_permitted);
                self.set(slot, event.unsigned(3), |t| &mut t.cap_effective);
            }
            id::SYSCALL_UNSHARE_X => self.new_user_namespace(slot, number(1)),
            id::SYSCALL_SETNS_X => self.new_user_namespace(slot, number(2)),
            id::SYSCALL_GETRLIMIT_X | id::SYSCALL_SETRLIMIT_X if event.unsigned(3) == Some(RLIMIT_NOFILE) => {
                self.set_fdlimit(slot, event.signed(1));
            }
            id::SYSCALL_PRLIMIT_X if zero && event.unsigned(6) == Some(RLIMIT_NOFILE) => {
                self.prlimit(event, slot);
            }
            id::SYSCALL_PRCTL_X => self.prctl(event, slot),
            id::SYSCALL_CHDIR_X | id::SYSCALL_GETCWD_X => {
                let path = event.text(1).unwrap_or_default().to_vec();
                self.change_directory(slot, &path);
            }
            id::SYSCALL_FCHDIR_X => {
                if let Some(path) = self.fd(seen).map(|fd| fd.name.to_vec()) {
                    self.change_directory(slot, &path);
                }
            }
            id::SYSCALL_CHROOT_X if zero => self.chroot(event, slot),
            _ => {}
        }
    }

    fn set<T: PartialEq>(&mut self, slot: Slot, value: Option<T>, place: impl Fn(&mut Thread) -> &mut T) {
        let (Some(value), Some(thread)) = (value, self.threads.get_mut(slot)) else { return };
        if *place(thread) != value {
            *place(thread) = value;
            self.touch(slot);
        }
    }

    fn new_user_namespace(&mut self, slot: Slot, flags: Option<u32>) {
        if flags.is_some_and(|f| f & bits::NEWUSER != 0) {
            self.set(slot, Some(ALL_CAPABILITIES), |t| &mut t.cap_inheritable);
            self.set(slot, Some(ALL_CAPABILITIES), |t| &mut t.cap_permitted);
            self.set(slot, Some(ALL_CAPABILITIES), |t| &mut t.cap_effective);
        }
    }

    fn set_fdlimit(&mut self, slot: Slot, limit: Option<i64>) {
        if let (Some(main), Some(limit)) = (self.threads.main(slot), limit.filter(|n| *n != -1)) {
            self.set(main, Some(limit), |t| &mut t.fdlimit);
        }
    }

    fn prlimit(&mut self, event: &Event<'_>, slot: Slot) {
        let Some(pid) = event.signed(5) else { return };
        let target = if pid == 0 { Some(slot) } else { self.threads.find(pid) };
        if let Some(target) = target {
            self.set_fdlimit(target, event.signed(1));
        }
    }

    fn prctl(&mut self, event: &Event<'_>, slot: Slot) {
        if matches!(event.unsigned(1), Some(PR_SET_CHILD_SUBREAPER | PR_GET_CHILD_SUBREAPER)) {
            let on = event.signed(3).is_some_and(|n| n != 0);
            let Some(pid) = self.threads.get(slot).map(|t| t.pid) else { return };
            if let Some(group) = self.threads.group_mut(pid) {
                group.reaper = on;
            }
        }
    }

    fn change_directory(&mut self, slot: Slot, path: &[u8]) {
        let Some(main) = self.threads.main(slot) else { return };
        let cwd = directory(&normalise(self.cwd(slot), path));
        self.set(main, Some(cwd), |t| &mut t.cwd);
    }

    fn chroot(&mut self, event: &Event<'_>, slot: Slot) {
        let path = event.text(1).unwrap_or_default();
        let root = Text::from(normalise(self.cwd(slot), path));
        self.set(slot, Some(root), |t| &mut t.root);
        self.find_container(slot);
    }
}

/// Memory sizes from three parameters in a row.
pub(super) fn set_memory(thread: &mut Thread, event: &Event<'_>, first: usize) {
    let number = |i: usize, old: u32| event.unsigned(i).map_or(old, |n| n as u32);
    thread.vmsize_kb = number(first, thread.vmsize_kb);
    thread.vmrss_kb = number(first + 1, thread.vmrss_kb);
    thread.vmswap_kb = number(first + 2, thread.vmswap_kb);
}

#[cfg(test)]
mod tests {
    use eyas_event::{Event, Given, Process, Snapshot, build, find};

    use crate::State;

    fn uid_after(euid: i128) -> u32 {
        let mut state = State::default();
        state.seed(&Snapshot::Process(Box::new(Process { tid: 5, pid: 5, uid: 1000, ..Process::default() })));
        state.seeded();
        let ids = [("res", Given::Int(0)), ("ruid", Given::Int(0)), ("euid", Given::Int(euid))];
        let bytes = build(find("setresuid").unwrap(), 1, 5, &ids).unwrap();
        let seen = state.fold(&Event::parse(&bytes, 0, 0).unwrap());
        state.threads.get(seen.thread.unwrap()).unwrap().uid
    }

    #[test]
    fn an_id_of_minus_one_stays_as_it_is() {
        assert_eq!(uid_after(7), 7);
        assert_eq!(uid_after(u32::MAX.into()), 1000);
    }
}
