//! API tokens: what a person gives to a program, so that it can do a part of what the person may do.

use jiff::{SignedDuration, Timestamp};

use crate::{
    access::Restriction,
    clock::Clock,
    credentials::{BearerToken, CredentialError, SecretHash},
    ids::{TenantId, TokenId, UserId},
    topics::TopicFilters,
};

/// An API token as it is kept: its secret only as a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Key within the tenant.
    pub id: TokenId,
    /// Whose rights it has.
    pub user: UserId,
    /// What it is for, in the owner's words.
    pub name: String,
    /// SHA-256 of the secret.
    pub hash: SecretHash,
    /// The first characters of the secret, by which its owner recognises it.
    pub prefix: String,
    /// Which of the owner's roles it has, and where at most. `None`, everything that the owner may do, is what the
    /// platform itself gives out.
    pub restriction: Option<Restriction>,
    /// What of the hospital's topic space it may use over MQTT, as far as its role may; `None` is nothing of it.
    pub topics: Option<TopicFilters>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last presented, to about a minute; `None` when never.
    pub last_used_at: Option<Timestamp>,
    /// Refused from then on.
    pub expires_at: Option<Timestamp>,
}

impl ApiToken {
    /// How long a token counts unless its owner says otherwise.
    pub const DAYS: u32 = 90;
    /// How long at most.
    pub const MAX_DAYS: u32 = 365;
    /// Tokens that one person may have.
    pub const MAX_OF_ONE: u64 = 50;
    /// Longest name, in characters.
    pub const MAX_NAME: usize = 100;

    /// A token that counts for so many days, with its secret, which is told only now.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    pub fn new(
        (tenant, user): (TenantId, UserId),
        name: String,
        restriction: Restriction,
        days: u32,
        clock: &dyn Clock,
    ) -> Result<(Self, BearerToken), CredentialError> {
        let (secret, created_at) = (BearerToken::generate(tenant)?, clock.now());
        let lasts = SignedDuration::from_hours(24 * i64::from(days));
        let token = Self {
            id: TokenId::new(clock),
            user,
            name,
            hash: secret.hash(),
            prefix: secret.prefix().to_owned(),
            restriction: Some(restriction),
            topics: None,
            created_at,
            last_used_at: None,
            expires_at: Some(created_at.checked_add(lasts).unwrap_or(Timestamp::MAX)),
        };
        Ok((token, secret))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{access::Role, clock::ManualClock, ids::UnitId};

    #[test]
    fn a_new_token_ends_and_is_recognised_by_its_first_characters() {
        let clock = ManualClock::new("2026-01-02T03:04:05Z".parse().unwrap());
        let owner = (TenantId::PLATFORM, UserId::new(&clock));
        let restriction = Restriction { role: Role::Operator.into(), unit: UnitId::root(owner.0) };
        let (token, secret) = ApiToken::new(owner, "export".into(), restriction, 90, &clock).unwrap();
        assert_eq!(token.expires_at, Some("2026-04-02T03:04:05Z".parse().unwrap()));
        assert_eq!((token.prefix.len(), token.hash), (6, secret.hash()));
        assert!(secret.reveal().contains(&format!("_{}", token.prefix)));
    }
}
