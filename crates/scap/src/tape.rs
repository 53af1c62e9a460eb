//! A capture held in memory, to be played several times: the footage of benchmarks.

use eyas_event::{Event, Snapshot};

use crate::error::{Fault, ScapError};
use crate::reader::{Item, Reader};

/// CPU, dump flags and length before each event.
const HEAD: usize = 10;
/// Time between two rounds.
const PAUSE_NS: u64 = 1_000_000;

/// A decoded capture and how often it is still to be played.
///
/// Each round starts with a section and the snapshot, and lies after the round before it in time.
pub struct Tape {
    sections: Vec<Section>,
    rounds: u32,
    round: u32,
    section: usize,
    record: usize,
    at: usize,
    opened: bool,
    period: u64,
}

#[derive(Default)]
struct Section {
    records: Vec<Snapshot>,
    events: Vec<u8>,
}

impl Tape {
    /// Reads the whole capture.
    ///
    /// # Errors
    /// As the reader does.
    pub fn load(mut reader: Reader, rounds: u32) -> Result<Tape, ScapError> {
        let mut sections = Vec::new();
        let (mut first, mut last) = (u64::MAX, 0);
        while let Some(item) = reader.next()? {
            if matches!(item, Item::Section) || sections.is_empty() {
                sections.push(Section::default());
            }
            let Some(section) = sections.last_mut() else { continue };
            match item {
                Item::Section => {}
                Item::Snapshot(record) => section.records.push(record),
                Item::Event(event) => {
                    (first, last) = (event.ts.min(first), event.ts.max(last));
                    section.push(&event);
                }
            }
        }
        sections.iter_mut().for_each(|section| section.events.shrink_to_fit());
        let period = last.saturating_sub(first).saturating_add(PAUSE_NS);
        Ok(Tape { sections, rounds, round: 0, section: 0, record: 0, at: 0, opened: false, period })
    }

    /// The next item; none after the last round.
    ///
    /// # Errors
    /// Never for a tape that was loaded.
    #[inline]
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Item<'_>>, ScapError> {
        if let Some(section) = self.sections.get(self.section)
            && self.opened
            && self.record == section.records.len()
            && self.at < section.events.len()
        {
            return self.event().map(Some);
        }
        Ok(self.other())
    }

    /// Rounds played, and rounds in all.
    pub fn progress(&self) -> (u32, u32) {
        (self.round, self.rounds)
    }

    #[inline]
    fn event(&mut self) -> Result<Item<'_>, ScapError> {
        let shift = self.period.wrapping_mul(u64::from(self.round));
        let offset = self.at;
        let bytes = &self.sections[self.section].events[offset..];
        let fault = |error| Fault::Event(error).at(offset as u64);
        let Some((h, rest)) = bytes.split_first_chunk::<HEAD>() else {
            return Err(fault(eyas_event::EventError::Short(bytes.len())));
        };
        let len = u32::from_le_bytes([h[6], h[7], h[8], h[9]]) as usize;
        self.at += HEAD + len;
        let cpu = u16::from_le_bytes([h[0], h[1]]);
        let mut event =
            Event::parse(&rest[..len], cpu, u32::from_le_bytes([h[2], h[3], h[4], h[5]])).map_err(fault)?;
        event.ts = event.ts.wrapping_add(shift);
        Ok(Item::Event(event))
    }

    fn other(&mut self) -> Option<Item<'static>> {
        if self.opened {
            let section = self.sections.get(self.section)?;
            if let Some(record) = section.records.get(self.record) {
                self.record += 1;
                return Some(Item::Snapshot(record.clone()));
            }
            self.turn();
        }
        if self.round >= self.rounds || self.sections.is_empty() {
            return None;
        }
        self.opened = true;
        Some(Item::Section)
    }

    fn turn(&mut self) {
        (self.record, self.at, self.opened) = (0, 0, false);
        self.section += 1;
        if self.section == self.sections.len() {
            self.section = 0;
            self.round += 1;
        }
    }
}

impl Section {
    fn push(&mut self, event: &Event<'_>) {
        self.events.extend_from_slice(&event.cpu.to_le_bytes());
        self.events.extend_from_slice(&event.dump_flags.to_le_bytes());
        self.events.extend_from_slice(&(event.bytes.len() as u32).to_le_bytes());
        self.events.extend_from_slice(event.bytes);
    }
}
