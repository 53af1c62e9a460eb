//! Values of fields, and the short ways to make them.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::Cx;

/// Value of a field.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Value<'a> {
    Text(Cow<'a, [u8]>),
    Bytes(Cow<'a, [u8]>),
    Int(i64),
    Uint(u64),
    Bool(bool),
    Double(f64),
    Ip(IpAddr),
    List(Vec<Value<'a>>),
}

pub(crate) fn text<'a>(bytes: &'a [u8]) -> Option<Value<'a>> {
    Some(Value::Text(Cow::Borrowed(bytes)))
}

pub(crate) fn owned<'a>(bytes: impl Into<Vec<u8>>) -> Option<Value<'a>> {
    Some(Value::Text(Cow::Owned(bytes.into())))
}

pub(crate) fn uint<'a>(n: u64) -> Option<Value<'a>> {
    Some(Value::Uint(n))
}

pub(crate) fn int<'a>(n: i64) -> Option<Value<'a>> {
    Some(Value::Int(n))
}

pub(crate) fn flag<'a>(b: bool) -> Option<Value<'a>> {
    Some(Value::Bool(b))
}

/// An id of a namespace; -1 is none.
pub(crate) fn known<'a>(n: i64) -> Option<Value<'a>> {
    (0..=i64::from(u32::MAX)).contains(&n).then_some(Value::Int(n))
}

/// A time or inode; 0 is none.
pub(crate) fn nonzero<'a>(n: u64) -> Option<Value<'a>> {
    (n != 0).then_some(Value::Uint(n))
}

/// Nanoseconds from `start` to the event.
pub(crate) fn since<'a>(cx: &Cx<'a>, start: u64) -> Option<Value<'a>> {
    (start != 0).then(|| Value::Uint(cx.event.ts.wrapping_sub(start)))
}

/// Texts with a blank before each that follows a non-empty line.
pub(crate) fn line(texts: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut line = Vec::new();
    for text in texts {
        if !line.is_empty() {
            line.push(b' ');
        }
        line.extend_from_slice(&text);
    }
    line
}
