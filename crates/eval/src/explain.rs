//! Why a condition held or not: every part with its answer and the values seen.

use eyas_field::Cx;
use serde_json::{Value as Json, json};

use crate::graph::{Graph, NodeId, Shape};
use crate::naive;
use crate::predicate::Test;

/// A node with its answer, and the same of everything below it.
pub(crate) fn node(graph: &Graph, id: NodeId, cx: &Cx<'_>) -> Json {
    let held = naive::holds(graph, id, cx);
    let all = |members: &[NodeId]| members.iter().map(|m| node(graph, *m, cx)).collect::<Vec<_>>();
    match &graph.nodes[id as usize].shape {
        Shape::Const(value) => json!({"const": value, "held": held}),
        Shape::Not(inner) => json!({"not": node(graph, *inner, cx), "held": held}),
        Shape::And(members) => json!({"and": all(members), "held": held}),
        Shape::Or(members) => json!({"or": all(members), "held": held}),
        Shape::Test(number) => {
            let predicate = &graph.predicates[*number as usize];
            let value = predicate.left.get(cx).map(|_| predicate.left.render(cx).1);
            let mut seen = json!({
                "test": print(graph, id),
                "held": held,
                "absent": value.is_none(),
                "value": value,
            });
            if let Test::Compares(_, right) | Test::InValue(right) | Test::IntersectsValue(right) =
                &predicate.test
            {
                seen["right"] = right.render(cx).1;
            }
            seen
        }
    }
}

/// A condition as text.
pub(crate) fn print(graph: &Graph, id: NodeId) -> String {
    let joined = |members: &[NodeId], word: &str| {
        let parts: Vec<_> = members.iter().map(|m| print(graph, *m)).collect();
        format!("({})", parts.join(word))
    };
    match &graph.nodes[id as usize].shape {
        Shape::Const(value) => value.to_string(),
        Shape::Not(inner) => format!("not {}", print(graph, *inner)),
        Shape::And(members) => joined(members, " and "),
        Shape::Or(members) => joined(members, " or "),
        Shape::Test(number) => graph.text(*number).to_owned(),
    }
}
