//! A second proof of who somebody is, asked for again before the gravest acts.

use async_trait::async_trait;

use crate::{
    access::Caller,
    errors::{ErrorKind, StoreError},
    keys::SealError,
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
    /// There is one already.
    #[error("you have a second factor already; remove it before you set up another")]
    Enrolled,
    /// There is no secret that it could be the code of.
    #[error("nothing is being set up; begin again")]
    NotPaired,
    /// A program, or a device.
    #[error("only somebody who has signed in may do this, not an API token")]
    NotAPerson,
    /// It cannot be compared now; so it does not count.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The secret cannot be kept, or not be read.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The operating system's source of randomness failed.
    #[error("the operating system gave no randomness")]
    NoRandomness,
    /// The secret that is kept is none.
    #[error("a second factor cannot be used")]
    Totp(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl SecondFactorError {
    /// What the error means to a caller.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::NotEnrolled | Self::NotAPerson => ErrorKind::Forbidden,
            Self::Wrong => ErrorKind::BadInput,
            Self::Enrolled | Self::NotPaired => ErrorKind::Conflict,
            Self::Seal(error) => error.kind(),
            Self::NoRandomness | Self::Totp(_) => ErrorKind::Internal,
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
