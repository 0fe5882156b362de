//! Identifiers. UUIDs for what the platform creates, validated text for what people and devices name.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{access::Role, clock::Clock, credentials::SecretHash};

/// A text that is not an identifier of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a valid {kind}: expected {expected}")]
pub struct IdError {
    kind: &'static str,
    expected: &'static str,
    /// What was given, cut to 64 characters.
    text: String,
}

impl IdError {
    pub(crate) fn new(kind: &'static str, expected: &'static str, text: &str) -> Self {
        Self { kind, expected, text: text.chars().take(64).collect() }
    }
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id that sorts by the time it was made (UUID version 7).
            pub fn new(clock: &dyn Clock) -> Self {
                let now = clock.now();
                let seconds = u64::try_from(now.as_second()).unwrap_or_default();
                let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or_default();
                Self(Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanoseconds)))
            }
            /// Wraps a UUID that is known to be one of these.
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }
            /// The UUID inside.
            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::parse_str(text).map(Self).map_err(|_| IdError::new($kind, "a UUID", text))
            }
        }
    };
}

uuid_id!(
    /// A tenant: one hospital or health organisation.
    TenantId, "tenant id");
uuid_id!(
    /// A person who signs in.
    UserId, "user id");
uuid_id!(
    /// An API token; the token's secret is something else.
    TokenId, "token id");
uuid_id!(
    /// A signed-in browser; the cookie's secret is something else.
    SessionId, "session id");
uuid_id!(
    /// A hospital as a whole, a department or a ward within a tenant.
    UnitId, "unit id");
uuid_id!(
    /// An identity provider that a tenant has enrolled.
    ProviderId, "identity provider id");
uuid_id!(
    /// A patient within a tenant.
    PatientId, "patient id");
uuid_id!(
    /// A record that somebody opened in an emergency.
    OpeningId, "opening id");
uuid_id!(
    /// A program that acts for a hospital itself.
    ClientId, "client id");
uuid_id!(
    /// A certificate authority whose devices a tenant lets in.
    AuthorityId, "certificate authority id");
uuid_id!(
    /// What an operator asked a hospital for.
    ElevationId, "elevation id");
uuid_id!(
    /// One occurrence of an alarm.
    AlarmId, "alarm id");
uuid_id!(
    /// A session of an MQTT client that is kept while the client is away.
    MailboxId, "mailbox id");
uuid_id!(
    /// A rule that judges readings.
    RuleId, "rule id");

impl SessionId {
    /// Follows from the hash of the session's secret, and does not lead back to it.
    pub fn of(secret: &SecretHash) -> Self {
        let digest = SecretHash::of(&[b"session id".as_slice(), secret.as_bytes()].concat());
        let bytes = digest.as_bytes().first_chunk::<16>().copied().unwrap_or_default();
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }
}

impl TenantId {
    /// The platform itself: operators and their tokens live here. It owns no devices and no patients.
    pub const PLATFORM: TenantId = TenantId(Uuid::nil());
}

impl ClientId {
    /// The key by which its rights are held beside those of people.
    pub const fn as_holder(self) -> UserId {
        UserId::from_uuid(self.0)
    }
}

impl UnitId {
    /// The unit that stands for the whole hospital; every other one is below it. It has the tenant's own id.
    pub const fn root(tenant: TenantId) -> UnitId {
        UnitId(*tenant.as_uuid())
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $expected:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and wraps a text.
            ///
            /// # Errors
            /// [`IdError`] when the text does not have the required form.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) { Ok(Self(text.into())) } else { Err(IdError::new($kind, $expected, text)) }
            }
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

text_id!(
/// The short name of a tenant in user names and addresses.
TenantSlug, "tenant slug", "2 to 39 of a-z, 0-9 and -, starting with a letter",
|text| {
    (2..=39).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
});

text_id!(
/// The name of a role, built in or a hospital's own.
RoleName, "role", "2 to 39 of a-z, 0-9 and -, starting with a letter",
|text| {
    (2..=39).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
});

impl From<Role> for RoleName {
    /// The words of built-in roles have the form of a role's name, which a test sees to.
    fn from(role: Role) -> Self {
        Self(role.as_str().into())
    }
}

text_id!(
/// The name of a device, unique within its tenant.
DeviceId, "device id", "1 to 128 of A-Z, a-z, 0-9, '.', '_', ':' and '-'",
|text| {
    (1..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'-'))
});

/// Position of a message in its tenant's log; the first is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sequence(pub u64);

impl Sequence {
    /// Before the first message.
    pub const ZERO: Sequence = Sequence(0);

    /// The position `count` messages further on.
    #[must_use]
    pub fn plus(self, count: u64) -> Self {
        Self(self.0.saturating_add(count))
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Follows one packet from the socket to the outbox in traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CorrelationId(pub u64);

impl fmt::Display for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// One of the 1,024 shares in which devices are owned by nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Partition(u16);

impl Partition {
    /// How many there are; fixed for the life of a database.
    pub const COUNT: u16 = 1024;

    /// The partition of a device: FNV-1a over the tenant's bytes and the device's name, so that it is
    /// the same on every node and in every version.
    pub fn of(tenant: TenantId, device: &DeviceId) -> Self {
        let bytes = tenant.0.as_bytes().iter().chain(device.as_str().as_bytes());
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        // The low bits of FNV are its weakest; fold the high half in before the cut.
        let mixed = hash ^ (hash >> 32);
        #[allow(clippy::cast_possible_truncation, reason = "the remainder is below 1,024")]
        Self((mixed % u64::from(Self::COUNT)) as u16)
    }

    /// The number, 0 to 1,023.
    pub const fn number(self) -> u16 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_roles_have_names_of_roles() {
        for role in Role::ALL {
            assert_eq!(RoleName::parse(role.as_str()).unwrap(), RoleName::from(*role));
        }
    }

    #[test]
    fn names_that_could_smuggle_a_topic_are_refused() {
        for bad in ["", "a/b", "a+b", "#", "ü", "a b", "$x", &"x".repeat(129)] {
            assert!(DeviceId::parse(bad).is_err(), "{bad:?}");
        }
        for good in ["m-1", "urn:oid:1.2", "A.b_c", &"x".repeat(128)] {
            assert!(DeviceId::parse(good).is_ok(), "{good:?}");
        }
        for bad in ["", "a", "1ab", "-ab", "Ab", "a_b", "a/b", &"x".repeat(40)] {
            assert!(TenantSlug::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_partition_of_a_device_never_changes() {
        let tenant = TenantId::from_uuid(Uuid::from_u128(7));
        let partition = |name: &str| Partition::of(tenant, &DeviceId::parse(name).unwrap()).number();
        // Written down once: a different number would strand data that nodes already own.
        assert_eq!([partition("monitor-1"), partition("monitor-2")], [PINNED.0, PINNED.1]);
    }
    const PINNED: (u16, u16) = (908, 949);

    #[test]
    fn partitions_are_evenly_used() {
        let tenant = TenantId::from_uuid(Uuid::from_u128(42));
        let mut load = vec![0_u32; usize::from(Partition::COUNT)];
        for n in 0..100_000 {
            let device = DeviceId::parse(&format!("bench-{n:05}")).unwrap();
            load[usize::from(Partition::of(tenant, &device).number())] += 1;
        }
        let (least, most) = (load.iter().min().unwrap(), load.iter().max().unwrap());
        assert!(*least > 40 && *most < 180, "between {least} and {most} of about 98");
    }
}
