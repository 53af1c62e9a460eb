//! The graph laid out for running: a plan for every event type, and nodes as plain cells.

use std::collections::{BTreeMap, HashMap};

use eyas_event::{EVENTS, id};
use eyas_field::Scope;

use crate::dispatch::Dispatch;
use crate::graph::{Graph, NodeId, Shape};
use crate::memory::Sizes;
use crate::whole::Whole;

/// Rules that one word of a gate covers.
pub(crate) const CHUNK: usize = 64;
/// Most that a hurdle may cost; what costs more is left to the rules that come so far.
const CHEAP: u32 = 8;

/// A condition and the event types it can hold on; all when none are named.
pub(crate) struct Condition {
    pub(crate) root: NodeId,
    pub(crate) events: Option<Vec<u16>>,
}

/// A rule on events of one type: what lasts as long as the process, what the name of the file decides, and the rest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) rule: u32,
    pub(crate) gate: NodeId,
    pub(crate) named: NodeId,
    pub(crate) rest: NodeId,
}

/// A test that several rules of a chunk need; where it does not hold, none of them does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hurdle {
    pub(crate) node: NodeId,
    /// The rules that need it.
    pub(crate) needed_by: u64,
}

/// The rules that events of one type can match, in chunks of one gate word.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Number of the first chunk.
    pub(crate) first: usize,
    /// Number of the first chunk of what names decide, where they decide anything.
    pub(crate) first_named: Option<usize>,
    pub(crate) steps: Vec<Step>,
    /// For each chunk, the hurdle that most rules need first.
    pub(crate) hurdles: Vec<Vec<Hurdle>>,
    /// For records: rules by what they want.
    pub(crate) dispatch: Option<Dispatch>,
}

/// What a cell does; members stand one after the other in `Layout::members`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    Const(bool),
    Test(u32),
    Not(NodeId),
    And(u32, u32),
    Or(u32, u32),
}

/// A node as it is run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) work: Work,
    pub(crate) scope: Scope,
    /// Whether its answer can be asked for again.
    pub(crate) kept: bool,
    /// Place of its answer among those of its scope.
    pub(crate) place: u32,
    /// Place of its answer among those of the event, where the file gives no room.
    pub(crate) now: u32,
}

/// Plans and cells.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    plans: Vec<Plan>,
    pub(crate) cells: Vec<Cell>,
    pub(crate) members: Vec<NodeId>,
    pub(crate) sizes: Sizes,
    pub(crate) whole: Whole,
}

impl Layout {
    pub(crate) fn new(graph: &mut Graph, conditions: &[Condition]) -> Layout {
        let mut layout = Layout::default();
        let mut arranged = HashMap::new();
        let mut named = HashMap::new();
        for info in &EVENTS {
            let mut plan = plan(graph, conditions, info.id, layout.sizes.gates, &mut arranged);
            layout.sizes.gates += plan.hurdles.len();
            plan.first_named = layout.number_names(graph, &plan.steps, &mut named);
            layout.plans.push(plan);
        }
        layout.sizes.lefts = graph.left_sides();
        layout.whole = Whole::new(&mut graph.predicates, layout.sizes.lefts);
        let uses = uses(graph, &layout.plans);
        layout.fill(graph, &uses);
        layout
    }

    /// The plan for events of a type.
    #[inline]
    pub(crate) fn plan(&self, kind: u16) -> &Plan {
        &self.plans[usize::from(kind)]
    }

    /// Numbers the chunks of what names decide; types of events that ask the same share their numbers.
    fn number_names(
        &mut self,
        graph: &Graph,
        steps: &[Step],
        known: &mut HashMap<Vec<NodeId>, usize>,
    ) -> Option<usize> {
        let asked: Vec<NodeId> = steps.iter().map(|step| step.named).collect();
        if asked.iter().all(|id| matches!(graph.nodes[*id as usize].shape, Shape::Const(_))) {
            return None;
        }
        let chunks = asked.len().div_ceil(CHUNK);
        let next = self.sizes.names;
        let first = *known.entry(asked).or_insert(next);
        if first == next {
            self.sizes.names += chunks;
        }
        Some(first)
    }

    fn fill(&mut self, graph: &Graph, uses: &[u32]) {
        for (node, uses) in graph.nodes.iter().zip(uses) {
            let work = match &node.shape {
                Shape::Const(value) => Work::Const(*value),
                Shape::Test(number) => Work::Test(*number),
                Shape::Not(inner) => Work::Not(*inner),
                Shape::And(members) => self.group(members, Work::And),
                Shape::Or(members) => self.group(members, Work::Or),
            };
            let kept = *uses > 1 || (*uses == 1 && node.scope != Scope::Event);
            let blank = Cell { work, scope: node.scope, kept, place: 0, now: 0 };
            let cell = if kept { self.placed(blank) } else { blank };
            self.cells.push(cell);
        }
    }

    fn group(&mut self, members: &[NodeId], work: fn(u32, u32) -> Work) -> Work {
        let from = self.members.len() as u32;
        self.members.extend_from_slice(members);
        work(from, self.members.len() as u32)
    }

    /// Gives a cell its places in memory.
    fn placed(&mut self, cell: Cell) -> Cell {
        let sizes = &mut self.sizes;
        let next = |count: &mut usize| {
            *count += 1;
            (*count - 1) as u32
        };
        match cell.scope {
            Scope::Process => Cell { place: next(&mut sizes.process), ..cell },
            Scope::Lineage => Cell { place: next(&mut sizes.line), ..cell },
            Scope::Name | Scope::File => {
                Cell { place: next(&mut sizes.file), now: next(&mut sizes.event), ..cell }
            }
            Scope::Event => Cell { now: next(&mut sizes.event), ..cell },
        }
    }
}

/// The rules on events of one type.
fn plan(
    graph: &mut Graph,
    conditions: &[Condition],
    kind: u16,
    first: usize,
    arranged: &mut HashMap<NodeId, NodeId>,
) -> Plan {
    let mut done = HashMap::new();
    let mut plan = Plan { first, ..Plan::default() };
    for (n, condition) in conditions.iter().enumerate() {
        if condition.events.as_ref().is_some_and(|on| !on.contains(&kind)) {
            continue;
        }
        let here = graph.on(condition.root, kind, &mut done);
        if matches!(graph.nodes[here as usize].shape, Shape::Const(false)) {
            continue;
        }
        let here = graph.arrange(here, arranged);
        let [gate, named, rest] = graph.parts(here);
        plan.steps.push(Step { rule: n as u32, gate, named, rest });
    }
    if kind == id::PLUGINEVENT_E && !plan.steps.is_empty() {
        let rests: Vec<NodeId> = plan.steps.iter().map(|step| step.rest).collect();
        plan.dispatch = Some(Dispatch::new(graph, &rests));
    }
    plan.hurdles = plan.steps.chunks(CHUNK).map(|steps| hurdles(graph, steps)).collect();
    plan
}

/// What two rules or more of a chunk need, by what it may save for its cost.
fn hurdles(graph: &Graph, steps: &[Step]) -> Vec<Hurdle> {
    let mut needed: BTreeMap<NodeId, u64> = BTreeMap::new();
    for (n, step) in steps.iter().enumerate() {
        let mut parts = Vec::new();
        graph.conjuncts(step.named, &mut parts);
        graph.conjuncts(step.rest, &mut parts);
        for part in parts {
            *needed.entry(part).or_default() |= 1 << n;
        }
    }
    let cheap = |node: NodeId| (1..=CHEAP).contains(&graph.nodes[node as usize].cost);
    let shared = needed.into_iter().filter(|(node, rules)| rules.count_ones() > 1 && cheap(*node));
    let mut found: Vec<Hurdle> = shared.map(|(node, needed_by)| Hurdle { node, needed_by }).collect();
    let worth = |h: &Hurdle| h.needed_by.count_ones() * 1000 / graph.nodes[h.node as usize].cost.max(1);
    found.sort_by_key(|hurdle| std::cmp::Reverse(worth(hurdle)));
    found
}

/// How often one event can ask for each node: the most of all plans.
fn uses(graph: &Graph, plans: &[Plan]) -> Vec<u32> {
    let mut most = vec![0; graph.nodes.len()];
    for plan in plans {
        let mut here: HashMap<NodeId, u32> = HashMap::new();
        let roots = plan.steps.iter().flat_map(|step| [step.gate, step.named, step.rest]);
        let mut todo: Vec<NodeId> = roots.chain(plan.hurdles.iter().flatten().map(|h| h.node)).collect();
        while let Some(id) = todo.pop() {
            let count = here.entry(id).or_default();
            *count += 1;
            if *count > 1 {
                continue;
            }
            match &graph.nodes[id as usize].shape {
                Shape::Not(inner) => todo.push(*inner),
                Shape::And(members) | Shape::Or(members) => todo.extend_from_slice(members),
                Shape::Const(_) | Shape::Test(_) => {}
            }
        }
        for (id, count) in here {
            most[id as usize] = count.max(most[id as usize]);
        }
    }
    most
}
