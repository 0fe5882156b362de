//! Sealing what must be readable again, as the secret with which the platform signs in to somebody else: what is
//! only compared is kept as a hash ([`crate::credentials`]).

use async_trait::async_trait;

use crate::ids::TenantId;

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

/// Keeps keys. A trait, because where keys live is the roof's business, and asynchronous, because they may live in
/// another machine.
#[async_trait]
pub trait Sealer: Send + Sync {
    /// Makes a text unreadable for whoever has the database only.
    async fn seal(&self, what: SealedFor<'_>, plain: &[u8]) -> Result<Vec<u8>, SealError>;
    /// Makes it readable again.
    async fn open(&self, what: SealedFor<'_>, sealed: &[u8]) -> Result<Vec<u8>, SealError>;
}

/// Why something was not sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// This installation has no key.
    #[error("this installation has no master key, so no secret can be kept; set IOMT_MASTER_KEY")]
    NoKey,
    /// Sealed with another key, for something else, or damaged.
    #[error("a stored secret cannot be opened with this master key; enter the secret again")]
    NotOurs,
    /// The operating system's source of randomness failed.
    #[error("the operating system gave no randomness")]
    NoRandomness,
}
