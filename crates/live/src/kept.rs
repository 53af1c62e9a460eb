//! An event with what it was about, so that it can be looked at again when more is known of its container.

use std::sync::Arc;

use eyas_engine::{Engine, Judge, Match};
use eyas_eval::Program;
use eyas_event::{Event, Given, build, find};
use eyas_state::{Seen, Thread};
use serde_json::Value;

/// What an operand of a rule gives: as text and as JSON.
pub(crate) type Values = Vec<(String, Value)>;

/// A moment that is over.
pub(crate) struct Kept {
    /// Container of the thread.
    pub(crate) container: Arc<[u8]>,
    pub(crate) ts: u64,
    pub(crate) generation: u32,
    program: Arc<Program>,
    world: Engine,
    seen: Seen,
    event: Vec<u8>,
    num: u64,
}

impl Kept {
    /// Keeps the event of a thread that lives in a container.
    pub(crate) fn new(
        engine: &Engine,
        (program, generation): (&Arc<Program>, u32),
        event: &Event<'_>,
        seen: &Seen,
    ) -> Option<Kept> {
        let thread = engine.state.threads.get(seen.thread?)?;
        let (state, moved) = engine.state.excerpt(seen);
        Some(Kept {
            container: Arc::clone(&thread.container_id),
            ts: event.ts,
            generation,
            program: Arc::clone(program),
            world: Engine::of(state),
            seen: moved,
            event: event.bytes.to_vec(),
            num: event.num,
        })
    }

    /// The thread as it was.
    pub(crate) fn thread(&self) -> Option<&Thread> {
        self.world.state.threads.get(self.seen.thread?)
    }

    /// Learns what an event tells about the container, and who its users are as far as somebody knows.
    pub(crate) fn learn(&mut self, told: &Event<'_>, engine: &Engine) {
        for bytes in self.names(engine, told.ts) {
            if let Ok(mut event) = Event::parse(&bytes, 0, 0) {
                self.world.fold(&mut event);
            }
        }
        self.world.fold(&mut told.clone());
    }

    /// Somebody who judges it by the rules that were in force.
    pub(crate) fn judge(&self) -> Judge {
        Judge::new(Arc::clone(&self.program))
    }

    /// The rules that hold on it now.
    pub(crate) fn hits(&self, judge: &mut Judge) -> Vec<u32> {
        let Some(event) = self.event() else { return Vec::new() };
        judge.hits(&self.world.context(&event, &self.seen)).to_vec()
    }

    /// What a rule that holds on it now makes of it.
    pub(crate) fn matched(&self, rule: u32) -> Option<Match> {
        let (event, values) = (self.event()?, self.values(rule)?);
        Some(Match { rule, num: self.num, ts: self.ts, timed: true, event: event.info().name, values })
    }

    /// What a rule says about it now.
    pub(crate) fn values(&self, rule: u32) -> Option<Values> {
        let event = self.event()?;
        Some(self.program.outputs(rule, &self.world.context(&event, &self.seen)))
    }

    fn event(&self) -> Option<Event<'_>> {
        let mut event = Event::parse(&self.event, 0, 0).ok()?;
        event.num = self.num;
        Some(event)
    }

    /// The users and the group of the thread, as events.
    fn names(&self, engine: &Engine, ts: u64) -> Vec<Vec<u8>> {
        let Some(thread) = self.thread() else { return Vec::new() };
        let (users, container) = (&engine.state.users, self.container.as_ref());
        let text = |bytes: &[u8]| Given::Text(bytes.to_vec());
        let number = |n: u32| Given::Int(n.into());
        let mut told = Vec::new();
        for uid in [thread.uid, thread.loginuid] {
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
        if let Some(group) = users.group(container, thread.gid) {
            let gid = number(thread.gid);
            let values = [("gid", gid), ("name", text(&group.name)), ("container_id", text(container))];
            told.extend(find("groupadded").and_then(|info| build(info, ts, 1, &values).ok()));
        }
        told
    }
}
