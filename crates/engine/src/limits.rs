//! How often a rule may speak: whoever makes noise does not drown what others do.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

/// So many at once, and so many each second after that.
#[derive(Clone, Copy, Debug)]
struct Pace {
    burst: f64,
    rate: f64,
}

/// Of one process, and of all together.
#[derive(Clone, Copy, Debug)]
struct Paces {
    process: Pace,
    all: Pace,
}

/// What is raised. The bursts are less than may wait to be taken (`MOST_UNTAKEN` of the watch).
const RAISED: Paces =
    Paces { process: Pace { burst: 4000.0, rate: 200.0 }, all: Pace { burst: 6000.0, rate: 500.0 } };
/// What is only noted.
const NOTED: Paces =
    Paces { process: Pace { burst: 500.0, rate: 50.0 }, all: Pace { burst: 2000.0, rate: 300.0 } };
/// Rules and processes that are remembered; those at rest are forgotten first.
const MOST: usize = 16_384;
/// Stands for all processes.
const ALL: i64 = -1;

#[derive(Clone, Copy, Debug)]
struct Bucket {
    level: f64,
    ts: u64,
}

impl Bucket {
    fn level(self, pace: Pace, now: u64) -> f64 {
        let passed = now.saturating_sub(self.ts) as f64 / 1e9;
        pace.burst.min(self.level + passed * pace.rate)
    }
}

/// Counts what each rule says, and holds back what is too much.
#[derive(Debug, Default)]
pub struct Limits {
    /// For each rule whether it is only noted.
    noted: Vec<bool>,
    buckets: FxHashMap<(u32, i64), Bucket>,
    held: BTreeMap<u32, u64>,
}

impl Limits {
    /// Limits for rules of which some, by their numbers, are only noted.
    pub fn new(notes: &[u32]) -> Limits {
        let mut noted = vec![false; notes.iter().max().map_or(0, |last| *last as usize + 1)];
        notes.iter().for_each(|rule| noted[*rule as usize] = true);
        Limits { noted, ..Limits::default() }
    }

    /// Whether a rule may speak of a process now; it is counted when it may not.
    pub(crate) fn admits(&mut self, rule: u32, process: i64, now: u64) -> bool {
        let paces = self.paces(rule);
        let own = self.has_room((rule, process), paces.process, now);
        let admitted = own && self.has_room((rule, ALL), paces.all, now);
        if admitted {
            self.take((rule, process), paces.process, now);
            self.take((rule, ALL), paces.all, now);
        } else {
            *self.held.entry(rule).or_default() += 1;
        }
        admitted
    }

    /// How often each rule was held back since the last call.
    pub fn held(&mut self) -> Vec<(u32, u64)> {
        std::mem::take(&mut self.held).into_iter().collect()
    }

    /// Whether the matches of a rule are only noted.
    pub fn are_notes(&self, rule: u32) -> bool {
        self.noted.get(rule as usize).is_some_and(|noted| *noted)
    }

    fn paces(&self, rule: u32) -> Paces {
        if self.are_notes(rule) { NOTED } else { RAISED }
    }

    fn has_room(&self, key: (u32, i64), pace: Pace, now: u64) -> bool {
        self.buckets.get(&key).is_none_or(|bucket| bucket.level(pace, now) >= 1.0)
    }

    fn take(&mut self, key: (u32, i64), pace: Pace, now: u64) {
        if self.buckets.len() >= MOST && !self.buckets.contains_key(&key) {
            self.forget(now);
        }
        let bucket = self.buckets.entry(key).or_insert(Bucket { level: pace.burst, ts: now });
        *bucket = Bucket { level: bucket.level(pace, now) - 1.0, ts: now };
    }

    /// Forgets who is at rest, else everybody but the rules as a whole.
    fn forget(&mut self, now: u64) {
        let mut buckets = std::mem::take(&mut self.buckets);
        buckets.retain(|(rule, process), bucket| {
            let paces = self.paces(*rule);
            *process == ALL || bucket.level(paces.process, now) < paces.process.burst
        });
        if buckets.len() > MOST / 2 {
            buckets.retain(|(_, process), _| *process == ALL);
        }
        self.buckets = buckets;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn admitted(limits: &mut Limits, rule: u32, process: i64, now: u64, times: usize) -> usize {
        (0..times).filter(|_| limits.admits(rule, process, now)).count()
    }

    #[test]
    fn a_burst_is_heard_and_noise_is_held_and_counted() {
        let mut limits = Limits::new(&[1]);
        assert_eq!(admitted(&mut limits, 0, 7, SECOND, 5000), 4000);
        assert_eq!(admitted(&mut limits, 1, 7, SECOND, 5000), 500);
        assert_eq!(limits.held(), [(0, 1000), (1, 4500)]);
        assert_eq!(limits.held(), []);
        assert_eq!(admitted(&mut limits, 0, 7, 2 * SECOND, 5000), 200);
    }

    #[test]
    fn the_noise_of_one_process_and_of_one_rule_leaves_room_for_others() {
        let mut limits = Limits::new(&[1]);
        admitted(&mut limits, 0, 7, SECOND, 100_000);
        assert_eq!(admitted(&mut limits, 0, 8, SECOND, 1000), 1000);
        (0..10_000).for_each(|process| _ = limits.admits(1, process, SECOND));
        assert!(!limits.admits(1, 20_000, SECOND), "together they have said enough");
        assert!(limits.admits(2, 7, SECOND));
    }

    #[test]
    fn memory_is_bounded_and_what_is_forgotten_was_at_rest() {
        let mut limits = Limits::new(&[]);
        for process in 0..100_000 {
            let now = SECOND * process as u64;
            assert!(limits.admits(0, process, now));
        }
        assert!(limits.buckets.len() <= MOST);
    }

    #[test]
    fn a_clock_that_steps_back_gives_nothing() {
        let mut limits = Limits::new(&[]);
        assert_eq!(admitted(&mut limits, 0, 7, 10 * SECOND, 5000), 4000);
        assert_eq!(admitted(&mut limits, 0, 7, SECOND, 5000), 0);
    }
}
