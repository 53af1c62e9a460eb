//! The way back: parameters to the bytes of an event.

use crate::generated::EVENTS;
use crate::table::Flags;

/// Why parameters do not make an event.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum EncodeError {
    /// An event id that the table does not have.
    #[error("unknown event type {0}")]
    Unknown(u16),
    /// A parameter that is longer than its length field can say.
    #[error("parameter {0} is too long")]
    Long(usize),
}

/// Appends one event with a 26-byte header to `out`.
///
/// # Errors
/// When the type is unknown or a parameter too long; `out` is left as it was.
pub fn encode(out: &mut Vec<u8>, ts: u64, tid: i64, kind: u16, params: &[&[u8]]) -> Result<(), EncodeError> {
    let info = EVENTS.get(usize::from(kind)).ok_or(EncodeError::Unknown(kind))?;
    let wide = info.flags.has(Flags::LARGE_PAYLOAD);
    let limit = if wide { u32::MAX as usize } else { usize::from(u16::MAX) };
    if let Some(i) = params.iter().position(|p| p.len() > limit) {
        return Err(EncodeError::Long(i));
    }
    let total = 26 + params.len() * if wide { 4 } else { 2 } + params.iter().map(|p| p.len()).sum::<usize>();
    let len = u32::try_from(total).map_err(|_| EncodeError::Long(0))?;
    let count = u32::try_from(params.len()).map_err(|_| EncodeError::Long(0))?;
    out.extend_from_slice(&ts.to_le_bytes());
    out.extend_from_slice(&tid.to_le_bytes());
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    for p in params {
        let bytes = (p.len() as u64).to_le_bytes();
        out.extend_from_slice(&bytes[..if wide { 4 } else { 2 }]);
    }
    params.iter().for_each(|p| out.extend_from_slice(p));
    Ok(())
}
