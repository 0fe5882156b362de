//! Keeping to a rate: a period's worth may go at once, what is more has to wait for its turn.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// So much in each period.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    pub(super) amount: u32,
    pub(super) period: Duration,
}

impl Rate {
    fn nanos(self, amount: u64) -> u64 {
        let nanos = u128::from(amount) * self.period.as_nanos() / u128::from(self.amount.max(1));
        u64::try_from(nanos).unwrap_or(u64::MAX)
    }
}

/// When everything that was let through is paid off, in nanoseconds since a start that never changes (the generic cell
/// rate algorithm: one number, no timer).
#[derive(Debug, Default)]
pub(super) struct Pace(AtomicU64);

impl Pace {
    /// Takes an amount, and says how long to wait before it is used; whoever comes later waits behind. Where that would be
    /// longer than `patience` nothing is taken, and the error says when it would be enough to wait that long.
    pub(super) fn take(
        &self,
        now: Duration,
        amount: u64,
        rate: Rate,
        patience: Duration,
    ) -> Result<Duration, Duration> {
        let (now, cost) = (nanos(now), rate.nanos(amount));
        let (period, patience) = (nanos(rate.period), nanos(patience));
        let mut paid_off = self.0.load(Ordering::Relaxed);
        loop {
            let next = paid_off.max(now).saturating_add(cost);
            let wait = next.saturating_sub(now.saturating_add(period));
            if wait > patience {
                return Err(Duration::from_nanos(wait - patience));
            }
            match self.0.compare_exchange_weak(paid_off, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(Duration::from_nanos(wait)),
                Err(meanwhile) => paid_off = meanwhile,
            }
        }
    }

    /// Whether nothing of what was taken still counts.
    pub(super) fn rests(&self, now: Duration) -> bool {
        self.0.load(Ordering::Relaxed) <= nanos(now)
    }

    /// As if nothing had been taken for long.
    pub(super) fn rest(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_periods_worth_goes_at_once_and_what_is_more_waits_in_turn() {
        let (pace, rate) = (Pace::default(), Rate { amount: 100, period: SECOND });
        let at = Duration::from_millis;
        assert_eq!(pace.take(at(0), 100, rate, SECOND), Ok(at(0)));
        assert_eq!(pace.take(at(0), 10, rate, SECOND), Ok(at(100)));
        assert_eq!(pace.take(at(0), 10, rate, SECOND), Ok(at(200)), "behind the one before");
        assert_eq!(pace.take(at(0), 90, rate, SECOND), Err(at(100)), "it would wait 1.1 s");
        assert_eq!(pace.take(at(100), 90, rate, SECOND), Ok(at(1_000)));
        assert_eq!(pace.take(at(60_000), 100, rate, at(0)), Ok(at(0)), "rest fills one period, not more");
        assert_eq!(pace.take(at(60_000), 1, rate, at(0)), Err(at(10)));
        assert_eq!(pace.take(at(60_010), 1, rate, at(0)), Ok(at(0)));
    }

    proptest! {
        /// Whatever is asked for when: in any stretch of time no more is let through than the rate and one period's worth.
        #[test]
        fn no_more_is_let_through_than_the_rate(
            amount in 1_u32..1_000,
            asked in prop::collection::vec((0_u64..500, 0_u64..300), 1..100),
        ) {
            let (pace, rate) = (Pace::default(), Rate { amount, period: SECOND });
            let mut now = Duration::ZERO;
            let mut used: Vec<(Duration, u64)> = Vec::new();
            for (pause, wanted) in asked {
                now += Duration::from_millis(pause);
                if let Ok(wait) = pace.take(now, wanted, rate, Duration::from_secs(5)) {
                    prop_assert!(wait <= Duration::from_secs(5));
                    used.push((now + wait, wanted));
                }
            }
            for (first, (from, _)) in used.iter().enumerate() {
                for (last, (until, _)) in used.iter().enumerate().skip(first) {
                    // The first of a stretch may have waited until it was paid for, and so may be larger than a period's worth.
                    let through: u64 = used[first..=last].iter().skip(1).map(|(_, n)| n).sum();
                    let most = (*until - *from).as_secs_f64() * f64::from(amount) + f64::from(amount);
                    prop_assert!(through as f64 <= most + 1.0, "{through} > {most}");
                }
            }
        }
    }
}
