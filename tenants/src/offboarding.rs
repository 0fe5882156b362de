//! A hospital leaves: cut off, handed everything that is kept for it, then made unreadable and deleted.
//!
//! That it leaves is decided once, by an operator, and nothing takes it back. What follows is done by whichever process
//! comes first, and again until it is done: keys are destroyed before rows are deleted, so that whoever restores an
//! older copy of the database cannot read who the patients were. Its name and its audit trail stay.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    account::Tenant,
    audit::AuditEntry,
    clock::Clock,
    errors::{ErrorKind, StoreError},
    ids::TenantId,
    keys::{KeyManagement, SealError, Shredded},
    onboarding::Initiator,
    stores::Tenants,
};

/// Longest reason, in characters.
const MAX_REASON: usize = 500;
/// Who deletes what is kept, for the audit trail: the platform, after an operator has decided.
const ACTOR: &str = "system:offboarding";

/// How far a hospital that leaves has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Departure {
    /// When it was decided.
    pub since: Timestamp,
    /// When everything was deleted; `None` until then.
    pub erased_at: Option<Timestamp>,
}

/// What an operator says who lets a hospital go.
#[derive(Debug, Clone)]
pub struct Farewell {
    /// The hospital's slug once more, so that it is not another one.
    pub confirmation: String,
    /// Why: 1 to 500 characters.
    pub reason: String,
    /// The hospital does not want what is kept for it.
    pub without_export: bool,
}

/// What deleting a hospital came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erased {
    /// Whether its keys are gone from older copies of the database, too.
    pub keys: Shredded,
    /// Whether it was done only now.
    pub is_new: bool,
}

/// Keeps how far hospitals that leave have gone. `storage` implements it.
#[async_trait]
pub trait Departures: Send + Sync {
    /// Notes that everything of a hospital was handed out.
    async fn note_export(
        &self,
        tenant: TenantId,
        at: Timestamp,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
    /// Decides that a hospital leaves. Returns whether that changed anything; [`StoreError::Conflict`] when it is not
    /// suspended (any more).
    async fn depart(
        &self,
        tenant: TenantId,
        since: Timestamp,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError>;
    /// Deletes everything of a hospital that leaves, but its name and its audit trail. Returns whether it was not noted
    /// as done before; done again it deletes what has come since. [`StoreError::Conflict`] when it does not leave.
    async fn erase(&self, tenant: TenantId, at: Timestamp, audit: &AuditEntry) -> Result<bool, StoreError>;
}

/// Why a hospital was not let go. What was done stays done; asking again goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum OffboardingError {
    /// There is no such hospital.
    #[error("hospital not found")]
    Unknown,
    /// Another slug, or none.
    #[error("confirmation: must be the hospital's slug, {slug}")]
    Confirmation {
        /// Which.
        slug: String,
    },
    /// None, or too long.
    #[error("reason: expected 1 to {MAX_REASON} characters")]
    Reason,
    /// It is still in use.
    #[error("{slug} is served; suspend it first, so that nothing comes in while it leaves")]
    Served {
        /// Which.
        slug: String,
    },
    /// Nobody has handed out what is kept for it.
    #[error(
        "nothing was exported since {slug} was suspended; run `iomt tenant export --slug {slug} --to FOLDER`, or say \
         that the hospital wants no export"
    )]
    NotExported {
        /// Which.
        slug: String,
    },
    /// Its keys cannot be destroyed now.
    #[error(transparent)]
    Keys(#[from] SealError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl OffboardingError {
    /// What the error means to a caller.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Unknown => ErrorKind::NotFound,
            Self::Confirmation { .. } | Self::Reason => ErrorKind::BadInput,
            Self::Served { .. } | Self::NotExported { .. } => ErrorKind::Conflict,
            Self::Keys(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }
}

/// Lets hospitals go.
#[derive(Clone)]
pub struct Offboarding {
    tenants: Arc<dyn Tenants>,
    departures: Arc<dyn Departures>,
    keys: Arc<dyn KeyManagement>,
    clock: Arc<dyn Clock>,
}

impl Offboarding {
    /// On these stores and keys.
    pub fn new(
        tenants: Arc<dyn Tenants>,
        departures: Arc<dyn Departures>,
        keys: Arc<dyn KeyManagement>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { tenants, departures, keys, clock }
    }

    /// Decides that a hospital leaves; asked for again it changes nothing. [`Offboarding::finish`] does the rest.
    ///
    /// # Errors
    /// [`OffboardingError`], naming what is missing.
    pub async fn begin(
        &self,
        id: TenantId,
        farewell: &Farewell,
        by: &Initiator,
    ) -> Result<Tenant, OffboardingError> {
        let tenant = self.hospital(id).await?;
        let slug = || tenant.slug.to_string();
        if farewell.confirmation.trim() != tenant.slug.as_str() {
            return Err(OffboardingError::Confirmation { slug: slug() });
        }
        let reason = farewell.reason.trim();
        if reason.is_empty() || reason.chars().count() > MAX_REASON {
            return Err(OffboardingError::Reason);
        }
        if tenant.departure.is_some() {
            return Ok(tenant);
        }
        if tenant.suspended_since.is_none() {
            return Err(OffboardingError::Served { slug: slug() });
        }
        if !tenant.is_exported() && !farewell.without_export {
            return Err(OffboardingError::NotExported { slug: slug() });
        }
        let now = self.clock.now();
        let export = if tenant.is_exported() { "made" } else { "declined" };
        let entry = by.entry(id, now, "tenant.offboard", format!("tenant:{id}"));
        let entry = AuditEntry { detail: reason.to_owned(), ..entry };
        self.departures.depart(id, now, &entry.with("export", export)).await?;
        self.hospital(id).await
    }

    /// Destroys the keys of a hospital that leaves and deletes what is kept for it.
    ///
    /// # Errors
    /// When keys or database cannot be reached; asking again goes on.
    pub async fn finish(&self, id: TenantId) -> Result<Erased, OffboardingError> {
        if self.hospital(id).await?.departure.is_none() {
            return Err(StoreError::Conflict { what: "this hospital does not leave".to_owned() }.into());
        }
        let keys = self.keys.shred(id).await?;
        let now = self.clock.now();
        let reach = match keys {
            Shredded::WithBackups => "with older copies of the database",
            Shredded::DatabaseOnly => "not in older copies of the database",
        };
        let entry = AuditEntry::new(id, now, ACTOR, "tenant.erase", format!("tenant:{id}"));
        let is_new = self.departures.erase(id, now, &entry.with("keysDestroyed", reach)).await?;
        Ok(Erased { keys, is_new })
    }

    async fn hospital(&self, id: TenantId) -> Result<Tenant, OffboardingError> {
        let found = self.tenants.by_id(id).await?;
        found.filter(|tenant| tenant.id != TenantId::PLATFORM).ok_or(OffboardingError::Unknown)
    }
}
