//! What a rule can ask: every field with its name, type, help and reader in one place.

use std::borrow::Cow;
use std::net::IpAddr;

use eyas_event::Event;
use eyas_state::{Seen, State};

/// Where a field reads from while one event is judged.
#[derive(Clone, Copy)]
pub struct Cx<'a> {
    /// What is true after the event.
    pub state: &'a State,
    /// The event.
    pub event: &'a Event<'a>,
    /// What the fold found out about it.
    pub seen: &'a Seen,
    /// Time of the previous visible event, of the event itself for the first.
    pub previous_ts: u64,
    /// Time of the first event that is not a meta event.
    pub first_ts: u64,
}

/// Type of a field, as in the reference of fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Type {
    Text,
    Bytes,
    Int,
    Uint,
    Bool,
    Double,
    RelTime,
    AbsTime,
    Port,
    Ip,
    Net,
    /// Type known only at run time (`evt.rawarg`).
    Dynamic,
}

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

/// What a field's value depends on: how long a predicate over it may be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// `Thread::version` of the event's thread (and of its main thread).
    Process,
    /// The same and `State::lineage`.
    Lineage,
    /// `Fd::version`.
    File,
    /// The event: never remembered.
    Event,
}
