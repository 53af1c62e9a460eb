//! The last events in memory, so that a file can begin before whatever made it wanted.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;

use eyas_event::{Event, Snapshot};
use eyas_scap::Writer;

/// How much is kept in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Nanoseconds before the newest event.
    pub before: u64,
    /// Bytes; none are kept when this is 0.
    pub memory: usize,
}

/// A file that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where to write it.
    pub path: PathBuf,
    /// Time of the event that ends it, nanoseconds since the epoch.
    pub until: u64,
    /// Most bytes of events; 0 is no limit.
    pub limit: u64,
}

struct Kept {
    ts: u64,
    flags: u32,
    bytes: Box<[u8]>,
}

enum Tape {
    /// The state that belongs at its head is being gathered.
    Waiting(Wanted),
    Rolling {
        writer: Box<Writer>,
        wanted: Wanted,
        written: u64,
    },
}

/// The ring of events and the file that is being written from it.
#[derive(Default)]
pub(crate) struct Footage {
    retention: Retention,
    ring: VecDeque<Kept>,
    held: usize,
    tape: Option<Tape>,
}

impl Footage {
    pub(crate) fn new(retention: Retention) -> Footage {
        Footage { retention, ..Footage::default() }
    }

    /// Whether a new file begins, so that somebody has to gather its head; one under way goes on longer instead.
    pub(crate) fn begin(&mut self, more: Wanted) -> bool {
        match &mut self.tape {
            Some(Tape::Waiting(wanted) | Tape::Rolling { wanted, .. }) => {
                wanted.until = wanted.until.max(more.until);
                false
            }
            None => {
                self.tape = Some(Tape::Waiting(more));
                true
            }
        }
    }

    /// Starts the file: what was true, what was told about containers, and the events in memory.
    pub(crate) fn head(&mut self, state: Vec<Snapshot>, told: &VecDeque<Vec<u8>>) -> io::Result<()> {
        let Some(Tape::Waiting(wanted)) = self.tape.take() else { return Ok(()) };
        let mut writer = Writer::create(&wanted.path)?;
        writer.section()?;
        state.into_iter().for_each(|record| writer.snapshot(record));
        for bytes in told {
            put(&mut writer, bytes, 0)?;
        }
        for kept in &self.ring {
            put(&mut writer, &kept.bytes, kept.flags)?;
        }
        self.tape = Some(Tape::Rolling { writer: Box::new(writer), wanted, written: self.held as u64 });
        Ok(())
    }

    /// Takes an event.
    pub(crate) fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        if self.retention.memory == 0 {
            return Ok(());
        }
        self.keep(event);
        self.roll(event)
    }

    fn keep(&mut self, event: &Event<'_>) {
        self.held += event.bytes.len();
        self.ring.push_back(Kept { ts: event.ts, flags: event.dump_flags, bytes: event.bytes.into() });
        let waiting = matches!(self.tape, Some(Tape::Waiting(_)));
        while let Some(oldest) = self.ring.front() {
            let old = !waiting && oldest.ts + self.retention.before < event.ts;
            if !old && self.held <= self.retention.memory {
                break;
            }
            self.held -= oldest.bytes.len();
            self.ring.pop_front();
        }
    }

    fn roll(&mut self, event: &Event<'_>) -> io::Result<()> {
        let Some(Tape::Rolling { writer, wanted, written }) = &mut self.tape else { return Ok(()) };
        let over = event.ts >= wanted.until || (wanted.limit > 0 && *written >= wanted.limit);
        if over {
            return self.finish();
        }
        *written += event.bytes.len() as u64;
        writer.event(event)
    }

    /// Ends a file that has been waiting for its last event for longer than it was meant to go on.
    pub(crate) fn tick(&mut self, now: u64) -> io::Result<()> {
        match &self.tape {
            Some(Tape::Rolling { wanted, .. }) if now >= wanted.until => self.finish(),
            _ => Ok(()),
        }
    }

    /// Closes the file.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        match self.tape.take() {
            Some(Tape::Rolling { writer, .. }) => writer.finish(),
            _ => Ok(()),
        }
    }
}

fn put(writer: &mut Writer, bytes: &[u8], flags: u32) -> io::Result<()> {
    match Event::parse(bytes, 0, flags) {
        Ok(event) => writer.event(&event),
        Err(_) => Ok(()),
    }
}
