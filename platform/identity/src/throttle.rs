//! Lets the first of many like events through and counts the others, so that whoever is refused in a loop
//! cannot fill the audit trail.

use std::hash::Hash;

use jiff::{SignedDuration, Timestamp};
use moka::{ops::compute::Op, policy::EvictionPolicy, sync::Cache};

/// One entry in this time for each key.
const WINDOW: SignedDuration = SignedDuration::from_secs(60);
/// Keys kept in mind.
const KEYS: u64 = 20_000;

#[derive(Clone, Copy)]
struct Window {
    since: Timestamp,
    suppressed: u32,
}

pub(crate) struct Throttle<K>(Cache<K, Window>);

impl<K: Hash + Eq + Send + Sync + 'static> Throttle<K> {
    pub(crate) fn new() -> Self {
        Self(Cache::builder().max_capacity(KEYS).eviction_policy(EvictionPolicy::lru()).build())
    }

    /// `Some` when the event is to be written down, with how many were not since the last that was.
    pub(crate) fn pass(&self, key: K, now: Timestamp) -> Option<u32> {
        let mut outcome = None;
        self.0.entry(key).and_compute_with(|known| {
            let known = known.map(|entry| entry.into_value());
            if let Some(window) = known {
                let age = now.duration_since(window.since);
                if age >= SignedDuration::ZERO && age < WINDOW {
                    return Op::Put(Window { suppressed: window.suppressed.saturating_add(1), ..window });
                }
            }
            outcome = Some(known.map_or(0, |window| window.suppressed));
            Op::Put(Window { since: now, suppressed: 0 })
        });
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_passes_and_the_next_tells_how_many_did_not() {
        let (throttle, start) = (Throttle::new(), Timestamp::UNIX_EPOCH);
        let at = |seconds| start + SignedDuration::from_secs(seconds);
        for (key, second, expected) in [
            ("a", 0, Some(0)),
            ("a", 1, None),
            ("a", 59, None),
            ("b", 59, Some(0)),
            ("a", 60, Some(2)),
            ("a", 61, None),
            ("a", 200, Some(1)),
            // A clock that was set back.
            ("a", 100, Some(0)),
        ] {
            assert_eq!(throttle.pass(key, at(second)), expected, "{key} at {second}");
        }
    }
}
