//! Calls that make, copy and close descriptors, and calls that move data.

use crate::files::sys;
use crate::stage::{Is, Is::N, Stage, c, text};

pub(crate) const CASES: &[crate::Case] = &[
    ("close and close_range carry the descriptors", closes),
    ("dup, dup3 and fcntl carry both descriptors", copies),
    ("fcntl is left out when it changes no descriptor", fcntl_quiet),
    ("a pipe carries both descriptors and the inode", pipe),
    ("descriptors without a name carry their flags", nameless),
    ("memfd_create carries name and flags", memfd),
    ("pidfd calls carry process and descriptor", pidfd),
    ("sendfile, splice and copy_file_range carry both ends", transfers),
    ("read and write carry the start of their data", data),
    ("readv and writev carry the start of their vectors", vectors),
    ("lseek, ioctl and flock carry their numbers", small),
    ("poll carries the descriptors and what came of each", poll),
];

const CLOEXEC: i64 = 4096;
const NONBLOCK: i64 = 64;
const EBADF: i64 = -9;

fn closes(stage: &mut Stage) {
    let seen = stage.run(&["close", "close_range"], |_| {
        sys!(SYS_close(477));
        sys!(SYS_close_range(450, 460, 4));
    });
    seen.expect("close", &[("res", N(EBADF)), ("fd", N(477))]);
    seen.expect("close_range", &[("res", N(0)), ("first", N(450)), ("last", N(460)), ("flags", N(4))]);
}

fn copies(stage: &mut Stage) {
    let seen = stage.run(&["dup", "dup3", "fcntl"], |notes| {
        sys!(notes[0] = SYS_dup(1));
        sys!(SYS_dup3(1, 433, libc::O_CLOEXEC));
        sys!(SYS_fcntl(1, libc::F_DUPFD_CLOEXEC, 440));
    });
    seen.expect("dup", &[("res", N(seen.notes.get(0))), ("oldfd", N(1))]);
    seen.expect("dup3", &[("res", N(433)), ("oldfd", N(1)), ("newfd", N(433)), ("flags", N(CLOEXEC))]);
    seen.expect("fcntl", &[("res", N(440)), ("fd", N(1)), ("cmd", N(26)), ("arg", N(440))]);
}

fn fcntl_quiet(stage: &mut Stage) {
    let seen = stage.run(&[], |_| {
        sys!(SYS_fcntl(1, libc::F_GETFL, 0));
        sys!(SYS_fcntl(1, libc::F_GETLK, 0));
        sys!(SYS_fcntl(1, libc::F_SETFD, 0));
    });
    assert_eq!(seen.all("fcntl").len(), 1);
    seen.expect("fcntl", &[("res", N(0)), ("fd", N(1)), ("cmd", N(3)), ("arg", N(0))]);
}

fn pipe(stage: &mut Stage) {
    let seen = stage.run(&["pipe2"], |notes| {
        let mut pair = [0i32; 2];
        sys!(SYS_pipe2(pair.as_mut_ptr(), libc::O_NONBLOCK | libc::O_CLOEXEC));
        let mut stat = std::mem::MaybeUninit::<libc::stat>::uninit();
        sys!(SYS_fstat(pair[0], stat.as_mut_ptr()));
        notes.put(0, pair[0].into());
        notes.put(1, pair[1].into());
        // SAFETY: fstat has filled it.
        notes.put(2, unsafe { stat.assume_init() }.st_ino as i64);
    });
    seen.expect(
        "pipe2",
        &[
            ("res", N(0)),
            ("fd1", N(seen.notes.get(0))),
            ("fd2", N(seen.notes.get(1))),
            ("ino", N(seen.notes.get(2))),
            ("flags", N(CLOEXEC | NONBLOCK)),
        ],
    );
}

fn nameless(stage: &mut Stage) {
    let calls = ["eventfd2", "epoll_create1", "timerfd_create", "inotify_init1", "signalfd4", "userfaultfd"];
    let seen = stage.run(&calls, |notes| {
        sys!(notes[0] = SYS_eventfd2(5, libc::EFD_CLOEXEC));
        sys!(notes[1] = SYS_epoll_create1(libc::EPOLL_CLOEXEC));
        sys!(notes[2] = SYS_timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_NONBLOCK));
        sys!(notes[3] = SYS_inotify_init1(libc::IN_NONBLOCK));
        let mask = 0u64;
        sys!(notes[4] = SYS_signalfd4(-1, &raw const mask, 8, libc::SFD_CLOEXEC));
        sys!(notes[5] = SYS_userfaultfd(libc::O_CLOEXEC));
    });
    let fd = |n| N(seen.notes.get(n));
    seen.expect("eventfd2", &[("res", fd(0)), ("flags", N(CLOEXEC)), ("initval", N(5))]);
    seen.expect("epoll_create1", &[("res", fd(1)), ("flags", N(1))]);
    seen.expect("timerfd_create", &[("res", fd(2)), ("clockid", N(1)), ("flags", N(NONBLOCK))]);
    seen.expect("inotify_init1", &[("res", fd(3)), ("flags", N(NONBLOCK))]);
    seen.expect("signalfd4", &[("res", fd(4)), ("flags", N(CLOEXEC)), ("fd", N(-1)), ("mask", N(0))]);
    let error = if seen.notes.get(5) < 0 { Is::Some } else { fd(5) };
    seen.expect("userfaultfd", &[("res", error), ("flags", N(libc::O_CLOEXEC.into()))]);
}

fn memfd(stage: &mut Stage) {
    let name = c("in memory");
    let seen = stage.run(&["memfd_create"], |notes| {
        sys!(notes[0] = SYS_memfd_create(name.as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING));
    });
    let expected = [("fd", N(seen.notes.get(0))), ("name", text("in memory")), ("flags", N(3))];
    seen.expect("memfd_create", &expected);
}

fn pidfd(stage: &mut Stage) {
    let seen = stage.run(&["pidfd_open", "pidfd_getfd"], |notes| {
        sys!(notes[0] = SYS_pidfd_open(1, 0));
        sys!(notes[1] = SYS_pidfd_getfd(notes.get(0) as i32, 0, 0));
    });
    let own = seen.notes.get(0);
    seen.expect("pidfd_open", &[("fd", N(own)), ("pid", N(1)), ("flags", N(0))]);
    let taken = if seen.notes.get(1) < 0 { Is::Some } else { N(seen.notes.get(1)) };
    seen.expect("pidfd_getfd", &[("fd", taken), ("pid_fd", N(own)), ("target_fd", N(0)), ("flags", N(0))]);
}

fn transfers(stage: &mut Stage) {
    let path = stage.path("source");
    std::fs::write(&path, "0123456789").expect("a file");
    let name = c(&path);
    let seen = stage.run(&["sendfile", "splice", "copy_file_range"], |notes| {
        sys!(notes[0] = SYS_openat(libc::AT_FDCWD, name.as_ptr(), libc::O_RDWR, 0));
        let (file, mut offset, mut pair) = (notes.get(0) as i32, 4i64, [0i32; 2]);
        sys!(SYS_pipe2(pair.as_mut_ptr(), 0));
        notes.put(1, pair[0].into());
        notes.put(2, pair[1].into());
        sys!(SYS_sendfile(pair[1], file, &raw mut offset, 3));
        sys!(SYS_splice(file, 0, pair[1], 0, 2, libc::SPLICE_F_MOVE));
        let (mut from, mut to) = (0i64, 100i64);
        sys!(SYS_copy_file_range(file, &raw mut from, file, &raw mut to, 5, 0));
    });
    let (file, pipe) = (seen.notes.get(0), seen.notes.get(2));
    // The offset is the one that the call left behind.
    let sent = [("res", N(3)), ("offset", N(7)), ("out_fd", N(pipe)), ("in_fd", N(file)), ("size", N(3))];
    seen.expect("sendfile", &sent);
    let spliced = [("res", N(2)), ("fd_in", N(file)), ("fd_out", N(pipe)), ("size", N(2)), ("flags", N(1))];
    seen.expect("splice", &spliced);
    seen.expect(
        "copy_file_range",
        &[
            ("res", N(5)),
            ("fdout", N(file)),
            ("offout", N(105)),
            ("fdin", N(file)),
            ("offin", N(5)),
            ("len", N(5)),
        ],
    );
}

fn data(stage: &mut Stage) {
    let path = stage.path("data");
    let name = c(&path);
    let long = vec![b'x'; 500];
    let seen = stage.run(&["write", "pread64"], |notes| {
        sys!(notes[0] = SYS_openat(libc::AT_FDCWD, name.as_ptr(), libc::O_RDWR | libc::O_CREAT, 0o600));
        let mut back = [0u8; 100];
        sys!(SYS_write(notes.get(0) as i32, long.as_ptr(), 500));
        sys!(SYS_pread64(notes.get(0) as i32, back.as_mut_ptr(), 100, 490));
    });
    let fd = seen.notes.get(0);
    let start = Is::B(vec![b'x'; 80]);
    seen.expect("write", &[("res", N(500)), ("data", start), ("fd", N(fd)), ("size", N(500))]);
    let end = Is::B(vec![b'x'; 10]);
    let read = [("res", N(10)), ("data", end), ("fd", N(fd)), ("size", N(100)), ("pos", N(490))];
    seen.expect("pread", &read);
}

fn vectors(stage: &mut Stage) {
    let seen = stage.run(&["writev"], |notes| {
        let mut pair = [0i32; 2];
        sys!(SYS_pipe2(pair.as_mut_ptr(), 0));
        notes.put(0, pair[1].into());
        let part =
            |b: &'static [u8]| libc::iovec { iov_base: b.as_ptr().cast_mut().cast(), iov_len: b.len() };
        let parts = [part(b"hello "), part(b"world")];
        sys!(SYS_writev(pair[1], parts.as_ptr(), 2));
    });
    let fd = N(seen.notes.get(0));
    let written = [("res", N(11)), ("data", Is::B(b"hello world".to_vec())), ("fd", fd), ("size", N(11))];
    seen.expect("writev", &written);
}

fn small(stage: &mut Stage) {
    let seen = stage.run(&["lseek", "ioctl", "flock"], |_| {
        sys!(SYS_lseek(499, 7, libc::SEEK_END));
        sys!(SYS_ioctl(499, 0x5413, 12));
        sys!(SYS_flock(499, libc::LOCK_EX));
    });
    seen.expect("lseek", &[("res", N(EBADF)), ("fd", N(499)), ("offset", N(7)), ("whence", N(2))]);
    seen.expect("ioctl", &[("res", N(EBADF)), ("fd", N(499)), ("request", N(0x5413)), ("argument", N(12))]);
    seen.expect("flock", &[("res", N(EBADF)), ("fd", N(499)), ("operation", N(2))]);
}

fn poll(stage: &mut Stage) {
    let seen = stage.run(&["poll"], |notes| {
        sys!(notes[0] = SYS_eventfd2(1, 0));
        let wanted = |fd| libc::pollfd { fd, events: libc::POLLIN | libc::POLLOUT, revents: 0 };
        let mut both = [wanted(notes.get(0) as i32), wanted(-1)];
        sys!(SYS_poll(both.as_mut_ptr(), 2, 0));
    });
    let fd = seen.notes.get(0).to_le_bytes();
    let list = [&[2, 0][..], &fd, &[1 | 4, 0], &(-1i64).to_le_bytes(), &[0, 0]].concat();
    seen.expect("poll", &[("res", N(1)), ("fds", Is::B(list)), ("timeout", N(0))]);
}
