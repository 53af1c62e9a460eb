//! Reads a capture from front to back: section starts, snapshot records, events.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use eyas_event::{EVENTS, Event, Snapshot};

use crate::block::{Block, EventBlock, MAGIC, SECTION, block, is_large};
use crate::companion::COMPANION;
use crate::convert::{Converter, Verdict};
use crate::cursor::Cursor;
use crate::error::{Fault, ScapError};
use crate::input::Input;
use crate::snapshot::{self, Records};
use crate::upgrade::{OLD_HEADER, upgrade};

/// Bytes of a block around its body.
const FRAME: usize = 12;
/// Smallest section header.
const SECTION_MIN: usize = 28;
/// Bytes of a section header that tell what it is: type, length, magic.
const TELLING: usize = 12;
/// Longest block of an event that is not large; other readers take no longer one either.
const EVENT_MAX: usize = FRAME + (1 << 16);
/// Longest block: a false length must not claim the memory of the machine.
const BLOCK_MAX: usize = 1 << 28;

/// What a capture holds, in its order.
#[derive(Debug)]
pub enum Item<'a> {
    /// A section starts: all that was known is void.
    Section,
    /// A record of the initial state.
    Snapshot(Snapshot),
    /// An event of the current layout.
    Event(Event<'a>),
}

/// What the reader counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Events handed out.
    pub events: u64,
    /// Old events that served a conversion only.
    pub absorbed: u64,
    /// Events of types that the table does not have.
    pub unknown: u64,
    /// Blocks of types that the format does not have, skipped.
    pub skipped: u64,
    /// Type and offset of the first of them.
    pub first_skipped: Option<(u32, u64)>,
}

/// A capture being read.
pub struct Reader {
    input: Input,
    converter: Converter,
    upgraded: Vec<u8>,
    records: Records,
    tally: Tally,
    started: bool,
    events_seen: bool,
    metadata_seen: bool,
    ended: bool,
    raw: Arc<AtomicU64>,
    size: Option<u64>,
}

/// One block done.
enum Step {
    End,
    Nothing,
    Section,
    /// An event at these places of the input buffer.
    InInput {
        from: usize,
        to: usize,
        wrap: Wrap,
    },
    /// An event in the buffer of upgraded events.
    Upgraded(Wrap),
    /// An event in the buffer of the converter.
    Converted(Wrap),
}

/// What stands around an event.
#[derive(Clone, Copy)]
struct Wrap {
    cpu: u16,
    dump_flags: u32,
    offset: u64,
}

impl Reader {
    /// Opens a file; `-` is standard input.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn open(path: &Path) -> Result<Reader, ScapError> {
        let io = |error: io::Error| Fault::Io(error).at(0);
        if path.as_os_str() == "-" {
            return Reader::new(io::stdin());
        }
        let file = File::open(path).map_err(io)?;
        let size = file.metadata().map_err(io)?.len();
        let mut reader = Reader::new(file)?;
        reader.size = Some(size);
        Ok(reader)
    }

    /// Reads from a stream, plain or gzip.
    ///
    /// # Errors
    /// When the stream cannot be read.
    pub fn new(source: impl Read + Send + 'static) -> Result<Reader, ScapError> {
        let raw = Arc::new(AtomicU64::new(0));
        let counted = Counted { source, count: Arc::clone(&raw) };
        Ok(Reader {
            input: Input::new(counted).map_err(|e| Fault::Io(e).at(0))?,
            converter: Converter::new(),
            upgraded: Vec::new(),
            records: Records::new(),
            tally: Tally::default(),
            started: false,
            events_seen: false,
            metadata_seen: false,
            ended: false,
            raw,
            size: None,
        })
    }

    /// What was counted so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Bytes of the file read so far, before unpacking.
    pub fn position(&self) -> u64 {
        self.raw.load(Ordering::Relaxed)
    }

    /// Bytes of the file, when known.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// The next item; none at the end. After an error only the end follows.
    ///
    /// # Errors
    /// When the bytes are not a capture or end too early, with the offset.
    #[inline]
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Item<'_>>, ScapError> {
        loop {
            if let Some(record) = self.records.pop_front() {
                return Ok(Some(Item::Snapshot(record)));
            }
            if self.ended {
                return Ok(None);
            }
            let step = match self.step() {
                Ok(step) => step,
                Err(error) => {
                    self.ended = true;
                    return Err(error);
                }
            };
            match step {
                Step::End => self.ended = true,
                Step::Nothing => {}
                Step::Section => return Ok(Some(Item::Section)),
                event => return self.event(&event).map(Some),
            }
        }
    }

    #[inline]
    fn event(&mut self, step: &Step) -> Result<Item<'_>, ScapError> {
        let (bytes, wrap) = match step {
            Step::InInput { from, to, wrap } => (self.input.absolute(*from, *to), wrap),
            Step::Upgraded(wrap) => (self.upgraded.as_slice(), wrap),
            Step::Converted(wrap) => (self.converter.event(), wrap),
            Step::End | Step::Nothing | Step::Section => return Ok(Item::Section),
        };
        match Event::parse(bytes, wrap.cpu, wrap.dump_flags) {
            Ok(event) => {
                self.tally.events += 1;
                Ok(Item::Event(event))
            }
            Err(error) => {
                self.ended = true;
                Err(Fault::Event(error).at(wrap.offset))
            }
        }
    }

    #[inline]
    fn step(&mut self) -> Result<Step, ScapError> {
        let offset = self.input.offset();
        if !self.started {
            self.begin()?;
        }
        if !self.fill(8)? {
            return self.end(offset);
        }
        let h = self.input.have();
        let kind = u32::from_le_bytes([h[0], h[1], h[2], h[3]]);
        let total = u32::from_le_bytes([h[4], h[5], h[6], h[7]]) as usize;
        let known = block(kind);
        if known == Block::Unknown {
            return self.skip(kind, total, offset);
        }
        check_length(known, kind, total).map_err(|why| Fault::Block { kind, why }.at(offset))?;
        if !self.fill(total)? {
            let have = self.input.have().len() as u64;
            return Err(Fault::Truncated { need: total as u64, have }.at(offset));
        }
        let step = match known {
            Block::Event(wrap) => self.event_block(wrap, total, offset)?,
            Block::Section => self.section(total, offset)?,
            known => self.metadata(known, kind, total, offset)?,
        };
        self.input.consume(total);
        Ok(step)
    }

    /// Tells whether it is a capture at all, and one of this byte order: its length says nothing before.
    fn begin(&mut self) -> Result<(), ScapError> {
        self.started = true;
        let whole = self.fill(TELLING)?;
        let have = self.input.have();
        if !have.starts_with(&SECTION.to_le_bytes()[..have.len().min(4)]) {
            return Err(Fault::NotCapture.at(0));
        }
        if !whole {
            let have = have.len() as u64;
            let cut =
                || if have > 0 { Fault::Truncated { need: TELLING as u64, have } } else { Fault::NotCapture };
            return Err(self.input.damage().map_or_else(cut, Fault::Packed).at(0));
        }
        match u32::from_le_bytes([have[8], have[9], have[10], have[11]]) {
            MAGIC => Ok(()),
            magic if magic == MAGIC.swap_bytes() => Err(Fault::ByteOrder.at(8)),
            _ => Err(Fault::NotCapture.at(8)),
        }
    }

    /// Steps over a block that nobody knows, however long.
    #[cold]
    fn skip(&mut self, kind: u32, total: usize, offset: u64) -> Result<Step, ScapError> {
        if total < FRAME {
            return Err(Fault::Block { kind, why: SHORT }.at(offset));
        }
        if !self.input.skip(total).map_err(|error| Fault::Io(error).at(offset))? {
            let have = self.input.offset() - offset;
            return Err(Fault::Truncated { need: total as u64, have }.at(offset));
        }
        self.tally.skipped += 1;
        self.tally.first_skipped.get_or_insert((kind, offset));
        Ok(Step::Nothing)
    }

    fn fill(&mut self, n: usize) -> Result<bool, ScapError> {
        self.input.fill(n).map_err(|error| Fault::Io(error).at(self.input.offset()))
    }

    fn end(&self, offset: u64) -> Result<Step, ScapError> {
        let have = self.input.have().len() as u64;
        if have > 0 {
            return Err(Fault::Truncated { need: 8, have }.at(offset));
        }
        if let Some(damage) = self.input.damage() {
            return Err(Fault::Packed(damage).at(offset));
        }
        match (self.events_seen, self.metadata_seen, self.tally.first_skipped) {
            (true, ..) => Ok(Step::End),
            (false, false, Some((_, first))) => Err(Fault::Foreign.at(first)),
            _ => Err(Fault::Empty.at(offset)),
        }
    }

    fn section(&mut self, total: usize, offset: u64) -> Result<Step, ScapError> {
        self.check_trailer(SECTION, total, offset)?;
        let mut body = Cursor::new(&self.input.have()[8..], offset + 8);
        let magic = body.u32()?;
        if magic == MAGIC.swap_bytes() {
            return Err(Fault::ByteOrder.at(offset + 8));
        }
        if magic != MAGIC {
            return Err(Fault::NotCapture.at(offset + 8));
        }
        let major = body.u16()?;
        if major > 1 {
            return Err(Fault::Version(major).at(offset + 12));
        }
        self.converter.clear();
        Ok(Step::Section)
    }

    fn metadata(&mut self, known: Block, kind: u32, total: usize, offset: u64) -> Result<Step, ScapError> {
        self.metadata_seen = true;
        self.check_trailer(kind, total, offset)?;
        let body = Cursor::new(&self.input.have()[8..total - 4], offset + 8);
        snapshot::decode(known, body, &mut self.records)?;
        Ok(Step::Nothing)
    }

    fn check_trailer(&self, kind: u32, total: usize, offset: u64) -> Result<(), ScapError> {
        let t = &self.input.have()[total - 4..total];
        if u32::from_le_bytes([t[0], t[1], t[2], t[3]]) as usize == total {
            Ok(())
        } else {
            Err(Fault::Block { kind, why: "its two lengths differ" }.at(offset))
        }
    }

    /// Finds the event in its block; old ones are rewritten on the way.
    #[inline]
    fn event_block(&mut self, block: EventBlock, total: usize, offset: u64) -> Result<Step, ScapError> {
        self.events_seen = true;
        let start = block.head();
        let have = self.input.have();
        let cpu = u16::from_le_bytes([have[8], have[9]]);
        let dump_flags =
            if block.flagged { u32::from_le_bytes([have[10], have[11], have[12], have[13]]) } else { 0 };
        let kind = u16::from_le_bytes([have[start + 20], have[start + 21]]);
        if dump_flags & COMPANION != 0 && kind & 1 == 0 {
            return Ok(Step::Nothing);
        }
        let wrap = Wrap { cpu, dump_flags, offset: offset + start as u64 };
        if usize::from(kind) >= EVENTS.len() {
            self.tally.unknown += 1;
            return Ok(Step::Nothing);
        }
        if !block.counted {
            return self.old_event(start, total, wrap);
        }
        let count =
            u32::from_le_bytes([have[start + 22], have[start + 23], have[start + 24], have[start + 25]]);
        if self.converter.is_plain(kind, count) {
            let at = self.input.position();
            return Ok(Step::InInput { from: at + start, to: at + total - 4, wrap });
        }
        let verdict = self.converter.convert(&have[start..total - 4]).map_err(|f| f.at(wrap.offset))?;
        let at = self.input.position();
        Ok(match verdict {
            Verdict::Unchanged => Step::InInput { from: at + start, to: at + total - 4, wrap },
            Verdict::Converted => Step::Converted(wrap),
            Verdict::Dropped => self.absorb(),
        })
    }

    fn old_event(&mut self, start: usize, total: usize, wrap: Wrap) -> Result<Step, ScapError> {
        let old = &self.input.have()[start..total - 4];
        upgrade(old, &mut self.upgraded).map_err(|f| f.at(wrap.offset))?;
        let (kind, count) = peek(&self.upgraded);
        if self.converter.is_plain(kind, count) {
            return Ok(Step::Upgraded(wrap));
        }
        Ok(match self.converter.convert(&self.upgraded).map_err(|f| f.at(wrap.offset))? {
            Verdict::Unchanged => Step::Upgraded(wrap),
            Verdict::Converted => Step::Converted(wrap),
            Verdict::Dropped => self.absorb(),
        })
    }

    fn absorb(&mut self) -> Step {
        self.tally.absorbed += 1;
        Step::Nothing
    }
}

const SHORT: &str = "its length is shorter than its frame";

/// Says what is wrong with the length of a block.
#[inline]
fn check_length(block: Block, kind: u32, total: usize) -> Result<(), &'static str> {
    match block {
        _ if total < FRAME => Err(SHORT),
        Block::Section if total < SECTION_MIN => Err("a section header has 28 bytes or more"),
        Block::Event(event) if total < event.head() + OLD_HEADER + 4 => {
            Err("its length is shorter than the header of an event")
        }
        Block::Event(_) if total > EVENT_MAX && !is_large(kind) => {
            Err("an event of over 64 KiB is no large one")
        }
        _ if total > BLOCK_MAX => Err("its length is over 256 MiB"),
        _ => Ok(()),
    }
}

/// Type and parameter count of an event with a counted header.
fn peek(event: &[u8]) -> (u16, u32) {
    (
        u16::from_le_bytes([event[20], event[21]]),
        u32::from_le_bytes([event[22], event[23], event[24], event[25]]),
    )
}

/// Counts the bytes that pass.
struct Counted<R> {
    source: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.source.read(buffer)?;
        self.count.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}
