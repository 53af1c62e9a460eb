//! What the kernel side leaves out because no rule can ask about it.

use eyas_probe::{Plan, Sieve, Test};

use crate::files::sys;
use crate::stage::{Seen, Stage, c};

pub(crate) const CASES: &[crate::Case] = &[
    ("an open for reading of another path is left out, and its close", left_out),
    ("an open by openat2 for reading of another path is left out, and its close", left_out_by_openat2),
    ("what was left out in a program is not left out in its child", inherited),
    ("a beginning of each length is told from paths beside it", beginnings),
    ("an open of a path that matters is sent, and its close", matters),
    ("an open of a path that ends so that it matters is sent", ends),
    ("an open through dots, links to the start or a relative path is sent", odd),
    ("an open of a folder is sent, for paths may start there", folder),
    ("an open for writing is sent", writing),
    ("every open of a program that matters by name is sent", named),
    ("a number that is used again is known again", again),
    ("a call is left out when a test of its result or bits fails", tests),
];

fn plan(prefixes: &[&str], names: &[&str]) -> Plan {
    let listed = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
    let sieve = Sieve { prefixes: listed(prefixes), names: listed(names), ..Sieve::default() };
    Plan { sieve: Some(sieve), ..Plan::of(&[]) }
}

fn count(seen: &Seen) -> (usize, usize) {
    (seen.all("openat").len(), seen.all("close").len())
}

/// Opens a path for reading and closes it.
fn visit(path: &std::ffi::CStr, flags: i32) {
    let fd = sys!(SYS_openat(libc::AT_FDCWD, path.as_ptr(), flags, 0o600));
    sys!(SYS_close(fd as i32));
}

fn left_out(stage: &mut Stage) {
    let seen = stage.run_under(&plan(&["/etc/shadow"], &[]), |_| {
        visit(c"/etc/passwd", libc::O_RDONLY);
        visit(c"/absent", libc::O_RDONLY);
    });
    assert_eq!(count(&seen), (0, 0));
}

fn left_out_by_openat2(stage: &mut Stage) {
    let visit = |flags: u64, mode: u64| {
        let how = [flags, mode, 0];
        let size = std::mem::size_of_val(&how);
        let fd = sys!(SYS_openat2(libc::AT_FDCWD, c"/etc/passwd".as_ptr(), how.as_ptr(), size));
        sys!(SYS_close(fd as i32));
    };
    let seen = stage.run_under(&plan(&["/x"], &[]), |_| {
        visit(libc::O_RDONLY as u64, 0);
        visit(libc::O_RDWR as u64, 0);
    });
    assert_eq!((seen.all("openat2").len(), seen.all("close").len()), (1, 1));
}

fn inherited(stage: &mut Stage) {
    let seen = stage.run_under(&plan(&["/x"], &[]), |_| {
        let fd = sys!(SYS_openat(libc::AT_FDCWD, c"/etc/passwd".as_ptr(), libc::O_RDONLY, 0)) as i32;
        // SAFETY: the child makes two system calls and ends.
        let child = unsafe { libc::fork() };
        if child == 0 {
            sys!(SYS_close(fd));
            sys!(SYS_exit_group(0));
        }
        // SAFETY: waits for the child.
        unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
        sys!(SYS_close(fd));
    });
    assert_eq!(seen.all("openat").len(), 0);
    assert_eq!(seen.all("close").len(), 1, "that of the child");
}

fn beginnings(stage: &mut Stage) {
    for (prefix, sent) in [
        ("/e", 1),
        ("/etc/p", 1),
        ("/etc/passwd", 1),
        ("/etc/pasta", 1),
        ("/etc/pest", 0),
        ("/f", 0),
        ("/etc/passw", 1),
    ] {
        let seen =
            stage.run_under(&plan(&["/dev/mem", prefix], &[]), |_| visit(c"/etc/passwd", libc::O_RDONLY));
        assert_eq!(count(&seen), (sent, sent), "{prefix}");
    }
}

fn matters(stage: &mut Stage) {
    let seen = stage.run_under(&plan(&["/usr/", "/etc/pas"], &[]), |_| visit(c"/etc/passwd", libc::O_RDONLY));
    assert_eq!(count(&seen), (1, 1));
}

fn ends(stage: &mut Stage) {
    let with = |suffix: &str| {
        let sieve = Sieve { suffixes: vec![suffix.to_owned()], ..Sieve::default() };
        Plan { sieve: Some(sieve), ..Plan::of(&[]) }
    };
    for (suffix, sent) in
        [("/version", 1), ("sion", 1), ("/proc/version", 1), ("version/", 0), ("/versio", 0)]
    {
        let seen = stage.run_under(&with(suffix), |_| visit(c"/proc/version", libc::O_RDONLY));
        assert_eq!(count(&seen), (sent, sent), "{suffix}");
    }
    let seen = stage.run_under(&with("/init"), |_| visit(c"/dev/null", libc::O_RDONLY));
    assert_eq!(count(&seen), (0, 0));
}

fn odd(stage: &mut Stage) {
    let seen = stage.run_under(&plan(&["/etc/shadow"], &[]), |_| {
        visit(c"/tmp/../etc/passwd", libc::O_RDONLY);
        visit(c"/etc//passwd", libc::O_RDONLY);
        visit(c"/etc/./passwd", libc::O_RDONLY);
        visit(c"/usr/lib/../../etc/passwd", libc::O_RDONLY);
        sys!(SYS_chdir(c"/etc".as_ptr()));
        visit(c"passwd", libc::O_RDONLY);
    });
    assert_eq!(count(&seen), (5, 5));
}

fn folder(stage: &mut Stage) {
    let seen = stage.run_under(&plan(&["/x"], &[]), |_| visit(c"/etc", libc::O_RDONLY));
    assert_eq!(count(&seen), (1, 1));
}

fn writing(stage: &mut Stage) {
    let path = c(stage.path("written"));
    let seen = stage.run_under(&plan(&["/x"], &[]), |_| visit(&path, libc::O_WRONLY | libc::O_CREAT));
    assert_eq!(count(&seen), (1, 1));
}

fn named(stage: &mut Stage) {
    let own = std::fs::read_to_string("/proc/self/comm").expect("a name");
    let seen = stage.run_under(&plan(&["/x"], &[own.trim()]), |_| visit(c"/etc/passwd", libc::O_RDONLY));
    assert_eq!(count(&seen), (1, 1));
    let seen = stage.run_under(&plan(&["/x"], &["another"]), |_| visit(c"/etc/passwd", libc::O_RDONLY));
    assert_eq!(count(&seen), (0, 0));
}

fn again(stage: &mut Stage) {
    let seen = stage.run_under(&plan(&["/x"], &[]), |_| {
        let fd = sys!(SYS_openat(libc::AT_FDCWD, c"/etc/passwd".as_ptr(), libc::O_RDONLY, 0)) as i32;
        // The number changes its meaning without a close; what it means now is known, so its close is.
        sys!(SYS_dup3(0, fd, 0));
        sys!(SYS_close(fd));
    });
    assert_eq!((seen.all("dup3").len(), count(&seen)), (1, (0, 1)));
}

fn tests(stage: &mut Stage) {
    let wants = |tests: Vec<Test>| {
        let mut plan = Plan::of(&[]);
        plan.calls.insert("kill".to_owned(), tests);
        plan
    };
    let act = |_: &crate::stage::Notes| {
        let own = sys!(SYS_getpid());
        sys!(SYS_kill(own, 0));
        sys!(SYS_kill(0x7fff_fff0, 9));
    };
    let mut kills = |tests| stage.run_under(&wants(tests), act).all("kill").len();
    assert_eq!(kills(vec![]), 2);
    assert_eq!(kills(vec![Test::Succeeded]), 1);
    assert_eq!(kills(vec![Test::Failed, Test::OneOf(1, 1 << 9, 0)]), 1);
    assert_eq!(kills(vec![Test::AnyBit(1, 16)]), 0);
    assert_eq!(kills(vec![Test::NoBit(1, 9)]), 1);
    assert_eq!(kills(vec![Test::Family(0, 1)]), 2);
}
