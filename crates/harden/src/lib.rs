//! Rights that this process gives up: capabilities that it does not need, system calls that it never makes.
//!
//! Both hold for the calling thread and for the threads that it starts from then on.

mod calls;
mod rights;

pub use calls::{Denied, deny};
pub use rights::{keep, no_new_rights};

/// Why a right could not be given up.
#[derive(Debug, thiserror::Error)]
pub enum HardenError {
    /// A capability that nobody knows.
    #[error("unknown capability {0:?}")]
    Capability(String),
    /// The kernel refuses.
    #[error("the kernel refuses to take {what} away: {error}")]
    Refused {
        /// What was given up.
        what: &'static str,
        /// What the kernel says.
        error: std::io::Error,
    },
    /// The filter of system calls does not fit this machine.
    #[error("no filter of system calls can be made here: {0}")]
    Filter(String),
}
