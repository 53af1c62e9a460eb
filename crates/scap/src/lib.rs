//! Captures on disk: blocks in, snapshot records and events out, and the way back.
//!
//! Events of older versions become current ones here, so nobody behind this crate knows that they existed.

mod block;
mod companion;
mod convert;
mod cursor;
mod error;
mod gzip;
mod input;
mod reader;
mod snapshot;
mod tape;
#[cfg(test)]
mod tests;
mod upgrade;
mod writer;

pub use error::{Fault, ScapError};
pub use gzip::Damage;
pub use reader::{Item, Reader, Tally};
pub use tape::Tape;
pub use writer::{Compression, Writer};
