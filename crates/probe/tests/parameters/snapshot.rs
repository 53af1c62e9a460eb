//! What is true now: the iterators and /proc say the same.

use std::any::Any;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};

use eyas_event::{File as Descriptor, FileKind, Process, Snapshot};
use eyas_probe::{Plan, Sieve, procfs};

use crate::files::sys;
use crate::stage::Stage;

pub(crate) const CASES: &[crate::Case] = &[
    ("the iterators and /proc give the same state", same),
    ("a snapshot leaves out descriptors that were sieved out", sieved),
];

/// Coarser by the clock of /proc: a tick of ten milliseconds, and boot times that are measured.
const CLOCK: u64 = 30_000_000;

type Threads = BTreeMap<i64, Process>;
type Files = BTreeMap<(i64, i64), Descriptor>;

/// Threads and open files, without what changes by itself.
fn taken(scan: impl FnOnce(&mut dyn FnMut(Snapshot))) -> (Threads, Files) {
    let (mut threads, mut files) = (Threads::new(), Files::new());
    scan(&mut |record| match record {
        Snapshot::Process(process) => drop(threads.insert(process.tid, still(*process))),
        Snapshot::File(mut file) => {
            if let FileKind::Unix { source, dest, .. } = &mut file.kind {
                // Addresses that /proc hides.
                (*source, *dest) = (0, 0);
            }
            files.insert((file.tid, file.fd), file);
        }
        _ => {}
    });
    (threads, files)
}

fn still(process: Process) -> Process {
    Process {
        vmsize_kb: 0,
        vmrss_kb: 0,
        vmswap_kb: 0,
        pfmajor: 0,
        pfminor: 0,
        clone_ts: process.clone_ts / CLOCK,
        // /proc guesses these three.
        exe_writable: false,
        exe_upper_layer: false,
        exe_lower_layer: false,
        cgroups: groups(&process.cgroups),
        ..process
    }
}

/// Paths of those that events carry too; /proc has more, and tells each hierarchy once.
fn groups(all: &[u8]) -> Vec<u8> {
    let named = |one: &&[u8]| {
        [&b"cpuset="[..], b"cpu=", b"cpuacct=", b"memory=", b"unified="]
            .iter()
            .any(|name| one.starts_with(name))
    };
    let mut kept: Vec<&[u8]> =
        all.split(|b| *b == 0).filter(named).filter_map(|one| one.split(|b| *b == b'=').nth(1)).collect();
    kept.sort_unstable();
    kept.dedup();
    kept.join(&0)
}

/// Descriptors of every kind.
fn open_all(stage: &Stage) -> Vec<Box<dyn Any>> {
    let gone = stage.path("gone");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let address = listener.local_addr().expect("an address");
    let six = TcpListener::bind("[::1]:0").ok();
    let near = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let far = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    far.connect(near.local_addr().expect("an address")).expect("connected");
    let name = SocketAddr::from_abstract_name(format!("eyas-{}", std::process::id())).expect("a name");
    let path = stage.path("socket");
    // Another rung may have left it.
    let _ = fs::remove_file(&path);
    let all: Vec<Box<dyn Any>> = vec![
        Box::new(File::create(&gone).expect("a file")),
        Box::new(File::open("/proc/self/maps").expect("a file")),
        Box::new(File::open("/proc/self/ns/net").expect("a namespace")),
        Box::new(File::open("/tmp").expect("a folder")),
        Box::new(TcpStream::connect(address).expect("connected")),
        Box::new((listener, six, near, far)),
        Box::new(UnixListener::bind_addr(&name).expect("a socket")),
        Box::new(UnixListener::bind(path).expect("a socket")),
    ];
    fs::remove_file(gone).expect("removed");
    let mut pair = [0i32; 2];
    sys!(SYS_pipe2(pair.as_mut_ptr(), 0));
    sys!(SYS_eventfd2(0, 0));
    sys!(SYS_epoll_create1(0));
    sys!(SYS_memfd_create(c"held".as_ptr(), 0));
    sys!(SYS_timerfd_create(0, 0));
    sys!(SYS_inotify_init1(0));
    sys!(SYS_socket(libc::AF_INET, libc::SOCK_STREAM, 0));
    sys!(SYS_socket(libc::AF_NETLINK, libc::SOCK_RAW, 0));
    sys!(SYS_socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, pair.as_mut_ptr()));
    sys!(SYS_pidfd_open(std::process::id(), 0));
    all
}

fn same(stage: &mut Stage) {
    if !stage.iterates() {
        eprintln!("skipped: no iterators here");
        return;
    }
    // A plan without a sieve, which would leave out our own descriptors too.
    stage.run(&[], |_| {});
    let _held = open_all(stage);
    let thread = std::thread::spawn(std::thread::park);
    // What stayed the same while the iterators ran must be the same there.
    let before = taken(procfs::scan);
    let found = taken(|out| stage.scan(out));
    let after = taken(procfs::scan);
    let mut same = 0;
    for (tid, process) in before.0.iter().filter(|(tid, one)| after.0.get(tid) == Some(one)) {
        let mut expected = process.clone();
        let one = found.0.get(tid).unwrap_or_else(|| panic!("thread {tid} is missing"));
        assert!(one.clone_ts.abs_diff(process.clone_ts) <= 1, "birth of {tid}");
        expected.clone_ts = one.clone_ts;
        assert_eq!(*one, expected, "thread {tid}");
        same += 1;
    }
    // Descriptors of others come and go.
    let own = |(tid, _): &(i64, i64)| *tid == i64::from(std::process::id());
    for (at, file) in before.1.iter().filter(|(at, one)| own(at) && after.1.get(at) == Some(one)) {
        assert_eq!(found.1.get(at), Some(file), "descriptor {at:?}");
        same += 1;
    }
    let own: Vec<&(i64, i64)> = found.1.keys().filter(|at| own(at)).collect();
    // A netlink socket without an address has no row in /proc, and the iterator itself is open for its time only.
    let rows = |at: &&&(i64, i64)| !matches!(found.1[at].kind, FileKind::Named { code: 15 | 17, .. });
    let more: Vec<_> =
        own.iter().filter(rows).filter(|at| !after.1.contains_key(at)).map(|at| &found.1[at]).collect();
    assert!(more.is_empty(), "more than /proc has: {more:?}");
    assert!(same > 20 && own.len() > 20, "{same} records stayed the same, {} are own", own.len());
    thread.thread().unpark();
    thread.join().expect("the thread ends");
}

fn sieved(stage: &mut Stage) {
    if !stage.iterates() {
        eprintln!("skipped: no iterators here");
        return;
    }
    let sieve = Sieve { prefixes: vec!["/etc/pas".into()], ..Sieve::default() };
    let plan = Plan { sieve: Some(sieve), ..Plan::of(&[]) };
    let mut held = Files::new();
    let seen = stage.run_meeting(
        &plan,
        |notes| {
            sys!(notes[0] = SYS_openat(libc::AT_FDCWD, c"/etc/passwd".as_ptr(), libc::O_RDONLY, 0));
            sys!(notes[1] = SYS_openat(libc::AT_FDCWD, c"/proc/version".as_ptr(), libc::O_RDONLY, 0));
        },
        |stage| held = taken(|out| stage.scan(out)).1,
    );
    let holds = |n: usize| held.contains_key(&(seen.pid, seen.notes.get(n)));
    assert!(holds(0) && !holds(1), "{:?}", seen.names());
}
