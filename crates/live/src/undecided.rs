//! Events of containers that nobody has described yet: rules that ask for a name or an image judge them once more when
//! they can be answered.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use eyas_engine::{Engine, Judge, Match};
use eyas_eval::Program;
use eyas_event::{Event, id};
use eyas_state::Seen;

use crate::kept::Kept;

/// Events that are kept of one container, the first ones, and of all.
const MOST_OF_ONE: usize = 128;
const MOST: usize = 1024;
/// How long one is kept: runtimes answer within a second or two, or not at all.
const PATIENCE_NS: u64 = 5_000_000_000;

struct Undecided {
    kept: Kept,
    /// The rules that held without a description.
    held: Vec<u32>,
}

/// The first events of a container.
#[derive(Default)]
struct First {
    events: Vec<Undecided>,
    /// Nobody described it in time.
    over: bool,
}

/// Events that may be judged otherwise.
#[derive(Default)]
pub(crate) struct Undecideds {
    /// Ids of the events that rules judge by the description of a container.
    kinds: HashSet<u16>,
    of: HashMap<Arc<[u8]>, First>,
    count: usize,
}

impl Undecideds {
    /// Takes over which events rules judge by the description of a container.
    pub(crate) fn follow(&mut self, kinds: &[u16]) {
        self.kinds = kinds.iter().copied().collect();
    }

    /// Keeps an event of a container that is not described, with the matches that it made.
    pub(crate) fn keep(
        &mut self,
        engine: &Engine,
        rules: (&Arc<Program>, u32),
        event: &Event<'_>,
        seen: &Seen,
        matches: &[Match],
    ) {
        if seen.hidden || self.count >= MOST || !self.kinds.contains(&event.kind) {
            return;
        }
        let Some(thread) = seen.thread.and_then(|slot| engine.state.threads.get(slot)) else { return };
        let container = &thread.container_id;
        if container.is_empty() || engine.state.containers.get(container).is_some() {
            return;
        }
        let of = self.of.entry(Arc::clone(container)).or_default();
        if !of.over
            && of.events.len() < MOST_OF_ONE
            && let Some(kept) = Kept::new(engine, rules, event, seen)
        {
            of.events.push(Undecided { kept, held: matches.iter().map(|matched| matched.rule).collect() });
            self.count += 1;
        }
    }

    /// Lets go of the events of containers about which nothing is told any more; they are not kept again.
    pub(crate) fn tick(&mut self, now: u64) {
        for of in self.of.values_mut() {
            if of.events.first().is_some_and(|one| one.kept.ts.saturating_add(PATIENCE_NS) < now) {
                self.count -= of.events.len();
                *of = First { over: true, ..First::default() };
            }
        }
    }

    /// Forgets a container that is gone.
    pub(crate) fn forget(&mut self, container: &[u8]) {
        self.count -= self.of.remove(container).map_or(0, |of| of.events.len());
    }

    /// What rules say of the events of the container that has just been described, and did not say before.
    pub(crate) fn decide(&mut self, told: &Event<'_>, engine: &Engine) -> Vec<(Kept, Vec<Match>)> {
        if told.kind != id::CONTAINER_JSON_2_E || self.count == 0 {
            return Vec::new();
        }
        let described: Vec<Arc<[u8]>> =
            self.of.keys().filter(|id| engine.state.containers.get(id).is_some()).cloned().collect();
        let of: Vec<Undecided> =
            described.iter().filter_map(|id| self.of.remove(id)).flat_map(|of| of.events).collect();
        self.count -= of.len();
        let mut judge: Option<(u32, Judge)> = None;
        let decided = of.into_iter().map(|one| {
            let generation = one.kept.generation;
            let fits = judge.take().filter(|(of, _)| *of == generation);
            let (_, judge) = judge.insert(fits.unwrap_or_else(|| (generation, one.kept.judge())));
            one.decide(told, engine, judge)
        });
        decided.filter(|(_, matches)| !matches.is_empty()).collect()
    }
}

impl Undecided {
    /// The matches that follow from the description alone.
    fn decide(mut self, told: &Event<'_>, engine: &Engine, judge: &mut Judge) -> (Kept, Vec<Match>) {
        let before = self.kept.hits(judge);
        self.kept.learn(told, engine);
        let new = |rule: &u32| !before.contains(rule) && !self.held.contains(rule);
        let rules = self.kept.hits(judge).into_iter().filter(new);
        let matches = rules.filter_map(|rule| self.kept.matched(rule)).collect();
        (self.kept, matches)
    }
}
