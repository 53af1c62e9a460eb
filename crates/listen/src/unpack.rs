//! Gzip with a limit: a small body that grows without end is refused.

use std::io::Read;

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;

/// Why a body is not unpacked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unpacking {
    TooLarge,
    Broken(String),
}

/// The bytes inside, at most this many.
pub(crate) fn gunzip(packed: &[u8], limit: usize) -> Result<Bytes, Unpacking> {
    let mut out = Vec::new();
    let mut source = MultiGzDecoder::new(packed).take(limit as u64 + 1);
    source.read_to_end(&mut out).map_err(|e| Unpacking::Broken(e.to_string()))?;
    if out.len() > limit { Err(Unpacking::TooLarge) } else { Ok(out.into()) }
}
