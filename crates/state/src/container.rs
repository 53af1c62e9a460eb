//! Containers: the id from cgroups, the rest from the runtime's metadata.

use rustc_hash::FxHashMap;
use serde_json::{Map, Value};

/// Metadata of one container, from the JSON of a container event.
#[derive(Clone, Debug, Default)]
pub struct Container {
    /// The object under the key `container`.
    pub meta: Map<String, Value>,
}

/// Containers by short id.
#[derive(Debug, Default)]
pub struct Containers {
    by_id: FxHashMap<Vec<u8>, Container>,
}

impl Container {
    /// A text member, empty when it is missing or of another type.
    pub fn text(&self, key: &str) -> &str {
        self.meta.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// Number of the container's type, 65535 when unknown.
    pub fn kind(&self) -> u64 {
        self.meta.get("type").and_then(Value::as_u64).unwrap_or(65535)
    }
}

impl Containers {
    /// Metadata of a container, once known.
    pub fn get(&self, id: &[u8]) -> Option<&Container> {
        self.by_id.get(id)
    }

    /// Takes the JSON of a container event, flat or under the key `container`.
    pub(crate) fn add(&mut self, json: &[u8]) -> Option<()> {
        let Value::Object(mut object) = serde_json::from_slice(json).ok()? else { return None };
        let meta = match object.remove("container") {
            Some(Value::Object(inner)) => inner,
            _ => object,
        };
        let id = meta.get("id")?.as_str()?.as_bytes().to_vec();
        self.by_id.insert(id, Container { meta });
        Some(())
    }

    /// Metadata of every known container.
    pub fn iter(&self) -> impl Iterator<Item = &Container> + '_ {
        self.by_id.values()
    }

    pub(crate) fn remove(&mut self, id: &[u8]) {
        self.by_id.remove(id);
    }
}
