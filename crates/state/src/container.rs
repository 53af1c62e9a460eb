//! Containers: the id from cgroups, the rest from the runtime's metadata.

use std::collections::HashMap;

/// Metadata of one container, from the JSON of a container event.
#[derive(Clone, Debug, Default)]
pub struct Container {
    /// The object under the key `container`.
    pub meta: serde_json::Map<String, serde_json::Value>,
}

/// Containers by short id.
#[derive(Debug, Default)]
pub struct Containers {
    by_id: HashMap<Vec<u8>, Container>,
}

impl Containers {
    /// Metadata of a container, once known.
    pub fn get(&self, id: &[u8]) -> Option<&Container> {
        self.by_id.get(id)
    }
}
