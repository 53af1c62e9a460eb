//! Operators: what each asks of a value.

pub(crate) mod glob;
pub(crate) mod pmatch;
pub(crate) mod regular;
pub(crate) mod set;
pub(crate) mod transform;
pub(crate) mod words;

use std::cmp::Ordering;

use eyas_field::Value;
use memchr::memmem::Finder;

use crate::constant::Constant;
use crate::ir::{EvalError, Place};
use crate::operand::bytes;

/// A binary operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Contains,
    Icontains,
    Startswith,
    Endswith,
    Glob,
    Iglob,
    Regex,
}

/// Reads the name of a binary operator; those on bytes are those on text.
pub(crate) fn op(name: &str) -> Option<Op> {
    Some(match name {
        "eq" => Op::Eq,
        "ne" => Op::Ne,
        "lt" => Op::Lt,
        "le" => Op::Le,
        "gt" => Op::Gt,
        "ge" => Op::Ge,
        "contains" | "bcontains" => Op::Contains,
        "icontains" => Op::Icontains,
        "startswith" | "bstartswith" => Op::Startswith,
        "endswith" => Op::Endswith,
        "glob" => Op::Glob,
        "iglob" => Op::Iglob,
        "regex" => Op::Regex,
        _ => return None,
    })
}

/// An operator with its constant, ready to be asked.
#[derive(Clone, Debug)]
pub(crate) enum Matcher {
    Eq(Constant),
    Ne(Constant),
    Order(Op, Constant),
    Contains(Box<Finder<'static>>),
    Icontains(Box<[u8]>),
    Startswith(Box<[u8]>),
    Endswith(Box<[u8]>),
    Glob(glob::Glob),
    Regex(regular::Regular),
}

/// Prepares an operator.
pub(crate) fn matcher(op: Op, constant: Constant, place: &Place<'_>) -> Result<Matcher, EvalError> {
    match op {
        Op::Eq => return Ok(Matcher::Eq(constant)),
        Op::Ne => return Ok(Matcher::Ne(constant)),
        Op::Lt | Op::Le | Op::Gt | Op::Ge => return Ok(Matcher::Order(op, constant)),
        _ => {}
    }
    let Constant::Text(text) = constant else { return place.refuse("this operator takes a text") };
    Ok(match op {
        Op::Contains => Matcher::Contains(Box::new(Finder::new(&text).into_owned())),
        Op::Icontains => Matcher::Icontains(text.to_ascii_lowercase().into()),
        Op::Startswith => Matcher::Startswith(text),
        Op::Endswith => Matcher::Endswith(text),
        Op::Glob => Matcher::Glob(glob::Glob::new(&text, false)),
        Op::Iglob => Matcher::Glob(glob::Glob::new(&text, true)),
        _ => match regular::Regular::new(&text) {
            Ok(regex) => Matcher::Regex(regex),
            Err(error) => return place.refuse(error),
        },
    })
}

impl Matcher {
    /// Whether the operator holds for a value.
    #[inline]
    pub(crate) fn holds(&self, value: &Value<'_>) -> bool {
        match self {
            Matcher::Eq(constant) => constant.equals(value),
            Matcher::Ne(constant) => !constant.equals(value),
            Matcher::Order(op, constant) => constant.order(value).is_some_and(|o| in_order(*op, o)),
            _ => bytes(value).is_some_and(|b| self.holds_bytes(b)),
        }
    }

    fn holds_bytes(&self, bytes: &[u8]) -> bool {
        match self {
            Matcher::Contains(finder) => finder.find(bytes).is_some(),
            Matcher::Icontains(needle) => icontains(bytes, needle),
            Matcher::Startswith(prefix) => bytes.starts_with(prefix),
            Matcher::Endswith(suffix) => bytes.ends_with(suffix),
            Matcher::Glob(glob) => glob.matches(bytes),
            Matcher::Regex(regex) => regex.matches(bytes),
            _ => false,
        }
    }

    /// Rough cost against that of comparing two numbers.
    pub(crate) fn cost(&self) -> u32 {
        match self {
            Matcher::Eq(_) | Matcher::Ne(_) | Matcher::Order(..) => 1,
            Matcher::Startswith(_) | Matcher::Endswith(_) => 2,
            Matcher::Contains(_) => 8,
            Matcher::Icontains(_) | Matcher::Glob(_) => 16,
            Matcher::Regex(_) => 60,
        }
    }
}

fn in_order(op: Op, order: Ordering) -> bool {
    match op {
        Op::Lt => order.is_lt(),
        Op::Le => order.is_le(),
        Op::Gt => order.is_gt(),
        _ => order.is_ge(),
    }
}

/// Substring search that ignores ASCII case; the needle is in lower case.
fn icontains(bytes: &[u8], needle: &[u8]) -> bool {
    let Some((first, rest)) = needle.split_first() else { return true };
    let Some(last) = bytes.len().checked_sub(needle.len()) else { return false };
    memchr::memchr2_iter(*first, first.to_ascii_uppercase(), &bytes[..=last])
        .any(|at| bytes[at + 1..at + needle.len()].eq_ignore_ascii_case(rest))
}

/// Compares two values of the same type.
pub(crate) fn compare(op: Op, left: &Value<'_>, right: &Value<'_>) -> bool {
    match op {
        Op::Eq => same(left, right),
        Op::Ne => !same(left, right),
        Op::Lt | Op::Le | Op::Gt | Op::Ge => order(left, right).is_some_and(|o| in_order(op, o)),
        _ => match (bytes(left), bytes(right)) {
            (Some(l), Some(r)) => compare_bytes(op, l, r),
            _ => false,
        },
    }
}

fn compare_bytes(op: Op, left: &[u8], right: &[u8]) -> bool {
    match op {
        Op::Contains => memchr::memmem::find(left, right).is_some(),
        Op::Icontains => icontains(left, &right.to_ascii_lowercase()),
        Op::Startswith => left.starts_with(right),
        Op::Endswith => left.ends_with(right),
        Op::Glob => glob::Glob::new(right, false).matches(left),
        Op::Iglob => glob::Glob::new(right, true).matches(left),
        _ => false,
    }
}

fn number(value: &Value<'_>) -> Option<i128> {
    match value {
        Value::Int(n) => Some(i128::from(*n)),
        Value::Uint(n) => Some(i128::from(*n)),
        _ => None,
    }
}

fn order(left: &Value<'_>, right: &Value<'_>) -> Option<Ordering> {
    match (left, right) {
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(b),
        _ => match (bytes(left), bytes(right)) {
            (Some(l), Some(r)) => Some(l.cmp(r)),
            _ => Some(number(left)?.cmp(&number(right)?)),
        },
    }
}

/// Whether two values are equal.
pub(crate) fn same(left: &Value<'_>, right: &Value<'_>) -> bool {
    match (left, right) {
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Ip(a), Value::Ip(b)) => a == b,
        _ => order(left, right).is_some_and(Ordering::is_eq),
    }
}
