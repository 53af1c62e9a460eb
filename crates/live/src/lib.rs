//! This machine through the engine: one thread reads the probe, folds, judges and records, and wakes whoever waits.

mod bell;
mod error;
mod late;
mod scene;
mod watch;
mod worker;

pub use error::LiveError;
pub use watch::{Found, Rules, Setup, Watch};
pub use worker::Figures;
