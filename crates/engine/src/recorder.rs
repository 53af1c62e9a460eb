//! Writes the events that a condition keeps, with the state they need.

use std::io;
use std::path::Path;
use std::sync::Arc;

use eyas_eval::Program;
use eyas_event::table::{Category, Flags};
use eyas_event::{Event, Snapshot};
use eyas_field::Cx;
use eyas_scap::Writer;

use crate::judge::Judge;

/// Dump flag of an event that only carries state.
const STATE_ONLY: u32 = 1;

/// A capture being written.
pub struct Recorder {
    writer: Writer,
    keep: Option<Judge>,
}

impl Recorder {
    /// Writes to a file what `keep` holds for, or everything.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn create(path: &Path, keep: Option<Arc<Program>>) -> io::Result<Recorder> {
        Ok(Recorder { writer: Writer::create(path)?, keep: keep.map(Judge::new) })
    }

    /// Starts a new section.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn section(&mut self) -> io::Result<()> {
        if let Some(keep) = &mut self.keep {
            keep.reset();
        }
        self.writer.section()
    }

    /// Takes a record of the initial state.
    pub fn seed(&mut self, record: &Snapshot) {
        self.writer.snapshot(record.clone());
    }

    /// Writes an event that is kept, and one that is not but changes state, marked so that nobody shows it.
    /// Tells whether a reader will show it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn event(&mut self, cx: &Cx<'_>) -> io::Result<bool> {
        let event = cx.event;
        if self.keeps(cx) {
            return self.writer.event(event).map(|()| !cx.seen.hidden);
        }
        if cx.seen.hidden || event.info().flags.has(Flags::MODIFIES_STATE) {
            self.writer.event(&Event { dump_flags: event.dump_flags | STATE_ONLY, ..*event })?;
        }
        Ok(false)
    }

    /// Closes the file.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish(self) -> io::Result<()> {
        self.writer.finish()
    }

    fn keeps(&mut self, cx: &Cx<'_>) -> bool {
        let Some(keep) = &mut self.keep else { return true };
        cx.event.info().category == Category::Internal || (!cx.seen.hidden && keep.holds(cx))
    }
}
