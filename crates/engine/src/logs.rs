//! Where records come from: a stream, a batch at a time, or bodies as they arrive.

use std::io::{self, BufReader, Cursor, Read};

use eyas_record::Reader;

use crate::intake::Intake;
use crate::matched::Match;
use crate::replay::{Batch, Clock, Statistics};

/// Bodies as they arrive.
pub struct Bodies {
    /// What the rules need between records.
    pub intake: Intake,
    reader: Reader<'static>,
}

impl Bodies {
    /// Judges bodies of which no record is longer than `limit`.
    pub fn new(intake: Intake, limit: usize) -> Bodies {
        Bodies { intake, reader: Reader::new(io::empty(), limit) }
    }

    /// Judges every record of a body, which came at a time.
    ///
    /// # Errors
    /// Never: a body is in memory.
    pub fn body(&mut self, body: &[u8], came: u64, out: &mut Vec<Match>) -> io::Result<()> {
        self.reader.turn_to(body);
        self.intake.forget_neighbour();
        self.intake.take(&mut self.reader, usize::MAX, came, out).map(|_| ())
    }
}

/// A stream of records being judged.
pub struct Logs {
    intake: Intake,
    reader: Reader<'static>,
    came: u64,
    clock: Clock,
    nanoseconds: u64,
}

impl Logs {
    /// Judges a stream that came at a time, of which no record is longer than `limit`.
    pub fn new(
        source: impl Read + Send + 'static,
        came: u64,
        limit: usize,
        intake: Intake,
        clock: Clock,
    ) -> Logs {
        Logs { intake, reader: Reader::new(source, limit), came, clock, nanoseconds: 0 }
    }

    /// Judges up to `max_events` records.
    ///
    /// # Errors
    /// When the stream cannot be read.
    pub fn next(&mut self, max_events: usize) -> io::Result<Batch> {
        let start = (self.clock)();
        let mut batch = Batch::default();
        batch.ended = self.intake.take(&mut self.reader, max_events, self.came, &mut batch.matches)?;
        self.nanoseconds += (self.clock)().saturating_sub(start);
        Ok(batch)
    }

    /// What the rules need between records.
    pub fn intake(&self) -> &Intake {
        &self.intake
    }

    /// Figures so far.
    pub fn statistics(&self) -> Statistics {
        let [events, refused, ..] = self.intake.counts();
        Statistics {
            events,
            alerts: self.intake.alerts(),
            unknown_events: refused,
            nanoseconds: self.nanoseconds,
            position: self.reader.position(),
            warnings: self.intake.told().to_vec(),
            ..Statistics::default()
        }
    }
}

/// The stream itself, or what is packed in it when it is gzip.
///
/// # Errors
/// When its first bytes cannot be read.
pub fn unpacked(mut source: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
    let mut mark = Vec::with_capacity(2);
    source.by_ref().take(2).read_to_end(&mut mark)?;
    let packed = mark == [0x1f, 0x8b];
    let whole = Cursor::new(mark).chain(source);
    Ok(if packed {
        Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(1 << 18, whole)))
    } else {
        Box::new(whole)
    })
}
