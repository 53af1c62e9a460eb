//! The bytes of a capture: plain or gzip, through one large buffer.

use std::io::{self, BufReader, Read};

use crate::gzip::{Damage, MARK, Unpacker};

/// Bytes read at once.
const CHUNK: usize = 1 << 20;

/// A window over a stream. `have` holds what is read and not yet consumed.
pub(crate) struct Input {
    source: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Stream offset of `buffer[0]`.
    base: u64,
    ended: bool,
    /// What is wrong with the end of a packed stream.
    damage: Option<Damage>,
}

impl Input {
    /// Wraps a stream; one that starts with the gzip mark is unpacked.
    pub(crate) fn new(mut source: impl Read + Send + 'static) -> io::Result<Input> {
        let mut mark = Vec::with_capacity(2);
        source.by_ref().take(2).read_to_end(&mut mark)?;
        let packed = mark == MARK;
        let whole = io::Cursor::new(mark).chain(source);
        let source: Box<dyn Read + Send> = if packed {
            Box::new(Unpacker::new(BufReader::with_capacity(CHUNK / 4, whole)))
        } else {
            Box::new(whole)
        };
        Ok(Input { source, buffer: vec![0; CHUNK], start: 0, end: 0, base: 0, ended: false, damage: None })
    }

    /// Offset of the next byte.
    pub(crate) fn offset(&self) -> u64 {
        self.base + self.start as u64
    }

    /// What is wrong with the end of a packed stream, once the end is reached.
    pub(crate) fn damage(&self) -> Option<Damage> {
        self.damage
    }

    /// Bytes at hand.
    #[inline]
    pub(crate) fn have(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Bytes at `range` counted from the next byte.
    #[inline]
    pub(crate) fn absolute(&self, from: usize, to: usize) -> &[u8] {
        &self.buffer[from..to]
    }

    /// Index of the next byte in the buffer; good for `absolute` until the next `fill`.
    #[inline]
    pub(crate) fn position(&self) -> usize {
        self.start
    }

    /// Steps over bytes at hand.
    #[inline]
    pub(crate) fn consume(&mut self, n: usize) {
        self.start = (self.start + n).min(self.end);
    }

    /// Reads until `n` bytes are at hand; false when the stream ends before.
    #[inline]
    pub(crate) fn fill(&mut self, n: usize) -> io::Result<bool> {
        if self.end - self.start >= n { Ok(true) } else { self.refill(n) }
    }

    #[cold]
    fn refill(&mut self, n: usize) -> io::Result<bool> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.base += self.start as u64;
        self.end -= self.start;
        self.start = 0;
        while self.end < n && !self.ended {
            self.grow(n);
            self.read_some()?;
        }
        Ok(self.end >= n)
    }

    /// Doubles a full buffer, so that a false length cannot claim memory that no bytes follow.
    fn grow(&mut self, n: usize) {
        if self.end == self.buffer.len() && self.end < n {
            self.buffer.resize(self.end * 2, 0);
        }
    }

    fn read_some(&mut self) -> io::Result<()> {
        loop {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(n) => {
                    self.end += n;
                    self.ended = n == 0;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return self.stop(error),
            }
        }
    }

    /// A packed stream whose end is damaged ends like a plain one; other errors are passed on.
    fn stop(&mut self, error: io::Error) -> io::Result<()> {
        self.ended = true;
        self.damage = error.get_ref().and_then(|inner| inner.downcast_ref()).copied();
        if self.damage.is_some() { Ok(()) } else { Err(error) }
    }

    /// Steps over `n` bytes without keeping them; false when the stream ends before.
    pub(crate) fn skip(&mut self, n: usize) -> io::Result<bool> {
        let mut left = n;
        while left > 0 {
            if !self.fill(1)? {
                return Ok(false);
            }
            let step = left.min(self.end - self.start);
            self.consume(step);
            left -= step;
        }
        Ok(true)
    }
}
