//! The sealer of an installation that has one master key.

use async_trait::async_trait;
use chacha20poly1305::{
    Key, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hkdf::Hkdf;
use rand::{TryRngCore, rngs::OsRng};
use sha2::Sha256;
use tenants::keys::{SealError, SealedFor, Sealer};

/// First byte of what was sealed in this way, so that another way can follow.
const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;
/// The master key itself seals nothing: what else it will be used for gets keys of its own.
const DERIVED_FOR: &[u8] = b"iomt sealed columns v1";

/// XChaCha20-Poly1305 under a key that is derived from the master key, or nothing where there is none.
pub struct MasterKeySealer(Option<XChaCha20Poly1305>);

impl MasterKeySealer {
    /// With the installation's master key. Without one every attempt to seal or open fails.
    ///
    /// # Errors
    /// [`SealError::NoKey`] when no key can be derived from it.
    pub fn new(master: Option<&[u8; 32]>) -> Result<Self, SealError> {
        let Some(master) = master else { return Ok(Self(None)) };
        let mut key = [0_u8; 32];
        Hkdf::<Sha256>::new(None, master).expand(DERIVED_FOR, &mut key).map_err(|_| SealError::NoKey)?;
        Ok(Self(Some(XChaCha20Poly1305::new(&Key::from(key)))))
    }

    fn cipher(&self) -> Result<&XChaCha20Poly1305, SealError> {
        self.0.as_ref().ok_or(SealError::NoKey)
    }
}

#[async_trait]
impl Sealer for MasterKeySealer {
    async fn seal(&self, what: SealedFor<'_>, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let cipher = self.cipher()?;
        let mut nonce = [0_u8; NONCE_BYTES];
        OsRng.try_fill_bytes(&mut nonce).map_err(|_| SealError::NoRandomness)?;
        let payload = Payload { msg: plain, aad: &bound_to(what) };
        let text = cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| SealError::NoKey)?;
        Ok([&[VERSION][..], &nonce, &text].concat())
    }

    async fn open(&self, what: SealedFor<'_>, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let cipher = self.cipher()?;
        let rest = sealed.strip_prefix(&[VERSION]).ok_or(SealError::NotOurs)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(SealError::NotOurs)?;
        let payload = Payload { msg: text, aad: &bound_to(what) };
        cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| SealError::NotOurs)
    }
}

/// The tenant has a fixed length and the purpose no NUL, so that two different things never read the same.
fn bound_to(what: SealedFor<'_>) -> Vec<u8> {
    [what.tenant.as_uuid().as_bytes().as_slice(), what.purpose.as_bytes(), &[0], what.row.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use tenants::TenantId;

    use super::*;

    const WHAT: SealedFor<'_> = SealedFor { tenant: TenantId::PLATFORM, purpose: "secret", row: "1" };

    #[tokio::test]
    async fn only_the_same_key_and_the_same_place_open_it() {
        let sealer = MasterKeySealer::new(Some(&[7; 32])).unwrap();
        let sealed = sealer.seal(WHAT, b"hunter2").await.unwrap();
        assert_eq!(sealer.open(WHAT, &sealed).await.unwrap(), b"hunter2");
        assert!(!sealed.windows(7).any(|part| part == b"hunter2"));
        assert_ne!(sealer.seal(WHAT, b"hunter2").await.unwrap(), sealed, "never twice the same");
        for elsewhere in [SealedFor { row: "2", ..WHAT }, SealedFor { purpose: "secret1", row: "", ..WHAT }] {
            assert_eq!(sealer.open(elsewhere, &sealed).await, Err(SealError::NotOurs));
        }
        let other = MasterKeySealer::new(Some(&[8; 32])).unwrap();
        assert_eq!(other.open(WHAT, &sealed).await, Err(SealError::NotOurs));
        for end in [0, 1, 24, 25, sealed.len() - 1] {
            assert_eq!(sealer.open(WHAT, &sealed[..end]).await, Err(SealError::NotOurs), "{end}");
        }
        let none = MasterKeySealer::new(None).unwrap();
        assert_eq!(none.seal(WHAT, b"x").await, Err(SealError::NoKey));
        assert_eq!(none.open(WHAT, &sealed).await, Err(SealError::NoKey));
    }
}
