//! An HTTP(S) listener for services that push: who may speak and how much, and an answer only when the judge gives one.
//!
//! A connection gets a `Door`, a whole request lies on the `Desk` until it is taken and answered. Nothing here knows what
//! a body means.

mod bucket;
mod desk;
mod door;
mod listener;
mod settings;
mod tls;
mod unpack;

pub use desk::{Arrived, Batch, Refusal};
pub use listener::Listener;
pub use settings::{ListenError, Settings, Tls};
