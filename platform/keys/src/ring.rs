//! One tenant's keys in memory.

use std::collections::BTreeMap;

use hmac::{Hmac, Mac};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;
use tenants::keys::{BlindIndex, HEADER_BYTES, KeyBytes, SealError, SealedFor, TenantKeys, WrappedKey};

use crate::cipher::{Cipher, bound_to};

/// First byte of what a data key has sealed; its version follows.
const BY_DATA_KEY: u8 = 2;
/// First byte of what the master key itself has sealed, before tenants had keys.
const BY_MASTER_KEY: u8 = 1;
/// A key seals only when every process has had the time to learn of it.
pub(crate) const SEALS_AFTER: SignedDuration = SignedDuration::from_mins(2);

/// A data key, unwrapped.
pub(crate) struct Unwrapped {
    pub(crate) kept: WrappedKey,
    pub(crate) bytes: KeyBytes,
}

/// A tenant's keys as of a moment.
pub(crate) struct Ring {
    pub(crate) read_at: Timestamp,
    pub(crate) keys: BTreeMap<u32, Unwrapped>,
    ciphers: BTreeMap<u32, Cipher>,
    index: Hmac<Sha256>,
    /// The version that seals.
    current: u32,
    /// Of the master key, for what was sealed before tenants had keys.
    earlier: Vec<Cipher>,
}

impl Ring {
    /// Of all keys that are kept; [`SealError::Lost`] when one is missing that is always there.
    pub(crate) fn new(
        keys: BTreeMap<u32, Unwrapped>,
        earlier: Vec<Cipher>,
        now: Timestamp,
    ) -> Result<Self, SealError> {
        let missing = || SealError::Lost("a data key is missing in the database".to_owned());
        let index = keys.get(&WrappedKey::INDEX).ok_or_else(missing)?;
        let index = Hmac::new_from_slice(index.bytes.as_slice()).map_err(|_| missing())?;
        let sealing = || keys.iter().filter(|(version, _)| **version != WrappedKey::INDEX);
        let known_to_all = sealing().rfind(|(_, key)| now.duration_since(key.kept.made_at) >= SEALS_AFTER);
        let (current, _) = known_to_all.or_else(|| sealing().next()).ok_or_else(missing)?;
        let ciphers = sealing().map(|(version, key)| (*version, Cipher::new(&key.bytes))).collect();
        Ok(Self { read_at: now, current: *current, ciphers, index, keys, earlier })
    }

    fn header_of(version: u32) -> [u8; HEADER_BYTES] {
        let [a, b, c, d] = version.to_be_bytes();
        [BY_DATA_KEY, a, b, c, d]
    }
}

impl TenantKeys for Ring {
    fn seal(&self, what: SealedFor<'_>, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let cipher = self.ciphers.get(&self.current).ok_or(SealError::NoKey)?;
        cipher.seal(&Self::header_of(self.current), &bound_to(what), plain)
    }

    fn open(&self, what: SealedFor<'_>, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let bound_to = bound_to(what);
        if let Some(rest) = sealed.strip_prefix(&[BY_MASTER_KEY]) {
            let opened = self.earlier.iter().find_map(|cipher| cipher.open(&[], &bound_to, rest).ok());
            return opened.ok_or(SealError::NotOurs);
        }
        let (header, rest) = sealed.split_first_chunk::<HEADER_BYTES>().ok_or(SealError::NotOurs)?;
        let [BY_DATA_KEY, version @ ..] = *header else { return Err(SealError::NotOurs) };
        let cipher = self.ciphers.get(&u32::from_be_bytes(version)).ok_or(SealError::NotOurs)?;
        cipher.open(header, &bound_to, rest)
    }

    fn index(&self, purpose: &'static str, text: &str) -> BlindIndex {
        let mut mac = self.index.clone();
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        let digest = mac.finalize().into_bytes();
        let mut index = [0; 16];
        index.copy_from_slice(&digest[..16]);
        BlindIndex(index)
    }

    fn header(&self) -> Option<[u8; HEADER_BYTES]> {
        Some(Self::header_of(self.current))
    }
}
