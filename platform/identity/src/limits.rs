//! Bounds on failed sign-ins and on wrong tokens from one network address, and at one hospital, beside those of an account.

use std::{hash::Hash, net::IpAddr, time::Duration};

use jiff::{SignedDuration, Timestamp};
use moka::{ops::compute::Op, policy::EvictionPolicy, sync::Cache};
use tenants::TenantId;

/// Failures are counted within this time.
const WINDOW: SignedDuration = SignedDuration::from_mins(15);
/// From one address. A hospital behind one of them does not mistype that often when shifts change.
const OF_ADDRESS: u32 = 100;
/// At one hospital, from all addresses together. It concerns only addresses from which nobody has signed in lately:
/// otherwise whoever fails often enough would keep a hospital's people out.
const OF_TENANT: u32 = 1_000;
/// Tokens, of programs and devices, from one address from which nobody has come with a right one lately.
const OF_TOKENS: u32 = 1_000;
/// How long an address is known after somebody has signed in from it.
const KNOWN_FOR: Duration = Duration::from_hours(24);
/// Addresses and hospitals kept in mind; beyond it the least recently seen are forgotten.
const KEPT: u64 = 50_000;

#[derive(Clone, Copy)]
struct Failures {
    since: Timestamp,
    count: u32,
}

/// Counts by key, within a window that begins with the first.
struct Counter<K>(Cache<K, Failures>);

impl<K: Hash + Eq + Send + Sync + 'static> Counter<K> {
    fn new() -> Self {
        Self(Cache::builder().max_capacity(KEPT).eviction_policy(EvictionPolicy::lru()).build())
    }

    /// How long a key has to wait that has reached a bound.
    fn wait(&self, key: &K, bound: u32, now: Timestamp) -> Option<Duration> {
        let failures = self.0.get(key).filter(|failures| failures.count >= bound)?;
        let age = now.duration_since(failures.since);
        // A clock that was set back ends the wait.
        (age >= SignedDuration::ZERO && age < WINDOW).then(|| (WINDOW - age).unsigned_abs())
    }

    fn add(&self, key: K, now: Timestamp) {
        self.0.entry(key).and_compute_with(|known| {
            let known = known.map(|entry| entry.into_value());
            let age = known.map_or(WINDOW, |known| now.duration_since(known.since));
            Op::Put(match known {
                Some(known) if age >= SignedDuration::ZERO && age < WINDOW => {
                    Failures { count: known.count.saturating_add(1), ..known }
                }
                _ => Failures { since: now, count: 1 },
            })
        });
    }
}

/// Who has failed how often.
pub(crate) struct Limits {
    addresses: Counter<String>,
    tenants: Counter<TenantId>,
    tokens: Counter<String>,
    known: Cache<String, ()>,
}

impl Limits {
    pub(crate) fn new() -> Self {
        let known = Cache::builder().max_capacity(KEPT).time_to_live(KNOWN_FOR).build();
        Self { addresses: Counter::new(), tenants: Counter::new(), tokens: Counter::new(), known }
    }

    /// How long nobody from this address is looked at.
    pub(crate) fn of_address(&self, from: &str, now: Timestamp) -> Result<(), Duration> {
        self.addresses.wait(&network(from), OF_ADDRESS, now).map_or(Ok(()), Err)
    }

    /// How long nobody of this tenant is looked at who comes from an address that is not known.
    pub(crate) fn of_tenant(&self, tenant: TenantId, from: &str, now: Timestamp) -> Result<(), Duration> {
        if self.known.contains_key(&network(from)) {
            return Ok(());
        }
        self.tenants.wait(&tenant, OF_TENANT, now).map_or(Ok(()), Err)
    }

    /// How long no token from this address is looked at. It concerns only addresses that are not known: a fleet behind one of
    /// them whose tokens are right goes on, whoever guesses beside it.
    pub(crate) fn of_tokens(&self, from: &str, now: Timestamp) -> Result<(), Duration> {
        let network = network(from);
        if network.is_empty() || self.known.contains_key(&network) {
            return Ok(());
        }
        self.tokens.wait(&network, OF_TOKENS, now).map_or(Ok(()), Err)
    }

    /// A token was presented that is none.
    pub(crate) fn token_failed(&self, from: &str, now: Timestamp) {
        if !from.is_empty() {
            self.tokens.add(network(from), now);
        }
    }

    /// Somebody has come with a right token.
    pub(crate) fn token_succeeded(&self, from: &str) {
        let network = network(from);
        if !network.is_empty() && !self.known.contains_key(&network) {
            self.known.insert(network, ());
        }
    }

    pub(crate) fn failed(&self, tenant: Option<TenantId>, from: &str, now: Timestamp) {
        self.addresses.add(network(from), now);
        if let Some(tenant) = tenant {
            self.tenants.add(tenant, now);
        }
    }

    pub(crate) fn succeeded(&self, from: &str) {
        self.known.insert(network(from), ());
    }
}

/// Whom an address belongs to: of IPv6 the first 64 bits, within which one host may have any.
fn network(from: &str) -> String {
    match from.parse() {
        Ok(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
            Some(address) => address.to_string(),
            None => format!("{:x}/64", u128::from(address) >> 64),
        },
        _ => from.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(n: u128) -> TenantId {
        TenantId::from_uuid(uuid::Uuid::from_u128(n))
    }

    #[test]
    fn an_address_waits_until_its_window_is_over() {
        let (limits, start) = (Limits::new(), Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1));
        let at = |minutes| start + SignedDuration::from_mins(minutes);
        for _ in 1..OF_ADDRESS {
            limits.failed(None, "192.0.2.1", start);
        }
        assert_eq!(limits.of_address("192.0.2.1", at(1)), Ok(()));
        limits.failed(None, "192.0.2.1", at(1));
        assert_eq!(limits.of_address("192.0.2.1", at(5)), Err(Duration::from_mins(10)));
        assert_eq!(limits.of_address("192.0.2.2", at(5)), Ok(()), "others are not concerned");
        assert_eq!(limits.of_address("192.0.2.1", at(15)), Ok(()));
        assert_eq!(limits.of_address("192.0.2.1", at(-1)), Ok(()), "a clock that was set back");
        limits.failed(None, "192.0.2.1", at(15));
        assert_eq!(limits.of_address("192.0.2.1", at(16)), Ok(()), "it is counted anew");
    }

    #[test]
    fn a_hospital_under_attack_lets_its_own_people_in() {
        let (limits, now) = (Limits::new(), Timestamp::UNIX_EPOCH);
        limits.succeeded("192.0.2.7");
        for n in 0..OF_TENANT {
            limits.failed(Some(tenant(1)), &format!("198.51.{}.{}", n / 250, n % 250), now);
        }
        assert!(limits.of_tenant(tenant(1), "203.0.113.9", now).is_err());
        assert_eq!(limits.of_tenant(tenant(1), "192.0.2.7", now), Ok(()), "somebody signed in from there");
        assert_eq!(limits.of_tenant(tenant(2), "203.0.113.9", now), Ok(()));
        assert_eq!(limits.of_address("198.51.0.1", now), Ok(()));
    }

    #[test]
    fn whoever_guesses_tokens_is_not_looked_at_and_a_fleet_that_is_known_is() {
        let (limits, now) = (Limits::new(), Timestamp::UNIX_EPOCH);
        limits.token_succeeded("192.0.2.7");
        for _ in 0..OF_TOKENS {
            assert_eq!(limits.of_tokens("203.0.113.9", now), Ok(()));
            for from in ["203.0.113.9", "192.0.2.7", ""] {
                limits.token_failed(from, now);
            }
        }
        assert_eq!(limits.of_tokens("203.0.113.9", now), Err(Duration::from_mins(15)));
        assert_eq!(limits.of_tokens("192.0.2.7", now), Ok(()), "devices of a hospital came from there");
        assert_eq!(limits.of_tokens("", now), Ok(()), "looked at again by the platform itself");
        assert_eq!(limits.of_address("203.0.113.9", now), Ok(()), "passwords are another matter");
    }

    #[test]
    fn one_host_of_ipv6_is_one_whichever_address_it_takes() {
        let same = ["2001:db8::1", "2001:db8::ffff:0:1", "2001:db8:0:0:1234::"];
        assert!(same.iter().all(|address| network(address) == network(same[0])));
        assert_ne!(network("2001:db8:0:1::1"), network(same[0]));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_eq!(network("unknown"), "unknown");
    }
}
