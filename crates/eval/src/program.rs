//! Rules compiled: read from IR, asked about events, explained.

use eyas_event::{EVENTS, id};
use eyas_field::Cx;
use eyas_record::{Asked, Schema};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::explain;
use crate::graph::{Graph, NodeId};
use crate::ir::{EvalError, MAX_DEPTH, Place};
use crate::layout::{Condition, Layout};
use crate::memory::Memory;
use crate::names::Names;
use crate::operand::{Operand, operand};
use crate::ordered::Ordered;
use crate::run::Run;

/// Source of the kernel's events.
const KERNEL: &str = "syscall";

/// One rule.
#[derive(Debug)]
struct Rule {
    name: String,
    source: String,
    condition: NodeId,
    output: Vec<Operand>,
    /// Whether its output shows buffers as base64.
    base64: bool,
    ordered: Option<Ordered>,
}

/// Compiled rules.
#[derive(Debug)]
pub struct Program {
    rules: Vec<Rule>,
    graph: Graph,
    layout: Layout,
    first_only: bool,
    /// Whether any rule is asked in the order of its text.
    in_order: bool,
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
        let conditions: Vec<Condition> =
            rules.iter().zip(events).map(|(r, on)| on_events(r, on, source)).collect();
        let layout = Layout::new(&mut graph, &conditions);
        let asked = match std::mem::take(&mut graph.names) {
            Names::Kernel => None,
            Names::Source(ask) => Some(ask.done()),
        };
        let in_order = rules.iter().any(|rule| rule.ordered.is_some());
        Ok(Program { rules, graph, layout, first_only, in_order, asked })
    }

    /// What the rules ask of records; none for the kernel's events.
    pub fn asked(&self) -> Option<&Asked> {
        self.asked.as_ref()
    }

    /// An empty memory of the right size.
    pub fn memory(&self) -> Memory {
        Memory::new(self.layout.sizes)
    }

    /// Whether any rule can match events of a type.
    #[inline]
    pub fn wants(&self, kind: u16) -> bool {
        !self.layout.plan(kind).steps.is_empty()
    }

    /// Appends the rules that hold on an event, in the order of their definition.
    #[inline]
    pub fn judge(&self, memory: &mut Memory, cx: &Cx<'_>, out: &mut Vec<u32>) {
        let plan = self.layout.plan(cx.event.kind);
        if plan.steps.is_empty() {
            return;
        }
        memory.begin(cx);
        let mut values = memory.room.open();
        let mut run = Run { layout: &self.layout, graph: &self.graph, memory, cx, values: &mut values };
        if self.in_order && cx.event.kind == id::PROCINFO_E {
            run.in_order(plan, |rule| self.rules[rule as usize].ordered.as_ref(), self.first_only, out);
        } else {
            run.plan(plan, self.first_only, out);
        }
        memory.room.close(values);
    }

    /// Text and JSON of a rule's output operands.
    pub fn outputs(&self, rule: u32, cx: &Cx<'_>) -> Vec<(String, Json)> {
        let Some(rule) = self.rules.get(rule as usize) else { return Vec::new() };
        let cx = Cx { base64: rule.base64, ..*cx };
        rule.output.iter().map(|operand| operand.render(&cx)).collect()
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
        for info in EVENTS.iter().filter(|info| self.wants(info.id)) {
            let plan = self.layout.plan(info.id);
            out.push_str(&format!("{} ({})\n", info.name, info.id));
            for step in &plan.steps {
                let text = |id| explain::print(&self.graph, id);
                let name = &self.rules[step.rule as usize].name;
                let [gate, named, rest] = [step.gate, step.named, step.rest].map(text);
                out.push_str(&format!("  {name}: if {gate} and {named} then {rest}\n"));
            }
        }
        out
    }
}

/// On which events a rule is judged: none for a rule of another source. A record comes as the one event type that
/// all sources share.
fn on_events(rule: &Rule, named: Option<Vec<u16>>, source: &str) -> Condition {
    let events = match named {
        _ if rule.source != source => Some(Vec::new()),
        _ if source != KERNEL => Some(vec![id::PLUGINEVENT_E]),
        named => named,
    };
    Condition { root: rule.condition, events }
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
    place.object(&["id", "name", "source", "events", "condition", "output", "base64"])?;
    let id = place.expect("id")?;
    if id.value.as_u64() != Some(n as u64) {
        return id.refuse(format!("expected {n}"));
    }
    let own = place.expect("source")?.text()?;
    let (condition, output, ordered) = if own == source {
        let text = place.expect("condition")?;
        let condition = graph.read(&text)?;
        let ordered = Ordered::needed(&text).then(|| Ordered::read(graph, &text)).transpose()?;
        (condition, output(place, &mut graph.names)?, ordered)
    } else {
        (graph.constant(false), Vec::new(), None)
    };
    let name = place.expect("name")?.text()?.to_owned();
    let base64 = place.get("base64").map(|b| b.flag()).transpose()?.unwrap_or(false);
    let rule = Rule { name, source: own.to_owned(), condition, output, base64, ordered };
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
