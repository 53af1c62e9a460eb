//! The probe in the kernel: loaded, told what to send, and read.

use std::ffi::OsStr;
use std::io;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use eyas_event::Snapshot;
use libbpf_rs::{Link, Map, MapCore, MapFlags, Object, ObjectBuilder, ProgramAttachType};

use crate::functions::{Hooks, PROGRAMS};
use crate::iterators::Iterators;
use crate::numbers::Numbers;
use crate::order::{Order, WINDOW_NS};
use crate::plan::Plan;
use crate::procfs;
use crate::ring::{self, Ring};
use crate::rung::{Rung, Tracepoints};
use crate::sleeper::Sleeper;
use crate::translate::Translator;
use crate::{Account, Counters, ProbeError};

static OBJECT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/probe.bpf.o"));

pub(crate) const CLASSES: [&str; 6] = ["process", "open", "network", "file", "other", "life"];
/// Bytes of data that are kept of each call where no plan says how many: as many as readers of captures expect.
const KEPT: u32 = 80;
/// Scratch areas of a processor (`SLOTS` in `send.h`).
const SLOTS: u32 = 3;
/// Calls that are read before what was read is handed on: memory stays small when more comes than can be judged.
const BATCH: usize = 1 << 9;
/// How far the wall clock may stand from the clock of events before that follows.
const STEP_NS: u64 = 50_000_000;
/// Longest wait without a look at the rings, should a wake-up be lost.
const LOOK: Duration = Duration::from_millis(100);

/// What the rings give, in order, and records that make no event.
struct Inbox {
    lives: Ring,
    calls: Ring,
    /// Readable when one of the rings is.
    either: OwnedFd,
    translator: Translator,
    order: Order,
    read: [u64; CLASSES.len()],
    unknown: u64,
    boot: u64,
}

impl Inbox {
    fn of(object: &Object, boot: u64) -> Result<Inbox, ProbeError> {
        let unreadable = |error: io::Error| ProbeError::Refused(format!("a ring cannot be read: {error}"));
        let missing = || ProbeError::Refused("the probe has no rings".to_owned());
        let (lives, calls) = map(object, "processes").zip(map(object, "calls")).ok_or_else(missing)?;
        let ring = |map: &Map<'_>| Ring::of(map.as_fd(), map.max_entries() as usize).map_err(unreadable);
        Ok(Inbox {
            either: ring::either(&[lives.as_fd(), calls.as_fd()]).map_err(unreadable)?,
            lives: ring(&lives)?,
            calls: ring(&calls)?,
            translator: Translator::new(),
            order: Order::default(),
            read: [0; CLASSES.len()],
            unknown: 0,
            boot,
        })
    }

    /// Reads the rings, of calls no more than a batch; gives the time of the last call where that left some behind.
    /// Births and deaths are read to the end, so that no call overtakes them.
    fn read(&mut self) -> Option<u64> {
        let Inbox { lives, calls, translator, order, read, unknown, boot, .. } = self;
        let mut push = |bytes: &[u8]| match order.push(|out| translator.event(bytes, *boot, out)) {
            Some(class) => read[class as usize] += 1,
            None => *unknown += 1,
        };
        lives.read(&mut |bytes| {
            push(bytes);
            ControlFlow::Continue(())
        });
        let mut batch = 0;
        calls.read(&mut |bytes| {
            push(bytes);
            batch += 1;
            if batch < BATCH { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        (batch == BATCH).then(|| self.order.newest().unwrap_or(0))
    }
}

/// A loaded probe.
pub struct Sensor {
    object: Box<Object>,
    /// At functions of calls, where these are the rung.
    hooks: Option<Hooks>,
    links: Vec<Link>,
    iterators: Option<Iterators>,
    sleeper: Sleeper,
    inbox: Inbox,
    numbers: Numbers,
    rung: Rung,
    refusals: Vec<(Rung, String)>,
    /// Whether it stands on the best rung, and no plan has shown yet that the kernel allows all of its hooks.
    untried: bool,
}

fn refused(e: libbpf_rs::Error) -> ProbeError {
    ProbeError::Refused(format!("{e:#}"))
}

impl Sensor {
    /// Loads and attaches the probe on the best rung of hooks; nothing is sent before `collect` or `follow`.
    ///
    /// # Errors
    /// Says whether privilege, BTF or the kernel's consent is missing.
    pub fn open() -> Result<Sensor, ProbeError> {
        let mut refusals = Vec::new();
        for rung in Rung::ALL {
            match Sensor::open_on(rung) {
                Ok(sensor) => return Ok(Sensor { refusals, untried: true, ..sensor }),
                Err(ProbeError::Refused(why)) => refusals.push((rung, why)),
                Err(error) => return Err(error),
            }
        }
        // What the plainest hooks lack says least.
        let why = refusals.into_iter().find(|(rung, _)| *rung == Rung::Typed);
        Err(ProbeError::Refused(why.map(|(_, why)| why).unwrap_or_default()))
    }

    /// Loads and attaches the probe on one rung of hooks.
    ///
    /// # Errors
    /// As `open`.
    pub fn open_on(rung: Rung) -> Result<Sensor, ProbeError> {
        crate::doctor::expect_possible()?;
        // Errors say what is missing; what libbpf prints beside them misleads.
        libbpf_rs::set_print(None);
        let hooks = (rung == Rung::Function).then(Hooks::new).transpose()?;
        // Iterators are younger than the rest and see their own pid namespace only.
        let with_iterators = procfs::sees_all().then(|| load(rung, hooks.as_ref(), true).ok()).flatten();
        let object = with_iterators.map_or_else(|| load(rung, hooks.as_ref(), false), Ok).map_err(refused)?;
        let object = Box::new(object);
        let (mut links, mut iterators) = (Vec::new(), Vec::new());
        let leads = |name: &OsStr| PROGRAMS.iter().any(|program| name == *program);
        for program in object.progs_mut().filter(|program| program.autoload() && !leads(program.name())) {
            let link = program.attach().map_err(refused)?;
            let iterates = matches!(program.attach_type(), ProgramAttachType::TraceIter);
            if iterates { &mut iterators } else { &mut links }.push(link);
        }
        hooks.as_ref().map(|hooks| hooks.lead_to(&object)).transpose()?;
        let iterators = iterators.pop().zip(iterators.pop()).map(|(files, tasks)| Iterators { tasks, files });
        let inbox = Inbox::of(&object, procfs::boot_time())?;
        let sleeper = map(&object, ".data.asleep").and_then(|m| Sleeper::of(m.as_fd()).ok());
        let sleeper =
            sleeper.ok_or_else(|| ProbeError::Refused("the probe's memory cannot be mapped".to_owned()))?;
        let numbers = Numbers::native();
        give_back();
        let (refusals, untried) = (Vec::new(), false);
        Ok(Sensor { object, hooks, links, iterators, sleeper, inbox, numbers, rung, refusals, untried })
    }

    /// Everything that is true now: from the iterators, and from /proc what they leave out.
    pub fn scan(&self, out: &mut dyn FnMut(Snapshot)) {
        procfs::host(out);
        let known = self.iterators.as_ref().and_then(|iterators| iterators.scan(self.inbox.boot, out).ok());
        procfs::threads(&known.unwrap_or_default(), out);
    }

    /// Whether the kernel has iterators for us.
    pub fn iterates(&self) -> bool {
        self.iterators.is_some()
    }

    /// Where `scan` looks.
    pub fn scans(&self) -> &'static str {
        if self.iterates() { "task and task_file iterators" } else { "/proc" }
    }

    /// The rung on which the probe stands.
    pub fn rung(&self) -> Rung {
        self.rung
    }

    /// Better rungs, and why the kernel does not allow them.
    pub fn refusals(&self) -> &[(Rung, String)] {
        &self.refusals
    }

    /// Says which events to send, with the first bytes of their data: ids of the event table; what the state needs
    /// comes with them.
    ///
    /// # Errors
    /// When the kernel refuses the change.
    pub fn collect(&mut self, events: &[u16]) -> Result<(), ProbeError> {
        self.follow(&Plan { data: KEPT, ..Plan::of(events) })
    }

    /// Puts a plan in force; events that both the old and the new plan want are sent without a gap.
    ///
    /// # Errors
    /// When the kernel refuses the change.
    pub fn follow(&mut self, plan: &Plan) -> Result<(), ProbeError> {
        let wanted = plan.wanted(&self.numbers);
        if let Err(error) = self.hooks.as_mut().map_or(Ok(()), |hooks| hooks.add(&wanted)) {
            return if self.untried {
                self.step_down(&error).and_then(|()| self.follow(plan))
            } else {
                Err(error)
            };
        }
        self.tell(plan)?;
        self.show_root();
        self.untried = false;
        if let Some(hooks) = &mut self.hooks {
            hooks.keep(&wanted);
        }
        Ok(())
    }

    /// Takes the next rung in place of functions of which the kernel refuses some.
    fn step_down(&mut self, why: &ProbeError) -> Result<(), ProbeError> {
        let refusals = vec![(self.rung, why.to_string())];
        *self = Sensor { refusals, ..Sensor::open_on(Rung::Typed)? };
        Ok(())
    }

    /// Lets the kernel side see where our own paths begin, by a call that every plan wants.
    fn show_root(&self) {
        // SAFETY: fails.
        unsafe { libc::dup(-1) };
    }

    fn tell(&mut self, plan: &Plan) -> Result<(), ProbeError> {
        let missing = || ProbeError::Refused("the probe has no plan".to_owned());
        let map = map(&self.object, ".data.plan").ok_or_else(missing)?;
        let mut data = plan.bytes(&self.numbers);
        data.resize(map.value_size() as usize, 0);
        map.update(&0u32.to_ne_bytes(), &data, MapFlags::ANY).map_err(refused)
    }

    /// Hands events to `take`, oldest first, waiting up to `timeout` for the first.
    ///
    /// # Errors
    /// When the ring cannot be read.
    pub fn poll(&mut self, timeout: Duration, take: &mut dyn FnMut(&[u8])) -> Result<(), ProbeError> {
        if !timeout.is_zero() && self.due().is_none_or(|due| !due.is_zero()) {
            self.drain();
            let wait = self.due().unwrap_or(LOOK).min(timeout);
            ring::readable(self.as_fd(), wait)
                .map_err(|error| ProbeError::Refused(format!("the rings cannot be waited for: {error}")))?;
        }
        self.hand_over(u64::MAX, take);
        Ok(())
    }

    /// Hands over what has come and is not younger than `until`, oldest first; gives the time up to which nothing is
    /// left.
    pub fn hand_over(&mut self, until: u64, take: &mut dyn FnMut(&[u8])) -> u64 {
        let reached = self.drain().saturating_sub(WINDOW_NS).min(until);
        self.inbox.order.release(reached, take);
        if self.due().is_none() {
            self.sleeper.may_wake();
            // What came before the mark was seen is found now; what comes after it wakes.
            self.drain();
        }
        reached
    }

    /// Reads the rings; gives the time up to which nothing older is left in them.
    fn drain(&mut self) -> u64 {
        let now = self.now();
        self.inbox.read().map_or(now, |last| now.min(last))
    }

    /// The time by the clock that events carry: a step of the wall clock moves it in `follow_clock` alone.
    pub fn now(&self) -> u64 {
        procfs::clock(libc::CLOCK_BOOTTIME).wrapping_add(self.inbox.boot)
    }

    /// Follows a step of the wall clock; what came before is handed over first, by the old time. True when there was
    /// a step.
    pub fn follow_clock(&mut self, take: &mut dyn FnMut(&[u8])) -> bool {
        let boot = procfs::boot_time();
        if boot.abs_diff(self.inbox.boot) < STEP_NS {
            return false;
        }
        self.drain();
        self.inbox.order.release(u64::MAX, take);
        self.inbox.boot = boot;
        true
    }

    /// How long until events that wait for older ones can be handed over; none when none wait.
    pub fn due(&self) -> Option<Duration> {
        let oldest = self.inbox.order.oldest()?;
        Some(Duration::from_nanos((oldest + WINDOW_NS + 1).saturating_sub(self.now())))
    }

    /// Takes the probe off its hooks: nothing comes after what is in the rings.
    pub fn detach(&mut self) {
        self.hooks = None;
        self.links.clear();
    }

    /// What became of the events of each class.
    pub fn counters(&self) -> Counters {
        let mut counters = Counters { unknown: self.inbox.unknown, ..Counters::default() };
        for (class, read) in CLASSES.iter().zip(self.inbox.read) {
            counters.classes.insert(class, Account { read, ..Account::default() });
        }
        let Some(map) = map(&self.object, "ledger") else { return counters };
        let Ok(Some(values)) = map.lookup_percpu(&0u32.to_ne_bytes(), MapFlags::ANY) else { return counters };
        for value in values {
            let word = |n: usize| {
                value.get(8 * n..8 * n + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_ne_bytes)
            };
            for (n, class) in CLASSES.iter().enumerate() {
                let account = counters.classes.entry(class).or_default();
                account.sent += word(n);
                account.lost += word(n + CLASSES.len());
            }
        }
        counters
    }
}

/// Readable when the kernel side has sent something.
impl AsFd for Sensor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inbox.either.as_fd()
    }
}

fn load(rung: Rung, hooks: Option<&Hooks>, iterators: bool) -> libbpf_rs::Result<Object> {
    let mut open = ObjectBuilder::default().open_memory(OBJECT)?;
    let cpus = libbpf_rs::num_possible_cpus()? as u32;
    for mut map in open.maps_mut() {
        match map.name().to_str() {
            Some("scratches") => map.set_max_entries(SLOTS * cpus)?,
            Some(name) if name.ends_with(".rodata") => {
                if let Some(data) = map.initial_value_mut().and_then(|d| d.first_chunk_mut::<4>()) {
                    *data = std::process::id().to_ne_bytes();
                }
            }
            _ => {}
        }
    }
    let tracepoints = Tracepoints::of_this_kernel();
    for mut program in open.progs_mut() {
        let name = program.name().to_str().unwrap_or_default().to_owned();
        let leads = PROGRAMS.contains(&name.as_str());
        let function = hooks.and_then(|hooks| hooks.example(&name)).map(str::to_owned);
        program.set_autoload(tracepoints.take(&name, rung, iterators) && (function.is_some() || !leads));
        if function.is_some() {
            program.set_attach_target(0, function)?;
        }
    }
    open.load()
}

/// Gives back what libbpf needed to read the types of the kernel, some 8 MB that malloc would keep, and lets threads to
/// come share what malloc has: an arena for each would cost 4 MB.
fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: frees nothing that is in use.
    unsafe {
        libc::malloc_trim(0);
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

fn map<'o>(object: &'o Object, name: &str) -> Option<Map<'o>> {
    object.maps().find(|m| m.name().to_str().is_some_and(|n| n.ends_with(name)))
}
