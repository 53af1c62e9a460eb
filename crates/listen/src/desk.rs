//! The desk between the listener and whoever judges: what arrived waits here, and answers are given here.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use rustc_hash::FxHashMap;
use tokio::sync::oneshot;

/// Refusals that are kept one by one until they are taken; more of a reason only count.
const REFUSALS: usize = 1000;

/// A request whose body is whole.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// What its answer names.
    pub number: u64,
    /// Who sent it.
    pub peer: IpAddr,
    /// The headers that are wanted: name and value.
    pub headers: Vec<(String, String)>,
    /// The body, unpacked.
    pub body: Bytes,
}

/// Something that was not taken.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Who sent it.
    pub peer: IpAddr,
    /// Why, in words that counters have.
    pub reason: &'static str,
    /// More about it.
    pub detail: String,
    /// How many times.
    pub count: u64,
}

/// An answer to a request.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

/// What has gathered since the last look.
#[derive(Debug, Default)]
pub struct Batch {
    /// Requests, in the order of their arrival.
    pub requests: Vec<Arrived>,
    /// What was refused.
    pub refusals: Vec<Refusal>,
    /// Why the listener has ended, if it has.
    pub failure: Option<String>,
}

#[derive(Default)]
struct Inner {
    requests: VecDeque<Arrived>,
    refusals: Vec<Refusal>,
    open: FxHashMap<u64, oneshot::Sender<Reply>>,
    next: u64,
    failure: Option<String>,
}

#[derive(Default)]
pub(crate) struct Desk {
    inner: Mutex<Inner>,
    changed: Condvar,
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a request on the desk, unless too many wait there; gives where its answer comes from.
    pub(crate) fn put(&self, mut arrived: Arrived, most: usize) -> Option<(u64, oneshot::Receiver<Reply>)> {
        let mut inner = self.lock();
        if inner.open.len() >= most {
            return None;
        }
        let (answer, answered) = oneshot::channel();
        inner.next += 1;
        let number = inner.next;
        arrived.number = number;
        inner.open.insert(number, answer);
        inner.requests.push_back(arrived);
        drop(inner);
        self.changed.notify_one();
        Some((number, answered))
    }

    /// Forgets a request that nobody waits for any more.
    pub(crate) fn give_up(&self, number: u64) {
        self.lock().open.remove(&number);
    }

    pub(crate) fn refuse(&self, refusal: Refusal) {
        let mut inner = self.lock();
        let full = inner.refusals.len() >= REFUSALS;
        let same = |one: &&mut Refusal| one.reason == refusal.reason;
        match inner.refusals.iter_mut().rev().find(same).filter(|_| full) {
            Some(known) => known.count += refusal.count,
            None => inner.refusals.push(refusal),
        }
        drop(inner);
        self.changed.notify_one();
    }

    pub(crate) fn fail(&self, why: String) {
        self.lock().failure = Some(why);
        self.changed.notify_one();
    }

    /// Answers a request.
    pub(crate) fn answer(&self, number: u64, reply: Reply) {
        if let Some(answer) = self.lock().open.remove(&number) {
            // Whoever asked may have gone.
            let _ = answer.send(reply);
        }
    }

    /// Leaves all that wait without an answer.
    pub(crate) fn abandon(&self) {
        let mut inner = self.lock();
        inner.open.clear();
        inner.requests.clear();
    }

    /// Takes what has gathered; waits for something at most this long.
    pub(crate) fn take(&self, most: usize, wait: Duration) -> Batch {
        let mut inner = self.lock();
        if inner.requests.is_empty() && inner.refusals.is_empty() && inner.failure.is_none() {
            let (found, _) = self.changed.wait_timeout(inner, wait).unwrap_or_else(PoisonError::into_inner);
            inner = found;
        }
        let count = inner.requests.len().min(most);
        Batch {
            requests: inner.requests.drain(..count).collect(),
            refusals: std::mem::take(&mut inner.refusals),
            failure: inner.failure.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(reason: &'static str) -> Refusal {
        Refusal { peer: IpAddr::from([127, 0, 0, 1]), reason, detail: String::new(), count: 1 }
    }

    #[test]
    fn refusals_that_nobody_takes_are_counted_and_cost_no_memory() {
        let desk = Desk::default();
        for _ in 0..REFUSALS * 3 {
            desk.refuse(refusal("wrong token"));
        }
        desk.refuse(refusal("too large"));
        let found = desk.take(1, Duration::ZERO).refusals;
        assert_eq!(found.len(), REFUSALS + 1);
        assert_eq!(found.iter().map(|one| one.count).sum::<u64>(), REFUSALS as u64 * 3 + 1);
    }
}
