//! The order of things: an event is numbered, folded into the state, judged, and what holds becomes a match.

mod catalog;
mod engine;
mod footage;
mod intake;
mod judge;
mod limits;
mod logs;
mod matched;
mod recorder;
mod replay;
mod snapshot;
mod values;

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;

pub use engine::{Counts, Engine};
pub use footage::Footage;
pub use intake::{Intake, Refusal};
pub use judge::Judge;
pub use limits::Limits;
pub use logs::{Bodies, Logs, unpacked};
pub use matched::Match;
pub use recorder::Recorder;
pub use replay::{Batch, Clock, Replay, ReplayError, Statistics, Warning, bench_read};
pub use snapshot::snapshot;
pub use values::{Column, ColumnError, catalog, column, explain, field_values};
