//! A field: name, help, type and reader together.

use std::sync::Arc;

use regex::Regex;

use crate::{Cx, Value};

/// Type of a field, as conditions see it.
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

/// What a field's value depends on: how long a predicate over it may be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// `Thread::version` of the event's thread and of its main thread.
    Process,
    /// The same and `State::lineage`.
    Lineage,
    /// What `Cx::named` gives, where it gives something; else as `File`.
    Name,
    /// `Fd::version`.
    File,
    /// The event: never remembered.
    Event,
}

/// Which argument a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgKind {
    /// None.
    None,
    /// A number in brackets.
    Index,
    /// A name in brackets.
    Key,
    /// A number or a name in brackets.
    KeyOrIndex,
    /// A name after a dot.
    Name,
    /// A name after a dot or a number in brackets.
    NameOrIndex,
}

/// The argument a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arg {
    /// Its form.
    pub kind: ArgKind,
    /// Whether the field cannot do without.
    pub required: bool,
}

/// What a field must not be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Flag {
    Deprecated,
    TableOnly,
    FilterOnly,
    PrintOnly,
    NoRhs,
    NoTransformer,
    SuggestedOutput,
}

/// How the values of a field are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// The value itself.
    Plain,
    /// Either end of a connection; `!=` wants both ends to differ.
    AnyEnd,
    /// Any ancestor, when the field has no index.
    AnyAncestor,
    /// Event time within so many milliseconds of the argument.
    Around,
    /// Addresses of a host name.
    HostName,
}

/// How a value is shown where its type does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// As its type.
    Plain,
    /// Upper-case hexadecimal; a string in JSON.
    Hex,
    /// Octal without leading zero; a string in JSON.
    Octal,
    /// Nine digits; a string in JSON.
    Padded,
    /// Text as is; nanoseconds of the event in JSON.
    EventTime,
    /// A placeholder for networks.
    Network,
    /// Nothing where it is beyond what is known; as its type otherwise.
    Known,
    /// Nothing: in an alert a difference to what was asked before is the difference to itself.
    Zero,
}

/// Argument of a field in use.
#[derive(Clone, Debug)]
pub enum Key {
    /// No argument.
    None,
    /// A number.
    Index(u64),
    /// A name.
    Name(String),
    /// Position of a parameter by event type; 255 where the event has none.
    Param(Arc<[u8]>),
    /// Event types of a name.
    Events(Arc<[u16]>),
    /// A regular expression over mounts.
    Pattern(Arc<Regex>),
}

impl Key {
    pub(crate) fn matches_event(&self, kind: u16) -> bool {
        matches!(self, Key::Events(kinds) if kinds.contains(&kind))
    }
}

/// Reads a value.
pub(crate) type Reader = for<'a> fn(&Cx<'a>, &Key) -> Option<Value<'a>>;

/// One field.
#[allow(missing_docs)]
pub struct Field {
    pub name: &'static str,
    pub about: &'static str,
    pub kind: Type,
    /// Type in the field's reference, such as `UINT32`.
    pub declared: &'static str,
    pub list: bool,
    pub arg: Arg,
    pub flags: &'static [Flag],
    pub scope: Scope,
    pub compare: Compare,
    pub show: Show,
    /// Means something on events of every source.
    pub everywhere: bool,
    /// Why there is never a value.
    pub unavailable: Option<&'static str>,
    pub get: Reader,
}

impl Field {
    pub(crate) const NEW: Field = Field {
        name: "",
        about: "",
        kind: Type::Text,
        declared: "CHARBUF",
        list: false,
        arg: Arg { kind: ArgKind::None, required: false },
        flags: &[],
        scope: Scope::Event,
        compare: Compare::Plain,
        show: Show::Plain,
        everywhere: false,
        unavailable: None,
        get: |_, _| None,
    };

    /// Whether a flag is set.
    pub fn has(&self, flag: Flag) -> bool {
        self.flags.contains(&flag)
    }
}

impl std::fmt::Debug for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}
