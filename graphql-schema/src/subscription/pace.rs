//! Holds back bursts.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

/// A person reads no faster than four changes a second, and a chart needs no more.
const INTERVAL: Duration = Duration::from_millis(250);

/// The newest change of each key since the last time they were taken. Taken at most every quarter of a
/// second; the first after a pause at once.
#[derive(Debug)]
pub(super) struct Held<K, V> {
    newest: BTreeMap<K, V>,
    taken: Option<Instant>,
}

impl<K, V> Default for Held<K, V> {
    fn default() -> Self {
        Self { newest: BTreeMap::new(), taken: None }
    }
}

impl<K: Ord, V> Held<K, V> {
    /// Replaces what is held for the key.
    pub(super) fn hold(&mut self, key: K, value: V) {
        self.newest.insert(key, value);
    }

    /// Forgets what is held for the key.
    pub(super) fn forget(&mut self, key: &K) {
        self.newest.remove(key);
    }

    /// When what is held may be taken; `None` while nothing is held.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        (!self.newest.is_empty()).then(|| self.taken.map_or(now, |taken| taken + INTERVAL))
    }

    /// Everything held, if it is time.
    pub(super) fn take(&mut self, now: Instant) -> BTreeMap<K, V> {
        if self.due(now).is_none_or(|due| due > now) {
            return BTreeMap::new();
        }
        self.taken = Some(now);
        std::mem::take(&mut self.newest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_newest_always_arrives_and_nothing_arrives_too_often(
            changes in prop::collection::vec((0_u64..400, 0_u8..3), 1..200)
        ) {
            let start = Instant::now();
            let mut held = Held::default();
            let (mut now, mut sent, mut last) = (start, Vec::new(), [None; 3]);
            for (number, (gap, key)) in changes.into_iter().enumerate() {
                let next = now + Duration::from_millis(gap);
                // As a stream does: whatever falls due before the next change is taken when it is due.
                while let Some(due) = held.due(now).filter(|due| *due <= next) {
                    now = due.max(now);
                    sent.extend(held.take(now).into_iter().map(|(key, number)| (now, key, number)));
                }
                now = next;
                held.hold(key, number);
                last[usize::from(key)] = Some(number);
            }
            if let Some(due) = held.due(now) {
                now = due.max(now);
                sent.extend(held.take(now).into_iter().map(|(key, number)| (now, key, number)));
            }
            prop_assert_eq!(held.due(now), None);
            for key in 0_u8..3 {
                let of_key: Vec<_> = sent.iter().filter(|(_, of, _)| *of == key).collect();
                prop_assert_eq!(of_key.last().map(|(_, _, number)| *number), last[usize::from(key)]);
                for pair in of_key.windows(2) {
                    prop_assert!(pair[1].0 - pair[0].0 >= INTERVAL && pair[1].2 > pair[0].2);
                }
            }
        }
    }

    #[test]
    fn the_first_after_a_pause_is_not_held() {
        let now = Instant::now();
        let mut held = Held::default();
        assert_eq!(held.due(now), None);
        held.hold(1, "a");
        assert_eq!(held.take(now).len(), 1);
        held.hold(1, "b");
        assert_eq!(held.take(now + INTERVAL / 2).len(), 0);
        assert_eq!(held.due(now), Some(now + INTERVAL));
        held.forget(&1);
        assert_eq!(held.due(now), None);
        held.hold(1, "c");
        assert_eq!(held.take(now + INTERVAL * 9).len(), 1);
    }
}
