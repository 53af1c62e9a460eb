//! The bytes of a capture: plain or gzip, through one large buffer.

use std::io::{self, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

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
}

impl Input {
    /// Wraps a stream; one that starts with the gzip mark is unpacked.
    pub(crate) fn new(mut source: impl Read + Send + 'static) -> io::Result<Input> {
        let mut mark = Vec::with_capacity(2);
        source.by_ref().take(2).read_to_end(&mut mark)?;
        let packed = mark == [0x1f, 0x8b];
        let whole = io::Cursor::new(mark).chain(source);
        let source: Box<dyn Read + Send> = if packed {
            Box::new(MultiGzDecoder::new(BufReader::with_capacity(CHUNK / 4, whole)))
        } else {
            Box::new(whole)
        };
        Ok(Input { source, buffer: vec![0; CHUNK], start: 0, end: 0, base: 0, ended: false })
    }

    /// Offset of the next byte.
    pub(crate) fn offset(&self) -> u64 {
        self.base + self.start as u64
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
                // A gzip stream that is cut ends like a plain file that is cut.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    self.ended = true;
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
    }
}
