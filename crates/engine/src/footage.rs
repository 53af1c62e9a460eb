//! Where recorded events come from: a file read once, or a tape in memory played many times.

use eyas_scap::{Item, Reader, ScapError, Tally, Tape};

/// Recorded events.
pub enum Footage {
    /// A capture.
    File(Box<Reader>),
    /// A capture in memory.
    Tape(Tape),
}

impl Footage {
    /// The next item.
    ///
    /// # Errors
    /// As the reader.
    #[inline]
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Item<'_>>, ScapError> {
        match self {
            Footage::File(reader) => reader.next(),
            Footage::Tape(tape) => tape.next(),
        }
    }

    /// How far it is, and how far it goes when that is known: bytes of a file, rounds of a tape.
    pub fn progress(&self) -> (u64, Option<u64>) {
        match self {
            Footage::File(reader) => (reader.position(), reader.size()),
            Footage::Tape(tape) => {
                let (done, all) = tape.progress();
                (u64::from(done), Some(u64::from(all)))
            }
        }
    }

    /// What the reader counted.
    pub fn tally(&self) -> Tally {
        match self {
            Footage::File(reader) => reader.tally(),
            Footage::Tape(_) => Tally::default(),
        }
    }
}
