//! Reads a capture from front to back: sections, initial state, events.

use std::path::Path;

use eyas_event::{EVENTS, Event, EventError, Snapshot};

use crate::block::{self, Kind};
use crate::convert::{Converter, Outcome, counted, header_only, is_current};
use crate::error::ScapError;
use crate::input::Input;
use crate::metadata;

/// Largest block that is read: far above what any writer makes.
const MAX_BLOCK: usize = 64 << 20;

/// What the reader gives, in the order of the file.
#[derive(Debug)]
pub enum Item<'a> {
    /// A section begins: whatever was known is void.
    Section,
    /// One record of the initial state.
    Snapshot(Snapshot),
    /// An event in the current layout.
    Event(Event<'a>),
}

/// Something that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Offset in the uncompressed stream.
    pub offset: u64,
    /// What happened there.
    pub text: String,
}

/// Most warnings that are kept; more are counted.
const MAX_WARNINGS: usize = 100;

/// A capture being read.
pub struct Reader {
    input: Input,
    converter: Converter,
    scratch: Vec<u8>,
    records: Vec<Snapshot>,
    started: bool,
    events: u64,
    /// Events whose type the table does not have.
    pub unknown_events: u64,
    /// Faults that reading went on after.
    pub warnings: Vec<Warning>,
    /// All faults, those that were not kept too.
    pub faults: u64,
}

enum Found {
    Section,
    Records,
    Nothing,
    /// The event is in the window, this many bytes behind the current place.
    InWindow { behind: usize, len: usize, cpu: u16, flags: u32 },
    InScratch { cpu: u16, flags: u32 },
    Converted { cpu: u16, flags: u32 },
}

impl Reader {
    /// Opens a capture, plain or gzip.
    ///
    /// # Errors
    /// When the file cannot be read or does not start with a section header.
    pub fn open(path: &Path) -> Result<Reader, ScapError> {
        Reader::start(Input::open(path)?)
    }

    /// Reads a capture from any stream of uncompressed bytes.
    ///
    /// # Errors
    /// As `open`.
    pub fn from_stream(stream: Box<dyn std::io::Read + Send>) -> Result<Reader, ScapError> {
        Reader::start(Input::new(stream))
    }

    fn start(mut input: Input) -> Result<Reader, ScapError> {
        let head = input.peek(12);
        match head.first_chunk::<4>().map(|b| u32::from_le_bytes(*b)) {
            None => return Err(input.broken.take().map_or(ScapError::Empty, ScapError::Io)),
            Some(block::SECTION) => {}
            Some(found) => return Err(ScapError::NotACapture { found }),
        }
        Ok(Reader {
            input,
            converter: Converter::default(),
            scratch: Vec::new(),
            records: Vec::new(),
            started: false,
            events: 0,
            unknown_events: 0,
            warnings: Vec::new(),
            faults: 0,
        })
    }

    /// Offset of the next block in the uncompressed stream.
    pub fn offset(&self) -> u64 {
        self.input.offset()
    }

    /// The next item; `None` at the end. A capture that is cut off ends with a warning.
    ///
    /// # Errors
    /// When the structure of the file is corrupt or there was not one event in it.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Item<'_>>, ScapError> {
        if let Some(record) = self.records.pop() {
            return Ok(Some(Item::Snapshot(record)));
        }
        loop {
            let Some(found) = self.block()? else { return self.finish() };
            match found {
                Found::Section => return Ok(Some(Item::Section)),
                Found::Records => {
                    if let Some(record) = self.records.pop() {
                        return Ok(Some(Item::Snapshot(record)));
                    }
                }
                Found::Nothing => {}
                found => match self.check(&found) {
                    Ok(()) => return Ok(self.event(&found)),
                    Err(fault) => self.reject(&fault),
                },
            }
        }
    }

    fn check(&self, found: &Found) -> Result<(), EventError> {
        let (bytes, cpu, flags) = self.bytes(found);
        Event::parse(bytes, cpu, flags).map(|_| ())
    }

    fn event(&mut self, found: &Found) -> Option<Item<'_>> {
        self.events += 1;
        let (bytes, cpu, flags) = self.bytes(found);
        Event::parse(bytes, cpu, flags).ok().map(Item::Event)
    }

    fn bytes(&self, found: &Found) -> (&[u8], u16, u32) {
        match *found {
            Found::InWindow { behind, len, cpu, flags } => (self.input.behind(behind, len), cpu, flags),
            Found::InScratch { cpu, flags } => (&self.scratch, cpu, flags),
            Found::Converted { cpu, flags } => (&self.converter.event, cpu, flags),
            _ => (&[], 0, 0),
        }
    }

    fn reject(&mut self, fault: &EventError) {
        if let EventError::Unknown(_) = fault {
            self.unknown_events += 1;
        } else {
            self.warn(fault.to_string());
        }
    }

    fn warn(&mut self, text: String) {
        self.faults += 1;
        if self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(Warning { offset: self.input.offset(), text });
        }
    }

    fn finish(&mut self) -> Result<Option<Item<'_>>, ScapError> {
        if let Some(error) = self.input.broken.take() {
            self.warn(format!("cut off: {error}"));
        }
        if self.events == 0 && self.unknown_events == 0 {
            return Err(ScapError::NoEvents);
        }
        Ok(None)
    }

    /// Reads one block; `None` at the end of the file or at a cut.
    fn block(&mut self) -> Result<Option<Found>, ScapError> {
        let offset = self.input.offset();
        let window = self.input.peek(8);
        let Some(head) = window.first_chunk::<8>() else {
            let rest = window.len();
            if rest > 0 {
                self.warn(format!("cut off: {rest} bytes of a block header"));
            }
            return Ok(None);
        };
        let block = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        let total = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        if !(12..=MAX_BLOCK).contains(&total) {
            let what = format!("block {block:#x} has length {total}");
            return Err(ScapError::Corrupt { offset, what });
        }
        let have = self.input.peek(total).len();
        if have < total {
            self.warn(format!("cut off: block {block:#x} of {total} bytes ends after {have}"));
            self.input.consume(have);
            return Ok(None);
        }
        self.body(block, total, offset).map(Some)
    }

    fn body(&mut self, block: u32, total: usize, offset: u64) -> Result<Found, ScapError> {
        let kind = block::kind(block);
        if let Kind::Event { flags, counted } = kind {
            return Ok(self.event_block(total, flags, counted));
        }
        let body = &self.input.peek(total)[8..total - 4];
        let mut records = Vec::new();
        let read = match kind {
            Kind::Section => {
                check_section(body, offset)?;
                self.started = false;
                self.converter.clear();
                self.input.consume(total);
                return Ok(Found::Section);
            }
            Kind::Machine => metadata::machine(body, &mut records),
            Kind::Processes(version) => metadata::processes(body, version, &mut records),
            Kind::Files(version) => metadata::files(body, version, &mut records),
            Kind::Interfaces(version) => metadata::interfaces(body, version, &mut records),
            Kind::Users(version) => metadata::users(body, version, &mut records),
            Kind::Event { .. } | Kind::Unknown => Ok(()),
        };
        if let Err((at, what)) = read {
            self.faults += 1;
            self.warnings.push(Warning { offset: offset + 8 + at as u64, text: what.to_owned() });
        }
        self.input.consume(total);
        records.reverse();
        self.records = records;
        Ok(if self.records.is_empty() { Found::Nothing } else { Found::Records })
    }

    fn event_block(&mut self, total: usize, with_flags: bool, has_count: bool) -> Found {
        let skip = if with_flags { 6 } else { 2 };
        let body = &self.input.peek(total)[8..total - 4];
        let Some(bytes) = body.get(skip..) else {
            self.warn("event block is too short".to_owned());
            self.input.consume(total);
            return Found::Nothing;
        };
        let cpu = u16::from_le_bytes([body[0], body[1]]);
        let flags = if with_flags { u32::from_le_bytes([body[2], body[3], body[4], body[5]]) } else { 0 };
        let found = match header_only(bytes).filter(|(kind, _)| usize::from(*kind) < EVENTS.len()) {
            None if bytes.len() < 22 => Err("event block is too short".to_owned()),
            None => {
                self.unknown_events += 1;
                Ok(Found::Nothing)
            }
            Some((kind, len)) if has_count => {
                let params = bytes.get(22..26).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
                if is_current(&EVENTS[usize::from(kind)], params as usize) {
                    let behind = total - 8 - skip;
                    Ok(Found::InWindow { behind, len: len.min(bytes.len()), cpu, flags })
                } else {
                    let len = len.min(bytes.len());
                    self.scratch.clear();
                    self.scratch.extend_from_slice(&bytes[..len]);
                    convert(&mut self.converter, &self.scratch, cpu, flags)
                }
            }
            Some(_) => match counted(bytes, &mut self.scratch) {
                Some(()) => convert(&mut self.converter, &self.scratch, cpu, flags),
                None => Err("parameter lengths of an old event do not fill it".to_owned()),
            },
        };
        let found = found.unwrap_or_else(|text| {
            self.warn(text);
            Found::Nothing
        });
        self.input.consume(total);
        found
    }
}

fn convert(converter: &mut Converter, bytes: &[u8], cpu: u16, flags: u32) -> Result<Found, String> {
    Ok(match converter.convert(bytes)? {
        Outcome::Unchanged => Found::InScratch { cpu, flags },
        Outcome::Converted => Found::Converted { cpu, flags },
        Outcome::Dropped => Found::Nothing,
    })
}

fn check_section(body: &[u8], offset: u64) -> Result<(), ScapError> {
    let Some(head) = body.first_chunk::<8>() else {
        return Err(ScapError::Truncated { offset, what: "section header" });
    };
    match u32::from_le_bytes([head[0], head[1], head[2], head[3]]) {
        block::MAGIC => {}
        swapped if swapped == block::MAGIC.swap_bytes() => return Err(ScapError::ByteOrder),
        other => {
            let what = format!("section header has magic {other:#010x}, expected 0x1a2b3c4d");
            return Err(ScapError::Corrupt { offset: offset + 8, what });
        }
    }
    match u16::from_le_bytes([head[4], head[5]]) {
        0 | 1 => Ok(()),
        newer => Err(ScapError::Version(newer)),
    }
}

/// A whole capture in memory, to be read again and again.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Records of the initial state.
    pub records: Vec<Snapshot>,
    bytes: Vec<u8>,
    events: Vec<(usize, usize, u16, u32)>,
}

impl Memory {
    /// Reads the first section of a capture.
    ///
    /// # Errors
    /// As `Reader::next`.
    pub fn load(reader: &mut Reader) -> Result<Memory, ScapError> {
        let mut memory = Memory::default();
        let mut sections = 0;
        while let Some(item) = reader.next()? {
            match item {
                Item::Section if sections > 0 => break,
                Item::Section => sections += 1,
                Item::Snapshot(record) => memory.records.push(record),
                Item::Event(event) => {
                    let at = memory.bytes.len();
                    memory.bytes.extend_from_slice(event.bytes);
                    memory.events.push((at, event.bytes.len(), event.cpu, event.dump_flags));
                }
            }
        }
        Ok(memory)
    }

    /// Number of events.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Event `i`, decoded anew.
    ///
    /// # Errors
    /// When the bytes are not an event.
    pub fn event(&self, i: usize) -> Result<Event<'_>, EventError> {
        let (at, len, cpu, flags) = self.events[i];
        Event::parse(&self.bytes[at..at + len], cpu, flags)
    }
}
