//! A match: everything that its text, outputs and actions need, owned.

/// One rule that held on one event.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// Index of the rule in its program.
    pub rule: u32,
    /// Number of the event.
    pub num: u64,
    /// Time of the event, nanoseconds since the epoch.
    pub ts: u64,
    /// Whether the event says its time itself.
    pub timed: bool,
    /// Name of the event type.
    pub event: &'static str,
    /// Text and JSON form of the rule's output operands, in their order.
    pub values: Vec<(String, serde_json::Value)>,
}
