//! The kernel side: a probe in C, its loader, and what /proc tells about the start.

mod calls;
mod doctor;
mod encoding;
mod functions;
mod generated;
mod hook;
mod iterators;
mod named;
mod numbers;
mod order;
mod page;
mod params;
mod plan;
mod preemption;
pub mod procfs;
mod recipe;
mod record;
mod ring;
mod rung;
mod sensor;
mod sleeper;
mod test;
mod translate;

use std::collections::BTreeMap;

pub use doctor::{Facts, classes, doctor};
pub use hook::Hook;
pub use page::page;
pub use plan::{Plan, Sieve};
pub use rung::Rung;
pub use sensor::Sensor;
pub use test::Test;

/// Why the probe cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// Not root.
    #[error("watching the kernel needs root (CAP_BPF and CAP_PERFMON)")]
    Privilege,
    /// The kernel does not describe its types.
    #[error("this kernel has no BTF: /sys/kernel/btf/vmlinux is missing (CONFIG_DEBUG_INFO_BTF)")]
    Btf,
    /// A plan that cannot be read.
    #[error("not a plan of what to collect: {0}")]
    Plan(String),
    /// `bpf()` said no.
    #[error("the kernel refuses bpf(): {0}")]
    Refused(String),
}

/// What became of the events of one class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Put into a ring by the kernel side.
    pub sent: u64,
    /// Dropped because the ring was full.
    pub lost: u64,
    /// Read from the ring and made into an event that is judged.
    pub read: u64,
}

/// The ledger: every event that a hook wanted to send, and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Per class.
    pub classes: BTreeMap<&'static str, Account>,
    /// Received, but no event could be made of them.
    pub unknown: u64,
}

impl Counters {
    /// How many were lost, per class.
    pub fn lost(&self) -> BTreeMap<&'static str, u64> {
        self.classes.iter().map(|(class, account)| (*class, account.lost)).collect()
    }
}

/// Nanoseconds since the epoch.
pub(crate) fn now() -> u64 {
    procfs::clock(libc::CLOCK_REALTIME)
}
