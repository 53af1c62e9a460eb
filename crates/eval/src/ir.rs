//! The IR as it arrives: strict reading, every refusal with its path.

use serde_json::{Map, Value as Json};

/// IR that is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {what}")]
pub struct EvalError {
    /// Place in the IR, such as `rules[3].condition.and[1].left`.
    pub path: String,
    /// What is wrong there.
    pub what: String,
}

/// Depth at which nesting is refused.
pub(crate) const MAX_DEPTH: usize = 4096;

/// A place in the IR.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) value: &'a Json,
    parent: Option<&'a Place<'a>>,
    step: Step<'a>,
    depth: usize,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

impl<'a> Place<'a> {
    pub(crate) fn root(value: &'a Json, name: &'a str) -> Place<'a> {
        Place { value, parent: None, step: Step::Key(name), depth: 0 }
    }

    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    fn path(&self) -> String {
        let own = match self.step {
            Step::Key(key) => key.to_owned(),
            Step::Index(n) => format!("[{n}]"),
        };
        match (self.parent, self.step) {
            (None, _) => own,
            (Some(parent), Step::Index(_)) => parent.path() + &own,
            (Some(parent), Step::Key(_))
                if parent.parent.is_none() && matches!(parent.step, Step::Key("")) =>
            {
                own
            }
            (Some(parent), Step::Key(_)) => parent.path() + "." + &own,
        }
    }

    pub(crate) fn refuse<T>(&self, what: impl Into<String>) -> Result<T, EvalError> {
        let path = if self.depth < 64 { self.path() } else { "(deep)".to_owned() };
        Err(EvalError { path, what: what.into() })
    }

    pub(crate) fn object(&self, known: &[&str]) -> Result<&'a Map<String, Json>, EvalError> {
        let Some(map) = self.value.as_object() else { return self.refuse("expected an object") };
        match map.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => self.refuse(format!("unknown key {key:?}")),
            None => Ok(map),
        }
    }

    pub(crate) fn array(&self) -> Result<&'a [Json], EvalError> {
        match self.value.as_array() {
            Some(items) => Ok(items),
            None => self.refuse("expected a list"),
        }
    }

    pub(crate) fn text(&self) -> Result<&'a str, EvalError> {
        match self.value.as_str() {
            Some(text) => Ok(text),
            None => self.refuse("expected a text"),
        }
    }

    pub(crate) fn flag(&self) -> Result<bool, EvalError> {
        match self.value.as_bool() {
            Some(flag) => Ok(flag),
            None => self.refuse("expected true or false"),
        }
    }

    /// The value under a key, if it is there.
    pub(crate) fn get<'b>(&'b self, key: &'b str) -> Option<Place<'b>> {
        let value = self.value.get(key)?;
        Some(Place { value, parent: Some(self), step: Step::Key(key), depth: self.depth + 1 })
    }

    pub(crate) fn expect<'b>(&'b self, key: &'b str) -> Result<Place<'b>, EvalError> {
        match self.get(key) {
            Some(place) => Ok(place),
            None => self.refuse(format!("missing {key:?}")),
        }
    }

    pub(crate) fn item<'b>(&'b self, n: usize) -> Place<'b>
    where
        'a: 'b,
    {
        let value = self.value.get(n).unwrap_or(&Json::Null);
        Place { value, parent: Some(self), step: Step::Index(n), depth: self.depth + 1 }
    }
}
