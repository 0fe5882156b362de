//! The second factor with which somebody proves who they are.

use async_graphql::SimpleObject;
use tenants::authenticator;

use crate::scalars::DateTime;

/// How it stands with the caller's own second factor.
#[derive(SimpleObject)]
pub(crate) struct SecondFactor {
    /// A code is asked for at every sign-in since then; null when there is no second factor.
    since: Option<DateTime>,
    /// Recovery codes that were not used yet.
    recovery_codes: u32,
}

impl From<authenticator::Standing> for SecondFactor {
    fn from(standing: authenticator::Standing) -> Self {
        Self { since: standing.since.map(DateTime), recovery_codes: standing.recovery_codes }
    }
}

/// What an authenticator app must be told. It counts once a code of it was shown.
#[derive(SimpleObject)]
pub(crate) struct AuthenticatorPairing {
    /// For typing it in, in base 32.
    secret: String,
    /// The same for a QR code: otpauth://totp/...
    uri: String,
}

impl From<authenticator::Pairing> for AuthenticatorPairing {
    fn from(pairing: authenticator::Pairing) -> Self {
        let authenticator::Pairing { secret, uri } = pairing;
        Self { secret, uri }
    }
}
