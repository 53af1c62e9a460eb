//! What a rule can ask: every field with its name, type, help and reader in one place.

mod ancestors;
mod args;
mod container;
mod evt;
mod eyas;
mod fd;
mod fdlist;
mod field;
mod fs_path;
mod k8smeta;
mod login;
mod named;
mod open;
mod paths;
mod process;
mod record;
mod render;
mod resolve;
mod thread;
mod time;
mod user;
mod value;

use eyas_event::Event;
use eyas_state::{Fd, Seen, State, Thread};

pub use field::{Arg, ArgKind, Compare, Field, Flag, Key, Scope, Show, Type};
pub use named::Named;
pub use record::Record;
pub use render::{Rendered, render};
pub use resolve::{FieldError, FieldRef, catalog, find, resolve};
pub use value::Value;

/// Where a field reads from while one event is judged.
#[derive(Clone, Copy)]
pub struct Cx<'a> {
    /// What is true after the event.
    pub state: &'a State,
    /// The event.
    pub event: &'a Event<'a>,
    /// What the fold found out about it.
    pub seen: &'a Seen,
    /// Time of the previous visible event, of the event itself for the first.
    pub previous_ts: u64,
    /// Time of the first event that is not a meta event.
    pub first_ts: u64,
    /// The record of a log source that the event stands for.
    pub record: Option<&'a dyn Record>,
    /// Whether buffers are shown as base64, not as text with dots.
    pub base64: bool,
}

impl<'a> Cx<'a> {
    /// Thread of the event.
    pub fn thread(&self) -> Option<&'a Thread> {
        self.state.threads.get(self.seen.thread?)
    }

    /// Main thread of the event's thread.
    pub fn main(&self) -> Option<&'a Thread> {
        self.ancestor(0)
    }

    /// File of the event.
    pub fn fd(&self) -> Option<&'a Fd> {
        self.state.fd(self.seen)
    }

    /// Ancestor `n`; 0 is the main thread of the process itself.
    pub(crate) fn ancestor(&self, n: usize) -> Option<&'a Thread> {
        let threads = &self.state.threads;
        threads.get(threads.ancestor(self.seen.thread?, n)?)
    }

    /// The thread that `ptid` names.
    pub(crate) fn parent(&self) -> Option<&'a Thread> {
        let threads = &self.state.threads;
        threads.get(threads.parent(self.seen.thread?)?)
    }

    pub(crate) fn cwd(&self) -> Option<&'a [u8]> {
        Some(self.state.cwd(self.seen.thread?))
    }

    /// Standard input, output or error of the process.
    pub(crate) fn standard(&self, num: i64) -> Option<&'a Fd> {
        self.main()?.files.get(num)
    }
}
