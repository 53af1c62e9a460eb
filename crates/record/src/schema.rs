//! What the fields of a source are, and which of them the rules ask for.

use std::collections::HashMap;

use eyas_field::Type;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::clock::Clock;
use crate::expr::{Cond, Expr};
use crate::maker::Maker;
use crate::pointer;
use crate::tree::{PathId, Tree};

/// Why a source cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct SchemaError {
    /// Part of the declaration.
    pub place: String,
    /// What is wrong there.
    pub what: String,
}

fn refuse<T>(place: &str, what: impl Into<String>) -> Result<T, SchemaError> {
    Err(SchemaError { place: place.to_owned(), what: what.into() })
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Declared {
    name: String,
    plugin: String,
    fields: Vec<DeclaredField>,
    time: DeclaredTime,
    #[serde(default)]
    lists: Vec<Box<str>>,
    #[serde(default)]
    keep: Option<Json>,
    #[serde(default)]
    identity: Option<Json>,
    #[serde(default)]
    info: Option<Json>,
    #[serde(default)]
    asynctype: Option<Json>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeclaredField {
    name: String,
    r#type: Kind,
    value: Json,
    #[serde(default)]
    list: bool,
    #[serde(default)]
    arg: Option<ArgForm>,
    #[serde(default)]
    indexed: Option<Json>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeclaredTime {
    at: Vec<DeclaredAt>,
    clock: Clock,
}

/// A pointer, with a clock of its own where it has one.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum DeclaredAt {
    Plain(String),
    Timed(String, Clock),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Text,
    Int,
    Uint,
    Bool,
    Ip,
    Net,
    Abstime,
    Reltime,
}

impl Kind {
    fn as_type(self) -> Type {
        match self {
            Kind::Text => Type::Text,
            Kind::Int => Type::Int,
            Kind::Uint => Type::Uint,
            Kind::Bool => Type::Bool,
            Kind::Ip => Type::Ip,
            Kind::Net => Type::Net,
            Kind::Abstime => Type::AbsTime,
            Kind::Reltime => Type::RelTime,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ArgForm {
    Key,
    Index,
    IndexOrKey,
}

/// The argument a rule gives a field.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Argument {
    /// A number.
    Index(u64),
    /// A name.
    Key(String),
}

/// A source as it is declared.
#[derive(Clone, Debug)]
pub struct Schema {
    declared: Declared,
    by_name: HashMap<String, usize>,
}

/// A field with its argument, as rules use it.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) expr: Expr,
    pub(crate) kind: Type,
    pub(crate) list: bool,
}

/// What the rules ask of a source.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Name of the source.
    pub source: String,
    /// Name of the plugin that it stands for.
    pub plugin: String,
    pub(crate) tree: Tree,
    pub(crate) slots: Vec<Slot>,
    pub(crate) lists: Vec<Box<str>>,
    pub(crate) time: Vec<(PathId, Clock)>,
    pub(crate) keep: Option<Cond>,
    pub(crate) identity: Option<Expr>,
    pub(crate) info: Option<Expr>,
    pub(crate) asynctype: Option<Expr>,
}

/// Collects what rules ask for.
#[derive(Clone, Debug)]
pub struct Ask {
    schema: Schema,
    asked: Asked,
    known: HashMap<(usize, Option<Argument>), usize>,
}

impl Schema {
    /// Reads a declaration.
    ///
    /// # Errors
    /// When it is not understood.
    pub fn from_json(json: &Json) -> Result<Schema, SchemaError> {
        let declared = Declared::deserialize(json).or_else(|e| refuse("source", e.to_string()))?;
        let by_name = declared.fields.iter().enumerate().map(|(n, f)| (f.name.clone(), n)).collect();
        Ok(Schema { declared, by_name })
    }

    /// Begins to collect.
    ///
    /// # Errors
    /// When times, conditions or texts of the source are not understood.
    pub fn ask(self) -> Result<Ask, SchemaError> {
        let declared = &self.declared;
        let mut tree = Tree::default();
        let mut time = Vec::new();
        for at in &declared.time.at {
            let (at, clock) = match at {
                DeclaredAt::Plain(at) => (at, declared.time.clock),
                DeclaredAt::Timed(at, clock) => (at, *clock),
            };
            match pointer::parse_plain(at) {
                Ok(steps) => time.push((tree.want(&steps), clock)),
                Err(_) => return refuse("time", format!("pointer {at:?} has too many steps")),
            }
        }
        let mut maker = Maker { tree: &mut tree, root: None, argument: None, indexed: false, depth: 0 };
        let wrong = |place: &str| {
            let place = place.to_owned();
            move |what| SchemaError { place, what }
        };
        let keep = declared.keep.as_ref().map(|c| maker.cond(c)).transpose().map_err(wrong("keep"))?;
        let identity = declared.identity.as_ref().map(|e| maker.expr(e)).transpose();
        let info = declared.info.as_ref().map(|e| maker.expr(e)).transpose();
        let asynctype = declared.asynctype.as_ref().map(|e| maker.expr(e)).transpose();
        let asked = Asked {
            source: declared.name.clone(),
            plugin: declared.plugin.clone(),
            slots: Vec::new(),
            lists: declared.lists.clone(),
            time,
            keep,
            identity: identity.map_err(wrong("identity"))?,
            info: info.map_err(wrong("info"))?,
            asynctype: asynctype.map_err(wrong("asynctype"))?,
            tree,
        };
        Ok(Ask { schema: self, asked, known: HashMap::new() })
    }
}

impl Ask {
    /// Whether the source has a field of this name.
    pub fn has(&self, name: &str) -> bool {
        self.schema.by_name.contains_key(name)
    }

    /// The slot of a field with its argument; whether it is a list.
    ///
    /// # Errors
    /// When there is no such field, or the argument does not fit.
    pub fn field(&mut self, name: &str, argument: Option<Argument>) -> Result<(usize, bool), SchemaError> {
        let Some(number) = self.schema.by_name.get(name).copied() else {
            return refuse(name, "unknown field of this source");
        };
        let declared = &self.schema.declared.fields[number];
        if let Some(slot) = self.known.get(&(number, argument.clone())) {
            return Ok((*slot, declared.list));
        }
        let indexed = matches!(argument, Some(Argument::Index(_)));
        let fits = match &argument {
            None => true,
            Some(Argument::Key(_)) => matches!(declared.arg, Some(ArgForm::Key | ArgForm::IndexOrKey)),
            Some(Argument::Index(_)) => matches!(declared.arg, Some(ArgForm::Index | ArgForm::IndexOrKey)),
        };
        if !fits {
            return refuse(name, "the argument does not fit");
        }
        let text = argument.as_ref().map(|a| match a {
            Argument::Index(n) => n.to_string(),
            Argument::Key(key) => key.clone(),
        });
        let value = declared.indexed.as_ref().filter(|_| indexed).unwrap_or(&declared.value);
        let mut maker =
            Maker { tree: &mut self.asked.tree, root: None, argument: text.as_deref(), indexed, depth: 0 };
        let expr = maker.expr(value).or_else(|what| refuse(name, what))?;
        let slot = self.asked.slots.len();
        self.asked.slots.push(Slot { expr, kind: declared.r#type.as_type(), list: declared.list });
        self.known.insert((number, argument), slot);
        Ok((slot, declared.list))
    }

    /// What was asked for.
    pub fn done(self) -> Asked {
        self.asked
    }
}
