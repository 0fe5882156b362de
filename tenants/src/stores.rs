//! What the ground floor asks of a database. `storage` implements these.

use async_trait::async_trait;

use crate::{
    account::{ApiToken, Login, Session, Tenant, User},
    audit::AuditEntry,
    credentials::SecretHash,
    errors::StoreError,
    ids::{DeviceId, TenantId, TenantSlug, UserId},
};

/// Tenants, found before there is a caller.
#[async_trait]
pub trait Tenants: Send + Sync {
    /// By name; `None` when there is none.
    async fn by_slug(&self, slug: &TenantSlug) -> Result<Option<Tenant>, StoreError>;
    /// By key.
    async fn by_id(&self, id: TenantId) -> Result<Option<Tenant>, StoreError>;
    /// All, ordered by slug. For operators and for start-up.
    async fn all(&self) -> Result<Vec<Tenant>, StoreError>;
    /// Adds one. [`StoreError::Conflict`] when the slug is taken.
    async fn create(&self, tenant: &Tenant) -> Result<(), StoreError>;
}

/// Users, tokens and sessions, for signing in.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Finds a user by sign-in name, in whichever tenant.
    async fn login(&self, email: &str) -> Result<Option<Login>, StoreError>;
    /// Finds a user of a tenant.
    async fn user(&self, tenant: TenantId, id: UserId) -> Result<Option<User>, StoreError>;
    /// True when nobody can sign in yet: the first start.
    async fn is_empty(&self) -> Result<bool, StoreError>;
    /// Adds a user. [`StoreError::Conflict`] when the e-mail address is taken.
    async fn create_user(&self, login: &Login) -> Result<(), StoreError>;
    /// Finds a token by what was presented.
    async fn token(&self, tenant: TenantId, hash: &SecretHash) -> Result<Option<ApiToken>, StoreError>;
    /// Adds a token.
    async fn create_token(&self, tenant: TenantId, token: &ApiToken) -> Result<(), StoreError>;
    /// Finds a session by what was presented.
    async fn session(&self, tenant: TenantId, hash: &SecretHash) -> Result<Option<Session>, StoreError>;
    /// Adds a session.
    async fn create_session(&self, tenant: TenantId, session: &Session) -> Result<(), StoreError>;
    /// Ends a session; ending one that is not there is no error.
    async fn delete_session(&self, tenant: TenantId, hash: &SecretHash) -> Result<(), StoreError>;
}

/// What devices prove themselves with.
#[async_trait]
pub trait DeviceCredentials: Send + Sync {
    /// SHA-256 of the device's token; `None` when the device is unknown or has no token.
    async fn token_hash(&self, tenant: TenantId, device: &DeviceId)
    -> Result<Option<SecretHash>, StoreError>;
}

/// The audit trail.
#[async_trait]
pub trait AuditTrail: Send + Sync {
    /// Appends entries; each goes to its tenant's trail.
    async fn append(&self, entries: &[AuditEntry]) -> Result<(), StoreError>;
}
