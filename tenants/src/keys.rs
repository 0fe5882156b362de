//! Sealing what must be readable again: secrets with which the platform signs in to somebody else, and what identifies
//! a patient. What is only compared is kept as a hash ([`crate::credentials`]).
//!
//! Each tenant has data keys of its own, which stand in the database *wrapped*: only a [`Kms`] can unwrap them. The
//! newest seals, all of them open, so that one can follow another while everything goes on.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    audit::AuditEntry,
    errors::{ErrorKind, StoreError},
    ids::TenantId,
};

/// The bytes of a key, wiped from memory when they are not needed any more.
pub type KeyBytes = Zeroizing<[u8; 32]>;

/// Which value of which row. What was sealed for one cannot be opened as another, so that nobody who writes to the
/// database can put a tenant's secret where another tenant's is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedFor<'a> {
    /// Whose.
    pub tenant: TenantId,
    /// What it is, e.g. `identity_provider.client_secret`.
    pub purpose: &'static str,
    /// The row's key.
    pub row: &'a str,
}

/// A text as it can be looked for without being kept: equal texts of a tenant have equal ones, and nobody without the
/// tenant's key can tell of which text it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlindIndex(pub [u8; 16]);

/// One tenant's keys.
pub trait TenantKeys: Send + Sync {
    /// Makes a text unreadable for whoever has the database only.
    ///
    /// # Errors
    /// [`SealError::NoKey`] where there are no keys.
    fn seal(&self, what: SealedFor<'_>, plain: &[u8]) -> Result<Vec<u8>, SealError>;
    /// Makes it readable again.
    ///
    /// # Errors
    /// [`SealError::NotOurs`] when it was sealed with a key that is gone, for something else, or is damaged.
    fn open(&self, what: SealedFor<'_>, sealed: &[u8]) -> Result<Vec<u8>, SealError>;
    /// The index of a text, as one of `purpose`: different purposes have different ones for the same text.
    fn index(&self, purpose: &'static str, text: &str) -> BlindIndex;
    /// How everything begins that the newest key has sealed; `None` where there are no keys.
    fn header(&self) -> Option<[u8; HEADER_BYTES]>;
}

/// Bytes by which it is seen with which key something was sealed.
pub const HEADER_BYTES: usize = 5;

/// Finds a tenant's keys. A trait, because where keys live is the roof's business.
#[async_trait]
pub trait Keyring: Send + Sync {
    /// The tenant's keys, which are made when they are asked for first.
    ///
    /// # Errors
    /// [`SealError::Unreachable`] when they cannot be unwrapped now, [`SealError::Lost`] when nobody can any more.
    async fn of(&self, tenant: TenantId) -> Result<Arc<dyn TenantKeys>, SealError>;
}

/// Wraps and unwraps data keys: a key management service.
#[async_trait]
pub trait Kms: Send + Sync {
    /// Wraps a key of the tenant.
    async fn wrap(&self, tenant: TenantId, key: &KeyBytes) -> Result<Vec<u8>, SealError>;
    /// Unwraps it.
    async fn unwrap(&self, tenant: TenantId, wrapped: &[u8]) -> Result<KeyBytes, SealError>;
    /// Wraps it with the newest key of the service; `None` when it is already.
    async fn rewrap(&self, tenant: TenantId, wrapped: &[u8]) -> Result<Option<Vec<u8>>, SealError>;
    /// Makes sure that no key that was ever wrapped for the tenant can be unwrapped again.
    async fn shred(&self, tenant: TenantId) -> Result<Shredded, SealError>;
}

/// Looks after tenants' keys, for operators.
#[async_trait]
pub trait KeyManagement: Send + Sync {
    /// The newest data key and when it was made; `None` while the tenant has none.
    async fn newest(&self, tenant: TenantId) -> Result<Option<(u32, Timestamp)>, SealError>;
    /// Makes the tenant's next key; returns its version. Every process learns of it within half a minute and seals with
    /// it from two minutes on; what was sealed before stays readable.
    ///
    /// # Errors
    /// [`SealError::Lost`] when the tenant's keys cannot be unwrapped any more: a new one would hide that.
    async fn rotate(&self, tenant: TenantId, audit: &AuditEntry) -> Result<u32, SealError>;
    /// Makes everything unreadable that was ever sealed for the tenant; the rows of its keys are for the caller to
    /// delete.
    ///
    /// # Errors
    /// When the service fails; asking again goes on.
    async fn shred(&self, tenant: TenantId) -> Result<Shredded, SealError>;
}

/// How far shredding reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shredded {
    /// Copies of the database that were made before cannot be read any more either.
    WithBackups,
    /// They can be, by who has the master key: the wrapped keys stand in them, and nothing else is needed.
    DatabaseOnly,
}

/// A data key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// Counts up from 1; [`WrappedKey::INDEX`] is for indexes.
    pub version: u32,
    /// As the [`Kms`] made it.
    pub wrapped: Vec<u8>,
    /// When it was made.
    pub made_at: Timestamp,
}

impl WrappedKey {
    /// The version of the key that makes indexes. It is made once: what was indexed stays to be found.
    pub const INDEX: u32 = 0;
}

/// Keeps wrapped data keys. `storage` implements it.
#[async_trait]
pub trait DataKeys: Send + Sync {
    /// A tenant's, by version.
    async fn data_keys(&self, tenant: TenantId) -> Result<Vec<WrappedKey>, StoreError>;
    /// Adds keys. [`StoreError::Conflict`] when one of these versions is there already, [`StoreError::NotFound`] when
    /// there is no such tenant or it was shredded.
    async fn add_data_keys(
        &self,
        tenant: TenantId,
        keys: &[WrappedKey],
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
    /// Replaces how a key is wrapped.
    async fn rewrap_data_key(&self, tenant: TenantId, version: u32, wrapped: &[u8])
    -> Result<(), StoreError>;
}

/// Why something was not sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// This installation has no key.
    #[error("this installation has no master key, so no secret can be kept; set IOMT_MASTER_KEY")]
    NoKey,
    /// Sealed with another key, for something else, or damaged.
    #[error(
        "what is stored sealed cannot be opened with this installation's keys; if it is a secret, enter it again"
    )]
    NotOurs,
    /// What unwraps the tenant's keys is gone.
    #[error("the keys of this hospital cannot be unwrapped: {0}")]
    Lost(String),
    /// Where keys are kept cannot be reached; trying again may help.
    #[error("the keys cannot be reached: {0}")]
    Unreachable(String),
    /// The operating system's source of randomness failed.
    #[error("the operating system gave no randomness")]
    NoRandomness,
}

impl SealError {
    /// What the error means to a caller.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::NoKey => ErrorKind::Conflict,
            Self::Unreachable(_) => ErrorKind::Unavailable,
            Self::NotOurs | Self::Lost(_) | Self::NoRandomness => ErrorKind::Internal,
        }
    }
}

/// The keys of an installation that has none: it seals nothing, and its indexes hide nothing.
#[derive(Debug, Clone, Copy)]
pub struct NoKeys;

impl TenantKeys for NoKeys {
    fn seal(&self, _what: SealedFor<'_>, _plain: &[u8]) -> Result<Vec<u8>, SealError> {
        Err(SealError::NoKey)
    }

    fn open(&self, _what: SealedFor<'_>, _sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        Err(SealError::NoKey)
    }

    fn index(&self, purpose: &'static str, text: &str) -> BlindIndex {
        let digest = Sha256::new().chain_update(purpose).chain_update([0]).chain_update(text).finalize();
        let mut index = [0; 16];
        index.copy_from_slice(&digest[..16]);
        BlindIndex(index)
    }

    fn header(&self) -> Option<[u8; HEADER_BYTES]> {
        None
    }
}

#[async_trait]
impl KeyManagement for NoKeys {
    async fn newest(&self, _tenant: TenantId) -> Result<Option<(u32, Timestamp)>, SealError> {
        Ok(None)
    }

    async fn rotate(&self, _tenant: TenantId, _audit: &AuditEntry) -> Result<u32, SealError> {
        Err(SealError::NoKey)
    }

    async fn shred(&self, _tenant: TenantId) -> Result<Shredded, SealError> {
        Ok(Shredded::DatabaseOnly)
    }
}

#[async_trait]
impl Keyring for NoKeys {
    async fn of(&self, _tenant: TenantId) -> Result<Arc<dyn TenantKeys>, SealError> {
        Ok(Arc::new(Self))
    }
}
