//! Runs calls in a process of their own and collects what the probe says about it.

use std::ffi::CString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use eyas_event::{Event, Snapshot, id, table::Kind};
use eyas_probe::{Plan, ProbeError, Rung, Sensor};

/// Longest time until the end of a process must have been seen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A probe and a folder for files.
pub(crate) struct Stage {
    sensor: Sensor,
    dir: PathBuf,
    /// Names of all events of the threads that were run first, and their errors.
    told: Vec<String>,
}

/// Numbers that the process hands to the test.
pub(crate) struct Notes(*mut AtomicI64);

impl Notes {
    pub(crate) const COUNT: usize = 16;

    fn new() -> Notes {
        let (protection, flags) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
        // SAFETY: a fresh anonymous mapping.
        let at = unsafe { libc::mmap(std::ptr::null_mut(), 4096, protection, flags, -1, 0) };
        assert_ne!(at, libc::MAP_FAILED);
        Notes(at.cast())
    }

    fn note(&self, n: usize) -> &AtomicI64 {
        assert!(n < Notes::COUNT);
        // SAFETY: the mapping holds that many numbers and is never unmapped.
        unsafe { &*self.0.add(n) }
    }

    pub(crate) fn put(&self, n: usize, value: i64) {
        self.note(n).store(value, Ordering::SeqCst);
    }

    pub(crate) fn get(&self, n: usize) -> i64 {
        self.note(n).load(Ordering::SeqCst)
    }
}

/// What was seen of one process and its children, and what it noted.
pub(crate) struct Seen {
    pub(crate) pid: i64,
    pub(crate) notes: Notes,
    events: Vec<Vec<u8>>,
}

/// A value that a parameter must have.
#[derive(Clone, Debug)]
pub(crate) enum Is {
    /// Number; negative ones as the signed value of the parameter's width.
    N(i64),
    /// Text without NUL.
    T(String),
    /// Bytes.
    B(Vec<u8>),
    /// Nothing.
    None,
    /// Anything that is there.
    Some,
}

pub(crate) fn text(s: impl AsRef<str>) -> Is {
    Is::T(s.as_ref().to_owned())
}

/// A path for a system call.
pub(crate) fn c(s: impl AsRef<std::ffi::OsStr>) -> CString {
    use std::os::unix::ffi::OsStrExt;
    CString::new(s.as_ref().as_bytes()).expect("no NUL in a path")
}

impl Stage {
    pub(crate) fn open(rung: Rung) -> Result<Stage, ProbeError> {
        let sensor = Sensor::open_on(rung)?;
        let dir = std::env::temp_dir().join(format!("eyas-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a folder for files");
        let dir = dir.canonicalize().expect("the folder has a path");
        Ok(Stage { sensor, dir, told: Vec::new() })
    }

    /// Whether the kernel has iterators for us.
    pub(crate) fn iterates(&self) -> bool {
        self.sensor.scans() != "/proc"
    }

    /// Whether it is remembered how processes began.
    pub(crate) fn remembers(&self) -> bool {
        self.sensor.rung() != Rung::Raw
    }

    /// What is true now.
    pub(crate) fn scan(&self, out: &mut dyn FnMut(Snapshot)) {
        self.sensor.scan(out);
    }

    pub(crate) fn lost(&self) -> u64 {
        self.sensor.counters().lost().values().sum()
    }

    pub(crate) fn lost_of(&self, class: &str) -> u64 {
        self.sensor.counters().lost().get(class).copied().unwrap_or(0)
    }

    /// What was told since the last time.
    pub(crate) fn told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.told)
    }

    /// Follows a step of the wall clock.
    pub(crate) fn follow_clock(&mut self, take: &mut dyn FnMut(&[u8])) -> bool {
        self.sensor.follow_clock(take)
    }

    /// A path for a file of this test.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Runs `act` in a new process while the named calls are collected, until the end of it was seen.
    pub(crate) fn run(&mut self, calls: &[&str], act: impl FnOnce(&Notes)) -> Seen {
        let mut plan = Plan { data: 80, ..Plan::of(&[]) };
        calls.iter().for_each(|call| drop(plan.calls.insert((*call).to_owned(), Vec::new())));
        self.run_under(&plan, act)
    }

    /// Runs `act` in a new process under a plan, until the end of it was seen.
    pub(crate) fn run_under(&mut self, plan: &Plan, act: impl FnOnce(&Notes)) -> Seen {
        let (pid, notes) = self.begin(plan, act);
        let events = self.until_exit(pid.into());
        // SAFETY: takes the state of our child.
        unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
        Seen { pid: pid.into(), notes, events }
    }

    /// Runs `act` in a new process under a plan; `meet` is done when it has acted and still lives.
    pub(crate) fn run_meeting(
        &mut self,
        plan: &Plan,
        act: impl FnOnce(&Notes),
        meet: impl FnOnce(&Stage),
    ) -> Seen {
        const ACTED: usize = Notes::COUNT - 2;
        const MET: usize = Notes::COUNT - 1;
        let (pid, notes) = self.begin(plan, |notes| {
            act(notes);
            notes.put(ACTED, 1);
            while notes.get(MET) == 0 {
                std::thread::yield_now();
            }
        });
        while notes.get(ACTED) == 0 {
            std::thread::yield_now();
        }
        meet(self);
        notes.put(MET, 1);
        let events = self.until_exit(pid.into());
        // SAFETY: takes the state of our child.
        unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
        Seen { pid: pid.into(), notes, events }
    }

    /// Runs `act` in a new process while plans follow one another; `act` is told how many there were so far by the
    /// number in the last note, and that no more will come by a negative one.
    pub(crate) fn run_through(&mut self, plans: &[Plan], act: impl FnOnce(&Notes)) -> Seen {
        let (pid, notes) = self.begin(&plans[0], act);
        for (n, plan) in plans.iter().enumerate().skip(1) {
            self.sensor.follow(plan).expect("the plan is taken");
            notes.put(Notes::COUNT - 1, n as i64);
        }
        notes.put(Notes::COUNT - 1, -1);
        let events = self.until_exit(pid.into());
        // SAFETY: takes the state of our child.
        unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
        Seen { pid: pid.into(), notes, events }
    }

    /// Runs `act` in a new process and reads nothing before it has ended.
    pub(crate) fn run_unread(&mut self, calls: &[&str], act: impl FnOnce(&Notes)) -> Seen {
        let mut plan = Plan::of(&[]);
        calls.iter().for_each(|call| drop(plan.calls.insert((*call).to_owned(), Vec::new())));
        let (pid, notes) = self.begin(&plan, act);
        // SAFETY: waits for our child.
        unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
        let events = self.until_exit(pid.into());
        Seen { pid: pid.into(), notes, events }
    }

    fn begin(&mut self, plan: &Plan, act: impl FnOnce(&Notes)) -> (i32, Notes) {
        self.sensor.follow(plan).expect("the plan is taken");
        let notes = Notes::new();
        // SAFETY: the child only makes system calls and leaves by _exit.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            act(&notes);
            // SAFETY: ends this process.
            unsafe { libc::_exit(0) };
        }
        assert!(pid > 0);
        (pid, notes)
    }

    fn until_exit(&mut self, pid: i64) -> Vec<Vec<u8>> {
        let (mut events, mut family, mut ended) = (Vec::new(), vec![pid], false);
        let end = Instant::now() + PATIENCE;
        while !ended {
            assert!(Instant::now() < end, "the end of process {pid} was not seen");
            let taken = self.sensor.poll(Duration::from_millis(100), &mut |bytes| {
                let Ok(event) = Event::parse(bytes, 0, 0) else { panic!("not an event: {bytes:?}") };
                let child = is_birth(event.kind) && event.signed(0) == Some(0);
                let relative = |i| event.signed(i).is_some_and(|id| family.contains(&id));
                if child && (relative(4) || relative(5)) {
                    family.push(event.tid);
                }
                if family.contains(&event.tid) {
                    ended |= event.kind == id::PROCEXIT_1_E && event.tid == pid;
                    self.told.extend((event.tid == pid).then(|| told(&event)));
                    events.push(bytes.to_vec());
                }
            });
            taken.expect("the ring can be read");
        }
        events
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// An event without what differs from run to run: ids, times, and numbers that the kernel chose.
fn told(event: &Event<'_>) -> String {
    let info = event.info();
    let failed = event.signed(0).filter(|result| *result < 0 && info.params[0].kind == Kind::Errno);
    format!("{} {}", info.name, failed.unwrap_or_default())
}

fn is_birth(kind: u16) -> bool {
    matches!(
        kind,
        id::SYSCALL_CLONE_20_X | id::SYSCALL_CLONE3_X | id::SYSCALL_FORK_20_X | id::SYSCALL_VFORK_20_X
    )
}

impl Seen {
    fn parsed(&self) -> impl Iterator<Item = Event<'_>> {
        self.events.iter().map(|bytes| Event::parse(bytes, 0, 0).expect("an event"))
    }

    /// Every event of a name, in order.
    pub(crate) fn all(&self, name: &str) -> Vec<Event<'_>> {
        self.parsed().filter(|e| e.info().name == name).collect()
    }

    /// The last event of a name that the process itself made.
    pub(crate) fn one(&self, name: &str) -> Event<'_> {
        let own = self.all(name).into_iter().rfind(|e| e.tid == self.pid);
        own.unwrap_or_else(|| panic!("no event {name}; seen: {:?}", self.names()))
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.parsed().map(|e| e.info().name).collect()
    }

    /// Checks every parameter of the last event of a name.
    pub(crate) fn expect(&self, name: &str, expected: &[(&str, Is)]) {
        check(&self.one(name), expected);
    }
}

/// Checks every parameter that the table has for an event.
pub(crate) fn check(event: &Event<'_>, expected: &[(&str, Is)]) {
    let info = event.info();
    let names: Vec<&str> = info.params.iter().map(|p| p.name).collect();
    let given: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, given, "parameters of {}", info.name);
    for (i, (name, is)) in expected.iter().enumerate() {
        check_one(event, i, &format!("{}.{name}", info.name), is);
    }
}

fn check_one(event: &Event<'_>, i: usize, what: &str, is: &Is) {
    let kind = event.info().params[i].kind;
    let bytes = event.param(i).unwrap_or_else(|| panic!("{what} is missing"));
    if let (Some(width), false) = (kind.size(), bytes.is_empty()) {
        assert_eq!(bytes.len(), width, "width of {what}");
    }
    match is {
        Is::N(n) => {
            let signed =
                matches!(kind, Kind::Fd | Kind::Pid | Kind::Errno | Kind::Int32 | Kind::Int64 | Kind::Int16);
            let value = if signed { event.signed(i) } else { event.unsigned(i).map(u64::cast_signed) };
            let mask = kind.size().map_or(-1, |w| if w >= 8 { -1 } else { (1i64 << (8 * w)) - 1 });
            assert_eq!(value, Some(if signed { *n } else { *n & mask }), "{what}");
        }
        Is::T(t) => {
            assert_eq!(event.text(i).map(String::from_utf8_lossy).as_deref(), Some(t.as_str()), "{what}")
        }
        Is::B(b) => assert_eq!(String::from_utf8_lossy(bytes), String::from_utf8_lossy(b), "{what}"),
        Is::None => assert!(bytes.is_empty(), "{what} is {bytes:?}"),
        Is::Some => assert!(!bytes.is_empty(), "{what} is empty"),
    }
}
