//! A stream of documents, cut into records. Memory is bounded by the largest record allowed; whatever is refused is
//! told with its offset, and reading goes on at the next line that begins a document.

use std::io::{self, Read};

use crate::cursor::{Cursor, Fault};
use crate::looked::{Cells, Looked};
use crate::schema::Asked;
use crate::tree::{Spans, Walk, Walked};

/// Bytes read at once.
const CHUNK: usize = 1 << 20;

/// Something that is no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Offset in the stream.
    pub at: u64,
    /// Why.
    pub what: String,
}

/// What comes next in a stream.
pub enum Item<'r> {
    /// A record.
    Record(Looked<'r, 'r>, u64),
    /// Something that was refused.
    Refused(Refused),
    /// The end.
    End,
}

/// Where in a document the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Between documents.
    Document,
    /// Before an element of a list; whether an object is around it.
    Element { in_object: bool, first: bool },
    /// After a list, in the rest of the object around it.
    Rest,
    /// In something refused: up to the next line that begins a document.
    Lost,
}

/// What one step found.
enum Step {
    Record(usize, usize),
    Refused(Refused),
    Nothing,
    End,
}

/// A stream being cut.
pub struct Reader<'s> {
    source: Box<dyn Read + Send + 's>,
    buffer: Vec<u8>,
    /// Next byte in the buffer, and where what is read ends.
    start: usize,
    end: usize,
    /// Offset in the stream of the first byte of the buffer.
    base: u64,
    at: At,
    ended: bool,
    limit: usize,
    spans: Spans,
}

impl<'s> Reader<'s> {
    /// Reads from a stream; no record may be longer than `limit`.
    pub fn new(source: impl Read + Send + 's, limit: usize) -> Reader<'s> {
        Reader {
            source: Box::new(source),
            buffer: Vec::new(),
            start: 0,
            end: 0,
            base: 0,
            at: At::Document,
            ended: false,
            limit: limit.clamp(1, u32::MAX as usize / 2),
            spans: Spans::default(),
        }
    }

    /// Turns to bytes that are whole: nothing follows them, and nothing of what came before goes on.
    pub fn turn_to(&mut self, body: &[u8]) {
        if self.buffer.len() < body.len() {
            self.buffer.resize(body.len(), 0);
        }
        self.buffer[..body.len()].copy_from_slice(body);
        (self.start, self.end, self.base) = (0, body.len(), 0);
        (self.at, self.ended) = (At::Document, true);
    }

    /// Offset in the stream of the next byte.
    pub fn position(&self) -> u64 {
        self.base + self.start as u64
    }

    /// The next record or refusal.
    ///
    /// # Errors
    /// When the stream cannot be read.
    pub fn next<'r>(&'r mut self, asked: &'r Asked, cells: Cells<'static>) -> io::Result<Item<'r>> {
        loop {
            match self.step(asked) {
                Ok(Step::Nothing) => {}
                Ok(Step::Refused(refused)) => return Ok(Item::Refused(refused)),
                Ok(Step::End) => return Ok(Item::End),
                Ok(Step::Record(start, end)) => return Ok(self.record(asked, cells, start, end)),
                // A step that needs more bytes has left `start` where it wants to go on.
                Err(Fault::Ends) if !self.ended && self.end - self.start < self.limit => self.more()?,
                Err(fault) => return Ok(Item::Refused(self.refuse(fault))),
            }
        }
    }

    fn record<'r>(&'r self, asked: &'r Asked, cells: Cells<'static>, start: usize, end: usize) -> Item<'r> {
        let at = self.base + start as u64;
        let bytes = &self.buffer[start..end];
        if let Err(error) = std::str::from_utf8(bytes) {
            let at = at + error.valid_up_to() as u64;
            return Item::Refused(Refused { at, what: "not UTF-8".to_owned() });
        }
        Item::Record(Looked::new(asked, &self.spans, bytes, cells), at)
    }

    fn refuse(&mut self, fault: Fault) -> Refused {
        let (at, what) = match fault {
            Fault::Wrong { at, .. } | Fault::Deep { at } => (at, fault.to_string()),
            Fault::Ends if self.ended => (self.start, fault.to_string()),
            Fault::Ends => (self.start, format!("longer than {} bytes", self.limit)),
        };
        if matches!(fault, Fault::Ends) && !self.ended {
            self.start = self.end;
        }
        self.at = At::Lost;
        Refused { at: self.base + at as u64, what }
    }

    /// Reads more behind what is at hand; twice as much each time, so that a long record is not walked too often.
    fn more(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.base += self.start as u64;
        self.end -= self.start;
        self.start = 0;
        let wanted = (2 * self.end).clamp(CHUNK, self.limit.max(CHUNK));
        self.buffer.resize(wanted.max(self.end + 1), 0);
        while self.end < self.buffer.len() {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn step(&mut self, asked: &Asked) -> Result<Step, Fault> {
        match self.at {
            At::Document => self.document(asked),
            At::Element { in_object, first } => self.element(asked, in_object, first),
            At::Rest => self.rest(asked),
            At::Lost => self.lost(),
        }
    }

    fn cursor(&self) -> Cursor<'_> {
        Cursor::new(&self.buffer[..self.end], self.start)
    }

    fn document(&mut self, asked: &Asked) -> Result<Step, Fault> {
        let mut cursor = self.cursor();
        let byte = match cursor.peek() {
            Ok(byte) => byte,
            Err(_) if self.ended => return Ok(Step::End),
            Err(fault) => {
                self.start = self.end;
                return Err(fault);
            }
        };
        let start = cursor.at;
        self.start = start;
        match byte {
            b'[' => {
                self.start = start + 1;
                self.at = At::Element { in_object: false, first: true };
                Ok(Step::Nothing)
            }
            b'{' => self.walk(asked, start, &asked.lists),
            _ => Err(Fault::Wrong { at: start, what: "'{' or '['" }),
        }
    }

    fn walk(&mut self, asked: &Asked, start: usize, lists: &[Box<str>]) -> Result<Step, Fault> {
        self.spans.clear(asked.tree.len());
        let cursor = Cursor::new(&self.buffer[..self.end], start);
        let mut walk = Walk { cursor, tree: &asked.tree, spans: &mut self.spans, base: start };
        let walked = walk.document(lists)?;
        self.start = walk.cursor.at;
        Ok(match walked {
            Walked::Past => Step::Record(start, self.start),
            Walked::List => {
                self.at = At::Element { in_object: true, first: true };
                Step::Nothing
            }
        })
    }

    fn element(&mut self, asked: &Asked, in_object: bool, first: bool) -> Result<Step, Fault> {
        let mut cursor = self.cursor();
        let ends = if first { cursor.accept(b']')? } else { !cursor.expect_more(b']')? };
        if ends {
            self.start = cursor.at;
            self.at = if in_object { At::Rest } else { At::Document };
            return Ok(Step::Nothing);
        }
        let byte = cursor.peek()?;
        let start = cursor.at;
        let walked = match byte {
            b'{' => self.walk(asked, start, &[]),
            _ => Err(Fault::Wrong { at: start, what: "'{'" }),
        };
        let step = match walked {
            Err(fault @ (Fault::Wrong { at, .. } | Fault::Deep { at })) => self.pass(start, at, fault)?,
            walked => walked?,
        };
        self.at = At::Element { in_object, first: false };
        Ok(step)
    }

    /// Leaves an element out that is no record, if it can be told where it ends: the others of its list count.
    fn pass(&mut self, start: usize, at: usize, fault: Fault) -> Result<Step, Fault> {
        let mut cursor = Cursor::new(&self.buffer[..self.end], start);
        match cursor.pass().and_then(|()| cursor.peek()) {
            Ok(b',' | b']') => {
                self.start = cursor.at;
                Ok(Step::Refused(Refused { at: self.base + at as u64, what: fault.to_string() }))
            }
            Err(Fault::Ends) if !self.ended => Err(Fault::Ends),
            _ => Err(fault),
        }
    }

    fn rest(&mut self, asked: &Asked) -> Result<Step, Fault> {
        let mut cursor = self.cursor();
        if !cursor.expect_more(b'}')? {
            self.start = cursor.at;
            self.at = At::Document;
            return Ok(Step::Nothing);
        }
        let key = cursor.expect_key()?;
        let listed = asked.lists.iter().any(|list| list.as_bytes() == key.as_ref());
        if listed && cursor.accept(b'[')? {
            self.start = cursor.at;
            self.at = At::Element { in_object: true, first: true };
            return Ok(Step::Nothing);
        }
        cursor.skip()?;
        self.start = cursor.at;
        Ok(Step::Nothing)
    }

    fn lost(&mut self) -> Result<Step, Fault> {
        while let Some(line) = memchr::memchr(b'\n', &self.buffer[self.start..self.end]) {
            let next = self.start + line + 1;
            match self.buffer[..self.end].get(next) {
                Some(b'{' | b'[') => {
                    self.start = next;
                    self.at = At::Document;
                    return Ok(Step::Nothing);
                }
                Some(_) => self.start = next,
                None if self.ended => break,
                None => {
                    self.start = next - 1;
                    return Err(Fault::Ends);
                }
            }
        }
        self.start = self.end;
        if self.ended { Ok(Step::End) } else { Err(Fault::Ends) }
    }
}
