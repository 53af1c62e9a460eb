//! Descriptors that are not sockets: opened, copied, renamed, closed.

use std::borrow::Cow;

use eyas_event::{Event, id};

use super::clone::UNKNOWN;
use crate::fd::{Fd, FdKind};
use crate::path::normalise;
use crate::thread::{Slot, Text, bits};
use crate::{Seen, State};

const O_DIRECTORY: u32 = 1024;
const O_CLOEXEC: u32 = 4096;
/// Flag bits that the kernel found out: created, upper layer, lower layer.
const EXIT_BITS: u32 = !((1 << 14) - 1);
const UPPER: u32 = 1 << 15;
const LOWER: u32 = 1 << 16;
/// What creat means in open flags.
const CREAT_FLAGS: u32 = 4 | 2 | 256;
const AT_FDCWD: i64 = -100;
const F_DUPFD: u64 = 1;
const F_SETFD: u64 = 3;
const F_DUPFD_CLOEXEC: u64 = 26;
const CLOSE_RANGE_CLOEXEC: u64 = 4;
/// Directory of a descriptor that nobody knows.
pub(super) const NOWHERE: &[u8] = b"<UNKNOWN>";

/// Where an event of the open family carries what.
struct Layout {
    dirfd: Option<usize>,
    name: usize,
    flags: Option<usize>,
    dev: usize,
}

fn layout(kind: u16) -> Option<Layout> {
    Some(match kind {
        id::SYSCALL_OPEN_X => Layout { dirfd: None, name: 1, flags: Some(2), dev: 4 },
        id::SYSCALL_CREAT_X => Layout { dirfd: None, name: 1, flags: None, dev: 3 },
        id::SYSCALL_OPENAT_2_X => Layout { dirfd: Some(1), name: 2, flags: Some(3), dev: 5 },
        id::SYSCALL_OPENAT2_X => Layout { dirfd: Some(1), name: 2, flags: Some(3), dev: 6 },
        id::SYSCALL_OPEN_BY_HANDLE_AT_X => Layout { dirfd: None, name: 3, flags: Some(2), dev: 4 },
        _ => return None,
    })
}

impl State {
    /// Applies the event if it is one about files.
    pub(super) fn files_event(&mut self, event: &Event<'_>, seen: &mut Seen) -> bool {
        let Some(slot) = seen.thread else { return false };
        let ok = event.signed(0).is_some_and(|res| res >= 0);
        if let Some(layout) = layout(event.kind) {
            if ok {
                self.open(event, &layout, slot, seen);
            }
            return true;
        }
        match event.kind {
            id::SYSCALL_CLOSE_X => self.close(ok, seen),
            id::SYSCALL_CLOSE_RANGE_X if ok => self.close_range(event, slot),
            id::SYSCALL_DUP_1_X | id::SYSCALL_DUP2_X if ok => self.dup(event, slot, 0, seen),
            id::SYSCALL_DUP3_X if ok => {
                let flags = event.unsigned(3).unwrap_or(0) as u32;
                self.dup(event, slot, flags & O_CLOEXEC, seen);
            }
            id::SYSCALL_FCNTL_X if ok => self.fcntl(event, slot, seen),
            id::SYSCALL_PIPE_X | id::SYSCALL_PIPE2_X if ok => self.pipe(event, slot, seen),
            id::SYSCALL_PIDFD_GETFD_X if ok => self.pidfd_getfd(event, slot, seen),
            _ => return ok && self.special(event, slot, seen),
        }
        true
    }

    /// Directory that a relative path of an `*at` call starts from.
    pub(crate) fn base(&self, slot: Slot, dirfd: i64, path: &[u8]) -> Cow<'_, [u8]> {
        if path.starts_with(b"/") {
            return b".".into();
        }
        if dirfd == AT_FDCWD {
            return self.cwd(slot).into();
        }
        let fd = self.files_owner(slot).and_then(|o| self.threads.get(o)).and_then(|t| t.files.get(dirfd));
        match fd {
            Some(fd) if fd.name.is_empty() || fd.name.ends_with(b"/") => fd.name.as_ref().into(),
            Some(fd) => [&fd.name, &b"/"[..]].concat().into(),
            None => NOWHERE.into(),
        }
    }

    fn open(&mut self, event: &Event<'_>, at: &Layout, slot: Slot, seen: &mut Seen) {
        let num = event.signed(0).unwrap_or(-1);
        let found = at.flags.map_or(CREAT_FLAGS, |i| event.unsigned(i).unwrap_or(0) as u32);
        let mut name = event.text(at.name).unwrap_or(UNKNOWN);
        let mut dirfd = at.dirfd.map_or(Some(AT_FDCWD), |i| event.signed(i));
        let mut flags = found;
        let stored = self.threads.get(slot).and_then(|t| t.enter.clone());
        let enter = stored.as_ref().and_then(|bytes| Event::parse(bytes, 0, 0).ok());
        let shift = usize::from(at.dirfd.is_some());
        let asked = enter.as_ref().and_then(|e| Some((e, e.text(shift)?)));
        if let Some((enter, asked)) = asked.filter(|(_, name)| *name != UNKNOWN) {
            name = asked;
            if shift == 1 {
                dirfd = enter.signed(0);
            }
            if at.flags.is_some() {
                let asked = enter.unsigned(shift + 1).map_or(found, |f| f as u32);
                flags = found & EXIT_BITS | asked & !EXIT_BITS;
            }
        }
        let base = match dirfd {
            Some(dirfd) if event.kind != id::SYSCALL_OPEN_BY_HANDLE_AT_X => self.base(slot, dirfd, name),
            _ => Cow::default(),
        };
        let path = normalise(&base, name);
        let kind = if flags & O_DIRECTORY != 0 { FdKind::Directory } else { FdKind::Regular };
        let layers = if at.flags.is_none() { event.unsigned(5).unwrap_or(0) as u32 * UPPER } else { flags };
        let as_given = path.as_ref() == name;
        let opened = Fd::new(kind, path);
        let fd = Fd {
            raw_name: if as_given { opened.name.clone() } else { Text::from(name) },
            open_flags: flags,
            dev: event.unsigned(at.dev).unwrap_or(0) as u32,
            ino: event.unsigned(at.dev + 1).unwrap_or(0),
            upper_layer: layers & UPPER != 0,
            lower_layer: layers & LOWER != 0,
            ..opened
        };
        self.opened(slot, num, fd, seen);
    }

    fn close(&mut self, ok: bool, seen: &Seen) {
        if let Some(at) = seen.fd.filter(|_| ok) {
            self.closing.push(at);
        }
    }

    fn close_range(&mut self, event: &Event<'_>, slot: Slot) {
        let bound = |i| event.unsigned(i).and_then(|n| i64::try_from(n).ok()).unwrap_or(0);
        let (first, last) = (bound(1), bound(2));
        let cloexec = event.unsigned(3).unwrap_or(0) & CLOSE_RANGE_CLOEXEC != 0;
        let Some(owner) = self.files_owner(slot).and_then(|o| self.threads.get_mut(o)) else { return };
        if !cloexec {
            return owner.files.remove_where(|num, _| (first..=last).contains(&num));
        }
        let inside: Vec<i64> =
            owner.files.iter().map(|(num, _)| num).filter(|n| (first..=last).contains(n)).collect();
        for num in inside {
            if let Some(fd) = owner.files.get_mut(num) {
                fd.open_flags |= O_CLOEXEC;
            }
        }
    }

    fn copy(&mut self, slot: Slot, source: (Slot, i64), num: i64, cloexec: u32, seen: &mut Seen) {
        let Some(mut fd) = self.threads.get(source.0).and_then(|t| t.files.get(source.1)).cloned() else {
            return;
        };
        fd.open_flags = fd.open_flags & !O_CLOEXEC | cloexec;
        self.opened(slot, num, fd, seen);
    }

    fn dup(&mut self, event: &Event<'_>, slot: Slot, cloexec: u32, seen: &mut Seen) {
        let num = event.signed(0).unwrap_or(-1);
        if let Some(source) = seen.fd {
            self.copy(slot, source, num, cloexec, seen);
        }
        let flag = match num {
            0 => bits::PIPE_DST,
            1 => bits::PIPE_SRC,
            _ => return,
        };
        self.threads.with(slot, |t| t.flags |= flag);
    }

    fn fcntl(&mut self, event: &Event<'_>, slot: Slot, seen: &mut Seen) {
        let num = event.signed(0).unwrap_or(-1);
        let Some(source) = seen.fd else { return };
        match event.unsigned(2) {
            Some(F_DUPFD) => self.copy(slot, source, num, 0, seen),
            Some(F_DUPFD_CLOEXEC) => self.copy(slot, source, num, O_CLOEXEC, seen),
            Some(F_SETFD) => {
                let on = event.unsigned(3).unwrap_or(0) & 1 != 0;
                if let Some(fd) = self.threads.get_mut(source.0).and_then(|t| t.files.get_mut(source.1)) {
                    fd.open_flags = fd.open_flags & !O_CLOEXEC | if on { O_CLOEXEC } else { 0 };
                }
            }
            _ => {}
        }
    }

    fn pipe(&mut self, event: &Event<'_>, slot: Slot, seen: &mut Seen) {
        let flags = event.unsigned(4).unwrap_or(0) as u32;
        for i in [1, 2] {
            let fd = Fd {
                ino: event.unsigned(3).unwrap_or(0),
                open_flags: flags,
                ..Fd::new(FdKind::Fifo, Text::default())
            };
            self.opened(slot, event.signed(i).unwrap_or(-1), fd, seen);
        }
    }

    fn pidfd_getfd(&mut self, event: &Event<'_>, slot: Slot, seen: &mut Seen) {
        let number = |i| event.signed(i).unwrap_or(-1);
        let owner = self.files_owner(slot).and_then(|o| self.threads.get(o));
        let Some(pid) = owner.and_then(|o| o.files.get(number(1))).map(|fd| fd.pid) else { return };
        let Some(target) = self.threads.find(pid).and_then(|s| self.files_owner(s)) else { return };
        self.copy(slot, (target, number(2)), number(0), O_CLOEXEC, seen);
    }

    /// Descriptors of one call each, without a path.
    fn special(&mut self, event: &Event<'_>, slot: Slot, seen: &mut Seen) -> bool {
        let (kind, flags) = match event.kind {
            id::SYSCALL_EVENTFD_X => (FdKind::Eventfd, None),
            id::SYSCALL_EVENTFD2_X => (FdKind::Eventfd, Some(1)),
            id::SYSCALL_SIGNALFD_X => (FdKind::Signalfd, None),
            id::SYSCALL_SIGNALFD4_X => (FdKind::Signalfd, Some(1)),
            id::SYSCALL_TIMERFD_CREATE_X => (FdKind::Timerfd, Some(2)),
            id::SYSCALL_INOTIFY_INIT_X => (FdKind::Inotify, None),
            id::SYSCALL_INOTIFY_INIT1_X => (FdKind::Inotify, Some(1)),
            id::SYSCALL_BPF_2_X => (FdKind::Bpf, None),
            id::SYSCALL_USERFAULTFD_X => (FdKind::Userfaultfd, Some(1)),
            id::SYSCALL_IO_URING_SETUP_X => (FdKind::IoUring, None),
            id::SYSCALL_EPOLL_CREATE_X => (FdKind::Epoll, None),
            id::SYSCALL_EPOLL_CREATE1_X => (FdKind::Epoll, None),
            id::SYSCALL_MEMFD_CREATE_X => (FdKind::Memfd, Some(2)),
            id::SYSCALL_PIDFD_OPEN_X => (FdKind::Pidfd, Some(2)),
            _ => return false,
        };
        let name = match event.kind {
            id::SYSCALL_MEMFD_CREATE_X => Text::from(event.text(1).unwrap_or_default()),
            id::SYSCALL_PIDFD_OPEN_X => {
                Text::from(format!("/proc/{}", event.signed(1).unwrap_or(-1)).as_bytes())
            }
            _ => Text::default(),
        };
        let mut fd = Fd::new(kind, name);
        fd.open_flags = flags.and_then(|i| event.unsigned(i)).unwrap_or(0) as u32;
        if event.kind == id::SYSCALL_EPOLL_CREATE1_X && event.unsigned(1).unwrap_or(0) & 1 != 0 {
            fd.open_flags = O_CLOEXEC;
        }
        if event.kind == id::SYSCALL_PIDFD_OPEN_X {
            fd.pid = event.signed(1).unwrap_or(-1);
        }
        self.opened(slot, event.signed(0).unwrap_or(-1), fd, seen);
        true
    }
}
