//! One stream of events: number, fold, judge.

use std::sync::Arc;

use eyas_eval::Program;
use eyas_event::table::Category;
use eyas_event::{Event, Machine, Snapshot, id};
use eyas_field::Cx;
use eyas_state::{Seen, State};

use crate::judge::Judge;
use crate::limits::Limits;
use crate::matched::Match;

/// What the engine counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events numbered.
    pub events: u64,
    /// Matches made.
    pub matches: u64,
    /// Marks of a sensor that began to drop events.
    pub drops: u64,
}

/// State, rules and the clock of one stream of events.
#[derive(Default)]
pub struct Engine {
    /// What is true after the last event.
    pub state: State,
    /// What was counted.
    pub counts: Counts,
    judge: Option<Judge>,
    first_ts: Option<u64>,
    previous_ts: Option<u64>,
    /// Past the users, groups and containers with which a capture begins; no rule sees those.
    past_head: bool,
}

impl Engine {
    /// An engine with nothing known yet.
    pub fn new(program: Option<Arc<Program>>) -> Engine {
        Engine { judge: program.map(Judge::new), ..Engine::default() }
    }

    /// An engine without rules for which this is true.
    pub fn of(state: State) -> Engine {
        Engine { state, past_head: true, ..Engine::default() }
    }

    /// Puts other rules in force; the state stays.
    pub fn reload(&mut self, program: Arc<Program>) {
        self.judge = Some(Judge::new(program));
    }

    /// Limits how often the rules in force speak.
    pub fn limit(&mut self, limits: Limits) {
        if let Some(judge) = &mut self.judge {
            judge.limit(limits);
        }
    }

    /// How often each rule was held back since the last call.
    pub fn held(&mut self) -> Vec<(u32, u64)> {
        self.judge.as_mut().map(Judge::held).unwrap_or_default()
    }

    /// Whether the matches of a rule are only noted.
    pub fn are_notes(&self, rule: u32) -> bool {
        self.judge.as_ref().is_some_and(|judge| judge.are_notes(rule))
    }

    /// Forgets what is true; rules, counts and the clock stay.
    pub fn restart(&mut self) {
        self.state = State::default();
        self.past_head = false;
        if let Some(judge) = &mut self.judge {
            judge.reset();
        }
    }

    /// Takes one record of the initial state.
    pub fn seed(&mut self, record: &Snapshot) {
        self.state.seed(record);
    }

    /// Takes one record of what is true now, after the initial state.
    pub fn seed_late(&mut self, record: &Snapshot) {
        self.state.seed_late(record);
    }

    /// Takes one record of the initial state of a capture. Rules see the name of a host only where it is watched.
    pub fn seed_recorded(&mut self, record: &Snapshot) {
        match record {
            Snapshot::Machine(machine) => {
                let nameless = Machine { hostname: Vec::new(), ..machine.clone() };
                self.seed(&Snapshot::Machine(nameless));
            }
            record => self.seed(record),
        }
    }

    /// Ends the initial state.
    pub fn seeded(&mut self) {
        self.state.seeded();
    }

    /// Takes one event; appends what holds to `out`.
    #[inline]
    pub fn event(&mut self, event: &mut Event<'_>, out: &mut Vec<Match>) {
        let seen = self.fold(event);
        self.judge(event, &seen, out);
        self.done(event, &seen);
    }

    /// Numbers an event and folds it into the state.
    #[inline]
    pub fn fold(&mut self, event: &mut Event<'_>) -> Seen {
        self.counts.events += 1;
        event.num = self.counts.events;
        if self.first_ts.is_none() && event.info().category != Category::Internal {
            self.first_ts = Some(event.ts);
        }
        let mut seen = self.state.fold(event);
        if !self.past_head {
            self.past_head = !opens_capture(event.kind);
            seen.hidden |= !self.past_head;
        }
        if event.kind == id::DROP_E {
            self.counts.drops += 1;
        }
        seen
    }

    /// Where fields read from after `fold`.
    #[inline]
    pub fn context<'a>(&'a self, event: &'a Event<'a>, seen: &'a Seen) -> Cx<'a> {
        Cx {
            state: &self.state,
            event,
            seen,
            previous_ts: self.previous_ts(event),
            first_ts: self.first_ts(event),
            record: None,
            base64: false,
        }
    }

    /// Appends what holds on a folded event.
    #[inline]
    pub fn judge(&mut self, event: &Event<'_>, seen: &Seen, out: &mut Vec<Match>) {
        if seen.hidden {
            return;
        }
        let (previous_ts, first_ts) = (self.previous_ts(event), self.first_ts(event));
        let Some(judge) = &mut self.judge else { return };
        let before = out.len();
        judge.judge(
            &Cx { state: &self.state, event, seen, previous_ts, first_ts, record: None, base64: false },
            out,
        );
        self.counts.matches += (out.len() - before) as u64;
    }

    /// Ends an event.
    #[inline]
    pub fn done(&mut self, event: &Event<'_>, seen: &Seen) {
        if !seen.hidden {
            self.previous_ts = Some(event.ts);
        }
    }

    fn previous_ts(&self, event: &Event<'_>) -> u64 {
        self.previous_ts.unwrap_or(event.ts)
    }

    fn first_ts(&self, event: &Event<'_>) -> u64 {
        self.first_ts.unwrap_or(event.ts)
    }
}

/// Events that writers put before all others to carry state.
fn opens_capture(kind: u16) -> bool {
    matches!(
        kind,
        id::CONTAINER_JSON_2_E
            | id::USER_ADDED_E
            | id::USER_DELETED_E
            | id::GROUP_ADDED_E
            | id::GROUP_DELETED_E
            | id::ASYNCEVENT_E
    )
}
