//! Growing delays for an account whose password is being guessed.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use moka::{ops::compute::Op, policy::EvictionPolicy, sync::Cache};
use tenants::credentials::SecretHash;

/// Wrong passwords that cost nothing: people mistype.
const FREE_ATTEMPTS: u32 = 5;
/// Longest delay. Not more, because whoever can name an account can hold its owner back, and its owner may be
/// the one on duty.
const LONGEST: SignedDuration = SignedDuration::from_secs(60);
/// After this long without an attempt all is forgotten.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(1);
/// Accounts kept in mind, known or not; beyond it the least recently tried are forgotten.
const ACCOUNTS: u64 = 50_000;

#[derive(Clone, Copy)]
struct Attempts {
    failures: u32,
    last: Timestamp,
}

/// Remembers wrong passwords by account.
pub(crate) struct BackOff(Cache<[u8; 32], Attempts>);

impl BackOff {
    pub(crate) fn new() -> Self {
        Self(Cache::builder().max_capacity(ACCOUNTS).eviction_policy(EvictionPolicy::lru()).build())
    }

    /// Takes note of an attempt, as a failure until [`BackOff::succeeded`] says otherwise: many attempts at
    /// once count as many.
    pub(crate) fn begin(&self, account: &str, now: Timestamp) -> Result<(), Duration> {
        let mut outcome = Ok(());
        self.0.entry(key(account)).and_compute_with(|known| {
            let attempts = known.map(|entry| entry.into_value());
            let since = attempts.map_or(FORGOTTEN_AFTER, |attempts| now.duration_since(attempts.last));
            // A clock that was set back must hold nobody back for long: it ends the delay.
            let failures = match attempts {
                Some(attempts) if since < FORGOTTEN_AFTER => attempts.failures,
                _ => 0,
            };
            let wait = delay(failures) - since;
            if since >= SignedDuration::ZERO && wait > SignedDuration::ZERO {
                outcome = Err(wait.unsigned_abs());
                return Op::Nop;
            }
            Op::Put(Attempts { failures: failures.saturating_add(1), last: now })
        });
        outcome
    }

    /// The attempt was right.
    pub(crate) fn succeeded(&self, account: &str) {
        self.0.invalidate(&key(account));
    }
}

fn key(account: &str) -> [u8; 32] {
    *SecretHash::of(account.as_bytes()).as_bytes()
}

/// What has to pass after so many failures: 0 for the free ones, then 1 s, 2 s, 4 s ... up to the longest.
fn delay(failures: u32) -> SignedDuration {
    match failures.checked_sub(FREE_ATTEMPTS) {
        None => SignedDuration::ZERO,
        Some(further) => SignedDuration::from_secs(1_i64 << further.min(6)).min(LONGEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_grows_to_a_minute() {
        let expected = [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60];
        for (failures, seconds) in (0_u32..).zip(expected) {
            assert_eq!(delay(failures).as_secs(), seconds, "after {failures}");
        }
        assert_eq!(delay(u32::MAX), LONGEST);
    }

    #[test]
    fn guessing_is_held_back_and_one_success_ends_it() {
        let (back_off, start) = (BackOff::new(), Timestamp::UNIX_EPOCH);
        for _ in 0..FREE_ATTEMPTS {
            assert_eq!(back_off.begin("a@b", start), Ok(()));
        }
        assert_eq!(back_off.begin("a@b", start), Err(Duration::from_secs(1)), "all at once count too");
        assert_eq!(back_off.begin("c@d", start), Ok(()), "others are not concerned");
        let half = start + SignedDuration::from_millis(500);
        assert_eq!(
            back_off.begin("a@b", half),
            Err(Duration::from_millis(500)),
            "asking does not prolong it"
        );
        let after = start + SignedDuration::from_secs(1);
        assert_eq!(back_off.begin("a@b", after), Ok(()));
        assert_eq!(back_off.begin("a@b", after), Err(Duration::from_secs(2)));
        back_off.succeeded("a@b");
        assert_eq!(back_off.begin("a@b", after), Ok(()));
    }

    #[test]
    fn time_heals_and_a_clock_set_back_does_no_harm() {
        let (back_off, start) = (BackOff::new(), Timestamp::UNIX_EPOCH + SignedDuration::from_hours(100));
        let fail = |now| while back_off.begin("a@b", now).is_ok() {};
        fail(start);
        assert_eq!(back_off.begin("a@b", start + FORGOTTEN_AFTER), Ok(()));
        fail(start + FORGOTTEN_AFTER);
        assert_eq!(back_off.begin("a@b", start), Ok(()), "the delay ended, the count went on");
        assert_eq!(back_off.begin("a@b", start), Err(Duration::from_secs(2)));
    }
}
