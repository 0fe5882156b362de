//! XChaCha20-Poly1305 with a random nonce in front of the text: 24 bytes, so that no two ever meet.

use chacha20poly1305::{
    Key, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hkdf::Hkdf;
use rand::{TryRngCore, rngs::OsRng};
use sha2::Sha256;
use tenants::keys::{KeyBytes, SealError, SealedFor};
use zeroize::Zeroizing;

const NONCE_BYTES: usize = 24;

pub(crate) struct Cipher(XChaCha20Poly1305);

impl Cipher {
    pub(crate) fn new(key: &KeyBytes) -> Self {
        Self(XChaCha20Poly1305::new(&Key::from(**key)))
    }

    /// The text under `header`, which is no secret and cannot be exchanged; neither can what it is `bound_to`.
    pub(crate) fn seal(&self, header: &[u8], bound_to: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let nonce: [u8; NONCE_BYTES] = random()?;
        let aad = [header, bound_to].concat();
        let payload = Payload { msg: plain, aad: &aad };
        let text = self.0.encrypt(&XNonce::from(nonce), payload).map_err(|_| SealError::NotOurs)?;
        Ok([header, &nonce, &text].concat())
    }

    /// What [`Cipher::seal`] sealed, without its header.
    pub(crate) fn open(&self, header: &[u8], bound_to: &[u8], rest: &[u8]) -> Result<Vec<u8>, SealError> {
        let (nonce, text) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(SealError::NotOurs)?;
        let aad = [header, bound_to].concat();
        let payload = Payload { msg: text, aad: &aad };
        self.0.decrypt(&XNonce::from(*nonce), payload).map_err(|_| SealError::NotOurs)
    }
}

/// The tenant has a fixed length and the purpose no NUL, so that two different things never read the same.
pub(crate) fn bound_to(what: SealedFor<'_>) -> Vec<u8> {
    [what.tenant.as_uuid().as_bytes().as_slice(), what.purpose.as_bytes(), &[0], what.row.as_bytes()].concat()
}

/// A key for one use, of another key.
pub(crate) fn derive(key: &KeyBytes, salt: Option<&[u8]>, used_for: &[u8]) -> Result<KeyBytes, SealError> {
    let mut derived = Zeroizing::new([0; 32]);
    let expanded = Hkdf::<Sha256>::new(salt, key.as_slice()).expand(used_for, derived.as_mut_slice());
    expanded.map(|()| derived).map_err(|_| SealError::NoKey)
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N], SealError> {
    let mut bytes = [0; N];
    OsRng.try_fill_bytes(&mut bytes).map_err(|_| SealError::NoRandomness)?;
    Ok(bytes)
}
