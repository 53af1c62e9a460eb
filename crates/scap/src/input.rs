//! Bytes of a capture: plain or gzip, in a window that always holds a whole block.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

/// First size of the window.
const WINDOW: usize = 1 << 20;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A stream with a window onto it.
pub(crate) struct Input {
    source: Box<dyn Read + Send>,
    window: Vec<u8>,
    start: usize,
    end: usize,
    /// Stream offset of `start`.
    offset: u64,
    finished: bool,
    /// The compressed stream broke off; what came before is good.
    pub(crate) broken: Option<io::Error>,
}

impl Input {
    pub(crate) fn open(path: &Path) -> io::Result<Input> {
        let mut file = BufReader::with_capacity(1 << 18, File::open(path)?);
        let head = std::io::BufRead::fill_buf(&mut file)?;
        let gzip = head.starts_with(&GZIP);
        Ok(if gzip { Input::new(Box::new(MultiGzDecoder::new(file))) } else { Input::new(Box::new(file)) })
    }

    pub(crate) fn new(source: Box<dyn Read + Send>) -> Input {
        Input {
            source,
            window: vec![0; WINDOW],
            start: 0,
            end: 0,
            offset: 0,
            finished: false,
            broken: None,
        }
    }

    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The next bytes without consuming them: at least `n`, fewer only at the end of the stream.
    pub(crate) fn peek(&mut self, n: usize) -> &[u8] {
        if self.end - self.start < n {
            self.fill(n);
        }
        &self.window[self.start..self.end]
    }

    pub(crate) fn consume(&mut self, n: usize) {
        let n = n.min(self.end - self.start);
        self.start += n;
        self.offset += n as u64;
    }

    /// `n` bytes that `peek` has shown, `before` bytes behind the current place.
    pub(crate) fn behind(&self, before: usize, n: usize) -> &[u8] {
        let at = self.start.saturating_sub(before);
        &self.window[at..(at + n).min(self.end)]
    }

    #[cold]
    fn fill(&mut self, n: usize) {
        self.window.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.window.len() < n {
            self.window.resize(n.next_power_of_two(), 0);
        }
        while self.end < n && !self.finished {
            match self.source.read(&mut self.window[self.end..]) {
                Ok(0) => self.finished = true,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.finished = true;
                    self.broken = Some(error);
                }
            }
        }
    }
}
