//! Authenticator apps, the second factor of people (TOTP, RFC 6238), and the codes for who has lost theirs.

use std::collections::HashMap;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    access::{Caller, Scope},
    audit::AuditEntry,
    credentials::SecretHash,
    errors::StoreError,
    ids::{TenantId, UserId},
    second_factor::SecondFactorError,
};

/// Codes for who has lost their app, each of which works once.
pub const RECOVERY_CODES: usize = 10;

/// An authenticator app as it is kept.
#[derive(Clone)]
pub struct Authenticator {
    /// Whose.
    pub user: UserId,
    /// What the app and the platform both know, sealed.
    pub secret: Vec<u8>,
    /// Asked for at every sign-in since then; `None` while its owner has not shown a code of it.
    pub since: Option<Timestamp>,
}

/// What an app must be told, once.
pub struct Pairing {
    /// The secret for typing it in, in base 32.
    pub secret: String,
    /// The same for a QR code: `otpauth://totp/...`.
    pub uri: String,
}

/// How it stands with somebody's second factor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// Asked for since then; `None` when there is none.
    pub since: Option<Timestamp>,
    /// Recovery codes that were not used yet.
    pub recovery_codes: u32,
}

/// Sets second factors up and takes them away. `identity` implements it. The caller is always a person.
#[async_trait]
pub trait Authenticators: Send + Sync {
    /// How it stands with the caller's own.
    async fn standing(&self, caller: &Caller) -> Result<Standing, SecondFactorError>;
    /// A new secret in place of one that never came into force. It counts for nothing before
    /// [`Authenticators::enrol`]. [`SecondFactorError::Enrolled`] when one is in force.
    async fn pair(&self, caller: &Caller) -> Result<Pairing, SecondFactorError>;
    /// Puts the last pairing in force, for whoever shows a code of it. Returns the recovery codes, which are told only
    /// now.
    async fn enrol(
        &self,
        caller: &Caller,
        code: &str,
        audit: &AuditEntry,
    ) -> Result<Vec<String>, SecondFactorError>;
    /// New recovery codes in place of all earlier ones, for whoever shows a code.
    async fn renew_recovery_codes(
        &self,
        caller: &Caller,
        code: &str,
        audit: &AuditEntry,
    ) -> Result<Vec<String>, SecondFactorError>;
    /// Takes the caller's own away, for whoever shows a code.
    async fn remove(&self, caller: &Caller, code: &str, audit: &AuditEntry) -> Result<(), SecondFactorError>;
    /// Who in the scope's tenant has one in force, and since when.
    async fn enrolled(&self, scope: &Scope) -> Result<HashMap<UserId, Timestamp>, SecondFactorError>;
    /// Takes somebody's away who cannot show a code. [`StoreError::NotFound`] when they have none.
    async fn reset(&self, scope: &Scope, user: UserId, audit: &AuditEntry) -> Result<(), SecondFactorError>;
}

/// Where authenticators are kept. `storage` implements it.
#[async_trait]
pub trait AuthenticatorStore: Send + Sync {
    /// Somebody's, in force or not.
    async fn authenticator(
        &self,
        tenant: TenantId,
        user: UserId,
    ) -> Result<Option<Authenticator>, StoreError>;
    /// All that are in force, and since when.
    async fn enrolled(&self, tenant: TenantId) -> Result<HashMap<UserId, Timestamp>, StoreError>;
    /// Recovery codes that were not used yet.
    async fn recovery_codes(&self, tenant: TenantId, user: UserId) -> Result<u32, StoreError>;
    /// Keeps one that is not in force, in place of another that is not. [`StoreError::Conflict`] when one is in force.
    async fn propose(&self, tenant: TenantId, authenticator: &Authenticator) -> Result<(), StoreError>;
    /// Puts the one with this secret in force. `step` is the time step of the code that was shown for it.
    /// [`StoreError::Conflict`] when it was replaced meanwhile, or is in force.
    async fn enrol(
        &self,
        tenant: TenantId,
        enrolled: &Authenticator,
        step: u64,
        codes: &[SecretHash],
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
    /// Uses up a time step's code, and with it all earlier ones: whether it was not used before.
    async fn use_step(&self, tenant: TenantId, user: UserId, step: u64) -> Result<bool, StoreError>;
    /// Uses up a recovery code: whether there was such a one.
    async fn use_recovery_code(
        &self,
        tenant: TenantId,
        user: UserId,
        code: &SecretHash,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError>;
    /// Replaces all recovery codes.
    async fn replace_recovery_codes(
        &self,
        tenant: TenantId,
        user: UserId,
        codes: &[SecretHash],
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
    /// Takes somebody's away, with the recovery codes. [`StoreError::NotFound`] when there is none.
    async fn remove(&self, tenant: TenantId, user: UserId, audit: &AuditEntry) -> Result<(), StoreError>;
}
