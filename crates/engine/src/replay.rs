//! Footage through the engine, a batch at a time.

use std::io;

use eyas_event::Event;
use eyas_scap::{Item, ScapError};

use crate::engine::Engine;
use crate::footage::Footage;
use crate::matched::Match;
use crate::recorder::Recorder;

/// Nanoseconds of a steady clock; the core reads none itself.
pub type Clock = fn() -> u64;

/// Why a replay stops.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The capture is corrupt.
    #[error(transparent)]
    Capture(#[from] ScapError),
    /// The copy cannot be written.
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
}

/// Something that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Byte of the uncompressed capture.
    pub offset: u64,
    /// What happened there.
    pub text: String,
}

/// Matches of some events.
#[derive(Debug, Default)]
pub struct Batch {
    /// What held, in the order of events.
    pub matches: Vec<Match>,
    /// Whether the footage is at its end.
    pub ended: bool,
}

/// Figures of a replay.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics {
    /// Events numbered.
    pub events: u64,
    /// Matches made.
    pub alerts: u64,
    /// Marks of dropped events in the capture.
    pub drops: u64,
    /// Events of unknown types.
    pub unknown_events: u64,
    /// Old events that only served the conversion of others.
    pub absorbed: u64,
    /// Nanoseconds at work.
    pub nanoseconds: u64,
    /// Of these, on the initial state.
    pub seeding: u64,
    /// How far the footage is.
    pub position: u64,
    /// How far it goes.
    pub size: Option<u64>,
    /// What was left out.
    pub warnings: Vec<Warning>,
}

/// A replay under way.
pub struct Replay {
    footage: Footage,
    engine: Engine,
    recorder: Option<Recorder>,
    clock: Clock,
    warnings: Vec<Warning>,
    nanoseconds: u64,
    seeding: u64,
    /// Since when records of the initial state come in.
    seeding_since: Option<u64>,
    /// Told once the matches before it are.
    failed: Option<ReplayError>,
    ended: bool,
}

impl Replay {
    /// A replay at its start.
    pub fn new(footage: Footage, engine: Engine, recorder: Option<Recorder>, clock: Clock) -> Replay {
        Replay {
            footage,
            engine,
            recorder,
            clock,
            warnings: Vec::new(),
            nanoseconds: 0,
            seeding: 0,
            seeding_since: None,
            failed: None,
            ended: false,
        }
    }

    /// Plays up to `max_events` events.
    ///
    /// # Errors
    /// When the capture is corrupt or the copy cannot be written, once all matches before are given. A capture that
    /// is cut ends with a warning.
    pub fn next(&mut self, max_events: usize) -> Result<Batch, ReplayError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let start = (self.clock)();
        let mut batch = Batch::default();
        let played = self.play(max_events, &mut batch.matches);
        self.failed = played.and_then(|()| self.finish()).err();
        self.nanoseconds += (self.clock)().saturating_sub(start);
        batch.ended = self.ended && self.failed.is_none();
        Ok(batch)
    }

    /// At the end, good or bad, closes the copy and tells what was skipped.
    fn finish(&mut self) -> Result<(), ReplayError> {
        if !self.ended {
            return Ok(());
        }
        let tally = self.footage.tally();
        if let Some((kind, offset)) = tally.first_skipped {
            let text =
                format!("{} blocks of unknown types were skipped, the first is {kind:#x}", tally.skipped);
            self.warnings.push(Warning { offset, text });
        }
        Ok(self.recorder.take().map_or(Ok(()), Recorder::finish)?)
    }

    /// Figures so far.
    pub fn statistics(&self) -> Statistics {
        let tally = self.footage.tally();
        let (position, size) = self.footage.progress();
        Statistics {
            events: self.engine.counts.events,
            alerts: self.engine.counts.matches,
            drops: self.engine.counts.drops,
            unknown_events: tally.unknown,
            absorbed: tally.absorbed,
            nanoseconds: self.nanoseconds,
            seeding: self.seeding,
            position,
            size,
            warnings: self.warnings.clone(),
        }
    }

    fn play(&mut self, max_events: usize, matches: &mut Vec<Match>) -> Result<(), ReplayError> {
        let mut left = max_events;
        while left > 0 && !self.ended {
            match self.footage.next() {
                Ok(Some(Item::Event(mut event))) => {
                    left -= 1;
                    if let Some(since) = self.seeding_since.take() {
                        self.engine.seeded();
                        self.seeding += (self.clock)().saturating_sub(since);
                    }
                    take(&mut self.engine, self.recorder.as_mut(), &mut event, matches)?;
                }
                Ok(Some(Item::Snapshot(record))) => {
                    self.engine.seed_recorded(&record);
                    self.recorder.iter_mut().for_each(|r| r.seed(&record));
                }
                Ok(Some(Item::Section)) => {
                    self.seeding_since = Some((self.clock)());
                    self.engine.restart();
                    self.recorder.iter_mut().try_for_each(Recorder::section)?;
                }
                Ok(None) => self.ended = true,
                Err(error) => self.stop(error)?,
            }
        }
        Ok(())
    }

    fn stop(&mut self, error: ScapError) -> Result<(), ReplayError> {
        self.ended = true;
        if !error.is_cut() {
            self.finish()?;
            return Err(error.into());
        }
        self.warnings.push(Warning { offset: error.offset, text: error.fault.to_string() });
        Ok(())
    }
}

/// One event: fold, judge, record.
#[inline]
fn take(
    engine: &mut Engine,
    recorder: Option<&mut Recorder>,
    event: &mut Event<'_>,
    matches: &mut Vec<Match>,
) -> Result<(), ReplayError> {
    let seen = engine.fold(event);
    engine.judge(event, &seen, matches);
    if let Some(recorder) = recorder {
        recorder.event(&engine.context(event, &seen))?;
    }
    engine.done(event, &seen);
    Ok(())
}

/// Reads footage to its end without state or rules; gives the number of events.
///
/// # Errors
/// As the reader.
pub fn bench_read(footage: &mut Footage) -> Result<u64, ScapError> {
    let mut events = 0;
    while let Some(item) = footage.next()? {
        if let Item::Event(event) = item {
            events += u64::from(std::hint::black_box(event.ts) != 0);
        }
    }
    Ok(events)
}
