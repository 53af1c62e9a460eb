//! Limit of a rate, one for each sender: a bucket that fills with time and that every request takes from.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

const SENDERS: usize = 10_000;

/// Buckets by sender; full ones are forgotten when there are too many.
pub(crate) struct Buckets {
    rate: f64,
    level: FxHashMap<IpAddr, (f64, Instant)>,
}

impl Buckets {
    pub(crate) fn new(rate: f64) -> Buckets {
        Buckets { rate, level: FxHashMap::default() }
    }

    fn size(&self) -> f64 {
        self.rate.max(1.0)
    }

    /// Takes one; false when the sender's bucket is empty.
    pub(crate) fn take(&mut self, sender: IpAddr, now: Instant) -> bool {
        if self.level.len() >= SENDERS {
            self.forget(now);
        }
        let (size, rate) = (self.size(), self.rate);
        let (level, at) = self.level.entry(sender).or_insert((size, now));
        *level = (*level + now.saturating_duration_since(*at).as_secs_f64() * rate).min(size);
        *at = now;
        let good = *level >= 1.0;
        if good {
            *level -= 1.0;
        }
        good
    }

    /// Forgets senders whose bucket is full by now; all of them when that does not help.
    fn forget(&mut self, now: Instant) {
        let full = Duration::try_from_secs_f64(self.size() / self.rate).unwrap_or(Duration::MAX);
        self.level.retain(|_, (_, at)| now.saturating_duration_since(*at) < full);
        if self.level.len() >= SENDERS {
            self.level.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_fills_with_time() {
        let (mut buckets, start) = (Buckets::new(2.0), Instant::now());
        let [one, other] = [1, 2].map(|n| IpAddr::from([10, 0, 0, n]));
        assert!(buckets.take(one, start) && buckets.take(one, start));
        assert!(!buckets.take(one, start));
        assert!(buckets.take(other, start));
        assert!(buckets.take(one, start + Duration::from_millis(500)));
        assert!(!buckets.take(one, start + Duration::from_millis(500)));
    }

    #[test]
    fn senders_without_end_are_forgotten() {
        let (mut buckets, start) = (Buckets::new(0.001), Instant::now());
        for n in 0..=SENDERS as u32 {
            assert!(buckets.take(IpAddr::from(n.to_be_bytes()), start));
        }
        assert!(buckets.level.len() < SENDERS);
    }
}
