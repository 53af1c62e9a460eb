//! From names to readers.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use eyas_event::table::Flags;
use eyas_event::{EVENTS, SYSCALL_CODES, id};
use regex::Regex;

use crate::field::{ArgKind, Compare, Field, Key, Scope};
use crate::{
    Cx, Value, ancestors, container, evt, eyas, fd, fs_path, k8smeta, login, paths, process, thread, user,
};

/// Events that speak of a file.
const FILE_FLAGS: Flags = Flags(Flags::CREATES_FD.0 | Flags::USES_FD.0 | Flags::DESTROYS_FD.0);

static FAMILIES: [&[Field]; 11] = [
    evt::FIELDS,
    process::FIELDS,
    ancestors::FIELDS,
    thread::FIELDS,
    user::FIELDS,
    fd::FIELDS,
    fs_path::FIELDS,
    container::FIELDS,
    eyas::FIELDS,
    login::FIELDS,
    k8smeta::FIELDS,
];

static BY_NAME: LazyLock<HashMap<&'static str, &'static Field>> =
    LazyLock::new(|| catalog().map(|field| (field.name, field)).collect());

/// Why a field cannot be used as asked.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum FieldError {
    #[error("unknown field {0}")]
    Unknown(String),
    #[error("field {0} takes no argument")]
    NoArgument(&'static str),
    #[error("field {0} needs an argument")]
    NeedsArgument(&'static str),
    #[error("{key:?} is not a valid argument of field {field}")]
    Argument { field: &'static str, key: String },
}

/// Every field, family after family.
pub fn catalog() -> impl Iterator<Item = &'static Field> {
    FAMILIES.iter().flat_map(|family| family.iter())
}

/// The field of that name.
pub fn find(name: &str) -> Option<&'static Field> {
    BY_NAME.get(name).copied()
}

/// A field with its argument, ready to be read.
#[derive(Clone, Debug)]
pub struct FieldRef {
    /// The field.
    pub field: &'static Field,
    /// Its argument.
    pub key: Key,
}

/// Finds a field and checks its argument.
///
/// # Errors
/// When the name is unknown or the argument does not fit.
pub fn resolve(name: &str, key: Option<Key>) -> Result<FieldRef, FieldError> {
    let field = find(name).ok_or_else(|| FieldError::Unknown(name.to_owned()))?;
    let Some(key) = key else {
        if field.arg.required && field.name != "evt.abspath" {
            return Err(FieldError::NeedsArgument(field.name));
        }
        return Ok(FieldRef { field, key: Key::None });
    };
    let bad = |key: &str| FieldError::Argument { field: field.name, key: key.to_owned() };
    let key = match (field.arg.kind, key) {
        (ArgKind::None, _) => return Err(FieldError::NoArgument(field.name)),
        (ArgKind::Index | ArgKind::KeyOrIndex | ArgKind::NameOrIndex, Key::Index(n)) => Key::Index(n),
        (_, Key::Index(n)) => return Err(bad(&n.to_string())),
        (ArgKind::Index, Key::Name(name)) => return Err(bad(&name)),
        (ArgKind::Name | ArgKind::NameOrIndex, Key::Name(name)) => named(field, name)?,
        (ArgKind::KeyOrIndex, Key::Name(name)) if field.name.starts_with("container.mount") => {
            Key::Pattern(Arc::new(Regex::new(&name).map_err(|_| bad(&name))?))
        }
        (_, key) => key,
    };
    Ok(FieldRef { field, key })
}

fn named(field: &'static Field, name: String) -> Result<Key, FieldError> {
    match field.name {
        "evt.arg" | "evt.rawarg" => {
            let at = |e: &eyas_event::table::Info| e.param(&name).map_or(255, |i| i as u8);
            let table: Vec<u8> = EVENTS.iter().map(at).collect();
            if table.iter().all(|at| *at == 255) {
                return Err(FieldError::Argument { field: field.name, key: name });
            }
            Ok(Key::Param(table.into()))
        }
        "evt.type.is" => Ok(Key::Events(events_named(&name).into())),
        _ => Ok(Key::Name(name)),
    }
}

/// Event types of a name, or of a number.
fn events_named(name: &str) -> Vec<u16> {
    if let Ok(number) = name.parse::<u16>() {
        return vec![number];
    }
    let first = EVENTS.iter().find(|e| e.name == name).map(|e| e.id & !1);
    match first {
        Some(enter) => vec![enter, enter + 1],
        None if SYSCALL_CODES.iter().any(|(n, _)| *n == name) => vec![id::GENERIC_X],
        None => Vec::new(),
    }
}

impl FieldRef {
    /// Reads the value.
    #[inline]
    pub fn get<'a>(&self, cx: &Cx<'a>) -> Option<Value<'a>> {
        (self.field.get)(cx, &self.key)
    }

    /// How long a predicate over this field may be remembered.
    pub fn scope(&self) -> Scope {
        self.field.scope
    }

    /// How its values are compared: one ancestor is a plain value.
    pub fn compare(&self) -> Compare {
        match (self.field.compare, &self.key) {
            (Compare::AnyAncestor, Key::Index(_) | Key::Name(_)) => Compare::Plain,
            (compare, _) => compare,
        }
    }

    /// Whether the field has no value on any event of a type.
    pub fn is_absent_on(&self, kind: u16) -> bool {
        let info = &EVENTS[usize::from(kind)];
        let name = self.field.name;
        match &self.key {
            Key::Param(table) => table[usize::from(kind)] == 255,
            _ if name.starts_with("fd.") => !info.flags.has(FILE_FLAGS),
            _ if name.starts_with("fs.path.") => !paths::has_path(kind, name),
            _ => match name {
                "evt.buffer" => info.param("data").is_none(),
                "syscall.type" => info.sources & 512 == 0,
                _ => false,
            },
        }
    }
}
