//! Rules with the memory that one stream of events needs.

use std::sync::Arc;

use eyas_eval::{Memory, Program};
use eyas_field::Cx;

use crate::limits::Limits;
use crate::matched::Match;

/// A program and what it remembers between events.
pub struct Judge {
    program: Arc<Program>,
    memory: Memory,
    hits: Vec<u32>,
    limits: Option<Limits>,
}

impl Judge {
    /// A judge that remembers nothing yet.
    pub fn new(program: Arc<Program>) -> Judge {
        let memory = program.memory();
        Judge { program, memory, hits: Vec::new(), limits: None }
    }

    /// Limits how often rules speak.
    pub fn limit(&mut self, limits: Limits) {
        self.limits = Some(limits);
    }

    /// How often each rule was held back since the last call.
    pub fn held(&mut self) -> Vec<(u32, u64)> {
        self.limits.as_mut().map(Limits::held).unwrap_or_default()
    }

    /// Whether the matches of a rule are only noted.
    pub fn are_notes(&self, rule: u32) -> bool {
        self.limits.as_ref().is_some_and(|limits| limits.are_notes(rule))
    }

    /// The rules.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Forgets everything: the state it rests on is void.
    pub fn reset(&mut self) {
        self.memory.forget();
    }

    /// The rules that hold on an event by itself, whatever was before.
    pub fn hits(&mut self, cx: &Cx<'_>) -> &[u32] {
        self.reset();
        self.holds(cx);
        &self.hits
    }

    /// Whether any rule holds.
    pub fn holds(&mut self, cx: &Cx<'_>) -> bool {
        self.hits.clear();
        self.program.judge(&mut self.memory, cx, &mut self.hits);
        !self.hits.is_empty()
    }

    /// Appends a match for every rule that holds.
    #[inline]
    pub fn judge(&mut self, cx: &Cx<'_>, out: &mut Vec<Match>) {
        if !self.holds(cx) {
            return;
        }
        for &rule in &self.hits {
            let process = || cx.thread().map_or(cx.event.tid, |thread| thread.pid);
            if self.limits.as_mut().is_some_and(|limits| !limits.admits(rule, process(), cx.event.ts)) {
                continue;
            }
            let values = self.program.outputs(rule, cx);
            out.push(Match {
                rule,
                num: cx.event.num,
                ts: cx.event.ts,
                timed: true,
                event: cx.event.info().name,
                values,
            });
        }
    }
}
