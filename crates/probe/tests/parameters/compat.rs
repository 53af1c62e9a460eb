//! The calls of 32-bit programs, made by `int 0x80`: the same events as those of 64-bit ones.

use std::arch::asm;
use std::net::TcpListener;

use crate::stage::{Is, Is::N, Stage, text};

pub(crate) const CASES: &[crate::Case] = &[
    ("a 32-bit open is an open", open),
    ("a 32-bit unlink, rename and umount carry their names", names),
    ("socketcall is the call it stands for", socketcall),
    ("a 32-bit message head is understood", message),
    ("a 32-bit exec that fails carries its arguments", exec),
];

/// A 32-bit system call; pointers must lie below 4 GB.
fn int80(nr: u32, args: [u32; 5]) -> i64 {
    let result: i64;
    let [a, b, c, d, e] = args.map(u64::from);
    // SAFETY: rbx cannot be named as an operand; all else is as the calling convention wants it.
    unsafe {
        asm!(
            "xchg rbx, {a}",
            "int 0x80",
            "xchg rbx, {a}",
            a = inout(reg) a => _,
            inlateout("rax") u64::from(nr) => result,
            in("rcx") b, in("rdx") c, in("rsi") d, in("rdi") e,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
    i64::from(result as i32)
}

/// Memory below 4 GB.
struct Low(*mut u8);

impl Low {
    fn new() -> Low {
        let (protection, flags) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a fresh mapping.
        let at =
            unsafe { libc::mmap(std::ptr::null_mut(), 4096, protection, flags | libc::MAP_32BIT, -1, 0) };
        assert_ne!(at, libc::MAP_FAILED);
        Low(at.cast())
    }

    /// Puts bytes there; gives their address.
    fn put(&self, at: usize, bytes: &[u8]) -> u32 {
        assert!(at + bytes.len() <= 4096);
        // SAFETY: within the mapping.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.0.add(at), bytes.len()) };
        (self.0 as usize + at) as u32
    }

    fn words(&self, at: usize, words: &[u32]) -> u32 {
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        self.put(at, &bytes)
    }
}

/// Whether this kernel takes 32-bit calls: getpid says so. Without them the process would be killed.
fn is_possible(stage: &mut Stage) -> bool {
    let seen = stage.run(&[], |notes| notes.put(0, int80(20, [0; 5])));
    let possible = seen.notes.get(0) == seen.pid || seen.notes.get(0) > 0;
    if !possible {
        eprintln!("skipped: this kernel takes no 32-bit calls");
    }
    possible
}

fn open(stage: &mut Stage) {
    if !is_possible(stage) {
        return;
    }
    let low = Low::new();
    let name = low.put(0, b"/etc/passwd\0");
    let seen = stage.run(&["open", "openat"], |notes| {
        notes.put(0, int80(5, [name, 0o2_000_000, 0, 0, 0]));
        notes.put(1, int80(295, [(-100i32).cast_unsigned(), name, 0, 0, 0]));
    });
    let expected = [
        ("fd", N(seen.notes.get(0))),
        ("name", text("/etc/passwd")),
        ("flags", N(1 | 4096)),
        ("mode", N(0)),
        ("dev", Is::Some),
        ("ino", Is::Some),
    ];
    seen.expect("open", &expected);
    let event = seen.one("openat");
    assert_eq!((event.signed(0), event.signed(1)), (Some(seen.notes.get(1)), Some(-100)));
    assert_eq!(event.text(2), Some(&b"/etc/passwd"[..]));
}

fn names(stage: &mut Stage) {
    if !is_possible(stage) {
        return;
    }
    let low = Low::new();
    let (one, two) = (low.put(0, b"/absent/one\0"), low.put(100, b"/absent/two\0"));
    let seen = stage.run(&["unlink", "rename", "umount"], |_| {
        int80(10, [one, 0, 0, 0, 0]);
        int80(38, [one, two, 0, 0, 0]);
        int80(22, [two, 0, 0, 0, 0]);
    });
    seen.expect("unlink", &[("res", N(-2)), ("path", text("/absent/one"))]);
    let renamed = [("res", N(-2)), ("oldpath", text("/absent/one")), ("newpath", text("/absent/two"))];
    seen.expect("rename", &renamed);
    seen.expect("umount", &[("res", N(-2)), ("name", text("/absent/two"))]);
}

fn socketcall(stage: &mut Stage) {
    if !is_possible(stage) {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let port = listener.local_addr().expect("an address").port();
    let low = Low::new();
    let [high, lower] = port.to_be_bytes();
    let address = low.put(200, &[2, 0, high, lower, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    let seen = stage.run(&["socket", "connect"], |notes| {
        notes.put(0, int80(102, [1, low.words(0, &[2, 1, 0]), 0, 0, 0]));
        int80(102, [3, low.words(0, &[notes.get(0) as u32, address, 16]), 0, 0, 0]);
    });
    let fd = N(seen.notes.get(0));
    seen.expect(
        "socket",
        &[("fd", fd.clone()), ("domain", N(2)), ("type", N(1)), ("proto", N(0)), ("flags", N(0))],
    );
    let [p0, p1] = port.to_le_bytes();
    let given = Is::B(vec![2, 127, 0, 0, 1, p0, p1]);
    seen.expect("connect", &[("res", N(0)), ("tuple", Is::Some), ("fd", fd), ("addr", given)]);
}

fn message(stage: &mut Stage) {
    if !is_possible(stage) {
        return;
    }
    let (one, _two) = std::os::unix::net::UnixDatagram::pair().expect("a pair");
    let fd = std::os::fd::AsRawFd::as_raw_fd(&one);
    let low = Low::new();
    let data = low.put(500, b"hello");
    let vector = low.words(300, &[data, 5]);
    let head = low.words(400, &[0, 0, vector, 1, 0, 0, 0]);
    let seen = stage.run(&["sendmsg"], |_| {
        int80(370, [fd.cast_unsigned(), head, 0, 0, 0]);
    });
    let data = Is::B(b"hello".to_vec());
    let sent = [("res", N(5)), ("data", data), ("fd", N(fd.into())), ("size", N(5)), ("tuple", Is::Some)];
    seen.expect("sendmsg", &sent);
}

fn exec(stage: &mut Stage) {
    if !is_possible(stage) {
        return;
    }
    let low = Low::new();
    let (path, zero, one) = (low.put(0, b"/absent\0"), low.put(100, b"zero\0"), low.put(200, b"one\0"));
    let (argv, envp) = (low.words(300, &[zero, one, 0]), low.words(400, &[zero, 0]));
    let seen = stage.run(&["execve"], |_| {
        int80(11, [path, argv, envp, 0, 0]);
    });
    let event = seen.one("execve");
    assert_eq!((event.signed(0), event.text(1)), (Some(-2), Some(&b"zero"[..])));
    assert_eq!((event.param(2), event.param(15)), (Some(&b"one\0"[..]), Some(&b"zero\0"[..])));
    assert_eq!(event.text(30), Some(&b"/absent"[..]));
}
