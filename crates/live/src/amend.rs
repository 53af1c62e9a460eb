//! Matches that had to go without what is known later: the description of their container, the names of its users.

use std::collections::VecDeque;
use std::sync::Arc;

use eyas_engine::{Engine, Match};
use eyas_eval::Program;
use eyas_event::{Event, id};
use eyas_state::Seen;
use serde_json::Value;

use crate::kept::Kept;

/// Matches that wait at most; one with all that a trail carries takes some 9 KB.
const MOST: usize = 512;
/// How long one waits: runtimes answer within seconds or not at all. A container that none knows would fill the memory.
const PATIENCE_NS: u64 = 30_000_000_000;
/// What a field of text gives when it knows nothing.
const UNKNOWN: &str = "<NA>";

struct Incomplete {
    kept: Kept,
    /// Only the name of a user is missing.
    described: bool,
    matches: Vec<Match>,
}

/// Matches that lack something.
#[derive(Default)]
pub(crate) struct Amends {
    waiting: VecDeque<Incomplete>,
}

impl Amends {
    /// Keeps the matches of an event that lack a value while its container is not described, or its user has no name.
    pub(crate) fn keep(
        &mut self,
        engine: &Engine,
        rules: (&Arc<Program>, u32),
        event: &Event<'_>,
        seen: &Seen,
        matches: &[Match],
    ) {
        let matches: Vec<Match> =
            matches.iter().filter(|one| one.values.iter().any(is_missing)).cloned().collect();
        let Some(thread) = seen.thread.and_then(|slot| engine.state.threads.get(slot)) else { return };
        if thread.container_id.is_empty() || matches.is_empty() {
            return;
        }
        let described = engine.state.containers.get(&thread.container_id).is_some();
        if described && !lacks_name(engine, &thread.container_id, thread.uid, &matches) {
            return;
        }
        if let Some(kept) = Kept::new(engine, rules, event, seen) {
            self.wait(Incomplete { kept, described, matches });
        }
    }

    /// Keeps matches of a container that is described, should the name of its user come later.
    pub(crate) fn keep_described(&mut self, engine: &Engine, kept: Kept, matches: Vec<Match>) {
        let one = Incomplete { kept, described: true, matches };
        if one.lacks_name(engine) {
            self.wait(one);
        }
    }

    fn wait(&mut self, one: Incomplete) {
        if self.waiting.len() >= MOST {
            self.waiting.pop_front();
        }
        self.waiting.push_back(one);
    }

    /// Lets go of matches about which nothing is told any more.
    pub(crate) fn tick(&mut self, now: u64) {
        while self.waiting.front().is_some_and(|one| one.kept.ts.saturating_add(PATIENCE_NS) < now) {
            self.waiting.pop_front();
        }
    }

    /// Completes the matches that lacked what an event has just told.
    pub(crate) fn complete(&mut self, told: &Event<'_>, engine: &Engine) -> Vec<(u32, Match)> {
        if self.waiting.is_empty() {
            return Vec::new();
        }
        let (done, waiting): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.waiting).into_iter().partition(|one| one.is_complete(told, engine));
        self.waiting = waiting.into();
        let mut amended = Vec::with_capacity(done.len());
        for mut one in done {
            one.kept.learn(told, engine);
            one.complete();
            amended.extend(one.matches.iter().map(|matched| (one.kept.generation, matched.clone())));
            if !one.described && one.lacks_name(engine) {
                one.described = true;
                self.waiting.push_back(one);
            }
        }
        amended
    }
}

impl Incomplete {
    fn lacks_name(&self, engine: &Engine) -> bool {
        let uid = self.kept.thread().map_or(u32::MAX, |thread| thread.uid);
        lacks_name(engine, &self.kept.container, uid, &self.matches)
    }

    fn is_complete(&self, told: &Event<'_>, engine: &Engine) -> bool {
        match told.kind {
            id::CONTAINER_JSON_2_E => {
                !self.described && engine.state.containers.get(&self.kept.container).is_some()
            }
            id::USER_ADDED_E => {
                self.described
                    && told.text(5) == Some(&self.kept.container)
                    && told.unsigned(0) == self.kept.thread().map(|thread| thread.uid.into())
            }
            _ => false,
        }
    }

    /// Fills in what was missing.
    fn complete(&mut self) {
        for matched in &mut self.matches {
            let values = self.kept.values(matched.rule).unwrap_or_default();
            for (old, new) in matched.values.iter_mut().zip(values) {
                if is_missing(old) && !is_missing(&new) {
                    *old = new;
                }
            }
        }
    }
}

fn lacks_name(engine: &Engine, container: &[u8], uid: u32, matches: &[Match]) -> bool {
    let named = engine.state.users.user(container, uid).is_some();
    !named && matches.iter().flat_map(|one| &one.values).any(|(_, value)| value == UNKNOWN)
}

fn is_missing((_, value): &(String, Value)) -> bool {
    value.is_null() || value == UNKNOWN
}
