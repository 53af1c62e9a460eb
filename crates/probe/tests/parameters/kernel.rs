//! Calls that reach into the kernel itself, and memory.

use crate::files::sys;
use crate::stage::{Is, Is::N, Stage, c, text};

pub(crate) const CASES: &[crate::Case] = &[
    ("bpf carries its command", bpf),
    ("module calls carry names and arguments", modules),
    ("keyctl carries its operation", keyctl),
    ("fsconfig carries key and value", fsconfig),
    ("io_uring_setup carries what the kernel answered", io_uring),
    ("mprotect and mmap carry protection and flags", memory),
    ("seccomp carries its operation", seccomp),
    ("a call that seccomp refuses is seen", refused),
    ("semget and futex carry their numbers", numbers),
];

fn bpf(stage: &mut Stage) {
    let seen = stage.run(&["bpf"], |_| {
        sys!(SYS_bpf(12345, 0, 0));
    });
    seen.expect("bpf", &[("fd", Is::Some), ("cmd", N(12345))]);
}

fn modules(stage: &mut Stage) {
    let (name, args, image) = (c("no_such_module"), c("key=value"), *b"garbage");
    let seen = stage.run(&["init_module", "finit_module", "delete_module"], |_| {
        sys!(SYS_init_module(image.as_ptr(), 7, args.as_ptr()));
        sys!(SYS_finit_module(99, args.as_ptr(), 1));
        sys!(SYS_delete_module(name.as_ptr(), libc::O_NONBLOCK));
    });
    let image = Is::B(image.to_vec());
    let loaded = [("res", Is::Some), ("img", image), ("length", N(7)), ("uargs", text("key=value"))];
    seen.expect("init_module", &loaded);
    let by_file = [("res", Is::Some), ("fd", N(99)), ("uargs", text("key=value")), ("flags", N(1))];
    seen.expect("finit_module", &by_file);
    seen.expect("delete_module", &[("res", Is::Some), ("name", text("no_such_module")), ("flags", N(2))]);
}

fn keyctl(stage: &mut Stage) {
    let seen = stage.run(&["keyctl"], |_| {
        sys!(SYS_keyctl(11, 1, 2, 3, 4));
    });
    let number = |n: i64| Is::B([&[0][..], &n.to_le_bytes()].concat());
    let expected = [
        ("res", Is::Some),
        ("operation", N(11)),
        ("arg2", number(1)),
        ("arg3", number(2)),
        ("arg4", number(3)),
        ("arg5", number(4)),
    ];
    seen.expect("keyctl", &expected);
}

fn fsconfig(stage: &mut Stage) {
    let (key, value) = (c("source"), c("nothing"));
    let seen = stage.run(&["fsconfig"], |_| {
        sys!(SYS_fsconfig(99, 1, key.as_ptr(), value.as_ptr(), 0));
    });
    let expected = [
        ("res", Is::Some),
        ("fd", N(99)),
        ("cmd", N(1)),
        ("key", text("source")),
        ("value_bytebuf", Is::None),
        ("value_charbuf", text("nothing")),
        ("aux", N(0)),
    ];
    seen.expect("fsconfig", &expected);
}

fn io_uring(stage: &mut Stage) {
    let seen = stage.run(&["io_uring_setup"], |notes| {
        let mut params = [0u32; 30];
        params[2] = 1 << 3;
        params[1] = 16;
        sys!(notes[0] = SYS_io_uring_setup(4, params.as_mut_ptr()));
        notes.put(1, params[0].into());
        notes.put(2, params[1].into());
    });
    if seen.notes.get(0) < 0 {
        eprintln!("skipped: io_uring is off");
        return;
    }
    let expected = [
        ("res", N(seen.notes.get(0))),
        ("entries", N(4)),
        ("sq_entries", N(seen.notes.get(1))),
        ("cq_entries", N(seen.notes.get(2))),
        ("flags", N(16)),
        ("sq_thread_cpu", N(0)),
        ("sq_thread_idle", N(0)),
        ("features", Is::Some),
    ];
    seen.expect("io_uring_setup", &expected);
}

fn memory(stage: &mut Stage) {
    let seen = stage.run(&["mmap", "mprotect"], |notes| {
        let (protection, flags) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        sys!(notes[0] = SYS_mmap(0, 8192, protection, flags, -1, 0i64));
        sys!(SYS_mprotect(notes.get(0), 4096, libc::PROT_READ | libc::PROT_EXEC));
    });
    let at = seen.notes.get(0);
    let mapped = [
        ("res", N(at)),
        ("vm_size", Is::Some),
        ("vm_rss", Is::Some),
        ("vm_swap", Is::Some),
        ("addr", N(0)),
        ("length", N(8192)),
        ("prot", N(3)),
        ("flags", N(2 | 8)),
        ("fd", N(-1)),
        ("offset", N(0)),
    ];
    seen.expect("mmap", &mapped);
    seen.expect("mprotect", &[("res", N(0)), ("addr", N(at)), ("length", N(4096)), ("prot", N(5))]);
}

fn seccomp(stage: &mut Stage) {
    let seen = stage.run(&["seccomp"], |_| {
        sys!(SYS_seccomp(77, 5, 0));
    });
    seen.expect("seccomp", &[("res", Is::Some), ("op", N(77)), ("flags", N(5))]);
}

fn refused(stage: &mut Stage) {
    const EPERM: i64 = -1;
    let name = c(stage.path("refused"));
    let instruction = |code: u32, jf: u8, k: u32| libc::sock_filter { code: code as u16, jt: 0, jf, k };
    let filter = [
        instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, libc::SYS_mkdirat as u32),
        instruction(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32),
        instruction(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let seen = stage.run(&["mkdirat"], |_| {
        let program = libc::sock_fprog { len: 4, filter: filter.as_ptr().cast_mut() };
        sys!(SYS_prctl(libc::PR_SET_NO_NEW_PRIVS, 1usize, 0usize, 0usize, 0usize));
        sys!(SYS_seccomp(libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program));
        sys!(SYS_mkdirat(libc::AT_FDCWD, name.as_ptr(), 0o700));
    });
    assert_eq!(seen.all("mkdirat").len(), 1);
    let expected =
        [("res", N(EPERM)), ("dirfd", N(-100)), ("path", text(name.to_string_lossy())), ("mode", N(0o700))];
    seen.expect("mkdirat", &expected);
}

fn numbers(stage: &mut Stage) {
    let seen = stage.run(&["semget", "futex"], |_| {
        sys!(SYS_semget(0x0dd_ba11, 0, libc::IPC_EXCL | libc::IPC_CREAT));
        let word = 5u32;
        sys!(SYS_futex(&raw const word, libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, 3, 0, 0, 0));
    });
    let sem = [("res", Is::Some), ("key", N(0x0dd_ba11)), ("nsems", N(0)), ("semflg", N(8192 | 16384))];
    seen.expect("semget", &sem);
    seen.expect("futex", &[("res", N(0)), ("addr", Is::Some), ("op", N(1 | 128)), ("val", N(3))]);
}
