//! One test of one value: what a rule's condition consists of.

use eyas_field::{Compare, Cx, Key, Scope, Value};

use crate::constant::{Constant, constant};
use crate::ir::{EvalError, Place};
use crate::names::Names;
use crate::op::pmatch::Paths;
use crate::op::set::Set;
use crate::op::words::Words;
use crate::op::{Matcher, Op, compare, matcher, op, same};
use crate::operand::{Operand, bytes, join, operand};
use crate::values::Values;
use crate::whole::Whole;

const MILLISECOND: u64 = 1_000_000;

/// How many members have to agree under a modifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fold {
    One,
    Any,
    All,
}

/// What is asked of the left side.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    Exists,
    Matches(Matcher),
    Members(Fold, Vec<Matcher>),
    Compares(Op, Operand),
    In(Set),
    Intersects(Set),
    InValue(Operand),
    IntersectsValue(Operand),
    Covered(Paths),
    Words(Words),
}

impl Test {
    /// The texts for which it holds, when there are no others.
    pub(crate) fn texts(&self) -> Option<Vec<&[u8]>> {
        let set = match self {
            Test::Matches(Matcher::Eq(Constant::Text(text))) => return Some(vec![text]),
            Test::Words(words) => words.whole()?,
            Test::In(set) => set.texts()?,
            _ => return None,
        };
        Some(set.iter().map(AsRef::as_ref).collect())
    }
}

/// A test with its left side.
#[derive(Clone, Debug)]
pub(crate) struct Predicate {
    pub(crate) left: Operand,
    /// Number of the left side among those of all rules.
    pub(crate) number: u32,
    pub(crate) test: Test,
    /// Place among the tests for whole texts of its left side, where they are put together.
    pub(crate) place: Option<u32>,
    compare: Compare,
    many: bool,
}

/// Reads a test.
pub(crate) fn predicate(place: &Place<'_>, names: &mut Names) -> Result<Predicate, EvalError> {
    place.object(&["test", "left", "right", "values", "fold"])?;
    let left = operand(&place.expect("left")?, names)?;
    let name = place.expect("test")?;
    let test = match (name.text()?, place.get("values"), place.get("right")) {
        ("exists", None, None) => Test::Exists,
        ("in", Some(values), None) => Test::In(Set::new(constants(&values)?)),
        ("intersects", Some(values), None) => Test::Intersects(Set::new(constants(&values)?)),
        ("in", None, Some(right)) => Test::InValue(operand(&right, names)?),
        ("intersects", None, Some(right)) => Test::IntersectsValue(operand(&right, names)?),
        ("pmatch", Some(values), None) => {
            let members = constants(&values)?;
            let texts = members.iter().filter_map(|c| match c {
                Constant::Text(t) => Some(t.as_ref()),
                _ => None,
            });
            Test::Covered(Paths::new(texts))
        }
        (text, values, right) => match (op(text), values, right) {
            (Some(op), Some(values), None) => Test::Members(fold(place)?, members(op, &values)?),
            (Some(op), None, Some(right)) => match operand(&right, names)? {
                Operand::Value(constant) => Test::Matches(matcher(op, constant, &right)?),
                right => Test::Compares(op, right),
            },
            (Some(_), _, _) => return place.refuse("expected either \"right\" or \"values\""),
            (None, _, _) => return name.refuse(format!("unknown test {text:?} in this form")),
        },
    };
    if place.get("fold").is_some() && !matches!(test, Test::Members(..)) {
        return place.refuse("\"fold\" belongs to operators with a modifier");
    }
    Ok(Predicate { compare: left.compare(), many: left.is_list(), left, number: 0, test, place: None })
}

fn constants(place: &Place<'_>) -> Result<Vec<Constant>, EvalError> {
    (0..place.array()?.len()).map(|n| constant(&place.item(n))).collect()
}

fn members(op: Op, place: &Place<'_>) -> Result<Vec<Matcher>, EvalError> {
    (0..place.array()?.len())
        .map(|n| {
            let item = place.item(n);
            matcher(op, constant(&item)?, &item)
        })
        .collect()
}

fn fold(place: &Place<'_>) -> Result<Fold, EvalError> {
    let fold = place.expect("fold")?;
    match fold.text()? {
        "oneof" => Ok(Fold::One),
        "anyof" => Ok(Fold::Any),
        "allof" => Ok(Fold::All),
        other => fold.refuse(format!("unknown modifier {other:?}")),
    }
}

impl Predicate {
    /// Whether the test holds on this event.
    pub(crate) fn holds(&self, cx: &Cx<'_>) -> bool {
        if let Operand::Slot { slot, .. } = &self.left {
            return cx.record.and_then(|r| r.value(*slot)).is_some_and(|v| self.holds_for(v, Some(cx)));
        }
        self.left.get(cx).is_some_and(|value| self.holds_for(&value, Some(cx)))
    }

    /// The same, with the left side read once an event.
    pub(crate) fn holds_with<'a>(&self, cx: &Cx<'a>, values: &mut Values<'a>, whole: &Whole) -> bool {
        if matches!(self.left, Operand::Slot { .. }) {
            // A record keeps its values itself.
            return self.holds(cx);
        }
        let read = values.get(self.number, || self.left.get(cx));
        let Some(value) = &read.value else { return false };
        if let Some(place) = self.place
            && let Some(row) = *read.row.get_or_insert_with(|| whole.row(self.number, value))
        {
            return whole.holds(self.number, row, place);
        }
        self.holds_for(value, Some(cx))
    }

    /// Whether the test holds for a value; without an event for tests that need no other value.
    pub(crate) fn holds_for(&self, value: &Value<'_>, cx: Option<&Cx<'_>>) -> bool {
        match (self.compare, value) {
            (Compare::AnyEnd, Value::List(ends)) => match &self.test {
                Test::Exists => true,
                Test::Matches(Matcher::Ne(_)) => !ends.is_empty() && ends.iter().all(|end| self.one(end, cx)),
                Test::Members(fold, members) => members_hold(*fold, members, |m| match m {
                    Matcher::Ne(_) => !ends.is_empty() && ends.iter().all(|end| m.holds(end)),
                    m => ends.iter().any(|end| m.holds(end)),
                }),
                _ => ends.iter().any(|end| self.one(end, cx)),
            },
            (Compare::AnyAncestor, Value::List(all)) => match &self.test {
                Test::Exists => !all.is_empty(),
                _ => all.iter().any(|ancestor| self.one(ancestor, cx)),
            },
            (Compare::Around, Value::Uint(ts)) => self.around(*ts),
            (_, Value::List(items)) if self.many => self.list(items, cx),
            _ => self.one(value, cx),
        }
    }

    fn one(&self, value: &Value<'_>, cx: Option<&Cx<'_>>) -> bool {
        match &self.test {
            Test::Exists => true,
            Test::Matches(matcher) => matcher.holds(value),
            Test::Members(fold, members) => members_hold(*fold, members, |m| m.holds(value)),
            Test::Compares(op, right) => {
                cx.and_then(|cx| right.get(cx)).is_some_and(|right| compare(*op, value, &right))
            }
            Test::In(set) | Test::Intersects(set) => set.contains(value),
            Test::InValue(right) | Test::IntersectsValue(right) => {
                cx.and_then(|cx| right.get(cx)).is_some_and(|right| member(value, &right))
            }
            Test::Covered(paths) => bytes(value).is_some_and(|path| paths.covers(path)),
            Test::Words(words) => bytes(value).is_some_and(|text| words.fit(text)),
        }
    }

    fn list(&self, items: &[Value<'_>], cx: Option<&Cx<'_>>) -> bool {
        match &self.test {
            Test::Exists => true,
            Test::In(_) | Test::InValue(_) => items.iter().all(|item| self.one(item, cx)),
            _ => items.iter().any(|item| self.one(item, cx)),
        }
    }

    /// The texts that it asks for, when it asks for nothing else.
    pub(crate) fn texts(&self) -> Option<Vec<&[u8]>> {
        if self.compare != Compare::Plain || self.many {
            return None;
        }
        self.test.texts()
    }

    /// Whether it can be put together with others of the same left side.
    pub(crate) fn is_word(&self) -> bool {
        self.compare == Compare::Plain && !self.many && Words::takes(&self.test)
    }

    /// One test for an `or` of tests of one left side.
    pub(crate) fn any_word<'p>(&self, of: impl Iterator<Item = &'p Predicate>) -> Predicate {
        Predicate { test: Test::Words(Words::new(of.map(|p| &p.test))), place: None, ..self.clone() }
    }

    /// Whether the test asks for the value of another field.
    pub(crate) fn reads_right(&self) -> bool {
        matches!(self.test, Test::Compares(..) | Test::InValue(_) | Test::IntersectsValue(_))
    }

    /// Event time within so many milliseconds of the field's argument.
    fn around(&self, ts: u64) -> bool {
        let (Operand::Field(field), Test::Matches(Matcher::Eq(Constant::Int(ms)))) = (&self.left, &self.test)
        else {
            return matches!(self.test, Test::Exists);
        };
        let Key::Index(centre) = field.key else { return false };
        let reach = u64::try_from(*ms).unwrap_or(0).saturating_mul(MILLISECOND);
        ts.abs_diff(centre) <= reach
    }

    /// How long the answer holds.
    pub(crate) fn scope(&self) -> Scope {
        let right = match &self.test {
            Test::Compares(_, right) | Test::InValue(right) | Test::IntersectsValue(right) => right.scope(),
            _ => None,
        };
        join([self.left.scope(), right].into_iter().flatten()).unwrap_or(Scope::Event)
    }

    /// Rough cost of asking.
    pub(crate) fn cost(&self) -> u32 {
        let read = match &self.left {
            Operand::Field(field) if field.field.name.starts_with("evt.arg") => 40,
            Operand::Field(_) | Operand::Slot { .. } => 4,
            _ => 60,
        };
        let test = match &self.test {
            Test::Matches(matcher) => matcher.cost(),
            Test::Members(_, members) => members.iter().map(Matcher::cost).sum(),
            Test::Covered(_) => 30,
            Test::Words(_) => 12,
            Test::Exists => 1,
            _ => 6,
        };
        read + test
    }
}

fn member(value: &Value<'_>, right: &Value<'_>) -> bool {
    match right {
        Value::List(items) => items.iter().any(|item| same(value, item)),
        one => same(value, one),
    }
}

fn members_hold(fold: Fold, members: &[Matcher], holds: impl Fn(&Matcher) -> bool) -> bool {
    match fold {
        Fold::Any => members.iter().any(holds),
        Fold::All => !members.is_empty() && members.iter().all(holds),
        Fold::One => members.iter().filter(|m| holds(m)).count() == 1,
    }
}
