//! Event blocks of the first format: a header of 22 bytes that does not count its parameters.

use eyas_event::table::Flags;
use eyas_event::{EVENTS, EventError};

use crate::error::Fault;

/// Bytes of a header that does not count its parameters.
pub(crate) const OLD_HEADER: usize = 22;
/// Types whose length field says three bytes too much.
const LONG_BY_THREE: [u16; 2] = [280, 286];

/// Writes the event at the start of `old` to `out` with a counted header.
pub(crate) fn upgrade(old: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
    if old.len() < OLD_HEADER {
        return Err(EventError::Short(old.len()).into());
    }
    let kind = u16::from_le_bytes([old[20], old[21]]);
    let info = EVENTS.get(usize::from(kind)).ok_or(EventError::Unknown(kind))?;
    let stated = u32::from_le_bytes([old[16], old[17], old[18], old[19]]) as usize;
    let len = if LONG_BY_THREE.contains(&kind) { stated.saturating_sub(3) } else { stated };
    if len < OLD_HEADER || len > old.len() {
        return Err(EventError::Length { len, have: old.len() }.into());
    }
    let width = if info.flags.has(Flags::LARGE_PAYLOAD) { 4 } else { 2 };
    let count = count(&old[OLD_HEADER..len], info.params.len(), width).ok_or(Fault::Convert {
        kind,
        params: 0,
        why: "no number of parameters fits its length",
    })?;
    out.clear();
    out.extend_from_slice(&old[..16]);
    out.extend_from_slice(&((len + 4) as u32).to_le_bytes());
    out.extend_from_slice(&old[20..22]);
    out.extend_from_slice(&(count as u32).to_le_bytes());
    out.extend_from_slice(&old[OLD_HEADER..len]);
    Ok(())
}

/// The largest count, at most `most`, with which lengths and parameters fill `body` exactly.
fn count(body: &[u8], most: usize, width: usize) -> Option<usize> {
    (0..=most).rev().find(|n| {
        let Some(lengths) = body.get(..n * width) else { return false };
        let sum: usize = lengths.chunks_exact(width).map(length).sum();
        n * width + sum == body.len()
    })
}

fn length(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |sum, b| sum << 8 | usize::from(*b))
}
