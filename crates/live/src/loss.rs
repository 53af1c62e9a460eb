//! Losses: counted by the kernel side, told with the calls that they concern.

use std::collections::BTreeMap;

use eyas_probe::Sensor;

/// Events that were lost between two looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// The look before, nanoseconds since the epoch.
    pub since: u64,
    /// The look that found it.
    pub until: u64,
    /// How many, per class.
    pub lost: BTreeMap<&'static str, u64>,
    /// System calls and events of these classes.
    pub calls: Vec<&'static str>,
}

/// What was lost when somebody looked last.
#[derive(Debug)]
pub(crate) struct Ledger {
    at: u64,
    lost: BTreeMap<&'static str, u64>,
}

impl Ledger {
    pub(crate) fn new(now: u64) -> Ledger {
        Ledger { at: now, lost: BTreeMap::new() }
    }

    /// What was lost since the last look.
    pub(crate) fn look(&mut self, sensor: &Sensor, now: u64) -> Option<Loss> {
        let lost = sensor.counters().lost();
        let more = |(class, count): (&&'static str, &u64)| {
            let before = self.lost.get(*class).copied().unwrap_or(0);
            (*count > before).then(|| (*class, count - before))
        };
        let found: BTreeMap<_, _> = lost.iter().filter_map(more).collect();
        let since = std::mem::replace(&mut self.at, now);
        self.lost = lost;
        if found.is_empty() {
            return None;
        }
        let classes = eyas_probe::classes();
        let calls = found.keys().flat_map(|class| classes.get(class).cloned().unwrap_or_default()).collect();
        Some(Loss { since, until: now, lost: found, calls })
    }
}
