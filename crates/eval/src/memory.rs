//! What one stream of events lets the rules remember.

use eyas_field::{Cx, Scope};

use crate::files::Files;
use crate::layout::Cell;
use crate::values::Room;

/// Bits that are known, and what they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bits {
    words: Box<[(u64, u64)]>,
}

impl Bits {
    pub(crate) fn new(count: usize) -> Bits {
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

    pub(crate) fn clear(&mut self) {
        self.words.fill((0, 0));
    }
}

/// Rules of a chunk that were asked whether they can hold, and those that can.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Gate {
    pub(crate) asked: u64,
    pub(crate) open: u64,
}

impl Gate {
    /// Rules of which it is known that they cannot hold.
    #[inline]
    pub(crate) fn shut(self) -> u64 {
        self.asked & !self.open
    }

    /// Takes in an answer.
    #[inline]
    pub(crate) fn note(&mut self, rule: u64, open: bool) {
        self.asked |= rule;
        self.open |= if open { rule } else { 0 };
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
    /// Rules whose lasting part holds, by chunk.
    pub(crate) gates: Box<[Gate]>,
}

/// How much there is to remember.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sizes {
    pub(crate) process: usize,
    pub(crate) line: usize,
    pub(crate) file: usize,
    pub(crate) event: usize,
    pub(crate) gates: usize,
    pub(crate) names: usize,
    pub(crate) lefts: usize,
}

/// Answers that still hold.
#[derive(Debug, Default)]
pub struct Memory {
    sizes: Sizes,
    era: u32,
    threads: Vec<Option<Box<ThreadMemory>>>,
    pub(crate) files: Files,
    event: Box<[(u32, bool)]>,
    stamp: u32,
    thread: Option<usize>,
    pub(crate) room: Room,
    /// Rules that a record can match; kept for its memory alone.
    pub(crate) candidates: Vec<u64>,
}

impl Memory {
    pub(crate) fn new(sizes: Sizes) -> Memory {
        Memory {
            sizes,
            era: 1,
            files: Files::new(sizes),
            event: vec![(0, false); sizes.event].into(),
            room: Room::new(sizes.lefts),
            ..Memory::default()
        }
    }

    /// Forgets everything about threads and files: the state that it rests on is void.
    pub fn forget(&mut self) {
        self.era += 1;
        self.thread = None;
        self.files.nowhere();
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
        self.files.turn(cx, self.era);
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
                gates: vec![Gate::default(); sizes.gates].into(),
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
                memory.gates.fill(Gate::default());
            }
            (memory.era, memory.versions, memory.lineage) = (era, versions, cx.state.lineage);
            memory.line_of = line;
        }
        Some(at)
    }

    /// The remembered answer.
    #[inline]
    pub(crate) fn get(&self, cell: &Cell) -> Option<bool> {
        match cell.scope {
            Scope::Process => return self.current()?.process.get(cell.place as usize),
            Scope::Lineage => return self.current()?.line.get(cell.place as usize),
            Scope::Name | Scope::File => {
                if let Some(known) = self.files.known(cell.scope == Scope::Name) {
                    return known.bits.get(cell.place as usize);
                }
            }
            Scope::Event => {}
        }
        let (stamp, value) = self.event[cell.now as usize];
        (stamp == self.stamp).then_some(value)
    }

    /// Remembers an answer.
    #[inline]
    pub(crate) fn set(&mut self, cell: &Cell, value: bool) {
        let bits = match cell.scope {
            Scope::Process => self.current_mut().map(|memory| &mut memory.process),
            Scope::Lineage => self.current_mut().map(|memory| &mut memory.line),
            Scope::Name | Scope::File => match self.files.known_mut(cell.scope == Scope::Name) {
                Some(known) => Some(&mut known.bits),
                None => return self.event[cell.now as usize] = (self.stamp, value),
            },
            Scope::Event => return self.event[cell.now as usize] = (self.stamp, value),
        };
        if let Some(bits) = bits {
            bits.set(cell.place as usize, value);
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
