//! The thread that watches: waits for the kernel or an order, whichever comes first.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use eyas_probe::{Account, ProbeError, Sensor, procfs};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::time::Timespec;

use crate::bell::Bell;
use crate::error::LiveError;
use crate::loss::Ledger;
use crate::repair::Standing;
use crate::scene::Scene;
use crate::watch::{Found, News, Order, Rules, Setup};

/// Longest time between looks at the rings, should a wake-up be lost.
const TICK: Duration = Duration::from_millis(200);
/// Time between looks at what was lost.
const LOOK: Duration = Duration::from_secs(1);
/// Time between looks at which containers are gone.
const SWEEP: Duration = Duration::from_secs(5);
/// How long and how many notes may wait, so that whoever takes them wakes seldom.
const NOTES_WAIT: Duration = Duration::from_millis(500);
const NOTES_WAITING: usize = 256;
/// Time between words on what rules were not let say.
const HOLD: Duration = Duration::from_secs(10);
/// Matches that may wait to be taken. Beyond them nothing is read, so that memory stays small; what the rings cannot hold
/// meanwhile is a loss, which is counted and told.
const MOST_UNTAKEN: usize = 8192;
/// Niceness of this thread where the kernel lets it: while the machine is busy the rings fill, and nobody else empties them.
const NICENESS: i32 = -15;
/// Longest reading of what is left at the stop.
const REST: Duration = Duration::from_secs(1);

/// Figures of a watch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Events numbered.
    pub events: u64,
    /// Events written to a recording.
    pub recorded: u64,
    /// Matches made.
    pub alerts: u64,
    /// What became of the events of each class.
    pub ledger: BTreeMap<&'static str, Account>,
    /// Events that could not be read.
    pub unknown: u64,
    /// How much is known of threads and files, by the names of metrics.
    pub known: BTreeMap<&'static str, u64>,
    /// Time since the hooks were on.
    pub elapsed: Duration,
}

pub(crate) struct Worker<'a> {
    sensor: Sensor,
    scene: Scene,
    own: Sender<Order>,
    orders: Receiver<Order>,
    bell: &'a Bell,
    news: &'a Sender<News>,
    untaken: &'a AtomicUsize,
    chime: &'a Bell,
    start: Instant,
    swept: Instant,
    looked: Instant,
    held: Instant,
    /// Since when notes wait that nobody was woken for.
    noted: Option<Instant>,
    ledger: Ledger,
    /// What was true when a loss was seen, until the reading has come so far.
    standing: Option<Standing>,
}

impl Worker<'_> {
    /// Watches until told to stop; a failure is told and ends it.
    pub(crate) fn run(
        setup: Setup,
        (own, orders): (Sender<Order>, Receiver<Order>),
        bell: &Bell,
        (news, untaken): (&Sender<News>, &AtomicUsize),
        chime: &Bell,
    ) -> Figures {
        let told = |error: LiveError| {
            let _ = news.send(News::Failed(error));
            chime.ring();
        };
        let (sensor, scene) = match open(setup) {
            Ok(pair) => pair,
            Err(error) => {
                told(error);
                return Figures::default();
            }
        };
        let _ = rustix::process::setpriority_process(None, NICENESS);
        let start = Instant::now();
        let mut worker = Worker {
            sensor,
            scene,
            own,
            orders,
            bell,
            news,
            untaken,
            chime,
            start,
            swept: start,
            looked: start,
            held: start,
            noted: None,
            ledger: Ledger::new(now()),
            standing: None,
        };
        let _ = news.send(News::Watching);
        if let Err(error) = worker.watch() {
            told(error);
        }
        worker.figures()
    }

    fn watch(&mut self) -> Result<(), LiveError> {
        self.report(now())?;
        let mut stopping = false;
        // The kernel wakes only a reader that has found its rings empty, so reading comes first.
        self.read()?;
        while !stopping {
            self.wait()?;
            if !self.is_behind() {
                self.read()?;
            }
            stopping = self.obey()?;
            if self.noted.is_some_and(|since| since.elapsed() > NOTES_WAIT) {
                self.ring();
            }
            if self.looked.elapsed() > LOOK {
                self.look();
            }
            if self.swept.elapsed() > SWEEP {
                self.swept = Instant::now();
                self.scene.sweep(self.sensor.now());
            }
        }
        self.sensor.detach();
        self.read_rest()?;
        self.look();
        self.tell_held();
        self.scene.finish()
    }

    /// Reads what happened before the stop: events that wait for older ones are waited for, for a while.
    fn read_rest(&mut self) -> Result<(), LiveError> {
        let end = Instant::now() + REST;
        self.read()?;
        while let Some(due) = self.sensor.due().filter(|_| Instant::now() < end) {
            std::thread::sleep(due);
            self.read()?;
        }
        Ok(())
    }

    /// Tells what was lost since the last look, and repairs what can be.
    fn look(&mut self) {
        self.looked = Instant::now();
        let scene = &mut self.scene;
        // A repair compares times from before and after.
        if self.standing.is_none() && self.sensor.follow_clock(&mut |bytes| scene.take(bytes)) {
            scene.tick(u64::MAX);
        }
        self.scene.tick(self.sensor.now());
        if self.held.elapsed() > HOLD {
            self.tell_held();
        }
        if let Some(loss) = self.ledger.look(&self.sensor, now()) {
            self.standing.get_or_insert_with(|| Standing::take(&self.sensor));
            let _ = self.news.send(News::Lost(loss));
            self.ring();
        }
    }

    /// Tells how often rules were held back.
    fn tell_held(&mut self) {
        let held = self.scene.held();
        if !held.is_empty() {
            self.held = Instant::now();
            let _ = self.news.send(News::Held(self.scene.generation(), held));
            self.ring();
        }
    }

    /// Gathers what is true now, elsewhere, so that no event waits for it.
    fn gather(&self) {
        let (own, bell) = (self.own.clone(), self.bell.clone());
        std::thread::spawn(move || {
            let mut state = Vec::new();
            procfs::scan(&mut |record| state.push(record));
            let _ = own.send(Order::Head(state));
            bell.ring();
        });
    }

    /// Whether so much was told already that more would only wait.
    fn is_behind(&self) -> bool {
        self.untaken.load(Ordering::Relaxed) > MOST_UNTAKEN
    }

    /// Waits for events, for events held back to be in order, or for an order; for orders only while it is behind.
    fn wait(&self) -> Result<(), LiveError> {
        let behind = self.is_behind();
        let pause = self.sensor.due().filter(|_| !behind).unwrap_or(TICK);
        let pause = Timespec { tv_sec: pause.as_secs().cast_signed(), tv_nsec: pause.subsec_nanos().into() };
        let (sensor, bell) = (self.sensor.as_fd(), self.bell.as_fd());
        let mut both =
            [PollFd::from_borrowed_fd(sensor, PollFlags::IN), PollFd::from_borrowed_fd(bell, PollFlags::IN)];
        match poll(&mut both[usize::from(behind)..], Some(&pause)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(io::Error::from(error).into()),
        }
    }

    fn read(&mut self) -> Result<(), LiveError> {
        let (scene, read) = (&mut self.scene, now());
        let until = self.standing.as_ref().map_or(u64::MAX, |standing| standing.ts);
        let reached = self.sensor.hand_over(until, &mut |bytes| scene.take(bytes));
        if let Some(standing) = self.standing.take_if(|standing| standing.ts <= reached) {
            self.scene.repair(&standing);
        }
        self.report(read)
    }

    /// Tells what came of the events since the last report.
    fn report(&mut self, read: u64) -> Result<(), LiveError> {
        let outcome = self.scene.outcome()?;
        let judged = now();
        let notes = outcome.matches.iter().all(|one| self.scene.is_note(one))
            && outcome.amended.is_empty()
            && outcome.late.is_empty();
        let mut told: Vec<News> = outcome.questions.into_iter().map(News::Question).collect();
        told.extend(outcome.troubles.into_iter().map(News::Trouble));
        let may_wait = notes && told.is_empty();
        if !outcome.matches.is_empty() {
            let generation = self.scene.generation();
            let matches = outcome.matches;
            self.untaken.fetch_add(matches.len(), Ordering::Relaxed);
            told.push(News::Found(Found { generation, read, judged, amends: false, matches }));
        }
        for (amends, matches) in [(false, outcome.late), (true, outcome.amended)] {
            self.untaken.fetch_add(matches.len(), Ordering::Relaxed);
            told.extend(matches.into_iter().map(|(generation, matched)| {
                News::Found(Found { generation, read, judged, amends, matches: vec![matched] })
            }));
        }
        if !told.is_empty() {
            told.into_iter().for_each(|news| drop(self.news.send(news)));
            if may_wait && self.untaken.load(Ordering::Relaxed) < NOTES_WAITING {
                self.noted.get_or_insert_with(Instant::now);
            } else {
                self.ring();
            }
        }
        Ok(())
    }

    /// Wakes whoever takes the news.
    fn ring(&mut self) {
        self.noted = None;
        self.chime.ring();
    }

    /// Does what was ordered; true when told to stop.
    fn obey(&mut self) -> Result<bool, LiveError> {
        self.bell.silence();
        while let Ok(order) = self.orders.try_recv() {
            match order {
                Order::Rules(rules, hooked) => {
                    follow(&mut self.sensor, &rules)?;
                    self.tell_held();
                    self.scene.reload(&rules);
                    let _ = hooked.send(());
                }
                Order::Tell(event) => {
                    self.scene.tell(&event);
                    self.report(now())?;
                }
                Order::Footage(wanted) => {
                    if self.scene.footage.begin(wanted) {
                        self.gather();
                    }
                }
                Order::Head(state) => self.scene.head(state),
                Order::Figures(reply) => {
                    let _ = reply.send(self.figures());
                }
                Order::Stop => return Ok(true),
            }
        }
        Ok(false)
    }

    fn figures(&self) -> Figures {
        Figures {
            ledger: self.sensor.counters().classes,
            elapsed: self.start.elapsed(),
            ..self.scene.figures()
        }
    }
}

/// Nanoseconds since the epoch.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Collects what rules need, and no more where the plan says so.
fn follow(sensor: &mut Sensor, rules: &Rules) -> Result<(), ProbeError> {
    match &rules.plan {
        Some(plan) => sensor.follow(plan),
        None => sensor.collect(&rules.events),
    }
}

/// Hooks on first, then the scan, so that nothing falls between the two. Who ended before the scan is known to nobody:
/// what such a thread did is not judged, for the watch begins when the scan has ended.
fn open(setup: Setup) -> Result<(Sensor, Scene), LiveError> {
    let mut scene = Scene::new(&setup)?;
    let mut sensor = setup.hooks.map_or_else(Sensor::open, Sensor::open_on)?;
    follow(&mut sensor, &setup.rules)?;
    sensor.scan(&mut |record| scene.seed(&record));
    scene.seeded(sensor.now());
    Ok((sensor, scene))
}
