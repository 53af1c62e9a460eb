//! What can be wrong with a capture, and where.

use eyas_event::EventError;

use crate::gzip::Damage;

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
    /// The end of the packed file is damaged.
    #[error("capture is cut or something was added: {0}")]
    Packed(Damage),
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
    /// Another format that begins like ours.
    #[error("not a capture of events: a network capture (pcapng), or of another kind")]
    Foreign,
    /// There is nothing but metadata.
    #[error("capture ends before its first event")]
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
    /// Whether the capture merely ends too early, be it before its first event; all before the end is good.
    pub fn is_cut(&self) -> bool {
        matches!(self.fault, Fault::Truncated { .. } | Fault::Packed(_) | Fault::Empty)
    }
}
