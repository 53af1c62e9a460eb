//! The handle of a running watch: what to do goes in, what was found comes out.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use eyas_engine::Match;
use eyas_eval::Program;
use eyas_event::{BuildError, Given, Snapshot, build, find};
use eyas_probe::{Plan, Rung};

use crate::bell::Bell;
use crate::error::LiveError;
use crate::footage::{Retention, Wanted};
use crate::loss::Loss;
use crate::question::Question;
use crate::worker::{Figures, Worker, now};

/// Thread id of told events, as other writers of captures have it.
const TOLD_BY: i64 = 1;

/// Rules and the events they need.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// The rules; none for a mere recording.
    pub program: Option<Arc<Program>>,
    /// Numbers of the rules whose matches are only noted.
    pub notes: Vec<u32>,
    /// Ids of the events that rules judge by the name, the image or the pod of a container.
    pub described: Vec<u16>,
    /// Ids of the events to collect.
    pub events: Vec<u16>,
    /// What the kernel side leaves out of them; nothing when there is no plan.
    pub plan: Option<Plan>,
}

/// What to watch for and what to keep.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Rules in force at the start.
    pub rules: Rules,
    /// Where to record.
    pub write: Option<PathBuf>,
    /// How much of the past is kept in memory for footage.
    pub retention: Retention,
    /// What to record; everything when there is no condition.
    pub keep: Option<Arc<Program>>,
    /// Where to hook the kernel; at the best place that it allows when nothing is said.
    pub hooks: Option<Rung>,
}

/// Matches of one set of rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Which set: 0 at the start, one more with each change.
    pub generation: u32,
    /// When the events were read from the kernel, nanoseconds since the epoch.
    pub read: u64,
    /// When all of them were judged.
    pub judged: u64,
    /// They were told before, without what is known now about their container.
    pub amends: bool,
    /// What held, in the order of events.
    pub matches: Vec<Match>,
}

/// What there is to tell since the last time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// What held.
    pub found: Vec<Found>,
    /// Containers that nobody has described yet.
    pub questions: Vec<Question>,
    /// Events that the kernel side had to drop.
    pub losses: Vec<Loss>,
    /// Number of the rules, the rule, and how many of its matches were held back: too many by one process, or in all.
    pub held: Vec<(u32, u32, u64)>,
    /// What failed beside the watch: footage that could not be written.
    pub troubles: Vec<String>,
}

/// What the thread is told.
pub(crate) enum Order {
    /// Put in force, and whom to tell when they are.
    Rules(Rules, Sender<()>),
    Tell(Vec<u8>),
    Footage(Wanted),
    Head(Vec<Snapshot>),
    Figures(Sender<Figures>),
    Stop,
}

/// What the thread tells.
pub(crate) enum News {
    Watching,
    Found(Found),
    Question(Question),
    Lost(Loss),
    /// Under which rules' numbers, and how often each rule was held back.
    Held(u32, Vec<(u32, u64)>),
    Trouble(String),
    Failed(LiveError),
}

/// This machine being watched.
#[derive(Debug)]
pub struct Watch {
    orders: Sender<Order>,
    bell: Bell,
    news: Receiver<News>,
    chime: Bell,
    worker: Option<JoinHandle<Figures>>,
    last: Figures,
    generation: u32,
    /// Matches that were told and not taken yet.
    untaken: Arc<AtomicUsize>,
}

impl Watch {
    /// Loads the probe and takes the initial state; returns once the hooks are on.
    ///
    /// # Errors
    /// Says what the kernel lacks or refuses, or why the recording cannot be written.
    pub fn start(setup: Setup) -> Result<Watch, LiveError> {
        let (orders, inbox) = channel();
        let (outbox, news) = channel();
        let (bell, chime) = (Bell::new()?, Bell::new()?);
        let (ears, mouth) = (bell.clone(), chime.clone());
        let build = std::thread::Builder::new().name("eyas-watch".to_owned());
        let own = orders.clone();
        let untaken = Arc::<AtomicUsize>::default();
        let told = Arc::clone(&untaken);
        let worker =
            build.spawn(move || Worker::run(setup, (own, inbox), &ears, (&outbox, &told), &mouth))?;
        let watch = Watch {
            orders,
            bell,
            news,
            chime,
            worker: Some(worker),
            last: Figures::default(),
            generation: 0,
            untaken,
        };
        match watch.news.recv() {
            Ok(News::Watching) => Ok(watch),
            Ok(News::Failed(error)) => Err(error),
            _ => Err(LiveError::Ended),
        }
    }

    /// What was found since the last call; `as_fd` is readable when there is something.
    ///
    /// # Errors
    /// When watching had to end.
    pub fn take(&mut self) -> Result<Report, LiveError> {
        self.chime.silence();
        let mut all = Report::default();
        for news in self.news.try_iter() {
            match news {
                News::Found(found) => {
                    self.untaken.fetch_sub(found.matches.len(), Ordering::Relaxed);
                    all.found.push(found);
                }
                News::Question(question) => all.questions.push(question),
                News::Lost(loss) => all.losses.push(loss),
                News::Held(generation, held) => {
                    all.held.extend(held.into_iter().map(|(rule, count)| (generation, rule, count)));
                }
                News::Trouble(trouble) => all.troubles.push(trouble),
                News::Failed(error) => return Err(error),
                News::Watching => {}
            }
        }
        // Whoever waits for room goes on.
        if !all.found.is_empty() {
            self.bell.ring();
        }
        Ok(all)
    }

    /// Puts other rules in force without a gap, and comes back when they are; gives their generation.
    pub fn reload(&mut self, rules: Rules) -> u32 {
        let (reply, hooked) = channel();
        self.order(Order::Rules(rules, reply));
        let _ = hooked.recv();
        self.generation += 1;
        self.generation
    }

    /// Writes footage to a file: the past that is in memory, and what comes until a time. One file is written at a
    /// time; footage that is wanted meanwhile makes it longer.
    pub fn footage(&self, wanted: Wanted) {
        self.order(Order::Footage(wanted));
    }

    /// Tells what the kernel does not, as an event: a container, its users.
    ///
    /// # Errors
    /// When there is no such event or a value does not fit.
    pub fn tell(&self, name: &str, values: &[(&str, Given)]) -> Result<(), BuildError> {
        let info = find(name).ok_or_else(|| BuildError::Event(name.to_owned()))?;
        self.order(Order::Tell(build(info, now(), TOLD_BY, values)?));
        Ok(())
    }

    /// Figures so far.
    pub fn figures(&mut self) -> Figures {
        let (reply, answer) = channel();
        self.order(Order::Figures(reply));
        if let Ok(figures) = answer.recv() {
            self.last = figures;
        }
        self.last.clone()
    }

    /// Takes the hooks off and closes the recording; gives what was still under way.
    ///
    /// # Errors
    /// When the recording could not be written to its end.
    pub fn stop(&mut self) -> Result<Report, LiveError> {
        self.order(Order::Stop);
        if let Some(worker) = self.worker.take() {
            self.last = worker.join().map_err(|_| LiveError::Ended)?;
        }
        self.take()
    }

    fn order(&self, order: Order) {
        // A thread that has ended needs no orders.
        let _ = self.orders.send(order);
        self.bell.ring();
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.chime.as_fd()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}
