//! Steps over JSON without building it. What it accepts is JSON and nothing else; nesting costs no stack.

use std::borrow::Cow;

use crate::text;

/// Levels of nesting that are followed.
pub(crate) const MAX_DEPTH: usize = 256;

/// Why JSON cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The bytes end before the value does.
    #[error("ends in the middle of a value")]
    Ends,
    /// Something that cannot stand at this offset.
    #[error("not JSON: {what} expected")]
    Wrong {
        /// Offset in the bytes.
        at: usize,
        /// What could stand there.
        what: &'static str,
    },
    /// Nested too deep, at this offset.
    #[error("nested deeper than {MAX_DEPTH}")]
    Deep {
        /// Offset in the bytes.
        at: usize,
    },
}

/// Offsets of a value, first byte to the one after the last.
pub(crate) type Span = (u32, u32);

/// A position in bytes that should be JSON.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'b> {
    bytes: &'b [u8],
    pub(crate) at: usize,
}

/// Which of the open containers are objects.
struct Open {
    objects: [u64; MAX_DEPTH / 64],
    depth: usize,
}

impl Open {
    fn push(&mut self, object: bool, at: usize) -> Result<(), Fault> {
        let Some(word) = self.objects.get_mut(self.depth / 64) else { return Err(Fault::Deep { at }) };
        let bit = 1 << (self.depth % 64);
        *word = if object { *word | bit } else { *word & !bit };
        self.depth += 1;
        Ok(())
    }

    fn in_object(&self) -> bool {
        let top = self.depth - 1;
        self.objects[top / 64] >> (top % 64) & 1 == 1
    }
}

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Marks the bytes of a word that are zero; exact up to the first.
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(LOW) & !word & HIGH
}

/// Marks quotes, backslashes and control characters.
fn stops(word: u64) -> u64 {
    let control = word.wrapping_sub(LOW * 0x20) & !word & HIGH;
    zeros(word ^ (LOW * 0x22)) | zeros(word ^ (LOW * 0x5c)) | control
}

impl<'b> Cursor<'b> {
    pub(crate) fn new(bytes: &'b [u8], at: usize) -> Cursor<'b> {
        Cursor { bytes, at }
    }

    pub(crate) fn wrong<T>(&self, what: &'static str) -> Result<T, Fault> {
        Err(Fault::Wrong { at: self.at, what })
    }

    /// The next byte that is no white space.
    #[inline]
    pub(crate) fn peek(&mut self) -> Result<u8, Fault> {
        loop {
            match self.bytes.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(byte) => return Ok(*byte),
                None => return Err(Fault::Ends),
            }
        }
    }

    /// Steps over a byte if it comes next.
    #[inline]
    pub(crate) fn accept(&mut self, byte: u8) -> Result<bool, Fault> {
        let found = self.peek()? == byte;
        self.at += usize::from(found);
        Ok(found)
    }

    /// Steps over a key and its colon; gives the key.
    #[inline]
    pub(crate) fn expect_key(&mut self) -> Result<Cow<'b, [u8]>, Fault> {
        if self.peek()? != b'"' {
            return self.wrong("a key");
        }
        let start = self.at + 1;
        let escaped = self.string()?;
        let key = &self.bytes[start..self.at - 1];
        if !self.accept(b':')? {
            return self.wrong("':'");
        }
        Ok(if escaped { text::unescaped(key) } else { Cow::Borrowed(key) })
    }

    /// After a member: true when another follows.
    #[inline]
    pub(crate) fn expect_more(&mut self, close: u8) -> Result<bool, Fault> {
        let byte = self.peek()?;
        if byte == b',' {
            self.at += 1;
            return Ok(true);
        }
        if byte == close {
            self.at += 1;
            return Ok(false);
        }
        self.wrong("',' or the end")
    }

    /// Steps over a text; true when it holds escapes.
    #[inline]
    fn string(&mut self) -> Result<bool, Fault> {
        let mut escaped = false;
        let mut at = self.at + 1;
        loop {
            let Some(rest) = self.bytes.get(at..) else { return Err(Fault::Ends) };
            if let Some(word) = rest.first_chunk::<8>() {
                let found = stops(u64::from_le_bytes(*word));
                if found == 0 {
                    at += 8;
                    continue;
                }
                at += (found.trailing_zeros() / 8) as usize;
            }
            match self.bytes.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    at = self.escape(at)?;
                }
                Some(0..0x20) => return Err(Fault::Wrong { at, what: "no control character in a text" }),
                Some(_) => at += 1,
                None => return Err(Fault::Ends),
            }
        }
    }

    /// The offset after an escape.
    fn escape(&self, at: usize) -> Result<usize, Fault> {
        match self.bytes.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
            Some(b'u') => match self.bytes.get(at + 2..at + 6) {
                Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => Ok(at + 6),
                Some(_) => Err(Fault::Wrong { at, what: "four hexadecimal digits" }),
                None => Err(Fault::Ends),
            },
            Some(_) => Err(Fault::Wrong { at, what: "an escape" }),
            None => Err(Fault::Ends),
        }
    }

    /// Steps over a value.
    #[inline]
    pub(crate) fn skip(&mut self) -> Result<(), Fault> {
        match self.peek()? {
            b'{' | b'[' => self.containers(),
            _ => self.scalar(),
        }
    }

    #[inline]
    fn scalar(&mut self) -> Result<(), Fault> {
        match self.peek()? {
            b'"' => self.string().map(|_| ()),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            b'-' | b'0'..=b'9' => self.number(),
            _ => self.wrong("a value"),
        }
    }

    fn word(&mut self, word: &'static [u8]) -> Result<(), Fault> {
        let have = &self.bytes[self.at..self.bytes.len().min(self.at + word.len())];
        if have == word {
            self.at += word.len();
            return Ok(());
        }
        if word.starts_with(have) { Err(Fault::Ends) } else { self.wrong("true, false or null") }
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        match self.bytes.get(self.at) {
            None => Err(Fault::Ends),
            Some(_) if self.at == start => self.wrong("a digit"),
            Some(_) => Ok(()),
        }
    }

    fn number(&mut self) -> Result<(), Fault> {
        self.at += usize::from(self.bytes[self.at] == b'-');
        let zero = self.bytes.get(self.at) == Some(&b'0');
        let start = self.at;
        self.digits()?;
        if zero && self.at - start > 1 {
            return self.wrong("no digit after a leading 0");
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.bytes.get(self.at), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(())
    }

    /// Steps over a value of which only the brackets and texts are looked at, so that no depth is too deep.
    pub(crate) fn pass(&mut self) -> Result<(), Fault> {
        if !matches!(self.peek()?, b'{' | b'[') {
            return self.skip();
        }
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// Steps over an object or list with all that it holds.
    fn containers(&mut self) -> Result<(), Fault> {
        let mut open = Open { objects: [0; MAX_DEPTH / 64], depth: 0 };
        loop {
            match self.peek()? {
                b'{' => {
                    open.push(true, self.at)?;
                    self.at += 1;
                    if !self.accept(b'}')? {
                        self.expect_key()?;
                        continue;
                    }
                    open.depth -= 1;
                }
                b'[' => {
                    open.push(false, self.at)?;
                    self.at += 1;
                    if !self.accept(b']')? {
                        continue;
                    }
                    open.depth -= 1;
                }
                _ => self.scalar()?,
            }
            while open.depth > 0 {
                let object = open.in_object();
                if self.expect_more(if object { b'}' } else { b']' })? {
                    if object {
                        self.expect_key()?;
                    }
                    break;
                }
                open.depth -= 1;
            }
            if open.depth == 0 {
                return Ok(());
            }
        }
    }
}
