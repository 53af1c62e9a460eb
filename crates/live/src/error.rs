//! Why watching does not begin, or ends.

use std::io;
use std::path::PathBuf;

use eyas_probe::ProbeError;

/// Why watching does not begin, or ends.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// The kernel side cannot run.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// The recording cannot be written.
    #[error("{path}: {error}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        error: io::Error,
    },
    /// A call of our own failed.
    #[error("cannot wait for events: {0}")]
    Wait(#[from] io::Error),
    /// The thread is gone.
    #[error("watching has ended")]
    Ended,
}

impl LiveError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            LiveError::Probe(ProbeError::Privilege) => "run it as root, or with CAP_BPF and CAP_PERFMON",
            LiveError::Probe(ProbeError::Btf) => "use a kernel built with CONFIG_DEBUG_INFO_BTF=y",
            LiveError::Probe(ProbeError::Refused(_)) => {
                "see `eyas doctor`; lockdown, a seccomp filter of the container or a missing capability may forbid it"
            }
            _ => "",
        }
    }
}
