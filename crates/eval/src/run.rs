//! One event through a plan.

use eyas_field::Cx;

use crate::dispatch::Dispatch;
use crate::files::Gate;
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
            let mut open = self.open(plan.first + chunk, steps);
            let named = plan.first_named.map(|first| first + chunk);
            if let Some(named) = named.filter(|named| self.came_before(*named)) {
                open = self.named(named, steps, open);
            }
            for hurdle in &plan.hurdles[chunk] {
                if open & hurdle.needed_by != 0 && !self.holds(hurdle.node) {
                    open &= !hurdle.needed_by;
                }
            }
            if let Some(named) = named {
                open = self.named(named, steps, open);
            }
            while open != 0 {
                let step = &steps[open.trailing_zeros() as usize];
                open &= open - 1;
                if self.holds(step.named) && self.holds(step.rest) {
                    out.push(step.rule);
                    if first_only {
                        return;
                    }
                }
            }
        }
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
                None => self.all_parts(step),
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
                if self.all_parts(step) {
                    out.push(step.rule);
                    if first_only {
                        break 'rules;
                    }
                }
            }
        }
        self.memory.candidates = candidates;
    }

    /// Rules of a chunk whose lasting part holds for the thread of the event.
    #[inline]
    fn open(&mut self, chunk: usize, steps: &[Step]) -> u64 {
        if let Some(open) = self.memory.current().and_then(|m| m.gates[chunk]) {
            return open;
        }
        let mut open = 0;
        for (n, step) in steps.iter().enumerate() {
            open |= u64::from(self.holds(step.gate)) << n;
        }
        if let Some(memory) = self.memory.current_mut() {
            memory.gates[chunk] = Some(open);
        }
        open
    }

    /// Whether the file came before, so that the rules may be asked about its name at once.
    #[inline]
    fn came_before(&mut self, chunk: usize) -> bool {
        let gate = self.memory.files.known_mut(true).map(|known| &mut known.gates[chunk]);
        gate.is_some_and(|gate| std::mem::replace(&mut gate.seen, true))
    }

    /// Rules of `open` that the name of the file leaves open; all of them where no name is kept.
    #[inline]
    fn named(&mut self, chunk: usize, steps: &[Step], open: u64) -> u64 {
        let Some(known) = self.memory.files.known(true).map(|known| known.gates[chunk]) else { return open };
        let mut missing = open & !known.asked;
        if missing == 0 {
            return open & known.open;
        }
        let mut gate = Gate { asked: known.asked | missing, ..known };
        while missing != 0 {
            let n = missing.trailing_zeros();
            missing &= missing - 1;
            gate.open |= u64::from(self.holds(steps[n as usize].named)) << n;
        }
        if let Some(known) = self.memory.files.known_mut(true) {
            known.gates[chunk] = gate;
        }
        open & gate.open
    }

    fn all_parts(&mut self, step: &Step) -> bool {
        self.holds(step.gate) && self.holds(step.named) && self.holds(step.rest)
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
