//! Values of fields on every event, and why a rule held on one or not.

use eyas_eval::Program;
use eyas_event::Event;
use eyas_field::{Cx, FieldRef, Key, render, resolve};
use eyas_scap::Item;
use serde_json::{Map, Value, json};

use crate::catalog::{events, fields, syscalls};
use crate::engine::Engine;
use crate::footage::Footage;
use crate::replay::ReplayError;

/// A field as it is named in a table: `proc.aname[2]`, `evt.arg.fd`.
pub struct Column {
    /// The whole name.
    pub name: String,
    field: FieldRef,
}

/// A field that does not exist.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ColumnError(String);

/// Finds the field that a name with its argument stands for.
///
/// # Errors
/// When there is no such field.
pub fn column(name: &str) -> Result<Column, ColumnError> {
    let (field, key) = split(name);
    let field = resolve(field, key).map_err(|error| ColumnError(error.to_string()))?;
    Ok(Column { name: name.to_owned(), field })
}

/// Name and argument: in brackets, or after the name of a field that takes one there.
fn split(name: &str) -> (&str, Option<Key>) {
    if let Some((field, arg)) = name.strip_suffix(']').and_then(|n| n.split_once('[')) {
        let key = arg.parse().map_or_else(|_| Key::Name(arg.to_owned()), Key::Index);
        return (field, Some(key));
    }
    let dotted = ["evt.arg", "evt.rawarg", "evt.type.is", "evt.abspath", "thread.cgroup"];
    let found = dotted.iter().find_map(|field| Some((*field, name.strip_prefix(field)?.strip_prefix('.')?)));
    found.map_or((name, None), |(field, arg)| (field, Some(Key::Name(arg.to_owned()))))
}

/// The catalogue as JSON: fields, events, system calls.
pub fn catalog() -> Value {
    json!({"fields": fields(), "events": events(), "syscalls": syscalls()})
}

/// Hands a line of JSON to `line` for every event that a rule can see.
///
/// # Errors
/// When the capture is corrupt; a cut is its end.
pub fn field_values(
    footage: &mut Footage,
    columns: &[Column],
    mut line: impl FnMut(String),
) -> Result<(), ReplayError> {
    visit(footage, |cx| {
        let object: Map<String, Value> = columns.iter().map(|c| (c.name.clone(), c.value(cx))).collect();
        line(Value::Object(object).to_string());
        false
    })
}

/// How each part of a rule's condition came out on event `num`; none when no rule can see such an event.
///
/// # Errors
/// When the capture is corrupt before that event.
pub fn explain(
    footage: &mut Footage,
    program: &Program,
    rule: u32,
    num: u64,
) -> Result<Option<Value>, ReplayError> {
    let mut tree = None;
    visit(footage, |cx| {
        if cx.event.num == num {
            tree = Some(program.explain(rule, cx));
        }
        cx.event.num >= num
    })?;
    Ok(tree)
}

/// Shows every visible event to `look`, until it has seen enough.
fn visit(footage: &mut Footage, mut look: impl FnMut(&Cx<'_>) -> bool) -> Result<(), ReplayError> {
    let mut engine = Engine::default();
    let mut seeding = false;
    loop {
        match footage.next() {
            Ok(Some(Item::Section)) => {
                engine.restart();
                seeding = true;
            }
            Ok(Some(Item::Snapshot(record))) => engine.seed_recorded(&record),
            Ok(Some(Item::Event(mut event))) => {
                if std::mem::take(&mut seeding) {
                    engine.seeded();
                }
                if one(&mut engine, &mut event, &mut look) {
                    return Ok(());
                }
            }
            Ok(None) => return Ok(()),
            Err(error) if error.is_cut() => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

fn one(engine: &mut Engine, event: &mut Event<'_>, look: &mut impl FnMut(&Cx<'_>) -> bool) -> bool {
    let seen = engine.fold(event);
    let enough = !seen.hidden && look(&engine.context(event, &seen));
    engine.done(event, &seen);
    enough
}

impl Column {
    fn value(&self, cx: &Cx<'_>) -> Value {
        render(self.field.get(cx).as_ref(), Some(&self.field), cx).1
    }
}
