//! A second proof of who somebody is, asked for again before the gravest acts.

use async_trait::async_trait;

use crate::{
    access::Caller,
    errors::{ErrorKind, StoreError},
};

/// Why somebody's code does not count.
#[derive(Debug, thiserror::Error)]
pub enum SecondFactorError {
    /// There is nothing to compare it with.
    #[error("you have no second factor yet; set one up in your account, then try again")]
    NotEnrolled,
    /// It is not the code of this moment, or was used before.
    #[error("code: this code does not count; wait for the next one that your authenticator shows")]
    Wrong,
    /// Too many did not count.
    #[error("too many wrong codes; try again in {retry_after_s} s")]
    TooMany {
        /// Seconds until the next one is looked at.
        retry_after_s: u64,
    },
    /// It cannot be compared now; so it does not count.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SecondFactorError {
    /// What the error means to a caller.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::NotEnrolled => ErrorKind::Forbidden,
            Self::Wrong => ErrorKind::BadInput,
            Self::TooMany { .. } => ErrorKind::RateLimited,
            Self::Store(error) => error.kind(),
        }
    }
}

/// Compares codes. `identity` implements it.
#[async_trait]
pub trait SecondFactor: Send + Sync {
    /// Whether this person has just proved it with a code of theirs. A code counts once.
    async fn confirm(&self, caller: &Caller, code: &str) -> Result<(), SecondFactorError>;
}

/// Where nobody has a second factor: what asks for one is refused.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unenrolled;

#[async_trait]
impl SecondFactor for Unenrolled {
    async fn confirm(&self, _: &Caller, _: &str) -> Result<(), SecondFactorError> {
        Err(SecondFactorError::NotEnrolled)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{
        access::Principal,
        ids::{TenantId, UserId},
    };

    #[tokio::test]
    async fn without_a_second_factor_no_code_counts() {
        let id = Uuid::from_u128(1);
        let (name, email) = ("Ada".into(), "ada@example.org".into());
        let principal = Principal::User { id: UserId::from_uuid(id), name, email, restricted_to: None };
        let caller = Caller { tenant: TenantId::from_uuid(id), principal };
        for code in ["", "000000", "123456"] {
            let refused = Unenrolled.confirm(&caller, code).await.unwrap_err();
            assert!(matches!(refused, SecondFactorError::NotEnrolled), "{refused}");
            assert_eq!(refused.kind(), ErrorKind::Forbidden);
        }
    }
}
