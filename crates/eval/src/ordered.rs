//! Conditions asked as they are written: where asking for a value changes what is answered next.

use eyas_field::Cx;

use crate::graph::{Graph, NodeId};
use crate::ir::{EvalError, Place};
use crate::naive;

/// How the fields begin whose values depend on who asked before.
const ENTANGLED: &str = "\"field\":\"thread.cpu";

/// A condition in the order of its text.
#[derive(Debug)]
pub(crate) enum Ordered {
    Leaf(NodeId),
    Not(Box<Ordered>),
    And(Vec<Ordered>),
    Or(Vec<Ordered>),
}

impl Ordered {
    /// Whether a condition asks for such a field.
    pub(crate) fn needed(place: &Place<'_>) -> bool {
        place.value.to_string().contains(ENTANGLED)
    }

    /// Reads a condition.
    pub(crate) fn read(graph: &mut Graph, place: &Place<'_>) -> Result<Ordered, EvalError> {
        if let Some(list) = place.get("and") {
            return Ok(Ordered::And(members(graph, &list)?));
        }
        if let Some(list) = place.get("or") {
            return Ok(Ordered::Or(members(graph, &list)?));
        }
        match place.get("not") {
            Some(inner) => Ok(Ordered::Not(Box::new(Ordered::read(graph, &inner)?))),
            None => Ok(Ordered::Leaf(graph.read(place)?)),
        }
    }

    /// Whether it holds.
    pub(crate) fn holds(&self, graph: &Graph, cx: &Cx<'_>) -> bool {
        match self {
            Ordered::Leaf(id) => naive::holds(graph, *id, cx),
            Ordered::Not(inner) => !inner.holds(graph, cx),
            Ordered::And(members) => members.iter().all(|m| m.holds(graph, cx)),
            Ordered::Or(members) => members.iter().any(|m| m.holds(graph, cx)),
        }
    }
}

fn members(graph: &mut Graph, list: &Place<'_>) -> Result<Vec<Ordered>, EvalError> {
    (0..list.array()?.len()).map(|n| Ordered::read(graph, &list.item(n))).collect()
}
