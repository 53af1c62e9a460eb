//! Writes one event: the head, then parameter after parameter.

const HEAD: usize = 26;

/// An event that is being written at the end of `out`.
pub(crate) struct Params<'o> {
    out: &'o mut Vec<u8>,
    start: usize,
    done: usize,
}

impl<'o> Params<'o> {
    /// Begins an event of `count` parameters.
    pub(crate) fn begin(out: &'o mut Vec<u8>, ts: u64, tid: u32, kind: u16, count: usize) -> Params<'o> {
        let start = out.len();
        out.extend_from_slice(&ts.to_le_bytes());
        out.extend_from_slice(&u64::from(tid).to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&kind.to_le_bytes());
        out.extend_from_slice(&(count as u32).to_le_bytes());
        out.resize(start + HEAD + 2 * count, 0);
        Params { out, start, done: 0 }
    }

    /// Writes a parameter of many parts.
    pub(crate) fn parts(&mut self, parts: &[&[u8]]) {
        let before = self.out.len();
        parts.iter().for_each(|part| self.out.extend_from_slice(part));
        self.out.truncate(before + usize::from(u16::MAX));
        let len = (self.out.len() - before) as u16;
        let at = self.start + HEAD + 2 * self.done;
        self.out[at..at + 2].copy_from_slice(&len.to_le_bytes());
        self.done += 1;
    }

    /// Writes bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.parts(&[bytes]);
    }

    /// Writes text up to its first NUL, and a NUL.
    pub(crate) fn text(&mut self, text: &[u8]) {
        self.parts(&[until_nul(text), b"\0"]);
    }

    /// Writes the low `width` bytes of a number.
    pub(crate) fn number(&mut self, value: u64, width: usize) {
        self.bytes(&value.to_le_bytes()[..width.min(8)]);
    }

    pub(crate) fn long(&mut self, value: i64) {
        self.number(value.cast_unsigned(), 8);
    }

    pub(crate) fn ulong(&mut self, value: u64) {
        self.number(value, 8);
    }

    pub(crate) fn word(&mut self, value: u32) {
        self.number(value.into(), 4);
    }

    /// Writes a parameter that is not available.
    pub(crate) fn empty(&mut self) {
        self.bytes(b"");
    }

    /// Writes text behind the parameters (`Event::resolved`).
    pub(crate) fn tail(&mut self, text: &[u8]) {
        self.out.extend_from_slice(until_nul(text));
        self.out.push(0);
    }

    /// Ends the event; its length is known now.
    pub(crate) fn end(self) {
        let len = (self.out.len() - self.start) as u32;
        self.out[self.start + 16..self.start + 20].copy_from_slice(&len.to_le_bytes());
    }
}

/// Bytes before the first NUL.
pub(crate) fn until_nul(text: &[u8]) -> &[u8] {
    text.iter().position(|b| *b == 0).map_or(text, |end| &text[..end])
}
