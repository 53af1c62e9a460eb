//! What this machine allows.

use std::collections::BTreeMap;
use std::path::Path;

use crate::{ProbeError, Rung};

const BTF: &str = "/sys/kernel/btf/vmlinux";

/// Facts about the kernel and our rights.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Facts {
    pub release: String,
    pub root: bool,
    pub btf: bool,
    /// Why bpf() is refused, if it is.
    pub refused: Option<String>,
    /// Which hooks are used, and so what is lost; none when the probe cannot run.
    pub rung: Option<Rung>,
    /// Better hooks, and why the kernel does not allow them.
    pub refusals: Vec<(Rung, String)>,
    /// Where the state at the start comes from.
    pub scans: Option<&'static str>,
    /// Names of the system calls that can be collected.
    pub calls: Vec<&'static str>,
    /// Events that can be collected.
    pub events: Vec<u16>,
}

/// The calls and events of each class in which losses are counted.
pub fn classes() -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for call in crate::calls::CALLS {
        all.entry(crate::sensor::CLASSES[call.class as usize]).or_default().push(call.name);
    }
    all.entry("life")
        .or_default()
        .extend(["execve", "execveat", "clone", "clone3", "fork", "vfork", "procexit"]);
    all
}

/// Refuses with the first thing that is missing.
pub(crate) fn expect_possible() -> Result<(), ProbeError> {
    if !is_root() {
        return Err(ProbeError::Privilege);
    }
    if !Path::new(BTF).exists() {
        return Err(ProbeError::Btf);
    }
    Ok(())
}

fn is_root() -> bool {
    // SAFETY: geteuid cannot fail.
    unsafe { libc::geteuid() == 0 }
}

/// Looks at the machine; loads the probe when that is possible.
pub fn doctor() -> Facts {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned();
    let opened = crate::Sensor::open();
    let rung = opened.as_ref().ok().map(crate::Sensor::rung);
    let scans = opened.as_ref().ok().map(crate::Sensor::scans);
    let refusals = opened.as_ref().map(|sensor| sensor.refusals().to_vec()).unwrap_or_default();
    let refused = opened.err().map(|error| error.to_string());
    let mut events: Vec<u16> = crate::calls::CALLS.iter().map(|call| call.event).collect();
    events.extend([
        eyas_event::id::SYSCALL_EXECVE_19_X,
        eyas_event::id::SYSCALL_CLONE_20_X,
        eyas_event::id::PROCEXIT_1_E,
    ]);
    Facts {
        release,
        root: is_root(),
        btf: Path::new(BTF).exists(),
        refused,
        rung,
        refusals,
        scans,
        calls: crate::calls::CALLS.iter().map(|call| call.name).collect(),
        events,
    }
}
