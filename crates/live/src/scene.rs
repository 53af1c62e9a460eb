//! What happens to one event: a thread nobody saw start is looked up, then fold, judge, record.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use eyas_engine::{Engine, Limits, Match, Recorder};
use eyas_eval::Program;
use eyas_event::{Event, Given, Snapshot, build, find, id};
use eyas_state::Threads;

use crate::amend::Amends;
use crate::error::LiveError;
use crate::footage::Footage;
use crate::late;
use crate::question::{Asked, Question};
use crate::repair::Standing;
use crate::undecided::Undecideds;
use crate::watch::{Rules, Setup};
use crate::worker::Figures;

/// Told events that are kept for the head of footage.
const TOLD: usize = 4096;

pub(crate) struct Scene {
    engine: Engine,
    program: Option<Arc<Program>>,
    generation: u32,
    recorder: Option<Recorder>,
    recorded: u64,
    path: PathBuf,
    asked: Asked,
    amends: Amends,
    undecided: Undecideds,
    /// The past in memory, and the file that is written from it.
    pub(crate) footage: Footage,
    told: VecDeque<Vec<u8>>,
    outcome: Outcome,
    unknown: u64,
    failed: Option<std::io::Error>,
    /// When the initial state was taken.
    begun: u64,
}

/// What came of some events.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) matches: Vec<Match>,
    /// With the number of the rules that were in force then.
    pub(crate) amended: Vec<(u32, Match)>,
    /// Made once the container was known, with the number of the rules.
    pub(crate) late: Vec<(u32, Match)>,
    pub(crate) questions: Vec<Question>,
    pub(crate) troubles: Vec<String>,
}

impl Scene {
    pub(crate) fn new(setup: &Setup) -> Result<Scene, LiveError> {
        let path = setup.write.clone().unwrap_or_default();
        let failed = |error| LiveError::Write { path: path.clone(), error };
        let recorder = setup.write.as_ref().map(|path| Recorder::create(path, setup.keep.clone()));
        let mut recorder = recorder.transpose().map_err(failed)?;
        recorder.iter_mut().try_for_each(Recorder::section).map_err(failed)?;
        let mut engine = Engine::new(setup.rules.program.clone());
        engine.limit(Limits::new(&setup.rules.notes));
        let mut undecided = Undecideds::default();
        undecided.follow(&setup.rules.described);
        Ok(Scene {
            engine,
            program: setup.rules.program.clone(),
            generation: 0,
            recorder,
            recorded: 0,
            path,
            asked: Asked::default(),
            amends: Amends::default(),
            undecided,
            footage: Footage::new(setup.retention),
            told: VecDeque::new(),
            outcome: Outcome::default(),
            unknown: 0,
            failed: None,
            begun: 0,
        })
    }

    pub(crate) fn seed(&mut self, record: &Snapshot) {
        self.engine.seed(record);
        self.recorder.iter_mut().for_each(|r| r.seed(record));
    }

    /// Ends the initial state, which was true at `ts`.
    pub(crate) fn seeded(&mut self, ts: u64) {
        self.begun = ts;
        self.engine.seeded();
        self.asked.look_around(&self.engine);
    }

    /// Takes an event as the sensor gives it.
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        let Ok(mut event) = Event::parse(bytes, 0, 0) else {
            self.unknown += 1;
            return;
        };
        if late::is_unknown(&event, &self.engine) {
            self.retell(late::story(event.tid, event.ts));
        }
        if event.ts < self.begun && late::is_nameless(&event, &self.engine) {
            event.dump_flags |= late::STATE_ONLY;
        }
        if let Some(bytes) = late::descriptor(&event, &self.engine)
            && let Ok(mut told) = Event::parse(&bytes, 0, late::STATE_ONLY)
        {
            self.step(&mut told);
        }
        self.step(&mut event);
    }

    /// Takes an event that tells what the kernel does not: containers and their users.
    pub(crate) fn tell(&mut self, bytes: &[u8]) {
        let Ok(mut event) = Event::parse(bytes, 0, 0) else { return };
        self.step(&mut event);
        if self.told.len() >= TOLD {
            self.told.pop_front();
        }
        self.told.push_back(bytes.to_vec());
        if event.kind == id::CONTAINER_JSON_2_E {
            self.asked.told(event.text(0).unwrap_or_default());
        }
        if matches!(event.kind, id::CONTAINER_JSON_2_E | id::USER_ADDED_E) {
            let amended = self.amends.complete(&event, &self.engine);
            self.outcome.amended.extend(amended);
            for (kept, matches) in self.undecided.decide(&event, &self.engine) {
                self.outcome.late.extend(matches.iter().map(|matched| (kept.generation, matched.clone())));
                self.amends.keep_described(&self.engine, kept, matches);
            }
        }
    }

    /// Ends the record of containers whose last thread is gone.
    pub(crate) fn sweep(&mut self, ts: u64) {
        for container in self.asked.sweep(&self.engine) {
            self.asked.forget(&container);
            self.undecided.forget(&container);
            if let Some(event) = removal(&container, ts) {
                self.tell(&event);
            }
        }
    }

    fn step(&mut self, event: &mut Event<'_>) {
        let seen = self.engine.fold(event);
        self.asked.look(&self.engine, event, &seen);
        let before = self.outcome.matches.len();
        self.engine.judge(event, &seen, &mut self.outcome.matches);
        if let Some(program) = &self.program {
            let (rules, new) = ((program, self.generation), &self.outcome.matches[before..]);
            self.undecided.keep(&self.engine, rules, event, &seen, new);
            if !new.is_empty() {
                self.amends.keep(&self.engine, rules, event, &seen, new);
            }
        }
        if let Some(recorder) = &mut self.recorder {
            match recorder.event(&self.engine.context(event, &seen)) {
                Ok(shown) => self.recorded += u64::from(shown),
                Err(error) => {
                    self.failed.get_or_insert(error);
                }
            }
        }
        let kept = self.footage.event(event);
        self.trouble(kept);
        self.engine.done(event, &seen);
    }

    /// Makes the state what it was found to be at a time; all events until then are folded already.
    pub(crate) fn repair(&mut self, standing: &Standing) {
        self.retell(standing.lives(&self.engine));
        let (told, seeds) = standing.descriptors(&self.engine);
        self.retell(told);
        seeds.iter().for_each(|record| self.engine.seed_late(record));
    }

    fn retell(&mut self, events: Vec<Vec<u8>>) {
        for bytes in events {
            if let Ok(mut told) = Event::parse(&bytes, 0, late::STATE_ONLY) {
                self.step(&mut told);
            }
        }
    }

    /// Starts the footage that waits for its head.
    pub(crate) fn head(&mut self, state: Vec<Snapshot>) {
        let started = self.footage.head(state, &self.told);
        self.trouble(started);
    }

    /// Ends what has waited for long enough: footage whose time is over, matches that lack what nobody tells.
    pub(crate) fn tick(&mut self, now: u64) {
        self.amends.tick(now);
        self.undecided.tick(now);
        let ended = self.footage.tick(now);
        self.trouble(ended);
    }

    fn trouble(&mut self, done: std::io::Result<()>) {
        if let Err(error) = done {
            self.outcome.troubles.push(format!("footage: {error}"));
        }
    }

    /// Whether nobody waits for a match: it is only noted.
    pub(crate) fn is_note(&self, matched: &Match) -> bool {
        self.engine.are_notes(matched.rule)
    }

    /// How often each rule was held back since the last call.
    pub(crate) fn held(&mut self) -> Vec<(u32, u64)> {
        self.engine.held()
    }

    /// What came of the events since the last call.
    pub(crate) fn outcome(&mut self) -> Result<Outcome, LiveError> {
        if let Some(error) = self.failed.take() {
            return Err(LiveError::Write { path: self.path.clone(), error });
        }
        self.outcome.questions = self.asked.take();
        Ok(std::mem::take(&mut self.outcome))
    }

    /// What is known and counted.
    #[cfg(test)]
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Number of the rules in force.
    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }

    pub(crate) fn reload(&mut self, rules: &Rules) {
        self.generation += 1;
        self.program.clone_from(&rules.program);
        if let Some(program) = &rules.program {
            self.engine.reload(Arc::clone(program));
            self.engine.limit(Limits::new(&rules.notes));
        }
        self.undecided.follow(&rules.described);
    }

    /// Closes the recording.
    pub(crate) fn finish(&mut self) -> Result<(), LiveError> {
        let ended = self.footage.finish();
        self.trouble(ended);
        let Some(recorder) = self.recorder.take() else { return Ok(()) };
        recorder.finish().map_err(|error| LiveError::Write { path: self.path.clone(), error })
    }

    pub(crate) fn figures(&self) -> Figures {
        let counts = self.engine.counts;
        Figures {
            events: counts.events,
            recorded: self.recorded,
            alerts: counts.matches,
            unknown: self.unknown,
            known: known(&self.engine.state.threads),
            ..Figures::default()
        }
    }
}

/// How much is known, by the names that metrics have for it.
fn known(threads: &Threads) -> BTreeMap<&'static str, u64> {
    let files = threads.iter().map(|(_, thread)| thread.files.len() as u64).sum();
    BTreeMap::from([
        ("n_threads", threads.len() as u64),
        ("n_fds", files),
        ("n_added_threads", threads.added),
        ("n_removed_threads", threads.removed),
        ("n_drops_full_threadtable", threads.refused),
        ("n_drops_full_fdtable", threads.refused_files),
    ])
}

/// The event that ends a container's record.
fn removal(container: &[u8], ts: u64) -> Option<Vec<u8>> {
    let json = serde_json::json!({"container": {"id": String::from_utf8_lossy(container)}});
    let named = ("name", Given::Text(b"container_removed".to_vec()));
    build(find("asyncevent")?, ts, 1, &[named, ("data", Given::Text(json.to_string().into_bytes()))]).ok()
}
