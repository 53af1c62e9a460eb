//! What can be wrong with a capture, and where.

use eyas_event::EventError;

/// A fault at a byte of the (uncompressed) capture.
#[derive(Debug, thiserror::Error)]
#[error("{fault} at byte {offset}")]
pub struct ScapError {
    /// Offset in the uncompressed stream.
    pub offset: u64,
    /// What is wrong there.
    #[source]
    pub fault: Fault,
}

/// What is wrong.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum Fault {
    /// The file ends in the middle of a block.
    #[error("capture is cut: {need} bytes expected, {have} found")]
    Truncated { need: u64, have: u64 },
    /// The bytes cannot be read or unpacked.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The first block is no section header.
    #[error("not a capture: no section header")]
    NotCapture,
    /// Written on a machine of the other byte order.
    #[error("capture has the other byte order")]
    ByteOrder,
    /// A newer format.
    #[error("capture format {0} is newer than 1")]
    Version(u16),
    /// There is nothing but metadata.
    #[error("no events in the capture")]
    Empty,
    /// A block that contradicts itself.
    #[error("block {kind:#x}: {why}")]
    Block { kind: u32, why: &'static str },
    /// A metadata entry that does not fit.
    #[error("{0}")]
    Entry(&'static str),
    /// An event whose lengths contradict each other.
    #[error("{0}")]
    Event(#[from] EventError),
    /// An old event that cannot become a current one.
    #[error("event type {kind} with {params} parameters: {why}")]
    Convert { kind: u16, params: u32, why: &'static str },
}

impl Fault {
    pub(crate) fn at(self, offset: u64) -> ScapError {
        ScapError { offset, fault: self }
    }
}

impl ScapError {
    /// Whether the capture merely ends too early; all before the cut is good.
    pub fn is_cut(&self) -> bool {
        matches!(self.fault, Fault::Truncated { .. })
    }
}
