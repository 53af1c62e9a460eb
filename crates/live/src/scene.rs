//! What happens to one event: a thread nobody saw start is looked up, then fold, judge, record.

use std::path::PathBuf;
use std::sync::Arc;

use eyas_engine::{Engine, Match, Recorder};
use eyas_eval::Program;
use eyas_event::{Event, Snapshot};

use crate::error::LiveError;
use crate::late;
use crate::watch::Setup;
use crate::worker::Figures;

pub(crate) struct Scene {
    engine: Engine,
    recorder: Option<Recorder>,
    path: PathBuf,
    found: Vec<Match>,
    unknown: u64,
    failed: Option<std::io::Error>,
}

impl Scene {
    pub(crate) fn new(setup: &Setup) -> Result<Scene, LiveError> {
        let path = setup.write.clone().unwrap_or_default();
        let failed = |error| LiveError::Write { path: path.clone(), error };
        let recorder = setup.write.as_ref().map(|path| Recorder::create(path, setup.keep.clone()));
        let mut recorder = recorder.transpose().map_err(failed)?;
        recorder.iter_mut().try_for_each(Recorder::section).map_err(failed)?;
        let engine = Engine::new(setup.rules.program.clone());
        Ok(Scene { engine, recorder, path, found: Vec::new(), unknown: 0, failed: None })
    }

    pub(crate) fn seed(&mut self, record: &Snapshot) {
        self.engine.seed(record);
        self.recorder.iter_mut().for_each(|r| r.seed(record));
    }

    pub(crate) fn seeded(&mut self) {
        self.engine.seeded();
    }

    /// Takes an event as the sensor gives it.
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        let Ok(mut event) = Event::parse(bytes, 0, 0) else {
            self.unknown += 1;
            return;
        };
        if late::is_unknown(&event, &self.engine) {
            for bytes in late::story(event.tid, event.ts) {
                if let Ok(mut told) = Event::parse(&bytes, 0, late::STATE_ONLY) {
                    self.step(&mut told);
                }
            }
        }
        self.step(&mut event);
    }

    fn step(&mut self, event: &mut Event<'_>) {
        let seen = self.engine.fold(event);
        self.engine.judge(event, &seen, &mut self.found);
        if let Some(recorder) = &mut self.recorder
            && let Err(error) = recorder.event(&self.engine.context(event, &seen))
        {
            self.failed.get_or_insert(error);
        }
        self.engine.done(event, &seen);
    }

    /// Matches since the last call.
    pub(crate) fn found(&mut self) -> Result<Vec<Match>, LiveError> {
        match self.failed.take() {
            Some(error) => Err(LiveError::Write { path: self.path.clone(), error }),
            None => Ok(std::mem::take(&mut self.found)),
        }
    }

    pub(crate) fn reload(&mut self, program: Option<Arc<Program>>) {
        if let Some(program) = program {
            self.engine.reload(program);
        }
    }

    /// Closes the recording.
    pub(crate) fn finish(&mut self) -> Result<(), LiveError> {
        let Some(recorder) = self.recorder.take() else { return Ok(()) };
        recorder.finish().map_err(|error| LiveError::Write { path: self.path.clone(), error })
    }

    pub(crate) fn figures(&self) -> Figures {
        let counts = self.engine.counts;
        Figures { events: counts.events, alerts: counts.matches, unknown: self.unknown, ..Figures::default() }
    }
}
