//! What happened: the scap event as bytes, the table that explains them, and the records of a snapshot.

mod build;
mod encode;
mod generated;
mod snapshot;
pub mod table;
mod view;

pub use build::{BuildError, Given, build, find};
pub use encode::{EncodeError, encode};
pub use generated::{CAPABILITIES, ERRNO, EVENTS, NATIVE_X86_64, SIGNALS, SYSCALL_CODES, id};
pub use snapshot::{BEYOND_AGE, File, FileKind, Group, Interface, Machine, Process, Snapshot, User};
pub use view::{Event, EventError, Params};

/// Flag and enumeration tables by name, generated from the schema.
pub mod names {
    pub use crate::generated::*;
}
