//! Events of all rings in the order of their time.

/// Events this young wait for older ones of other rings and processors.
pub(crate) const WINDOW_NS: u64 = 300_000;

/// Events that wait. Their bytes stand one after another, so that none is allocated alone.
#[derive(Debug, Default)]
pub(crate) struct Order {
    bytes: Vec<u8>,
    waiting: Vec<(u64, usize, usize)>,
}

impl Order {
    /// Takes an event that `write` appends; one that it declines leaves nothing.
    pub(crate) fn push<T>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Option<T>) -> Option<T> {
        let start = self.bytes.len();
        let Some(written) = write(&mut self.bytes) else {
            self.bytes.truncate(start);
            return None;
        };
        let ts = self.bytes[start..].first_chunk::<8>().map_or(0, |b| u64::from_le_bytes(*b));
        self.waiting.push((ts, start, self.bytes.len()));
        Some(written)
    }

    /// Hands over what is not younger than `until`, oldest first; events of one time keep their order.
    pub(crate) fn release(&mut self, until: u64, take: &mut dyn FnMut(&[u8])) {
        self.waiting.sort_by_key(|(ts, _, _)| *ts);
        let ready = self.waiting.partition_point(|(ts, _, _)| *ts <= until);
        for (_, start, end) in self.waiting.drain(..ready) {
            take(&self.bytes[start..end]);
        }
        if self.waiting.is_empty() {
            self.bytes.clear();
        } else if ready > 0 {
            self.compact();
        }
    }

    /// Time of the oldest event that waits.
    pub(crate) fn oldest(&self) -> Option<u64> {
        self.waiting.iter().map(|(ts, _, _)| *ts).min()
    }

    /// Time of the event that was taken last.
    pub(crate) fn newest(&self) -> Option<u64> {
        self.waiting.last().map(|(ts, _, _)| *ts)
    }

    fn compact(&mut self) {
        let mut bytes = Vec::with_capacity(self.bytes.len() / 2);
        for (_, start, end) in &mut self.waiting {
            let at = bytes.len();
            bytes.extend_from_slice(&self.bytes[*start..*end]);
            (*start, *end) = (at, bytes.len());
        }
        self.bytes = bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(order: &mut Order, ts: u64, mark: u8) {
        order.push(|out| {
            out.extend_from_slice(&ts.to_le_bytes());
            out.push(mark);
            Some(())
        });
    }

    #[test]
    fn events_come_oldest_first_and_young_ones_wait() {
        let mut order = Order::default();
        [(30, 3), (10, 1), (20, 2), (10, 4)].iter().for_each(|(ts, mark)| push(&mut order, *ts, *mark));
        let mut seen = Vec::new();
        order.release(20, &mut |b| seen.push(b[8]));
        assert_eq!(seen, [1, 4, 2]);
        assert_eq!(order.oldest(), Some(30));
        push(&mut order, 25, 5);
        order.release(30, &mut |b| seen.push(b[8]));
        assert_eq!(seen, [1, 4, 2, 5, 3]);
        assert_eq!(order.oldest(), None);
    }

    #[test]
    fn a_declined_event_leaves_nothing() {
        let mut order = Order::default();
        let declined: Option<()> = order.push(|out| {
            out.push(1);
            None
        });
        assert_eq!(declined, None);
        assert_eq!(order.oldest(), None);
    }
}
