//! Operations of io_uring: the events of the calls that they stand for.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::files::sys;
use crate::stage::{Is, Is::N, Stage, c, text};

pub(crate) const CASES: &[crate::Case] = &[
    ("an open by io_uring is an open", opens),
    ("names are changed by io_uring as by calls", names),
    ("a connection by io_uring is a connection", connects),
];

const OPENAT: u8 = 18;
const CLOSE: u8 = 19;
const CONNECT: u8 = 16;
const RENAMEAT: u8 = 35;
const UNLINKAT: u8 = 36;
const MKDIRAT: u8 = 37;
const AT_FDCWD: i64 = -100;

/// A ring with its memory: heads and tails, entries, results.
struct Ring {
    fd: i32,
    rings: *mut u8,
    entries: *mut u8,
    at: [usize; 4],
}

/// What is asked: operation, descriptor, offset or second address, address, length, flags.
struct Ask(u8, i32, u64, u64, u32, u32);

impl Ring {
    /// None where io_uring is off.
    fn new() -> Option<Ring> {
        let mut params = [0u32; 30];
        let fd = sys!(SYS_io_uring_setup(4, params.as_mut_ptr())) as i32;
        let map = |offset: i64| {
            let (protection, flags) =
                (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_POPULATE);
            // SAFETY: memory of the ring, whose descriptor is good.
            unsafe { libc::mmap(std::ptr::null_mut(), 8192, protection, flags, fd, offset) }.cast::<u8>()
        };
        // sq_off: head, tail, mask, entries, flags, dropped, array; cq_off: head, tail, mask, entries, overflow, cqes.
        let at = [params[11], params[16], params[20], params[25]].map(|offset| offset as usize);
        (fd >= 0).then(|| Ring { fd, rings: map(0), entries: map(0x1000_0000), at })
    }

    fn word(&self, at: usize) -> &AtomicU32 {
        // SAFETY: the kernel gave the offset of an aligned word.
        unsafe { &*self.rings.add(at).cast() }
    }

    /// Does one operation; gives its result.
    fn run(&self, ask: &Ask) -> i64 {
        let mut entry = [0u8; 64];
        entry[0] = ask.0;
        entry[4..8].copy_from_slice(&ask.1.to_ne_bytes());
        entry[8..16].copy_from_slice(&ask.2.to_ne_bytes());
        entry[16..24].copy_from_slice(&ask.3.to_ne_bytes());
        entry[24..28].copy_from_slice(&ask.4.to_ne_bytes());
        entry[28..32].copy_from_slice(&ask.5.to_ne_bytes());
        // SAFETY: the first entry; no other is in use.
        unsafe { std::ptr::copy_nonoverlapping(entry.as_ptr(), self.entries, 64) };
        self.word(self.at[1]).store(0, Ordering::SeqCst);
        self.word(self.at[0]).fetch_add(1, Ordering::SeqCst);
        sys!(SYS_io_uring_enter(self.fd, 1, 1, 1, 0, 0i64));
        let done = self.word(self.at[2]).fetch_add(1, Ordering::SeqCst) as usize;
        // SAFETY: the kernel has filled this result; there are eight.
        i64::from(unsafe { *self.rings.add(self.at[3] + 16 * (done & 7) + 8).cast::<i32>() })
    }
}

fn asked(at: &std::ffi::CStr) -> u64 {
    at.as_ptr() as u64
}

fn opens(stage: &mut Stage) {
    let path = stage.path("by-ring");
    let name = c(&path);
    let seen = stage.run(&["openat", "close"], |notes| {
        let Some(ring) = Ring::new() else { return };
        let flags = (libc::O_CREAT | libc::O_RDWR) as u32;
        notes.put(0, ring.run(&Ask(OPENAT, libc::AT_FDCWD, 0, asked(&name), 0o600, flags)));
        notes.put(1, ring.run(&Ask(CLOSE, notes.get(0) as i32, 0, 0, 0, 0)));
        notes.put(2, 1);
    });
    if seen.notes.get(2) == 0 {
        eprintln!("skipped: io_uring is off");
        return;
    }
    let event = seen.one("openat");
    assert_eq!((event.signed(0), event.signed(1)), (Some(seen.notes.get(0)), Some(AT_FDCWD)));
    assert_eq!(event.text(2), Some(name.as_bytes()));
    // A ring always opens large files.
    assert_eq!(event.unsigned(3).map(|flags| flags & !2048), Some(3 | 4 | 1 << 14));
    assert_eq!(event.unsigned(4), Some(0o600));
    assert_eq!(event.unsigned(6), fs::metadata(&path).ok().map(|m| m.ino()));
    assert_eq!(event.tid, seen.pid);
    seen.expect("close", &[("res", N(0)), ("fd", N(seen.notes.get(0)))]);
}

fn names(stage: &mut Stage) {
    let (one, two, dir) = (stage.path("ring-one"), stage.path("ring-two"), stage.path("ring-dir"));
    fs::write(&one, "x").expect("a file");
    let (from, to, folder) = (c(&one), c(&two), c(&dir));
    let seen = stage.run(&["renameat2", "unlinkat", "mkdirat"], |notes| {
        let Some(ring) = Ring::new() else { return };
        let here = libc::AT_FDCWD;
        notes.put(0, ring.run(&Ask(RENAMEAT, here, asked(&to), asked(&from), here.cast_unsigned(), 0)));
        notes.put(1, ring.run(&Ask(UNLINKAT, here, 0, asked(&to), 0, 0)));
        notes.put(2, ring.run(&Ask(MKDIRAT, here, 0, asked(&folder), 0o700, 0)));
        notes.put(3, 1);
    });
    if seen.notes.get(3) == 0 {
        eprintln!("skipped: io_uring is off");
        return;
    }
    let (one, two, dir) = (one.to_string_lossy(), two.to_string_lossy(), dir.to_string_lossy());
    seen.expect(
        "renameat2",
        &[
            ("res", N(0)),
            ("olddirfd", N(AT_FDCWD)),
            ("oldpath", text(one)),
            ("newdirfd", N(AT_FDCWD)),
            ("newpath", text(&two)),
            ("flags", N(0)),
        ],
    );
    seen.expect("unlinkat", &[("res", N(0)), ("dirfd", N(AT_FDCWD)), ("name", text(two)), ("flags", N(0))]);
    seen.expect("mkdirat", &[("res", N(0)), ("dirfd", N(AT_FDCWD)), ("path", text(dir)), ("mode", N(0o700))]);
}

fn connects(stage: &mut Stage) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a listener");
    let port = listener.local_addr().expect("an address").port();
    let [high, low] = port.to_be_bytes();
    let address = [2u8, 0, high, low, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    let seen = stage.run(&["connect"], |notes| {
        let Some(ring) = Ring::new() else { return };
        notes.put(0, sys!(SYS_socket(libc::AF_INET, libc::SOCK_STREAM, 0)));
        let at = address.as_ptr() as u64;
        notes.put(1, ring.run(&Ask(CONNECT, notes.get(0) as i32, 16, at, 0, 0)));
        notes.put(2, 1);
    });
    if seen.notes.get(2) == 0 {
        eprintln!("skipped: io_uring is off");
        return;
    }
    let given = Is::B(vec![2, 127, 0, 0, 1, low, high]);
    let fd = N(seen.notes.get(0));
    seen.expect("connect", &[("res", N(0)), ("tuple", Is::Some), ("fd", fd), ("addr", given)]);
    let event = seen.one("connect");
    assert_eq!(event.param(1).map(|b| b[7..].to_vec()), Some(vec![127, 0, 0, 1, low, high]));
}
