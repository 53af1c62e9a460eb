//! What can be wrong with a capture; every fault names the byte offset in the uncompressed stream.

/// Why a capture cannot be read on, or written.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum ScapError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("not a capture: the first block is {found:#010x}, expected a section header (0x0a0d0d0a)")]
    NotACapture { found: u32 },
    #[error("the file is empty")]
    Empty,
    #[error("the capture was written by a machine of other byte order")]
    ByteOrder,
    #[error("capture format {0} is newer than 1")]
    Version(u16),
    #[error("cut off at byte {offset}: {what}")]
    Truncated { offset: u64, what: &'static str },
    #[error("corrupt at byte {offset}: {what}")]
    Corrupt { offset: u64, what: String },
    #[error("no events in the capture")]
    NoEvents,
}
