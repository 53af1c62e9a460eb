//! A borrowed view of one scap event (current layout, 26-byte header).

use crate::generated::{EVENTS, id};
use crate::table::{Flags, Info};

/// Bytes before the length array.
const HEADER: usize = 26;

/// Why bytes are not an event.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum EventError {
    /// Fewer bytes than the header needs.
    #[error("event header needs {HEADER} bytes, found {0}")]
    Short(usize),
    /// The length field disagrees with the bytes at hand.
    #[error("event length {len} does not fit the {have} bytes at hand")]
    Length { len: usize, have: usize },
    /// An event id that the table does not have.
    #[error("unknown event type {0}")]
    Unknown(u16),
    /// Parameter lengths run past the end of the event.
    #[error("parameters end at byte {end} of an event of {len} bytes")]
    Params { end: usize, len: usize },
}

/// One event. Cheap to copy; parameters are decoded when asked for.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// Nanoseconds since the epoch.
    pub ts: u64,
    /// Thread id in the host's pid namespace; -1 when there is none.
    pub tid: i64,
    /// Event id, always smaller than the table.
    pub kind: u16,
    /// CPU or ring buffer index.
    pub cpu: u16,
    /// Dump flags: bit 0 = only state, not to be shown.
    pub dump_flags: u32,
    /// Running number, 1 for the first event; set by the engine.
    pub num: u64,
    /// Parameters.
    pub params: Params<'a>,
    /// The whole event as it is written to a capture.
    pub bytes: &'a [u8],
}

/// Lengths and bytes of the parameters.
#[derive(Clone, Copy, Debug)]
pub struct Params<'a> {
    lengths: &'a [u8],
    data: &'a [u8],
    wide: bool,
}

impl<'a> Event<'a> {
    /// Reads the event at the start of `bytes`, which may hold more than the event.
    ///
    /// # Errors
    /// When the header or a length runs past `bytes`, or the type is unknown.
    pub fn parse(bytes: &'a [u8], cpu: u16, dump_flags: u32) -> Result<Event<'a>, EventError> {
        let Some((head, _)) = bytes.split_first_chunk::<HEADER>() else {
            return Err(EventError::Short(bytes.len()));
        };
        let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
        let len = word(16) as usize;
        let kind = u16::from_le_bytes([head[20], head[21]]);
        let count = word(22) as usize;
        let Some(info) = EVENTS.get(kind as usize) else { return Err(EventError::Unknown(kind)) };
        if len < HEADER || len > bytes.len() {
            return Err(EventError::Length { len, have: bytes.len() });
        }
        let wide = info.flags.has(Flags::LARGE_PAYLOAD);
        let start = count.saturating_mul(if wide { 4 } else { 2 }).saturating_add(HEADER);
        if start > len {
            return Err(EventError::Params { end: start, len });
        }
        let params = Params { lengths: &bytes[HEADER..start], data: &bytes[start..len], wide };
        let end = start + params.total();
        if end > len {
            return Err(EventError::Params { end, len });
        }
        #[allow(clippy::cast_possible_wrap)]
        let tid = long(8) as i64;
        Ok(Event { ts: long(0), tid, kind, cpu, dump_flags, num: 0, params, bytes: &bytes[..len] })
    }

    /// The event that a record of a log source comes as; what the record says is not in it.
    pub fn of_record(num: u64, ts: u64) -> Event<'static> {
        let params = Params { lengths: &[], data: &[], wide: true };
        Event { ts, tid: -1, kind: id::PLUGINEVENT_E, cpu: 0, dump_flags: 0, num, params, bytes: &[] }
    }

    /// The table's entry for this event.
    pub fn info(&self) -> &'static Info {
        &EVENTS[self.kind as usize]
    }

    /// Bytes of parameter `i`; `None` when the event does not carry it, empty when it is not available.
    pub fn param(&self, i: usize) -> Option<&'a [u8]> {
        self.params.get(i)
    }

    /// Parameter `i` as a sign-extended integer of 1, 2, 4 or 8 bytes, when present and not empty.
    pub fn signed(&self, i: usize) -> Option<i64> {
        let bytes = self.param(i)?;
        match *bytes {
            [a] => Some(i64::from(a as i8)),
            [a, b] => Some(i64::from(i16::from_le_bytes([a, b]))),
            [a, b, c, d] => Some(i64::from(i32::from_le_bytes([a, b, c, d]))),
            _ => Some(i64::from_le_bytes(bytes.try_into().ok()?)),
        }
    }

    /// Parameter `i` as a zero-extended integer of 1, 2, 4 or 8 bytes, when present and not empty.
    pub fn unsigned(&self, i: usize) -> Option<u64> {
        let bytes = self.param(i)?;
        match *bytes {
            [a] => Some(u64::from(a)),
            [a, b] => Some(u64::from(u16::from_le_bytes([a, b]))),
            [a, b, c, d] => Some(u64::from(u32::from_le_bytes([a, b, c, d]))),
            _ => Some(u64::from_le_bytes(bytes.try_into().ok()?)),
        }
    }

    /// The path as the kernel resolved it. It stands behind the parameters, so that every reader of the format takes
    /// the event and those who do not know it see nothing of it.
    pub fn resolved(&self) -> Option<&'a [u8]> {
        let tail = self.params.tail();
        (!tail.is_empty()).then(|| &tail[..memchr_nul(tail)])
    }

    /// Parameter `i` as text without its NUL, when present and not null (length 0 or `(NULL)`).
    pub fn text(&self, i: usize) -> Option<&'a [u8]> {
        let bytes = self.param(i)?;
        let end = memchr_nul(bytes);
        let text = &bytes[..end];
        if bytes.is_empty() || text == b"(NULL)" { None } else { Some(text) }
    }
}

fn memchr_nul(bytes: &[u8]) -> usize {
    memchr::memchr(0, bytes).unwrap_or(bytes.len())
}

impl<'a> Params<'a> {
    /// Number of parameters that the event carries.
    pub fn count(&self) -> usize {
        self.lengths.len() / if self.wide { 4 } else { 2 }
    }

    /// Bytes of parameter `i`.
    pub fn get(&self, i: usize) -> Option<&'a [u8]> {
        if i >= self.count() {
            return None;
        }
        let width = if self.wide { 4 } else { 2 };
        let (before, from) = self.lengths.split_at(width * i);
        let start = self.sum(before);
        self.data.get(start..start + self.sum(&from[..width]))
    }

    /// Bytes behind the last parameter.
    fn tail(&self) -> &'a [u8] {
        self.data.get(self.total()..).unwrap_or_default()
    }

    fn total(&self) -> usize {
        self.sum(self.lengths)
    }

    /// What some of the lengths come to.
    #[inline]
    fn sum(&self, lengths: &[u8]) -> usize {
        if self.wide {
            lengths.as_chunks::<4>().0.iter().map(|l| u32::from_le_bytes(*l) as usize).sum()
        } else {
            lengths.as_chunks::<2>().0.iter().map(|l| usize::from(u16::from_le_bytes(*l))).sum()
        }
    }
}
