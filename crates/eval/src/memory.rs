//! What one stream of events lets the rules remember.

use eyas_event::table::Flags;
use eyas_field::{Cx, Scope};

use crate::layout::Cell;
use crate::values::Room;

/// Answers about files that are kept.
const FILES: usize = 4096;

/// Bits that are known, and what they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bits {
    words: Box<[(u64, u64)]>,
}

impl Bits {
    fn new(count: usize) -> Bits {
        Bits { words: vec![(0, 0); count.div_ceil(64)].into() }
    }

    #[inline]
    pub(crate) fn get(&self, at: usize) -> Option<bool> {
        let (known, value) = self.words[at / 64];
        let bit = 1 << (at % 64);
        (known & bit != 0).then_some(value & bit != 0)
    }

    #[inline]
    pub(crate) fn set(&mut self, at: usize, value: bool) {
        let (known, values) = &mut self.words[at / 64];
        let bit = 1 << (at % 64);
        *known |= bit;
        *values = *values & !bit | u64::from(value) << (at % 64);
    }

    fn clear(&mut self) {
        self.words.fill((0, 0));
    }
}

/// Answers about one thread.
#[derive(Clone, Debug, Default)]
pub(crate) struct ThreadMemory {
    /// Since which `Memory::forget` they count.
    era: u32,
    versions: (u64, u64),
    /// `State::lineage` when `line_of` was taken.
    lineage: u64,
    /// What `Threads::line` said then.
    line_of: Option<u64>,
    pub(crate) process: Bits,
    pub(crate) line: Bits,
    /// Rules whose lasting part holds, by chunk; the top word says which chunks are known.
    pub(crate) gates: Box<[Option<u64>]>,
}

#[derive(Clone, Debug, Default)]
struct FileMemory {
    era: u32,
    version: u64,
    bits: Bits,
}

/// How much there is to remember.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sizes {
    pub(crate) process: usize,
    pub(crate) line: usize,
    pub(crate) file: usize,
    pub(crate) event: usize,
    pub(crate) gates: usize,
    pub(crate) lefts: usize,
}

/// Answers that still hold.
#[derive(Debug, Default)]
pub struct Memory {
    sizes: Sizes,
    era: u32,
    threads: Vec<Option<Box<ThreadMemory>>>,
    files: Vec<FileMemory>,
    event: Box<[(u32, bool)]>,
    stamp: u32,
    thread: Option<usize>,
    file: Option<usize>,
    pub(crate) room: Room,
    /// Rules that a record can match; kept for its memory alone.
    pub(crate) candidates: Vec<u64>,
}

impl Memory {
    pub(crate) fn new(sizes: Sizes) -> Memory {
        Memory {
            sizes,
            era: 1,
            files: if sizes.file == 0 { Vec::new() } else { vec![FileMemory::default(); FILES] },
            event: vec![(0, false); sizes.event].into(),
            room: Room::new(sizes.lefts),
            ..Memory::default()
        }
    }

    /// Forgets everything about threads and files: the state that it rests on is void.
    pub fn forget(&mut self) {
        self.era += 1;
        (self.thread, self.file) = (None, None);
    }

    /// Turns to another event.
    #[inline]
    pub(crate) fn begin(&mut self, cx: &Cx<'_>) {
        self.stamp = self.stamp.wrapping_add(1);
        if self.stamp == 0 {
            self.event.fill((0, false));
            self.stamp = 1;
        }
        self.thread = self.turn_to_thread(cx);
        self.file = self.turn_to_file(cx);
    }

    fn turn_to_thread(&mut self, cx: &Cx<'_>) -> Option<usize> {
        let slot = cx.seen.thread?;
        let thread = cx.state.threads.get(slot)?;
        let main = cx.state.threads.main(slot).and_then(|m| cx.state.threads.get(m)).map_or(0, |t| t.version);
        let at = slot.0 as usize;
        if self.threads.len() <= at {
            self.threads.resize(at + 1, None);
        }
        let (sizes, era) = (self.sizes, self.era);
        let memory = self.threads[at].get_or_insert_with(|| {
            Box::new(ThreadMemory {
                process: Bits::new(sizes.process),
                line: Bits::new(sizes.line),
                gates: vec![None; sizes.gates].into(),
                ..ThreadMemory::default()
            })
        });
        let versions = (thread.version, main);
        let changed = memory.versions != versions || memory.era != era;
        if changed {
            memory.process.clear();
        }
        if changed || memory.lineage != cx.state.lineage {
            let line = cx.state.threads.line(slot);
            if changed || line.is_none() || memory.line_of != line {
                memory.line.clear();
                memory.gates.fill(None);
            }
            (memory.era, memory.versions, memory.lineage) = (era, versions, cx.state.lineage);
            memory.line_of = line;
        }
        Some(at)
    }

    /// Answers about a file that the event itself makes are not looked for, and hold for the event.
    fn turn_to_file(&mut self, cx: &Cx<'_>) -> Option<usize> {
        if self.sizes.file == 0 || cx.event.info().flags.has(Flags::CREATES_FD) {
            return None;
        }
        let version = cx.fd()?.version;
        let at = version as usize % FILES;
        let (era, size) = (self.era, self.sizes.file);
        let memory = &mut self.files[at];
        if memory.era == 0 {
            memory.bits = Bits::new(size);
        }
        if memory.version != version || memory.era != era {
            memory.bits.clear();
            (memory.era, memory.version) = (era, version);
        }
        Some(at)
    }

    /// The remembered answer.
    #[inline]
    pub(crate) fn get(&self, cell: &Cell) -> Option<bool> {
        match (cell.scope, self.file) {
            (Scope::Process, _) => self.current()?.process.get(cell.place as usize),
            (Scope::Lineage, _) => self.current()?.line.get(cell.place as usize),
            (Scope::File, Some(file)) => self.files[file].bits.get(cell.place as usize),
            _ => {
                let (stamp, value) = self.event[cell.now as usize];
                (stamp == self.stamp).then_some(value)
            }
        }
    }

    /// Remembers an answer.
    #[inline]
    pub(crate) fn set(&mut self, cell: &Cell, value: bool) {
        match (cell.scope, self.file) {
            (Scope::Process, _) => {
                if let Some(memory) = self.current_mut() {
                    memory.process.set(cell.place as usize, value);
                }
            }
            (Scope::Lineage, _) => {
                if let Some(memory) = self.current_mut() {
                    memory.line.set(cell.place as usize, value);
                }
            }
            (Scope::File, Some(file)) => self.files[file].bits.set(cell.place as usize, value),
            _ => self.event[cell.now as usize] = (self.stamp, value),
        }
    }

    #[inline]
    pub(crate) fn current(&self) -> Option<&ThreadMemory> {
        self.threads[self.thread?].as_deref()
    }

    #[inline]
    pub(crate) fn current_mut(&mut self) -> Option<&mut ThreadMemory> {
        self.threads[self.thread?].as_deref_mut()
    }
}
