//! Rules compiled: a plan for every event type, and how a plan is run.

use std::collections::{BTreeMap, HashMap};

use eyas_event::{EVENTS, id};
use eyas_field::{Cx, Scope};
use eyas_record::{Asked, Schema};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::dispatch::Dispatch;
use crate::explain;
use crate::graph::{Graph, NodeId, Shape};
use crate::ir::{EvalError, MAX_DEPTH, Place};
use crate::memory::{Memory, Sizes};
use crate::names::Names;
use crate::operand::{Operand, operand};
use crate::values::Values;

/// Source of the kernel's events.
const KERNEL: &str = "syscall";

/// Rules that one word of a gate covers.
const CHUNK: usize = 64;

/// One rule.
#[derive(Debug)]
struct Rule {
    name: String,
    source: String,
    condition: NodeId,
    output: Vec<Operand>,
}

/// A rule on events of one type: what lasts as long as the process, and the rest.
#[derive(Clone, Copy, Debug)]
struct Step {
    rule: u32,
    gate: NodeId,
    rest: NodeId,
}

/// A test that several rules of a chunk need; where it does not hold, none of them does.
#[derive(Clone, Copy, Debug)]
struct Hurdle {
    node: NodeId,
    /// The rules that need it.
    needed_by: u64,
}

/// The rules that events of one type can match, in chunks of one gate word.
#[derive(Debug, Default)]
struct Plan {
    /// Number of the first chunk.
    first: usize,
    steps: Vec<Step>,
    /// For each chunk, the hurdle that most rules need first.
    hurdles: Vec<Vec<Hurdle>>,
    /// For records: rules by what they want.
    dispatch: Option<Dispatch>,
}

/// Compiled rules.
#[derive(Debug)]
pub struct Program {
    rules: Vec<Rule>,
    graph: Graph,
    /// Place of each node's answer in memory.
    places: Vec<u32>,
    plans: Vec<Plan>,
    sizes: Sizes,
    first_only: bool,
    asked: Option<Asked>,
}

fn parse(ir: &[u8]) -> Result<Json, EvalError> {
    let wrong = |what: String| EvalError { path: "ir".to_owned(), what };
    let mut depth = 0usize;
    for byte in ir {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth > 2 * MAX_DEPTH {
            return Err(wrong("nested too deep".to_owned()));
        }
    }
    let mut reader = serde_json::Deserializer::from_slice(ir);
    reader.disable_recursion_limit();
    Json::deserialize(&mut reader).map_err(|error| wrong(error.to_string()))
}

impl Program {
    /// Compiles the rules of IR that are about the kernel's events.
    ///
    /// # Errors
    /// When something in it is not understood, with its path.
    pub fn from_json(ir: &[u8]) -> Result<Program, EvalError> {
        Program::for_source(ir, KERNEL)
    }

    /// Compiles the rules of IR that are about one source; the others keep their numbers and never hold.
    ///
    /// # Errors
    /// When something in it is not understood, with its path.
    pub fn for_source(ir: &[u8], source: &str) -> Result<Program, EvalError> {
        let whole = parse(ir)?;
        let root = Place::root(&whole, "");
        root.object(&["ir", "matching", "rules", "sources"])?;
        let version = root.expect("ir")?;
        if version.value.as_u64() != Some(1) {
            return version.refuse("expected version 1");
        }
        let first_only =
            match root.get("matching").map(|m| m.text().map(str::to_owned)).transpose()?.as_deref() {
                None | Some("all") => false,
                Some("first") => true,
                Some(other) => return root.refuse(format!("unknown matching {other:?}")),
            };
        let mut graph = Graph::over(names(&root, source)?);
        let list = root.expect("rules")?;
        let mut rules = Vec::new();
        let mut events = Vec::new();
        for n in 0..list.array()?.len() {
            let (rule, on) = rule(&mut graph, &list.item(n), n, source)?;
            rules.push(rule);
            events.push(on);
        }
        Ok(compiled(rules, graph, &events, first_only, source))
    }

    /// What the rules ask of records; none for the kernel's events.
    pub fn asked(&self) -> Option<&Asked> {
        self.asked.as_ref()
    }

    /// An empty memory of the right size.
    pub fn memory(&self) -> Memory {
        Memory::new(self.sizes)
    }

    /// Whether any rule can match events of a type.
    #[inline]
    pub fn wants(&self, kind: u16) -> bool {
        self.plans.get(usize::from(kind)).is_some_and(|p| !p.steps.is_empty())
    }

    /// Appends the rules that hold on an event, in the order of their definition.
    #[inline]
    pub fn judge(&self, memory: &mut Memory, cx: &Cx<'_>, out: &mut Vec<u32>) {
        let plan = &self.plans[usize::from(cx.event.kind)];
        if plan.steps.is_empty() {
            return;
        }
        memory.begin(cx);
        let mut values = memory.room.open();
        self.run(plan, memory, cx, &mut values, out);
        memory.room.close(values);
    }

    fn run<'a>(
        &self,
        plan: &Plan,
        memory: &mut Memory,
        cx: &Cx<'a>,
        values: &mut Values<'a>,
        out: &mut Vec<u32>,
    ) {
        if let Some(dispatch) = &plan.dispatch {
            return self.judge_record(dispatch, &plan.steps, memory, cx, values, out);
        }
        for (chunk, steps) in plan.steps.chunks(CHUNK).enumerate() {
            let mut open = self.open(plan.first + chunk, steps, memory, cx, values);
            for hurdle in &plan.hurdles[chunk] {
                if open & hurdle.needed_by != 0 && !self.holds(hurdle.node, memory, cx, values) {
                    open &= !hurdle.needed_by;
                }
            }
            while open != 0 {
                let step = &steps[open.trailing_zeros() as usize];
                open &= open - 1;
                if self.holds(step.rest, memory, cx, values) {
                    out.push(step.rule);
                    if self.first_only {
                        return;
                    }
                }
            }
        }
    }

    /// Asks the rules that a record can match.
    fn judge_record<'a>(
        &self,
        dispatch: &Dispatch,
        steps: &[Step],
        memory: &mut Memory,
        cx: &Cx<'a>,
        values: &mut Values<'a>,
        out: &mut Vec<u32>,
    ) {
        let mut candidates = std::mem::take(&mut memory.candidates);
        dispatch.candidates(cx, &mut candidates);
        'rules: for (word, bits) in candidates.iter_mut().enumerate() {
            while *bits != 0 {
                let step = &steps[word * 64 + bits.trailing_zeros() as usize];
                *bits &= *bits - 1;
                if self.holds(step.gate, memory, cx, values) && self.holds(step.rest, memory, cx, values) {
                    out.push(step.rule);
                    if self.first_only {
                        break 'rules;
                    }
                }
            }
        }
        memory.candidates = candidates;
    }

    /// Rules of a chunk whose lasting part holds for the thread of the event.
    #[inline]
    fn open<'a>(
        &self,
        chunk: usize,
        steps: &[Step],
        memory: &mut Memory,
        cx: &Cx<'a>,
        values: &mut Values<'a>,
    ) -> u64 {
        if let Some(open) = memory.current().and_then(|m| m.gates[chunk]) {
            return open;
        }
        let mut open = 0;
        for (n, step) in steps.iter().enumerate() {
            open |= u64::from(self.holds(step.gate, memory, cx, values)) << n;
        }
        if let Some(memory) = memory.current_mut() {
            memory.gates[chunk] = Some(open);
        }
        open
    }

    fn holds<'a>(&self, id: NodeId, memory: &mut Memory, cx: &Cx<'a>, values: &mut Values<'a>) -> bool {
        let node = &self.graph.nodes[id as usize];
        if let Shape::Const(value) = node.shape {
            return value;
        }
        let at = self.places[id as usize] as usize;
        if let Some(known) = memory.get(node.scope, at) {
            return known;
        }
        let value = match &node.shape {
            Shape::Const(value) => *value,
            Shape::Test(number) => self.graph.predicates[*number as usize].holds_with(cx, values),
            Shape::Not(inner) => !self.holds(*inner, memory, cx, values),
            Shape::And(members) => members.iter().all(|m| self.holds(*m, memory, cx, values)),
            Shape::Or(members) => members.iter().any(|m| self.holds(*m, memory, cx, values)),
        };
        memory.set(node.scope, at, value);
        value
    }

    /// Text and JSON of a rule's output operands.
    pub fn outputs(&self, rule: u32, cx: &Cx<'_>) -> Vec<(String, Json)> {
        let operands = self.rules.get(rule as usize).map_or(&[][..], |r| &r.output);
        operands.iter().map(|operand| operand.render(cx)).collect()
    }

    /// Which parts of a rule's condition hold on an event, with the values seen.
    pub fn explain(&self, rule: u32, cx: &Cx<'_>) -> Json {
        let Some(rule) = self.rules.get(rule as usize) else { return Json::Null };
        serde_json::json!({
            "rule": rule.name,
            "source": rule.source,
            "condition": explain::node(&self.graph, rule.condition, cx),
        })
    }

    /// The graph as text: for each event type the rules with their conditions there.
    pub fn print(&self) -> String {
        let mut out = String::new();
        for (kind, plan) in self.plans.iter().enumerate().filter(|(_, p)| !p.steps.is_empty()) {
            out.push_str(&format!("{} ({kind})\n", EVENTS[kind].name));
            for step in &plan.steps {
                let text = |id| explain::print(&self.graph, id);
                let name = &self.rules[step.rule as usize].name;
                out.push_str(&format!("  {name}: if {} then {}\n", text(step.gate), text(step.rest)));
            }
        }
        out
    }
}

/// The names that rules of a source know.
fn names(root: &Place<'_>, source: &str) -> Result<Names, EvalError> {
    if source == KERNEL {
        return Ok(Names::Kernel);
    }
    let Some(sources) = root.get("sources") else { return root.refuse("missing \"sources\"") };
    let declared = sources.expect(source)?;
    match Schema::from_json(declared.value).and_then(Schema::ask) {
        Ok(ask) => Ok(Names::Source(Box::new(ask))),
        Err(error) => declared.refuse(error.to_string()),
    }
}

/// Reads a rule and the event types it names.
fn rule(
    graph: &mut Graph,
    place: &Place<'_>,
    n: usize,
    source: &str,
) -> Result<(Rule, Option<Vec<u16>>), EvalError> {
    place.object(&["id", "name", "source", "events", "condition", "output"])?;
    let id = place.expect("id")?;
    if id.value.as_u64() != Some(n as u64) {
        return id.refuse(format!("expected {n}"));
    }
    let own = place.expect("source")?.text()?;
    let (condition, output) = if own == source {
        (graph.read(&place.expect("condition")?)?, output(place, &mut graph.names)?)
    } else {
        (graph.constant(false), Vec::new())
    };
    let name = place.expect("name")?.text()?.to_owned();
    let rule = Rule { name, source: own.to_owned(), condition, output };
    let events = place.get("events").filter(|e| !e.value.is_null());
    let events = match events {
        None => None,
        Some(list) => Some((0..list.array()?.len()).map(|n| event(&list.item(n))).collect::<Result<_, _>>()?),
    };
    Ok((rule, events))
}

fn output(rule: &Place<'_>, names: &mut Names) -> Result<Vec<Operand>, EvalError> {
    let Some(list) = rule.get("output") else { return Ok(Vec::new()) };
    (0..list.array()?.len())
        .map(|n| {
            let item = list.item(n);
            let shown = operand(&item, names)?;
            if shown.is_shown() { Ok(shown) } else { item.refuse("field cannot be shown") }
        })
        .collect()
}

fn event(place: &Place<'_>) -> Result<u16, EvalError> {
    match place.value.as_u64().and_then(|n| u16::try_from(n).ok()).filter(|n| usize::from(*n) < EVENTS.len())
    {
        Some(kind) => Ok(kind),
        None => place.refuse("expected an event id"),
    }
}

fn compiled(
    rules: Vec<Rule>,
    mut graph: Graph,
    events: &[Option<Vec<u16>>],
    first_only: bool,
    source: &str,
) -> Program {
    let mut plans = Vec::with_capacity(EVENTS.len());
    let mut arranged = HashMap::new();
    let mut chunks = 0;
    for info in &EVENTS {
        let mut done = HashMap::new();
        let mut plan = Plan { first: chunks, ..Plan::default() };
        for (n, rule) in rules.iter().enumerate() {
            let kernel = source == KERNEL && events[n].as_ref().is_none_or(|on| on.contains(&info.id));
            // A record comes as the one event type that all sources share.
            let record = source != KERNEL && info.id == id::PLUGINEVENT_E;
            if rule.source != source || !(kernel || record) {
                continue;
            }
            let here = graph.on(rule.condition, info.id, &mut done);
            if matches!(graph.nodes[here as usize].shape, Shape::Const(false)) {
                continue;
            }
            let here = graph.arrange(here, &mut arranged);
            let (gate, rest) = graph.gate(here);
            plan.steps.push(Step { rule: n as u32, gate, rest });
        }
        plan.hurdles = plan.steps.chunks(CHUNK).map(|steps| hurdles(&graph, steps)).collect();
        if source != KERNEL && !plan.steps.is_empty() {
            let conditions: Vec<NodeId> = plan.steps.iter().map(|step| step.rest).collect();
            plan.dispatch = Some(Dispatch::new(&graph, &conditions));
        }
        chunks += plan.steps.len().div_ceil(CHUNK);
        plans.push(plan);
    }
    let (places, mut sizes) = number(&graph, &plans);
    sizes.gates = chunks;
    sizes.lefts = graph.left_sides();
    let asked = match std::mem::take(&mut graph.names) {
        Names::Kernel => None,
        Names::Source(ask) => Some(ask.done()),
    };
    Program { rules, graph, places, plans, sizes, first_only, asked }
}

/// Most that a hurdle may cost; what costs more is left to the rules that come so far.
const CHEAP: u32 = 8;

/// What two rules or more of a chunk need, by what it may save for its cost.
fn hurdles(graph: &Graph, steps: &[Step]) -> Vec<Hurdle> {
    let mut needed: BTreeMap<NodeId, u64> = BTreeMap::new();
    for (n, step) in steps.iter().enumerate() {
        let mut parts = Vec::new();
        graph.conjuncts(step.rest, &mut parts);
        for part in parts {
            *needed.entry(part).or_default() |= 1 << n;
        }
    }
    let cheap = |node: NodeId| graph.nodes[node as usize].cost <= CHEAP;
    let shared = needed.into_iter().filter(|(node, rules)| rules.count_ones() > 1 && cheap(*node));
    let mut found: Vec<Hurdle> = shared.map(|(node, needed_by)| Hurdle { node, needed_by }).collect();
    let worth = |h: &Hurdle| h.needed_by.count_ones() * 1000 / graph.nodes[h.node as usize].cost.max(1);
    found.sort_by_key(|hurdle| std::cmp::Reverse(worth(hurdle)));
    found
}

/// Gives every node that a plan reaches its place in memory.
fn number(graph: &Graph, plans: &[Plan]) -> (Vec<u32>, Sizes) {
    let mut places = vec![u32::MAX; graph.nodes.len()];
    let mut sizes = Sizes::default();
    let mut todo: Vec<NodeId> = plans.iter().flat_map(|p| &p.steps).flat_map(|s| [s.gate, s.rest]).collect();
    while let Some(id) = todo.pop() {
        if places[id as usize] != u32::MAX {
            continue;
        }
        let node = &graph.nodes[id as usize];
        let count = match node.scope {
            Scope::Process => &mut sizes.process,
            Scope::Lineage => &mut sizes.line,
            Scope::File => &mut sizes.file,
            Scope::Event => &mut sizes.event,
        };
        places[id as usize] = *count as u32;
        *count += 1;
        match &node.shape {
            Shape::Not(inner) => todo.push(*inner),
            Shape::And(members) | Shape::Or(members) => todo.extend_from_slice(members),
            Shape::Const(_) | Shape::Test(_) => {}
        }
    }
    (places, sizes)
}
