//! Matches that had to go without what is known later: the description of their container, the names of its users.

use std::collections::VecDeque;
use std::sync::Arc;

use eyas_engine::{Engine, Match};
use eyas_eval::Program;
use eyas_event::{Event, Given, Process, Snapshot, build, find, id};
use eyas_state::{Seen, Thread};
use serde_json::Value;

/// Matches that wait at most; one with all that a trail carries takes some 9 KB.
const MOST: usize = 512;
/// How long one waits: runtimes answer within seconds or not at all. A container that none knows would fill the memory.
const PATIENCE_NS: u64 = 30_000_000_000;
/// What a field of text gives when it knows nothing.
const UNKNOWN: &str = "<NA>";

struct Incomplete {
    container: Arc<[u8]>,
    /// Only the name of a user is missing.
    described: bool,
    process: Process,
    ts: u64,
    program: Arc<Program>,
    generation: u32,
    event: Vec<u8>,
    matched: Match,
}

/// Matches that lack something.
#[derive(Default)]
pub(crate) struct Amends {
    waiting: VecDeque<Incomplete>,
}

impl Amends {
    /// Keeps a match that lacks a value while its container is not described, or its user has no name.
    pub(crate) fn keep(
        &mut self,
        engine: &Engine,
        rules: (&Arc<Program>, u32),
        event: &Event<'_>,
        seen: &Seen,
        matched: &Match,
    ) {
        let Some(thread) = seen.thread.and_then(|slot| engine.state.threads.get(slot)) else { return };
        if thread.container_id.is_empty() || !matched.values.iter().any(|(_, value)| is_missing(value)) {
            return;
        }
        let described = engine.state.containers.get(&thread.container_id).is_some();
        if described && !lacks_name(engine, &thread.container_id, thread.uid, matched) {
            return;
        }
        let one = Incomplete {
            container: Arc::clone(&thread.container_id),
            described,
            process: process(thread),
            ts: event.ts,
            program: Arc::clone(rules.0),
            generation: rules.1,
            event: event.bytes.to_vec(),
            matched: matched.clone(),
        };
        if self.waiting.len() >= MOST {
            self.waiting.pop_front();
        }
        self.waiting.push_back(one);
    }

    /// Lets go of matches about which nothing is told any more.
    pub(crate) fn tick(&mut self, now: u64) {
        while self.waiting.front().is_some_and(|one| one.ts.saturating_add(PATIENCE_NS) < now) {
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
            let Some(matched) = completed(&one, told, engine) else { continue };
            amended.push((one.generation, matched.clone()));
            if !one.described && one.lacks_name(engine) {
                one.described = true;
                one.matched = matched;
                self.waiting.push_back(one);
            }
        }
        amended
    }
}

impl Incomplete {
    fn lacks_name(&self, engine: &Engine) -> bool {
        lacks_name(engine, &self.container, self.process.uid, &self.matched)
    }

    fn is_complete(&self, told: &Event<'_>, engine: &Engine) -> bool {
        match told.kind {
            id::CONTAINER_JSON_2_E => {
                !self.described && engine.state.containers.get(&self.container).is_some()
            }
            id::USER_ADDED_E => {
                self.described
                    && told.text(5) == Some(&self.container)
                    && told.unsigned(0) == Some(self.process.uid.into())
            }
            _ => false,
        }
    }
}

fn lacks_name(engine: &Engine, container: &[u8], uid: u32, matched: &Match) -> bool {
    let named = engine.state.users.user(container, uid).is_some();
    !named && matched.values.iter().any(|(_, value)| value == UNKNOWN)
}

fn is_missing(value: &Value) -> bool {
    value.is_null() || value == UNKNOWN
}

/// What of a process its container and user follow from.
fn process(thread: &Thread) -> Process {
    let cgroups = thread.cgroups.iter().flat_map(|(name, path)| [name, &b"="[..], path, b"\0"].concat());
    Process {
        tid: thread.tid,
        pid: thread.tid,
        uid: thread.uid,
        gid: thread.gid,
        loginuid: thread.loginuid,
        cgroups: cgroups.collect(),
        ..Process::default()
    }
}

/// The same event once more, in a small world that knows only its process, its users and the container.
fn completed(one: &Incomplete, told: &Event<'_>, engine: &Engine) -> Option<Match> {
    let event = Event::parse(&one.event, 0, 0).ok()?;
    let mut world = Engine::default();
    world.seed(&Snapshot::Process(Box::new(one.process.clone())));
    world.seeded();
    for bytes in names(one, engine, told.ts) {
        world.fold(&mut Event::parse(&bytes, 0, 0).ok()?);
    }
    world.fold(&mut told.clone());
    let seen = Seen { thread: world.state.threads.find(event.tid), ..Seen::default() };
    let values = one.program.outputs(one.matched.rule, &world.context(&event, &seen));
    let mut matched = one.matched.clone();
    for (old, new) in matched.values.iter_mut().zip(values) {
        if is_missing(&old.1) && !is_missing(&new.1) {
            *old = new;
        }
    }
    Some(matched)
}

/// The users and the group of a match's process, as events.
fn names(one: &Incomplete, engine: &Engine, ts: u64) -> Vec<Vec<u8>> {
    let (users, container) = (&engine.state.users, one.container.as_ref());
    let text = |bytes: &[u8]| Given::Text(bytes.to_vec());
    let number = |n: u32| Given::Int(n.into());
    let mut told = Vec::new();
    for uid in [one.process.uid, one.process.loginuid] {
        let Some(user) = users.user(container, uid) else { continue };
        let values = [
            ("uid", number(uid)),
            ("gid", number(user.gid)),
            ("name", text(&user.name)),
            ("home", text(&user.home)),
            ("shell", text(&user.shell)),
            ("container_id", text(container)),
        ];
        told.extend(find("useradded").and_then(|info| build(info, ts, 1, &values).ok()));
    }
    if let Some(group) = users.group(container, one.process.gid) {
        let gid = number(one.process.gid);
        let values = [("gid", gid), ("name", text(&group.name)), ("container_id", text(container))];
        told.extend(find("groupadded").and_then(|info| build(info, ts, 1, &values).ok()));
    }
    told
}
