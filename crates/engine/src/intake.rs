//! Records of one source through its rules: time, repeats, judgement, and what was left out.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher};
use std::io::{self, Read};
use std::sync::Arc;

use eyas_eval::{Memory, Program};
use eyas_event::Event;
use eyas_field::Cx;
use eyas_record::{Cells, Item, Looked, Reader};
use eyas_state::{Seen, State};
use rustc_hash::{FxBuildHasher, FxHashSet};
use serde_json::Value as Json;

use crate::matched::Match;
use crate::replay::Warning;

/// Refusals that are told one by one; all are counted.
const TOLD: usize = 1000;

/// A rule and the number of an event to explain, and how it came out.
struct Question {
    rule: u32,
    num: u64,
    answer: Option<Json>,
}

/// Why a record was left out.
pub type Refusal = Warning;

/// Records that say no time of their own.
#[derive(Clone, Copy, Default)]
pub struct Untimed {
    /// How many there were.
    pub count: u64,
    /// Where the first was since the last call of `Intake::forget_places`.
    pub at: Option<u64>,
}

/// What a source's rules need between records.
pub struct Intake {
    program: Arc<Program>,
    memory: Memory,
    state: State,
    hits: Vec<u32>,
    events: u64,
    alerts: u64,
    refused: u64,
    skipped: u64,
    skipped_at: Option<u64>,
    repeated: u64,
    untimed: Untimed,
    first_ts: Option<u64>,
    previous_ts: u64,
    neighbour: Option<u64>,
    known: Known,
    refusals: Vec<Refusal>,
    question: Option<Question>,
}

/// Identities of the last events, so that a repeat is known.
#[derive(Default)]
struct Known {
    hashes: FxHashSet<u64>,
    order: VecDeque<u64>,
    keep: usize,
}

impl Known {
    fn is_new(&mut self, identity: &[u8]) -> bool {
        let mut hasher = FxBuildHasher.build_hasher();
        hasher.write(identity);
        let hash = hasher.finish();
        if !self.hashes.insert(hash) {
            return false;
        }
        self.order.push_back(hash);
        if self.order.len() > self.keep
            && let Some(oldest) = self.order.pop_front()
        {
            self.hashes.remove(&oldest);
        }
        true
    }
}

impl Intake {
    /// An intake for a program of one source; remembers the identities of `repeats` events.
    pub fn new(program: Arc<Program>, hostname: &str, repeats: usize) -> Intake {
        let mut state = State::default();
        state.machine.hostname = hostname.as_bytes().into();
        Intake {
            memory: program.memory(),
            program,
            state,
            hits: Vec::new(),
            events: 0,
            alerts: 0,
            refused: 0,
            skipped: 0,
            skipped_at: None,
            repeated: 0,
            untimed: Untimed::default(),
            neighbour: None,
            first_ts: None,
            previous_ts: 0,
            known: Known { keep: repeats, ..Known::default() },
            refusals: Vec::new(),
            question: None,
        }
    }

    /// How each part of a rule came out on event `num` of a stream, of which no record is longer than `limit`, and
    /// which came at a time; none when there are fewer events.
    ///
    /// # Errors
    /// When the stream cannot be read.
    pub fn explain(
        mut self,
        source: impl Read + Send + 'static,
        limit: usize,
        came: u64,
        rule: u32,
        num: u64,
    ) -> io::Result<Option<Json>> {
        self.question = Some(Question { rule, num, answer: None });
        let mut reader = Reader::new(source, limit);
        let mut ended = false;
        while !ended && self.events < num {
            ended = self.take(&mut reader, 1, came, &mut Vec::new())?;
        }
        Ok(self.question.and_then(|question| question.answer))
    }

    /// Puts other rules of the same source in force.
    pub fn reload(&mut self, program: Arc<Program>) {
        self.memory = program.memory();
        self.program = program;
    }

    /// What was refused, the first thousand since the last call of `refusals`.
    pub fn told(&self) -> &[Refusal] {
        &self.refusals
    }

    /// What was refused since the last call.
    pub fn refusals(&mut self) -> Vec<Refusal> {
        std::mem::take(&mut self.refusals)
    }

    /// Events judged, and records refused, skipped (no events) and known already.
    pub fn counts(&self) -> [u64; 4] {
        [self.events, self.refused, self.skipped, self.repeated]
    }

    /// Where the first record was that was skipped since the last call of `forget_places`.
    pub fn skipped_at(&self) -> Option<u64> {
        self.skipped_at
    }

    /// Events that say no time of their own.
    pub fn untimed(&self) -> Untimed {
        self.untimed
    }

    /// Lets the next record that is skipped, or says no time, be the first.
    pub fn forget_places(&mut self) {
        self.skipped_at = None;
        self.untimed.at = None;
    }

    /// Lets no record of what comes next take its time from one before.
    pub(crate) fn forget_neighbour(&mut self) {
        self.neighbour = None;
    }

    /// Matches made.
    pub fn alerts(&self) -> u64 {
        self.alerts
    }

    fn refuse(&mut self, offset: u64, text: String) {
        self.refused += 1;
        if self.refusals.len() < TOLD {
            self.refusals.push(Refusal { offset, text });
        }
    }

    /// Judges one record. One that says no time happened when the record before it did, else at `came`.
    fn judge(&mut self, record: &mut Looked<'_, '_>, offset: u64, came: u64, out: &mut Vec<Match>) {
        let own = record.own_time();
        self.neighbour = own.or(self.neighbour);
        let ts = self.neighbour.unwrap_or(came);
        record.happened(ts);
        if !record.is_event() {
            self.skipped += 1;
            self.skipped_at.get_or_insert(offset);
            return;
        }
        if self.known.keep > 0 && record.identity().is_some_and(|identity| !self.known.is_new(&identity)) {
            self.repeated += 1;
            return;
        }
        self.events += 1;
        if own.is_none() {
            self.untimed.count += 1;
            self.untimed.at.get_or_insert(offset);
        }
        let first_ts = *self.first_ts.get_or_insert(ts);
        let event = Event::of_record(self.events, ts);
        let seen = Seen::default();
        let previous_ts = if self.events == 1 { ts } else { self.previous_ts };
        let cx = Cx {
            state: &self.state,
            event: &event,
            seen: &seen,
            previous_ts,
            first_ts,
            record: Some(record),
            base64: false,
        };
        if let Some(question) = self.question.as_mut().filter(|question| question.num == event.num) {
            question.answer = Some(self.program.explain(question.rule, &cx));
        }
        self.hits.clear();
        self.program.judge(&mut self.memory, &cx, &mut self.hits);
        for &rule in &self.hits {
            let values = self.program.outputs(rule, &cx);
            out.push(Match {
                rule,
                num: event.num,
                ts,
                timed: own.is_some(),
                event: event.info().name,
                values,
            });
        }
        self.alerts += self.hits.len() as u64;
        self.previous_ts = ts;
    }

    /// Takes up to `max_events` records, which came at a time, from a reader; true at its end.
    pub(crate) fn take(
        &mut self,
        reader: &mut Reader<'_>,
        max_events: usize,
        came: u64,
        out: &mut Vec<Match>,
    ) -> io::Result<bool> {
        let program = Arc::clone(&self.program);
        let Some(asked) = program.asked() else { return Ok(true) };
        let mut cells = Cells::default();
        for _ in 0..max_events {
            match reader.next(asked, cells)? {
                Item::Record(mut record, offset) => {
                    self.judge(&mut record, offset, came, out);
                    cells = record.into_cells().recycled();
                }
                Item::Refused(refused) => {
                    self.refuse(refused.at, refused.what);
                    cells = Cells::default();
                }
                Item::End => return Ok(true),
            }
        }
        Ok(false)
    }
}
