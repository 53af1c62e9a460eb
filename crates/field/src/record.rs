//! Records of log sources, as fields and rules read them.

use crate::Value;

/// A record of a log source.
pub trait Record {
    /// Name of the source.
    fn source(&self) -> &str;
    /// Name of the plugin that the source stands for.
    fn plugin(&self) -> &str;
    /// The event in one line.
    fn info(&self) -> Option<Vec<u8>>;
    /// Name of the event when it came beside the stream.
    fn asynctype(&self) -> Option<Vec<u8>>;
    /// The value that the rules know by a number.
    fn value(&self, slot: usize) -> Option<&Value<'_>>;
}
