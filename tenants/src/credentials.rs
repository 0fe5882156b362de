//! Secrets that machines present: device tokens, API tokens, session cookies.
//!
//! They are 256 random bits, so a plain SHA-256 is enough to keep them; passwords, which people
//! choose, are hashed elsewhere with Argon2id.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::{TryRngCore, rngs::OsRng};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::ids::TenantId;

/// SHA-256 of a secret. Compared in constant time.
#[derive(Clone, Copy)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// Hashes what was presented.
    pub fn of(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }
    /// From a stored hash; `None` unless it is 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
    /// For storing.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for SecretHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretHash {}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(..)")
    }
}

/// A new secret of 256 bits from the operating system, as base64url.
///
/// # Errors
/// When the operating system has no randomness to give.
pub fn generate() -> Result<String, CredentialError> {
    let mut bytes = [0_u8; 32];
    OsRng.try_fill_bytes(&mut bytes).map_err(|_| CredentialError::NoRandomness)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// A bearer secret that names its tenant, so that it can be looked up behind the tenant boundary:
/// `iomt_<tenant>_<secret>`, the tenant as base64url of its UUID.
#[derive(Clone)]
pub struct BearerToken {
    /// Where to look.
    pub tenant: TenantId,
    /// The whole text as presented.
    text: String,
}

impl BearerToken {
    /// Makes a new one.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    pub fn generate(tenant: TenantId) -> Result<Self, CredentialError> {
        let text = format!("iomt_{}_{}", URL_SAFE_NO_PAD.encode(tenant.as_uuid().as_bytes()), generate()?);
        Ok(Self { tenant, text })
    }

    /// Reads one as presented.
    ///
    /// # Errors
    /// [`CredentialError::Malformed`] when it does not have the form of a token.
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        // The tenant part has a fixed length because both parts may contain '_'.
        let rest = text.strip_prefix("iomt_").ok_or(CredentialError::Malformed)?;
        let (tenant, secret) = rest.split_at_checked(22).ok_or(CredentialError::Malformed)?;
        let bytes = URL_SAFE_NO_PAD.decode(tenant).map_err(|_| CredentialError::Malformed)?;
        let tenant = Uuid::from_slice(&bytes).map_err(|_| CredentialError::Malformed)?;
        if secret.len() != 44 || !secret.starts_with('_') {
            return Err(CredentialError::Malformed);
        }
        Ok(Self { tenant: TenantId::from_uuid(tenant), text: text.to_owned() })
    }

    /// The text to hand to its owner, once.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// The first characters of its secret, by which people tell one from another: 36 of its 256 bits.
    pub fn prefix(&self) -> &str {
        self.text.get(28..34).unwrap_or_default()
    }

    /// What is kept of it.
    pub fn hash(&self) -> SecretHash {
        SecretHash::of(self.text.as_bytes())
    }
}

/// Why a secret could not be made or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// The operating system's source of randomness failed.
    #[error("the operating system gave no randomness")]
    NoRandomness,
    /// Not a token of this platform.
    #[error("not a token of this platform")]
    Malformed,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_is_read_back_as_it_was_made() {
        let tenant = TenantId::from_uuid(Uuid::from_u128(0x1234_5678_9abc_def0));
        let token = BearerToken::generate(tenant).unwrap();
        let read = BearerToken::parse(token.reveal()).unwrap();
        assert_eq!(read.tenant, tenant);
        assert_eq!(read.hash(), token.hash());
        assert_ne!(BearerToken::generate(tenant).unwrap().hash(), token.hash());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "\\PC*") {
            prop_assert!(BearerToken::parse(&text).is_err());
        }

        #[test]
        fn a_changed_token_does_not_match(at in 5_usize..71, to in proptest::char::range('a', 'z')) {
            let token = BearerToken::generate(TenantId::PLATFORM).unwrap();
            let mut text: Vec<char> = token.reveal().chars().collect();
            prop_assume!(text[at] != to);
            text[at] = to;
            let changed: String = text.into_iter().collect();
            if let Ok(read) = BearerToken::parse(&changed) {
                prop_assert!(read.hash() != token.hash());
            }
        }
    }
}
