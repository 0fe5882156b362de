//! Why somebody is not who they claim to be, or cannot be told.

use std::time::Duration;

use tenants::{
    DeviceId, ErrorKind, StoreError, TenantId, credentials::CredentialError, enrolment::DeviceKeyError,
    keys::SealError, second_factor::SecondFactorError,
};

use crate::certificates::CertificateFault;

/// Why nobody was identified. What was wrong about a credential is never told.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Unknown user, wrong password: not told apart.
    #[error("e-mail address or password is wrong")]
    WrongPassword,
    /// The password was right; now the second factor is asked for.
    #[error("enter the code that your authenticator app shows")]
    CodeNeeded,
    /// The second factor does not count, or cannot be checked.
    #[error(transparent)]
    SecondFactor(SecondFactorError),
    /// Unknown, expired or malformed token, session or device credential: not told apart.
    #[error("the credentials are not valid; sign in again, or use another token")]
    NotValid,
    /// The same of a device that is known. Whose it is is for its hospital, not for who asked.
    #[error("the credentials are not valid; sign in again, or use another token")]
    WrongToken {
        /// Its hospital.
        tenant: TenantId,
        /// The device that it is not.
        device: DeviceId,
    },
    /// Too many wrong passwords for this account.
    #[error("too many attempts; try again in {} s", retry_after.as_secs().max(1))]
    HeldBack {
        /// When the next attempt will be looked at.
        retry_after: Duration,
    },
    /// More people are signing in than passwords can be checked.
    #[error("too many people are signing in; try again in a moment")]
    Busy,
    /// A field of the new account is wrong.
    #[error("{field}: {problem}")]
    BadInput {
        /// Which.
        field: &'static str,
        /// What is wrong about it, and what it must be.
        problem: String,
    },
    /// The one-time set-up link is used up or was never given out.
    #[error(
        "this set-up link is not valid; the server prints a new one at its start while it has no account"
    )]
    SetupClosed,
    /// The invitation's link is none, was used, or is too old: not told apart.
    #[error("this invitation is not valid any more; ask whoever sent it for a new one")]
    InvitationOver,
    /// The hospital is cut off.
    #[error("this hospital is suspended; ask whoever runs the platform")]
    Suspended,
    /// What a provider sent to end sessions does not count. Why is in the audit trail.
    #[error("this logout token is not accepted")]
    LogoutToken,
    /// A device signed something whose time is over.
    #[error("the credentials are not valid; sign in again, or use another token")]
    SignatureExpired {
        /// Its hospital.
        tenant: TenantId,
        /// The device that it is.
        device: DeviceId,
    },
    /// A device has shown a certificate that does not count.
    #[error("the credentials are not valid; sign in again, or use another token")]
    Certificate {
        /// Its hospital.
        tenant: TenantId,
        /// The device that it wants to be.
        device: DeviceId,
        /// Why not. For its hospital, not for who asked.
        fault: CertificateFault,
    },
    /// A device has shown who it is, and may not connect.
    #[error("this device is blocked; ask whoever looks after devices")]
    Blocked {
        /// Its hospital.
        tenant: TenantId,
        /// The device that it is.
        device: DeviceId,
    },
    /// What is sealed cannot be opened, or sealed.
    #[error(transparent)]
    Keys(#[from] SealError),
    /// A token could not be checked.
    #[error("the identity provider cannot be reached; try again in a moment")]
    ProviderUnreachable,
    /// A password could not be hashed, or a stored hash is none.
    #[error("a password could not be checked")]
    Hash(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The file of breached passwords cannot be read.
    #[error("a password could not be compared with the breached ones")]
    Breached(#[source] std::io::Error),
    /// No secret could be made.
    #[error(transparent)]
    Randomness(#[from] CredentialError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DeviceKeyError> for IdentityError {
    fn from(error: DeviceKeyError) -> Self {
        match error {
            DeviceKeyError::Keys(error) => Self::Keys(error),
            DeviceKeyError::Randomness(error) => Self::Randomness(error),
            DeviceKeyError::Store(error) => Self::Store(error),
        }
    }
}

impl From<SecondFactorError> for IdentityError {
    fn from(error: SecondFactorError) -> Self {
        match error {
            SecondFactorError::TooMany { retry_after_s } => {
                Self::HeldBack { retry_after: Duration::from_secs(retry_after_s) }
            }
            SecondFactorError::Store(error) => Self::Store(error),
            other => Self::SecondFactor(other),
        }
    }
}

impl IdentityError {
    /// What the error means to a caller.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::WrongPassword
            | Self::CodeNeeded
            | Self::NotValid
            | Self::WrongToken { .. }
            | Self::SignatureExpired { .. }
            | Self::Certificate { .. } => ErrorKind::Unauthenticated,
            Self::Suspended | Self::Blocked { .. } => ErrorKind::Forbidden,
            // Like a wrong password: nobody has got in.
            Self::SecondFactor(SecondFactorError::Wrong) => ErrorKind::Unauthenticated,
            Self::SecondFactor(error) => error.kind(),
            Self::HeldBack { .. } => ErrorKind::RateLimited,
            Self::Busy | Self::ProviderUnreachable => ErrorKind::Unavailable,
            Self::BadInput { .. } | Self::LogoutToken => ErrorKind::BadInput,
            Self::SetupClosed | Self::InvitationOver => ErrorKind::NotFound,
            Self::Hash(_) | Self::Breached(_) | Self::Randomness(_) => ErrorKind::Internal,
            Self::Store(error) => error.kind(),
            Self::Keys(error) => error.kind(),
        }
    }

    pub(crate) fn bad_input(field: &'static str, problem: impl Into<String>) -> Self {
        Self::BadInput { field, problem: problem.into() }
    }
}
