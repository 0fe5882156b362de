//! Service clients: programs that act for the hospital itself, not for one of its people (OAuth 2 client credentials,
//! RFC 6749 section 4.4).

use jiff::{SignedDuration, Timestamp};

use crate::{
    access::Restriction,
    clock::Clock,
    credentials::{BearerToken, CredentialError, SecretHash},
    ids::{ClientId, TenantId},
};

/// A service client as it is kept: its secret only as a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceClient {
    /// Key within the tenant, and its client id.
    pub id: ClientId,
    /// What it is, for people.
    pub name: String,
    /// Its role, and where it holds it.
    pub role: Restriction,
    /// SHA-256 of the secret.
    pub hash: SecretHash,
    /// The first characters of the secret, by which people recognise it.
    pub prefix: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last got an access token; `None` when never.
    pub last_used_at: Option<Timestamp>,
    /// Refused from then on; `None` when it has no end.
    pub expires_at: Option<Timestamp>,
    /// Refused since then, until it is enabled again.
    pub disabled_at: Option<Timestamp>,
}

/// An access token of a service client, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientToken {
    /// Whose.
    pub client: ClientId,
    /// SHA-256 of the token.
    pub hash: SecretHash,
    /// Refused from then on.
    pub expires_at: Timestamp,
}

impl ServiceClient {
    /// Clients that one hospital may have.
    pub const MAX: u64 = 200;
    /// Longest name, in characters.
    pub const MAX_NAME: usize = 100;
    /// Days after which one ends at most, where it has an end.
    pub const MAX_DAYS: u32 = 3_650;
    /// How long an access token counts.
    pub const TOKEN_LASTS: SignedDuration = SignedDuration::from_mins(15);

    /// A client that has its role for so many days, or without end, with its secret, which is told only now.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    pub fn new(
        tenant: TenantId,
        name: String,
        role: Restriction,
        days: Option<u32>,
        clock: &dyn Clock,
    ) -> Result<(Self, BearerToken), CredentialError> {
        let (secret, created_at) = (BearerToken::generate(tenant)?, clock.now());
        let lasts = days.map(|days| SignedDuration::from_hours(24 * i64::from(days)));
        let client = Self {
            id: ClientId::new(clock),
            name,
            role,
            hash: secret.hash(),
            prefix: secret.prefix().to_owned(),
            created_at,
            last_used_at: None,
            expires_at: lasts.map(|lasts| created_at.checked_add(lasts).unwrap_or(Timestamp::MAX)),
            disabled_at: None,
        };
        Ok((client, secret))
    }

    /// Whether it may act.
    pub fn counts(&self, now: Timestamp) -> bool {
        self.disabled_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }

    /// An access token with its secret, which is told only now; it ends with the client at the latest.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    pub fn token(
        &self,
        tenant: TenantId,
        now: Timestamp,
    ) -> Result<(ClientToken, BearerToken), CredentialError> {
        let secret = BearerToken::generate(tenant)?;
        let expires_at = now.checked_add(Self::TOKEN_LASTS).unwrap_or(Timestamp::MAX);
        let expires_at = self.expires_at.map_or(expires_at, |end| end.min(expires_at));
        Ok((ClientToken { client: self.id, hash: secret.hash(), expires_at }, secret))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{access::Role, clock::ManualClock, ids::UnitId};

    #[test]
    fn a_token_ends_with_its_client_at_the_latest() {
        let clock = ManualClock::new("2026-01-02T03:00:00Z".parse().unwrap());
        let tenant = TenantId::new(&clock);
        let role = Restriction { role: Role::Integrator.into(), unit: UnitId::root(tenant) };
        let (client, secret) = ServiceClient::new(tenant, "EHR".into(), role, Some(1), &clock).unwrap();
        assert_eq!((client.hash, client.prefix.as_str()), (secret.hash(), secret.prefix()));
        let at = |text: &str| text.parse().unwrap();
        for (now, ends) in [
            ("2026-01-02T03:00:00Z", "2026-01-02T03:15:00Z"),
            ("2026-01-03T02:55:00Z", "2026-01-03T03:00:00Z"),
        ] {
            let (token, bearer) = client.token(tenant, at(now)).unwrap();
            assert_eq!((token.hash, token.expires_at), (bearer.hash(), at(ends)));
            assert!(client.counts(at(now)));
        }
        assert!(!client.counts(at("2026-01-03T03:00:00Z")));
        let disabled = ServiceClient { disabled_at: Some(clock.now()), expires_at: None, ..client };
        assert!(!disabled.counts(clock.now()));
    }
}
