//! Taking events apart and putting them together again.

use eyas_event::table::{Flags, Kind};
use eyas_event::EVENTS;

/// Header of an old event, without parameter count.
const OLD_HEADER: usize = 22;
const HEADER: usize = 26;

/// An event in parts.
#[derive(Debug)]
pub(crate) struct Raw<'a> {
    pub(crate) ts: u64,
    pub(crate) tid: i64,
    pub(crate) kind: u16,
    pub(crate) params: Vec<&'a [u8]>,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// Type and length of an event header of either age.
pub(crate) fn header_only(bytes: &[u8]) -> Option<(u16, usize)> {
    Some((u16_at(bytes, 20)?, u32_at(bytes, 16)? as usize))
}

fn width(kind: u16) -> usize {
    if EVENTS[usize::from(kind)].flags.has(Flags::LARGE_PAYLOAD) { 4 } else { 2 }
}

fn length(bytes: &[u8], at: usize, width: usize) -> Option<usize> {
    if width == 4 { u32_at(bytes, at).map(|n| n as usize) } else { u16_at(bytes, at).map(usize::from) }
}

impl<'a> Raw<'a> {
    /// Takes an event apart; `None` when its lengths do not add up or its type is unknown.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Raw<'a>> {
        let (kind, _) = header_only(bytes)?;
        EVENTS.get(usize::from(kind))?;
        let (width, count) = (width(kind), u32_at(bytes, 22)? as usize);
        let mut at = count.checked_mul(width)?.checked_add(HEADER)?;
        let mut params = Vec::with_capacity(count.min(64));
        for i in 0..count {
            let len = length(bytes, HEADER + i * width, width)?;
            params.push(bytes.get(at..at.checked_add(len)?)?);
            at += len;
        }
        let ts = u64::from(u32_at(bytes, 0)?) | u64::from(u32_at(bytes, 4)?) << 32;
        let tid = i64::from_le_bytes(bytes.get(8..16)?.try_into().ok()?);
        Some(Raw { ts, tid, kind, params })
    }
}

/// Gives an event of an old block, which has no parameter count, the current header; `None` when it cannot fit.
pub(crate) fn counted(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (kind, mut len) = header_only(bytes)?;
    let info = EVENTS.get(usize::from(kind))?;
    if matches!(kind, 280 | 286) {
        len = len.checked_sub(3)?;
    }
    let count = count_params(bytes, len, width(kind), info.params.len())?;
    out.clear();
    out.extend_from_slice(bytes.get(..OLD_HEADER)?);
    out[16..20].copy_from_slice(&u32::try_from(len + 4).ok()?.to_le_bytes());
    out.extend_from_slice(&u32::try_from(count).ok()?.to_le_bytes());
    out.extend_from_slice(bytes.get(OLD_HEADER..len)?);
    Some(())
}

/// The number of parameters, at most `most`, with which the lengths fill the event exactly.
fn count_params(bytes: &[u8], len: usize, width: usize, most: usize) -> Option<usize> {
    (0..=most).rev().find(|&count| {
        let start = OLD_HEADER + count * width;
        let mut end = start;
        for i in 0..count {
            match length(bytes, OLD_HEADER + i * width, width) {
                Some(n) => end += n,
                None => return false,
            }
        }
        start <= len && end == len
    })
}

/// Puts an event of type `kind` together in `out`, with the time and thread of `raw`.
pub(crate) fn build(raw: &Raw<'_>, kind: u16, values: &[Vec<u8>], out: &mut Vec<u8>) {
    let width = width(kind);
    let len = HEADER + values.len() * width + values.iter().map(Vec::len).sum::<usize>();
    out.clear();
    out.extend_from_slice(&raw.ts.to_le_bytes());
    out.extend_from_slice(&raw.tid.to_le_bytes());
    out.extend_from_slice(&(len as u32).to_le_bytes());
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&(values.len() as u32).to_le_bytes());
    for value in values {
        let n = (value.len() as u32).to_le_bytes();
        out.extend_from_slice(&n[..width]);
    }
    for value in values {
        out.extend_from_slice(value);
    }
}

/// The value a parameter gets when an old event did not have it.
pub(crate) fn default_value(kind: Kind) -> Vec<u8> {
    match (kind, kind.size()) {
        (Kind::Uid | Kind::Gid, _) => u32::MAX.to_le_bytes().to_vec(),
        (_, Some(size)) => vec![0; size],
        (_, None) => Vec::new(),
    }
}

/// The JSON text that replaced the parameters id, type, name and image of the first container event.
pub(crate) fn container_json(params: &[&[u8]]) -> Vec<u8> {
    let text = |i: usize| {
        let bytes = params.get(i).copied().unwrap_or_default();
        let text = String::from_utf8_lossy(bytes.split(|b| *b == 0).next().unwrap_or_default()).into_owned();
        quoted(&text)
    };
    let number = params.get(1).and_then(|p| p.get(..4)).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    let json = format!("{{\"id\":{},\"type\":{number},\"name\":{},\"image\":{}}}\0", text(0), text(2), text(3));
    json.into_bytes()
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
