//! A hospital comes aboard: it is registered, and its first administrator invited.
//!
//! Each step is done once and passed over when it was done before, so that an onboarding that was interrupted is
//! simply asked for again.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    access::{Role, RoleGrant},
    account::{Invitation, Tenant, email_address},
    audit::{AuditEntry, Origin},
    clock::Clock,
    credentials::{BearerToken, CredentialError},
    errors::{ErrorKind, StoreError},
    ids::{CorrelationId, TenantId, TenantSlug},
    locality::Locality,
    org::{OrgError, unit_name},
    stores::{Accounts, Tenants},
};

/// What is known of a hospital to be.
#[derive(Debug, Clone)]
pub struct NewHospital {
    /// Its name in addresses and user names.
    pub slug: TenantSlug,
    /// Its name for people.
    pub name: String,
    /// Where it is.
    pub locality: Locality,
    /// E-mail address of its first administrator.
    pub admin_email: String,
}

/// Who takes a hospital aboard, or lets it go.
#[derive(Debug, Clone)]
pub struct Initiator {
    /// As the audit trail names them.
    pub actor: String,
    /// What they are called; empty where there is no name.
    pub actor_name: String,
    /// Where they come from.
    pub origin: Origin,
    /// Leads to the traces.
    pub correlation: CorrelationId,
}

impl Initiator {
    /// An entry of a hospital's trail about something they do.
    pub fn entry(&self, tenant: TenantId, at: Timestamp, action: &str, subject: String) -> AuditEntry {
        AuditEntry {
            actor_name: self.actor_name.clone(),
            origin: self.origin.clone(),
            correlation: self.correlation,
            ..AuditEntry::new(tenant, at, self.actor.as_str(), action, subject)
        }
    }
}

/// A hospital that is aboard.
pub struct Onboarded {
    /// The hospital.
    pub tenant: Tenant,
    /// Whether it was registered only now.
    pub is_new: bool,
    /// The secret of the administrator's link, told only now; `None` when they have an account already.
    pub invitation: Option<BearerToken>,
}

/// Why a hospital did not come aboard. What was done stays done; asking again goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum OnboardingError {
    /// The name cannot be shown or found.
    #[error("name: must have 1 to 100 characters and no control characters")]
    Name,
    /// The address cannot be one.
    #[error("admin e-mail: must be an e-mail address")]
    Email,
    /// The slug names another hospital.
    #[error("slug: {slug} is the hospital {name:?} already; choose another slug")]
    SlugTaken {
        /// The slug.
        slug: TenantSlug,
        /// Whose it is.
        name: String,
    },
    /// The slug names a hospital that has left; what its audit trail tells is told of that one.
    #[error("slug: {slug} was the hospital {name:?}, which has left; choose another slug")]
    Left {
        /// The slug.
        slug: TenantSlug,
        /// Whose it was.
        name: String,
    },
    /// The address signs in elsewhere.
    #[error("admin e-mail: this address has an account elsewhere; use another one")]
    EmailTaken,
    /// No secret could be made.
    #[error(transparent)]
    Randomness(#[from] CredentialError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<OrgError> for OnboardingError {
    fn from(_: OrgError) -> Self {
        Self::Name
    }
}

impl OnboardingError {
    /// What the error means to a caller.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Name | Self::Email => ErrorKind::BadInput,
            Self::SlugTaken { .. } | Self::Left { .. } | Self::EmailTaken => ErrorKind::Conflict,
            Self::Randomness(_) => ErrorKind::Internal,
            Self::Store(error) => error.kind(),
        }
    }
}

/// Takes hospitals aboard.
#[derive(Clone)]
pub struct Onboarding {
    tenants: Arc<dyn Tenants>,
    accounts: Arc<dyn Accounts>,
    clock: Arc<dyn Clock>,
}

impl Onboarding {
    /// On these stores.
    pub fn new(tenants: Arc<dyn Tenants>, accounts: Arc<dyn Accounts>, clock: Arc<dyn Clock>) -> Self {
        Self { tenants, accounts, clock }
    }

    /// Registers a hospital and invites its first administrator.
    ///
    /// # Errors
    /// [`OnboardingError`], naming the field that is wrong.
    pub async fn take_aboard(&self, new: &NewHospital, by: &Initiator) -> Result<Onboarded, OnboardingError> {
        let name = unit_name(&new.name)?.to_owned();
        let email = email_address(&new.admin_email).ok_or(OnboardingError::Email)?;
        let entry = |tenant, action, subject| by.entry(tenant, self.clock.now(), action, subject);
        let known = self.tenants.by_slug(&new.slug).await?;
        let is_new = known.is_none();
        let tenant = match known {
            Some(known) if known.departure.is_some() => {
                return Err(OnboardingError::Left { slug: new.slug.clone(), name: known.name });
            }
            Some(known) if known.id != TenantId::PLATFORM && known.name == name => known,
            Some(known) => {
                return Err(OnboardingError::SlugTaken { slug: new.slug.clone(), name: known.name });
            }
            None => {
                let tenant = Tenant::new(TenantId::new(&*self.clock), new.slug.clone(), name);
                let tenant = Tenant { locality: new.locality.clone(), ..tenant };
                let entry = entry(tenant.id, "tenant.create", format!("tenant:{}", tenant.id));
                self.tenants.create(&tenant, &entry).await?;
                tenant
            }
        };
        let invitation = match self.accounts.login(&email).await? {
            Some(login) if login.user.tenant == tenant.id => None,
            Some(_) => return Err(OnboardingError::EmailTaken),
            None => {
                let grant = RoleGrant::everywhere(tenant.id, Role::Admin);
                let (invitation, secret) = Invitation::new(tenant.id, email, grant, self.clock.now())?;
                let entry = entry(tenant.id, "user.invite", format!("role:{}", Role::Admin));
                self.accounts.invite(&invitation, &entry).await?;
                Some(secret)
            }
        };
        Ok(Onboarded { tenant, is_new, invitation })
    }
}
