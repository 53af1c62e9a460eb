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
    ("an open is sent when the file itself has a name that matters", found),
    ("an open through dots, links to the start or a relative path is sent", odd),
    ("an open of a folder is sent, for paths may start there", folder),
    ("an open for writing is sent", writing),
    ("every open of a program that matters by name is sent", named),
    ("a number that is used again is known again", again),
    ("a call is left out when a test of its result or bits fails", tests),
    ("a call is sent when one of several tests holds", any_of_them),
    ("a call is left out when a parameter has another value", values),
    ("traffic is left out when both ports are others", ports),
    ("a call is left out when its program never had the name", programs),
    ("a call of another user is left out, unless its numbers are not the kernel's", users),
    ("a call is left out when its process is surely outside of containers", places),
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

fn found(stage: &mut Stage) {
    let with = |found: &str| {
        let sieve = Sieve { found: vec![found.to_owned()], ..Sieve::default() };
        Plan { sieve: Some(sieve), ..Plan::of(&[]) }
    };
    let home = stage.path("found");
    let at = |name: &str| home.join(name);
    let (secret, one, folder) = (at("a-secret"), at("one"), at("folder"));
    let _ = std::fs::remove_dir_all(&home);
    std::fs::create_dir_all(&folder).expect("a folder");
    for file in [&secret, &one, &folder.join("inner")] {
        std::fs::write(file, "x").expect("a file");
    }
    std::os::unix::fs::symlink(&secret, at("link")).expect("a link");
    std::os::unix::fs::symlink(&folder, at("way")).expect("a link");
    let paths = ["link", "way/inner", "one"].map(|name| c(at(name)));
    for (end, sent) in [
        ("/a-secret", 1),
        ("secret", 1),
        ("/secret", 0),
        ("/inner", 1),
        ("/one", 1),
        ("one", 1),
        ("/ne", 0),
        ("/link", 0),
    ] {
        let seen = stage.run_under(&with(end), |_| paths.iter().for_each(|path| visit(path, libc::O_RDONLY)));
        assert_eq!(count(&seen), (sent, sent), "{end}");
    }
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
    let act = |_: &crate::stage::Notes| {
        let own = sys!(SYS_getpid());
        sys!(SYS_kill(own, 0));
        sys!(SYS_kill(0x7fff_fff0, 9));
    };
    let mut kills = |tests| stage.run_under(&asking("kill", tests), act).all("kill").len();
    assert_eq!(kills(vec![]), 2);
    assert_eq!(kills(vec![Test::Succeeded]), 1);
    assert_eq!(kills(vec![Test::Failed, Test::OneOf(1, 1 << 9, 0)]), 1);
    assert_eq!(kills(vec![Test::AnyBit(1, 16)]), 0);
    assert_eq!(kills(vec![Test::NoBit(1, 9)]), 1);
    assert_eq!(kills(vec![Test::Family(0, 1)]), 2);
}

fn asking(call: &str, tests: Vec<Test>) -> Plan {
    let mut plan = Plan::of(&[]);
    plan.calls.insert(call.to_owned(), tests);
    plan
}

/// How often `act` makes the process send a call under tests.
fn sent(stage: &mut Stage, call: &str, test: Test, act: fn()) -> usize {
    stage.run_under(&asking(call, vec![test]), |_| act()).all(call).len()
}

const ABSENT: i32 = 0x7fff_fff0;

fn kill() {
    sys!(SYS_kill(ABSENT, 9));
}

fn any_of_them(stage: &mut Stage) {
    let any = |tests: &[Test]| Test::Any(tests.to_vec());
    let nine = Test::OneOf(1, 1 << 9, 0);
    assert_eq!(sent(stage, "kill", any(&[Test::Succeeded, nine.clone()]), kill), 1);
    assert_eq!(sent(stage, "kill", any(&[nine.clone(), Test::Succeeded]), kill), 1);
    assert_eq!(sent(stage, "kill", any(&[Test::Succeeded, Test::NoBit(1, 9)]), kill), 0);
    let plan = asking("kill", vec![any(&[nine, Test::Succeeded]), Test::Succeeded]);
    assert_eq!(stage.run_under(&plan, |_| kill()).all("kill").len(), 0, "every group must hold");
}

fn values(stage: &mut Stage) {
    let number = |param: &str, values: &[i64]| Test::Number(param.to_owned(), values.to_vec());
    assert_eq!(sent(stage, "kill", number("pid", &[-1, 7, ABSENT.into()]), kill), 1);
    assert_eq!(sent(stage, "kill", number("pid", &[-1, 7, 8, 9, 100]), kill), 0);
    assert_eq!(sent(stage, "kill", number("sig", &[9, 19]), kill), 1);
    assert_eq!(sent(stage, "kill", number("sig", &[10]), kill), 0);
    assert_eq!(sent(stage, "kill", Test::Text("sig".into(), vec!["SIGKILL".into()]), kill), 1);
    assert_eq!(sent(stage, "kill", number("fd", &[10]), kill), 1, "no such parameter");
    let flagged = |flag: &str| Test::Contains("flags".into(), vec![flag.to_owned()]);
    let unshare = || {
        sys!(SYS_unshare(libc::CLONE_FS));
    };
    assert_eq!(sent(stage, "unshare", flagged("CLONE_FS"), unshare), 1);
    assert_eq!(sent(stage, "unshare", flagged("CLONE_NEWUSER"), unshare), 0);
}

/// 127.0.0.1 with a port.
fn local(port: u16) -> libc::sockaddr_in {
    libc::sockaddr_in {
        sin_family: libc::AF_INET as u16,
        sin_port: port.to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes([127, 0, 0, 1]) },
        sin_zero: [0; 8],
    }
}

fn datagrams() {
    const SIZE: usize = size_of::<libc::sockaddr_in>();
    let fd = sys!(SYS_socket(libc::AF_INET, libc::SOCK_DGRAM, 0));
    sys!(SYS_sendto(fd, c"x".as_ptr(), 1, 0, &local(5353), SIZE));
    sys!(SYS_connect(fd, &local(5300), SIZE));
    sys!(SYS_sendto(fd, c"x".as_ptr(), 1, 0, 0, 0));
    sys!(SYS_connect(fd, &local(5301), 3));
}

fn ports(stage: &mut Stage) {
    let mut passed = |call: &str, port| sent(stage, call, Test::Ports(vec![1, port]), datagrams);
    assert_eq!([passed("sendto", 5353), passed("sendto", 5300), passed("sendto", 53)], [1, 1, 0]);
    assert_eq!([passed("connect", 5300), passed("connect", 5301)], [2, 1], "a failure says nothing of ports");
}

fn programs(stage: &mut Stage) {
    let own = std::fs::read_to_string("/proc/self/comm").expect("a name");
    let named = |name: &str| Test::Named(vec!["someone".to_owned(), name.trim().to_owned()]);
    let renamed = || {
        sys!(SYS_prctl(libc::PR_SET_NAME, c"other".as_ptr()));
        kill();
    };
    assert_eq!(sent(stage, "kill", named(&own), kill), 1);
    assert_eq!(sent(stage, "kill", named(&own), renamed), 1, "it began with the name");
    assert_eq!(sent(stage, "kill", named("other"), renamed), 1);
    let unseen = sent(stage, "kill", named("another"), renamed);
    assert_eq!(unseen, usize::from(!stage.remembers()));
}

fn users(stage: &mut Stage) {
    let other = || {
        sys!(SYS_setresuid(-1, 1000, -1));
        kill();
    };
    assert_eq!(sent(stage, "kill", Test::User(vec![5, 0]), kill), 1);
    assert_eq!(sent(stage, "kill", Test::User(vec![0]), other), 0);
    assert_eq!(sent(stage, "kill", Test::OtherUser(0), other), 1);
    assert_eq!(sent(stage, "kill", Test::OtherUser(0), kill), 0);
    let inside = || {
        sys!(SYS_unshare(libc::CLONE_NEWUSER));
        kill();
    };
    assert_eq!(sent(stage, "kill", Test::User(vec![7]), inside), 1);
}

fn places(stage: &mut Stage) {
    let groups = std::fs::read_to_string("/proc/self/cgroup").expect("cgroups");
    let at_top = groups.lines().all(|line| line.ends_with(":/"));
    let expected = usize::from(!at_top || !stage.remembers());
    assert_eq!(sent(stage, "kill", Test::Contained, kill), expected);
}
