//! This machine through the engine: one thread reads the probe, folds, judges and records, and wakes whoever waits.

mod amend;
mod bell;
mod error;
mod footage;
mod kept;
mod late;
mod loss;
mod question;
mod repair;
mod scene;
mod undecided;
mod watch;
mod worker;

pub use error::LiveError;
pub use footage::{Retention, Wanted};
pub use loss::Loss;
pub use question::Question;
pub use watch::{Found, Report, Rules, Setup, Watch};
pub use worker::Figures;
