//! One event through a plan.

use eyas_field::Cx;

use crate::dispatch::Dispatch;
use crate::graph::{Graph, NodeId};
use crate::layout::{CHUNK, Cell, Layout, Plan, Step, Work};
use crate::memory::Memory;
use crate::ordered::Ordered;
use crate::values::Values;

/// A plan under way.
pub(crate) struct Run<'r, 'a> {
    pub(crate) layout: &'r Layout,
    pub(crate) graph: &'r Graph,
    pub(crate) memory: &'r mut Memory,
    pub(crate) cx: &'r Cx<'a>,
    pub(crate) values: &'r mut Values<'a>,
}

impl Run<'_, '_> {
    /// Appends the rules that hold, in the order of their definition; only the first when `first_only`.
    pub(crate) fn plan(&mut self, plan: &Plan, first_only: bool, out: &mut Vec<u32>) {
        if let Some(dispatch) = plan.dispatch.as_ref().filter(|_| self.cx.record.is_some()) {
            return self.record(dispatch, &plan.steps, first_only, out);
        }
        for (chunk, steps) in plan.steps.chunks(CHUNK).enumerate() {
            let mut open = self.candidates(plan, chunk, steps);
            while open != 0 {
                let n = open.trailing_zeros() as usize;
                open &= open - 1;
                if self.lasting(plan.first + chunk, n, steps) && self.remaining(&steps[n]) {
                    out.push(steps[n].rule);
                    if first_only {
                        return;
                    }
                }
            }
        }
    }

    /// Rules of a chunk that can still hold, by what is cheapest to know: what is remembered of the thread, the name
    /// of the file, and tests that several of them need. Asking about the thread comes last, as programs start often
    /// and open what others opened before.
    #[inline]
    fn candidates(&mut self, plan: &Plan, chunk: usize, steps: &[Step]) -> u64 {
        let shut = self.memory.current().map_or(0, |thread| thread.gates[plan.first + chunk].shut());
        let mut open = u64::MAX >> (CHUNK - steps.len()) & !shut;
        let named = plan.first_named.map(|first| first + chunk);
        if let Some(named) = named.filter(|_| self.memory.files.known(true).is_some_and(|file| file.again)) {
            open = self.named(named, steps, open);
        }
        for hurdle in &plan.hurdles[chunk] {
            if open & hurdle.needed_by != 0 && !self.holds(hurdle.node) {
                open &= !hurdle.needed_by;
            }
        }
        named.map_or(open, |named| self.named(named, steps, open))
    }

    /// Asks one rule after the other, some of them in the order of their text.
    pub(crate) fn in_order<'o>(
        &mut self,
        plan: &Plan,
        ordered: impl Fn(u32) -> Option<&'o Ordered>,
        first_only: bool,
        out: &mut Vec<u32>,
    ) {
        for step in &plan.steps {
            let holds = match ordered(step.rule) {
                Some(condition) => condition.holds(self.graph, self.cx),
                None => self.holds(step.gate) && self.remaining(step),
            };
            if holds {
                out.push(step.rule);
                if first_only {
                    return;
                }
            }
        }
    }

    /// Asks the rules that a record can match.
    fn record(&mut self, dispatch: &Dispatch, steps: &[Step], first_only: bool, out: &mut Vec<u32>) {
        let mut candidates = std::mem::take(&mut self.memory.candidates);
        dispatch.candidates(self.cx, &mut candidates);
        'rules: for (word, bits) in candidates.iter_mut().enumerate() {
            while *bits != 0 {
                let step = &steps[word * 64 + bits.trailing_zeros() as usize];
                *bits &= *bits - 1;
                if self.holds(step.gate) && self.remaining(step) {
                    out.push(step.rule);
                    if first_only {
                        break 'rules;
                    }
                }
            }
        }
        self.memory.candidates = candidates;
    }

    /// Whether the lasting part of a rule holds for the thread of the event.
    #[inline]
    fn lasting(&mut self, chunk: usize, n: usize, steps: &[Step]) -> bool {
        let rule = 1 << n;
        if let Some(gate) = self.memory.current().map(|thread| thread.gates[chunk])
            && gate.asked & rule != 0
        {
            return gate.open & rule != 0;
        }
        let open = self.holds(steps[n].gate);
        if let Some(thread) = self.memory.current_mut() {
            thread.gates[chunk].note(rule, open);
        }
        open
    }

    /// Rules of `open` that the name of the file leaves open; all of them where no name is kept.
    #[inline]
    fn named(&mut self, chunk: usize, steps: &[Step], open: u64) -> u64 {
        let Some(mut gate) = self.memory.files.known(true).map(|file| file.gates[chunk]) else { return open };
        let mut missing = open & !gate.asked;
        if missing == 0 {
            return open & gate.open;
        }
        while missing != 0 {
            let n = missing.trailing_zeros();
            missing &= missing - 1;
            gate.note(1 << n, self.holds(steps[n as usize].named));
        }
        if let Some(file) = self.memory.files.known_mut(true) {
            file.gates[chunk] = gate;
        }
        open & gate.open
    }

    /// What names and the event itself decide.
    fn remaining(&mut self, step: &Step) -> bool {
        self.holds(step.named) && self.holds(step.rest)
    }

    fn holds(&mut self, id: NodeId) -> bool {
        let layout = self.layout;
        let cell = &layout.cells[id as usize];
        if !cell.kept {
            return self.work(cell);
        }
        if let Some(known) = self.memory.get(cell) {
            return known;
        }
        let value = self.work(cell);
        self.memory.set(cell, value);
        value
    }

    #[inline]
    fn work(&mut self, cell: &Cell) -> bool {
        let layout = self.layout;
        match cell.work {
            Work::Const(value) => value,
            Work::Test(number) => {
                self.graph.predicates[number as usize].holds_with(self.cx, self.values, &layout.whole)
            }
            Work::Not(inner) => !self.holds(inner),
            Work::And(from, to) => layout.members[from as usize..to as usize].iter().all(|m| self.holds(*m)),
            Work::Or(from, to) => layout.members[from as usize..to as usize].iter().any(|m| self.holds(*m)),
        }
    }
}
