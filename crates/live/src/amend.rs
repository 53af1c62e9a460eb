//! Matches that had to go without the description of their container, made whole when it comes.

use std::collections::VecDeque;
use std::sync::Arc;

use eyas_engine::{Engine, Match};
use eyas_eval::Program;
use eyas_event::{Event, Process, Snapshot};
use eyas_state::Seen;
use serde_json::Value;

/// Matches that wait at most.
const MOST: usize = 4096;

struct Incomplete {
    container: Arc<[u8]>,
    cgroups: Vec<u8>,
    program: Arc<Program>,
    generation: u32,
    event: Vec<u8>,
    matched: Match,
}

/// Matches whose container nobody has described yet.
#[derive(Default)]
pub(crate) struct Amends {
    waiting: VecDeque<Incomplete>,
}

impl Amends {
    /// Keeps a match that lacks a value while its container is not described.
    pub(crate) fn keep(
        &mut self,
        engine: &Engine,
        rules: (&Arc<Program>, u32),
        event: &Event<'_>,
        seen: &Seen,
        matched: &Match,
    ) {
        let Some(thread) = seen.thread.and_then(|slot| engine.state.threads.get(slot)) else { return };
        let described =
            thread.container_id.is_empty() || engine.state.containers.get(&thread.container_id).is_some();
        if described || matched.values.iter().all(|(_, value)| !value.is_null()) {
            return;
        }
        if self.waiting.len() >= MOST {
            self.waiting.pop_front();
        }
        self.waiting.push_back(Incomplete {
            container: Arc::clone(&thread.container_id),
            cgroups: thread
                .cgroups
                .iter()
                .flat_map(|(name, path)| [name, &b"="[..], path, b"\0"].concat())
                .collect(),
            program: Arc::clone(rules.0),
            generation: rules.1,
            event: event.bytes.to_vec(),
            matched: matched.clone(),
        });
    }

    /// Completes the matches of a container that an event has just described.
    pub(crate) fn complete(&mut self, told: &Event<'_>, engine: &Engine) -> Vec<(u32, Match)> {
        let (done, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|one| engine.state.containers.get(&one.container).is_some());
        self.waiting = waiting.into();
        done.into_iter().filter_map(|one| Some((one.generation, completed(one, told)?))).collect()
    }
}

/// The same event once more, in a small world that knows only its process and the container.
fn completed(one: Incomplete, told: &Event<'_>) -> Option<Match> {
    let event = Event::parse(&one.event, 0, 0).ok()?;
    let mut world = Engine::default();
    let process =
        Process { tid: event.tid, pid: event.tid, ptid: 0, cgroups: one.cgroups, ..Process::default() };
    world.seed(&Snapshot::Process(Box::new(process)));
    world.seeded();
    world.fold(&mut told.clone());
    let seen = Seen { thread: world.state.threads.find(event.tid), ..Seen::default() };
    let values = one.program.outputs(one.matched.rule, &world.context(&event, &seen));
    let mut matched = one.matched;
    for (old, new) in matched.values.iter_mut().zip(values) {
        if old.1 == Value::Null {
            *old = new;
        }
    }
    Some(matched)
}
