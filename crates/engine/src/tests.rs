//! Records through rules: the quick way holds what the plain way holds.

use std::sync::Arc;

use eyas_eval::Program;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::{Bodies, Intake};

fn program(conditions: &[Json]) -> Arc<Program> {
    let field = |name: &str, list: bool| json!({"name": name, "type": "text", "value": format!("/{name}"), "list": list});
    let rules: Vec<Json> = conditions
        .iter()
        .enumerate()
        .map(|(n, condition)| json!({"id": n, "name": format!("rule {n}"), "source": "s", "condition": condition}))
        .collect();
    let source = json!({
        "name": "s", "plugin": "s", "time": {"at": ["/time"], "clock": "ns"},
        "fields": [field("a", false), field("b", false), field("c", true)],
    });
    let ir = json!({"ir": 1, "rules": rules, "sources": {"s": source}});
    Arc::new(Program::for_source(ir.to_string().as_bytes(), "s").unwrap())
}

fn held(conditions: &[Json], record: &Json) -> Vec<u32> {
    let mut bodies = Bodies::new(Intake::new(program(conditions), "host", 0), 1 << 20);
    let mut found = Vec::new();
    bodies.body(record.to_string().as_bytes(), 1, &mut found).unwrap();
    found.into_iter().map(|m| m.rule).collect()
}

/// The answer of a condition by the meaning of its words.
fn holds(condition: &Json, record: &Json) -> bool {
    let all = |key: &str| condition[key].as_array().cloned().unwrap_or_default();
    if condition.get("and").is_some() {
        return all("and").iter().all(|c| holds(c, record));
    }
    if condition.get("or").is_some() {
        return all("or").iter().any(|c| holds(c, record));
    }
    if let Some(inner) = condition.get("not") {
        return !holds(inner, record);
    }
    let Some(have) = record[condition["left"]["field"].as_str().unwrap()].as_str() else { return false };
    match condition["test"].as_str().unwrap() {
        "eq" => condition["right"]["value"]["text"] == have,
        "ne" => condition["right"]["value"]["text"] != have,
        "in" => all("values").iter().any(|v| v["text"] == have),
        _ => true,
    }
}

fn conditions() -> impl Strategy<Value = Json> {
    let field = prop_oneof![Just("a"), Just("b"), Just("c")];
    let word = prop_oneof![Just("x"), Just("y"), Just("z"), Just("")];
    let test = (field, prop::collection::vec(word, 1..3), 0..4).prop_map(|(field, words, kind)| {
        let left = json!({"field": field});
        let values: Vec<Json> = words.iter().map(|w| json!({"text": w})).collect();
        match kind {
            0 => json!({"test": "eq", "left": left, "right": {"value": values[0]}}),
            1 => json!({"test": "ne", "left": left, "right": {"value": values[0]}}),
            2 => json!({"test": "in", "left": left, "values": values}),
            _ => json!({"test": "exists", "left": left}),
        }
    });
    test.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|all| json!({"and": all})),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|any| json!({"or": any})),
            inner.prop_map(|one| json!({"not": one})),
        ]
    })
}

proptest! {
    #[test]
    fn every_rule_that_holds_is_found_in_its_order(
        conditions in prop::collection::vec(conditions(), 1..90),
        a in prop::option::of("[xyz]?"), b in prop::option::of("[xyz]?"), c in prop::option::of("[xyz]"),
    ) {
        let record = json!({"time": 1, "a": a, "b": b, "c": c});
        let wanted: Vec<u32> =
            (0..).zip(&conditions).filter(|(_, condition)| holds(condition, &record)).map(|(n, _)| n).collect();
        prop_assert_eq!(held(&conditions, &record), wanted);
    }
}

#[test]
fn a_repeat_is_known_by_its_identity() {
    let source = json!({
        "name": "s", "plugin": "s", "time": {"at": ["/t"], "clock": "s"}, "fields": [], "identity": "/id",
    });
    let rule = json!({"id": 0, "name": "r", "source": "s", "condition": {"const": true}});
    let ir = json!({"ir": 1, "rules": [rule], "sources": {"s": source}});
    let program = Arc::new(Program::for_source(ir.to_string().as_bytes(), "s").unwrap());
    let mut bodies = Bodies::new(Intake::new(program, "host", 2), 1 << 20);
    let mut found = Vec::new();
    for id in ["a", "a", "b", "c", "a", "c"] {
        let body = json!({"t": 1.5, "id": id}).to_string();
        bodies.body(body.as_bytes(), 1, &mut found).unwrap();
    }
    assert_eq!(
        found.iter().map(|m| (m.num, m.ts)).collect::<Vec<_>>(),
        [(1, 1_500_000_000), (2, 1_500_000_000), (3, 1_500_000_000), (4, 1_500_000_000),]
    );
    assert_eq!(bodies.intake.counts(), [4, 0, 0, 2]);
}

#[test]
fn a_record_without_a_time_takes_that_of_the_one_before_or_of_its_arrival() {
    let program = program(&[json!({"const": true})]);
    let mut bodies = Bodies::new(Intake::new(program, "host", 0), 1 << 20);
    let mut found = Vec::new();
    bodies.body(br#"{"a":"x"} {"time":5} {"time":"no"} {"time":9}"#, 3, &mut found).unwrap();
    bodies.body(br#"{"a":"y"}"#, 4, &mut found).unwrap();
    let times: Vec<_> = found.iter().map(|m| (m.ts, m.timed)).collect();
    assert_eq!(times, [(3, false), (5, true), (5, false), (9, true), (4, false)]);
    assert_eq!(bodies.intake.untimed().count, 3);
}
