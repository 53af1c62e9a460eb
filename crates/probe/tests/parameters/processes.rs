//! Birth, exec, death, and what processes become.

use std::fs;
use std::os::unix::fs::MetadataExt;

use eyas_event::Event;

use crate::files::sys;
use crate::stage::{Is, Is::N, Seen, Stage, c, text};

pub(crate) const CASES: &[crate::Case] = &[
    ("an exec carries the whole process", exec),
    ("an exec of a file in memory says so", exec_memfd),
    ("a failed exec carries what was asked", exec_fails),
    ("an execveat that fails carries what was asked", execveat_fails),
    ("a birth carries the child and its flags", births),
    ("a child of clone3 is born with the flags of its call", clone3),
    ("a thread is born in its process", thread),
    ("a child in a new pid namespace has ids of its own", namespace),
    ("the caller's side of a birth carries the child's id", caller),
    ("an exit carries status and signal", exits),
    ("an exit names who takes the children", reaper),
    ("changes of ids carry the ids", ids),
    ("setns and unshare carry the kinds of namespaces", namespaces),
    ("prctl carries its option", prctl),
    ("ptrace carries request and process", ptrace),
    ("the kill family carries process and signal", kills),
    ("limits are carried old and new", limits),
    ("capset carries what is left", capset),
    ("process_vm_readv carries process and data", process_vm),
];

const CHILD_IN_PIDNS: u64 = 1 << 29;
const VM: u64 = 0x8000;
const THREAD: u64 = 0x2000;

fn own_program() -> std::path::PathBuf {
    std::env::current_exe().and_then(fs::canonicalize).expect("a program")
}

/// Sends what the new program prints elsewhere.
fn silence() {
    let null = sys!(SYS_openat(libc::AT_FDCWD, c"/dev/null".as_ptr(), libc::O_WRONLY, 0));
    sys!(SYS_dup3(null, 1, 0));
    sys!(SYS_dup3(null, 2, 0));
}

/// The kernel's view of this process's cgroups: those of the test itself.
fn cgroups(event: &Event<'_>) {
    let listed = event.param(14).expect("cgroups");
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    for one in listed.split(|b| *b == 0).filter(|b| !b.is_empty()) {
        let one = String::from_utf8_lossy(one);
        let (name, path) = one.split_once('=').expect("name=path");
        let name = if name == "io" { "blkio" } else { name };
        let line = own.lines().find(|l| l.split(':').nth(1).is_some_and(|n| n.split(',').any(|n| n == name)));
        if let Some(known) = line.and_then(|l| l.splitn(3, ':').nth(2)) {
            assert!(path.ends_with(known), "{name} is {path}, /proc says {known}");
        }
    }
    assert!(!listed.is_empty());
}

fn exec(stage: &mut Stage) {
    let path = own_program();
    let program = c(&path);
    let seen = stage.run(&[], |_| {
        silence();
        sys!(SYS_setresgid(8, 8, 8));
        let (none, arg, list, env) = (std::ptr::null(), c("first"), c("--list"), c("KEY=value"));
        let (argv, envp) = ([arg.as_ptr(), list.as_ptr(), none], [env.as_ptr(), none]);
        sys!(SYS_execve(program.as_ptr(), argv.as_ptr(), envp.as_ptr()));
    });
    let meta = fs::metadata(&path).expect("a file");
    let time = |s: i64, ns: i64| N(s * 1_000_000_000 + ns);
    let login = fs::read_to_string("/proc/self/loginuid").ok().and_then(|t| t.trim().parse::<u32>().ok());
    let comm: String = path.file_name().expect("a name").to_string_lossy().chars().take(15).collect();
    seen.expect(
        "execve",
        &[
            ("res", N(0)),
            ("exe", text("first")),
            ("args", Is::B(b"--list\0".to_vec())),
            ("tid", N(seen.pid)),
            ("pid", N(seen.pid)),
            ("ptid", Is::Some),
            ("cwd", text("")),
            ("fdlimit", N(limit())),
            ("pgft_maj", Is::Some),
            ("pgft_min", Is::Some),
            ("vm_size", Is::Some),
            ("vm_rss", Is::Some),
            ("vm_swap", Is::Some),
            ("comm", text(comm)),
            ("cgroups", Is::Some),
            ("env", Is::B(b"KEY=value\0".to_vec())),
            ("tty", N(tty())),
            ("vpgid", Is::Some),
            ("loginuid", N(login.unwrap_or(u32::MAX).into())),
            ("flags", Is::Some),
            ("cap_inheritable", N(capability("CapInh"))),
            ("cap_permitted", N(capability("CapPrm"))),
            ("cap_effective", N(capability("CapEff"))),
            ("exe_ino", N(meta.ino() as i64)),
            ("exe_ino_ctime", time(meta.ctime(), meta.ctime_nsec())),
            ("exe_ino_mtime", time(meta.mtime(), meta.mtime_nsec())),
            ("uid", N(0)),
            ("trusted_exepath", text(path.to_string_lossy())),
            ("pgid", Is::Some),
            ("gid", N(8)),
            ("filename", text(path.to_string_lossy())),
        ],
    );
    let event = seen.one("execve");
    cgroups(&event);
    assert!(event.unsigned(10).is_some_and(|kb| kb > 100));
    assert_eq!(event.unsigned(19).map(|f| f & 5), Some(1), "root may write the program");
}

fn limit() -> i64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: fills the structure.
    unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    limit.rlim_cur.cast_signed()
}

/// The terminal of this process, from /proc.
fn tty() -> i64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    rest.split_whitespace().nth(4).and_then(|n| n.parse().ok()).unwrap_or(0)
}

fn capability(name: &str) -> i64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with(name)).unwrap_or_default();
    let value = line.split_whitespace().nth(1).and_then(|v| u64::from_str_radix(v, 16).ok()).unwrap_or(0);
    value.cast_signed()
}

fn exec_memfd(stage: &mut Stage) {
    let program = fs::read(own_program()).expect("a program");
    let (name, list) = (c("hidden"), c("--list"));
    let seen = stage.run(&[], |notes| {
        silence();
        sys!(notes[0] = SYS_memfd_create(name.as_ptr(), 0));
        let mut at = 0;
        while at < program.len() {
            at += sys!(SYS_write(notes.get(0) as i32, program[at..].as_ptr(), program.len() - at)) as usize;
        }
        let none = std::ptr::null();
        let (argv, envp) = ([name.as_ptr(), list.as_ptr(), none], [none]);
        let empty = c("");
        let flags = libc::AT_EMPTY_PATH;
        sys!(SYS_execveat(notes.get(0) as i32, empty.as_ptr(), argv.as_ptr(), envp.as_ptr(), flags));
    });
    let event = seen.one("execve");
    assert_eq!(event.unsigned(19).map(|f| f & 4), Some(4));
    assert_eq!(event.text(27), Some(&b"memfd:hidden"[..]));
}

fn failed<'a>(seen: &'a Seen, name: &str, result: i64) -> Event<'a> {
    let event = seen.one(name);
    assert_eq!(event.signed(0), Some(result));
    assert_eq!((event.text(1), event.param(2)), (Some(&b"zero"[..]), Some(&b"one\0"[..])));
    assert_eq!((event.signed(3), event.signed(4)), (Some(seen.pid), Some(seen.pid)));
    assert_eq!(event.param(15), Some(&b"A=b\0"[..]));
    assert_eq!(event.unsigned(7), Some(limit().cast_unsigned()));
    assert_eq!(
        event.text(27).map(|p| String::from_utf8_lossy(p).into_owned()),
        own_program().to_str().map(str::to_owned)
    );
    cgroups(&event);
    event
}

fn exec_fails(stage: &mut Stage) {
    let seen = stage.run(&["execve"], |_| {
        let (none, path, zero, one, env) = (std::ptr::null(), c("/absent"), c("zero"), c("one"), c("A=b"));
        let (argv, envp) = ([zero.as_ptr(), one.as_ptr(), none], [env.as_ptr(), none]);
        sys!(SYS_execve(path.as_ptr(), argv.as_ptr(), envp.as_ptr()));
    });
    assert_eq!(failed(&seen, "execve", -2).text(30), Some(&b"/absent"[..]));
}

fn execveat_fails(stage: &mut Stage) {
    let seen = stage.run(&["execveat"], |_| {
        let (none, path, zero, one, env) = (std::ptr::null(), c("absent"), c("zero"), c("one"), c("A=b"));
        let (argv, envp) = ([zero.as_ptr(), one.as_ptr(), none], [env.as_ptr(), none]);
        sys!(SYS_execveat(99, path.as_ptr(), argv.as_ptr(), envp.as_ptr(), 0));
    });
    assert_eq!(failed(&seen, "execveat", -9).params.count(), 30);
}

/// Makes a child with clone; in the child, `act` runs.
fn child(flags: u64, act: impl FnOnce()) -> i64 {
    let none = 0usize;
    let pid = sys!(SYS_clone(flags | libc::SIGCHLD as u64, none, none, none, none));
    if pid == 0 {
        act();
        sys!(SYS_exit_group(0));
    }
    pid
}

fn wait() {
    sys!(SYS_wait4(-1, 0, 0, 0));
}

fn births(stage: &mut Stage) {
    let seen = stage.run(&[], |notes| {
        notes.put(0, child(0, || ()));
        wait();
    });
    let pid = seen.notes.get(0);
    let born: Vec<Event<'_>> = seen.all("clone").into_iter().filter(|e| e.tid == pid).collect();
    let args = fs::read("/proc/self/cmdline").expect("arguments");
    let cut = args.iter().position(|b| *b == 0).expect("a program") + 1;
    let comm: String =
        own_program().file_name().expect("a name").to_string_lossy().chars().take(15).collect();
    crate::stage::check(
        &born[0],
        &[
            ("res", N(0)),
            ("exe", text(String::from_utf8_lossy(&args[..cut - 1]))),
            ("args", Is::B(args[cut..].to_vec())),
            ("tid", N(pid)),
            ("pid", N(pid)),
            ("ptid", N(seen.pid)),
            ("cwd", text("")),
            ("fdlimit", N(limit())),
            ("pgft_maj", Is::Some),
            ("pgft_min", Is::Some),
            ("vm_size", Is::Some),
            ("vm_rss", Is::Some),
            ("vm_swap", Is::Some),
            ("comm", text(comm)),
            ("cgroups", Is::Some),
            (
                "flags",
                N(if born[0].unsigned(15) == Some(CHILD_IN_PIDNS) { CHILD_IN_PIDNS as i64 } else { 0 }),
            ),
            ("uid", N(0)),
            ("gid", N(0)),
            ("vtid", N(pid)),
            ("vpid", N(pid)),
            ("pidns_init_start_ts", Is::Some),
        ],
    );
    cgroups(&born[0]);
}

fn clone3(stage: &mut Stage) {
    let flags = (libc::CLONE_FS | libc::CLONE_FILES) as u64;
    let asked = [flags, 0, 0, 0, libc::SIGCHLD as u64, 0, 0, 0];
    let seen = stage.run(&[], |notes| {
        let pid = sys!(SYS_clone3(asked.as_ptr(), 64));
        if pid == 0 {
            sys!(SYS_exit_group(0));
        }
        notes.put(0, pid);
        wait();
    });
    let born = seen.all("clone3");
    assert_eq!(born[0].tid, seen.notes.get(0));
    assert_eq!(born[0].unsigned(15).map(|f| f & 0xffff), Some(1 | 2));
}

/// A thread of this process, which the standard library makes.
fn thread(stage: &mut Stage) {
    let seen = stage.run(&[], |_| {
        let _ = std::thread::spawn(|| ()).join();
    });
    let born = [seen.all("clone"), seen.all("clone3")].concat();
    let own = |e: &&Event<'_>| e.signed(4) == Some(seen.pid) && e.tid != seen.pid;
    let event = born.iter().find(own).expect("the thread was seen");
    assert_eq!(event.unsigned(15).map(|f| f & (VM | THREAD)), Some(VM | THREAD));
    assert_eq!(event.param(14), Some(&b""[..]), "a thread is where its process is");
}

fn namespace(stage: &mut Stage) {
    let seen = stage.run(&[], |notes| {
        notes.put(
            0,
            child(libc::CLONE_NEWPID as u64, || {
                child(0, || ());
                wait();
            }),
        );
        wait();
    });
    let born = seen.all("clone");
    let first = born.iter().find(|e| e.tid == seen.notes.get(0)).expect("the child was seen");
    assert_eq!((first.signed(18), first.signed(19)), (Some(1), Some(1)));
    assert_eq!(first.unsigned(15).map(|f| f & (CHILD_IN_PIDNS | 64)), Some(CHILD_IN_PIDNS | 64));
    let second = born.iter().find(|e| e.signed(5) == Some(first.tid)).expect("the grandchild was seen");
    assert_eq!((second.signed(18), second.signed(19)), (Some(2), Some(2)));
    assert!(second.unsigned(20).is_some_and(|start| start > 0));
    assert_eq!(first.tid, first.signed(3).expect("an id"));
}

fn caller(stage: &mut Stage) {
    let seen = stage.run(&["clone"], |notes| {
        notes.put(0, child(0, || ()));
        wait();
    });
    let event = seen.one("clone");
    assert_eq!(event.signed(0), Some(seen.notes.get(0)));
    assert_eq!((event.signed(3), event.signed(4)), (Some(seen.pid), Some(seen.pid)));
}

fn exits(stage: &mut Stage) {
    let seen = stage.run(&[], |notes| {
        let pid = sys!(SYS_clone(libc::SIGCHLD, 0, 0, 0, 0));
        if pid == 0 {
            sys!(SYS_exit_group(7));
        }
        notes.put(0, pid);
        notes.put(
            1,
            child(0, || {
                let own = sys!(SYS_getpid());
                sys!(SYS_kill(own, libc::SIGKILL));
            }),
        );
        wait();
        wait();
    });
    let of = |n: usize| {
        let all = seen.all("procexit");
        all.into_iter().find(|e| e.tid == seen.notes.get(n)).expect("its end was seen")
    };
    let normal = [("status", N(7 << 8)), ("ret", N(7)), ("sig", N(0)), ("core", N(0)), ("reaper_tid", N(0))];
    crate::stage::check(&of(0), &normal);
    let killed = [("status", N(9)), ("ret", N(0)), ("sig", N(9)), ("core", N(0)), ("reaper_tid", N(0))];
    crate::stage::check(&of(1), &killed);
}

fn reaper(stage: &mut Stage) {
    let seen = stage.run(&[], |notes| {
        sys!(SYS_prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
        notes.put(
            0,
            child(0, || {
                // The orphan ends when the pipe that its grandparent holds is closed: never before its parent.
                let mut pair = [0i32; 2];
                sys!(SYS_pipe2(pair.as_mut_ptr(), 0));
                child(0, || {
                    let mut byte = 0u8;
                    sys!(SYS_close(pair[1]));
                    sys!(SYS_read(pair[0], &raw mut byte, 1));
                });
            }),
        );
        wait();
        wait();
    });
    let ends = seen.all("procexit");
    let parent = ends.iter().find(|e| e.tid == seen.notes.get(0)).expect("its end was seen");
    assert_eq!(parent.signed(4), Some(seen.pid));
}

fn ids(stage: &mut Stage) {
    let calls = ["setsid", "setgid", "setregid", "setresgid", "setuid", "setreuid", "setresuid", "setpgid"];
    let seen = stage.run(&calls, |notes| {
        sys!(notes[0] = SYS_setsid());
        sys!(SYS_setgid(5));
        sys!(SYS_setregid(-1, 6));
        sys!(SYS_setresgid(1, 2, 3));
        sys!(SYS_setuid(0));
        sys!(SYS_setreuid(-1, 0));
        sys!(SYS_setresuid(-1, 1000, 0));
        sys!(SYS_setpgid(0, 12));
    });
    seen.expect("setsid", &[("res", N(seen.notes.get(0)))]);
    seen.expect("setgid", &[("res", N(0)), ("gid", N(5))]);
    seen.expect("setregid", &[("res", N(0)), ("rgid", N(-1)), ("egid", N(6))]);
    seen.expect("setresgid", &[("res", N(0)), ("rgid", N(1)), ("egid", N(2)), ("sgid", N(3))]);
    seen.expect("setuid", &[("res", N(0)), ("uid", N(0))]);
    seen.expect("setreuid", &[("res", N(0)), ("ruid", N(-1)), ("euid", N(0))]);
    seen.expect("setresuid", &[("res", N(0)), ("ruid", N(-1)), ("euid", N(1000)), ("suid", N(0))]);
    seen.expect("setpgid", &[("res", N(-1)), ("pid", N(0)), ("pgid", N(12))]);
}

fn namespaces(stage: &mut Stage) {
    let seen = stage.run(&["setns", "unshare"], |_| {
        sys!(SYS_unshare(libc::CLONE_NEWNS | libc::CLONE_NEWUTS));
        sys!(SYS_setns(99, libc::CLONE_NEWNET));
    });
    seen.expect("unshare", &[("res", N(0)), ("flags", N(32 | 128))]);
    seen.expect("setns", &[("res", N(-9)), ("fd", N(99)), ("nstype", N(16))]);
}

fn prctl(stage: &mut Stage) {
    let name = c("new name");
    let seen = stage.run(&["prctl"], |_| {
        sys!(SYS_prctl(libc::PR_SET_NAME, name.as_ptr(), 0, 0, 0));
        sys!(SYS_prctl(libc::PR_SET_DUMPABLE, 1, 0, 0, 0));
    });
    let all = seen.all("prctl");
    let named = [("res", N(0)), ("option", N(15)), ("arg2_str", text("new name")), ("arg2_int", N(0))];
    crate::stage::check(&all[0], &named);
    let number = [("res", N(0)), ("option", N(4)), ("arg2_str", Is::None), ("arg2_int", N(1))];
    crate::stage::check(&all[1], &number);
}

fn ptrace(stage: &mut Stage) {
    let seen = stage.run(&["ptrace"], |_| {
        sys!(SYS_ptrace(libc::PTRACE_TRACEME, 0, 0, 0));
        sys!(SYS_ptrace(libc::PTRACE_ATTACH, 1 << 21, 0x10, 0x20));
    });
    let word = |n: u64| Is::B([&[0][..], &n.to_le_bytes()].concat());
    let first = seen.all("ptrace");
    assert_eq!((first[0].unsigned(3), first[0].signed(0)), (Some(1), Some(0)));
    seen.expect(
        "ptrace",
        &[
            ("res", Is::Some),
            ("addr", word(0x10)),
            ("data", word(0x20)),
            ("request", N(11)),
            ("pid", N(1 << 21)),
        ],
    );
}

fn kills(stage: &mut Stage) {
    let seen = stage.run(&["kill", "tkill", "tgkill"], |_| {
        sys!(SYS_kill(0x7fff_fff0, libc::SIGTERM));
        sys!(SYS_tkill(0x7fff_fff1, libc::SIGHUP));
        sys!(SYS_tgkill(0x7fff_fff2, 0x7fff_fff3, libc::SIGUSR1));
    });
    seen.expect("kill", &[("res", N(-3)), ("pid", N(0x7fff_fff0)), ("sig", N(15))]);
    seen.expect("tkill", &[("res", N(-3)), ("tid", N(0x7fff_fff1)), ("sig", N(1))]);
    let group = [("res", N(-3)), ("pid", N(0x7fff_fff2)), ("tid", N(0x7fff_fff3)), ("sig", N(10))];
    seen.expect("tgkill", &group);
}

fn limits(stage: &mut Stage) {
    let old = limit();
    let seen = stage.run(&["prlimit64", "setrlimit"], |_| {
        let (new, mut before) = ([100u64, 200], [0u64; 2]);
        sys!(SYS_prlimit64(0, libc::RLIMIT_NOFILE, new.as_ptr(), before.as_mut_ptr()));
        sys!(SYS_setrlimit(libc::RLIMIT_CORE, [0u64, u64::MAX].as_ptr()));
    });
    seen.expect(
        "prlimit",
        &[
            ("res", N(0)),
            ("newcur", N(100)),
            ("newmax", N(200)),
            ("oldcur", N(old)),
            ("oldmax", Is::Some),
            ("pid", N(0)),
            ("resource", N(7)),
        ],
    );
    let core = [("res", Is::Some), ("cur", N(0)), ("max", N(-1)), ("resource", N(4))];
    seen.expect("setrlimit", &core);
}

fn capset(stage: &mut Stage) {
    let seen = stage.run(&["capset"], |_| {
        let (head, data) = ([0x2008_0522u32, 0], [1u32 << 5, 1 << 5 | 1 << 6, 0, 0, 0, 0]);
        sys!(SYS_capset(head.as_ptr(), data.as_ptr()));
    });
    let caps = [
        ("res", N(0)),
        ("cap_inheritable", N(0)),
        ("cap_permitted", N(1 << 5 | 1 << 6)),
        ("cap_effective", N(1 << 5)),
    ];
    seen.expect("capset", &caps);
}

fn process_vm(stage: &mut Stage) {
    let secret = *b"secret";
    let seen = stage.run(&["process_vm_readv"], |_| {
        let mut own = [0u8; 6];
        let local = libc::iovec { iov_base: own.as_mut_ptr().cast(), iov_len: 6 };
        let remote = libc::iovec { iov_base: secret.as_ptr().cast_mut().cast(), iov_len: 6 };
        let me = sys!(SYS_getpid());
        sys!(SYS_process_vm_readv(me, &raw const local, 1usize, &raw const remote, 1usize, 0usize));
    });
    let read = [("res", N(6)), ("pid", N(seen.pid)), ("data", Is::B(b"secret".to_vec()))];
    seen.expect("process_vm_readv", &read);
}
