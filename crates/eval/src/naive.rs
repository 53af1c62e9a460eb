//! The plain way to ask a condition: no plan, no memory. What the quick way is compared with.

use eyas_field::Cx;

use crate::graph::{Graph, NodeId, Shape};

/// Whether a condition holds.
pub(crate) fn holds(graph: &Graph, id: NodeId, cx: &Cx<'_>) -> bool {
    match &graph.nodes[id as usize].shape {
        Shape::Const(value) => *value,
        Shape::Test(number) => graph.predicates[*number as usize].holds(cx),
        Shape::Not(inner) => !holds(graph, *inner, cx),
        Shape::And(members) => members.iter().all(|m| holds(graph, *m, cx)),
        Shape::Or(members) => members.iter().any(|m| holds(graph, *m, cx)),
    }
}
