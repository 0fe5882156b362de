//! The one handle of this crate.

use std::{sync::Arc, time::Duration};

use moka::sync::Cache;
use tenants::{
    DeviceId, Tenant, TenantId, TenantSlug, TokenId,
    access::{Caller, Principal, Restriction},
    account::User,
    clock::Clock,
    device_authority::EnrolledAuthorities,
    revocations::{Generation, Revocations},
    stores::{Accounts, ApiTokens, AuditTrail, DeviceCredentials, DeviceLogin, ServiceClients, Tenants},
};

use crate::{
    BreachedPasswords, Federation, IdentityError,
    audit::Audit,
    back_off::BackOff,
    certificates::Authority,
    enrolment::{Enrolments, Secret},
    limits::Limits,
    logins::Logins,
    metrics::IdentityMetrics,
    oidc::Oidc,
    passwords::Passwords,
    second_factor::Factors,
    sessions::ActiveSession,
    setup::Setup,
    throttle::Throttle,
    tokens::ActiveToken,
};

/// How long an answer of the database is taken for true at most. A revoked token or an ended session is told of by
/// [`Revocations`] and does not wait for it.
const TRUSTED_FOR: Duration = Duration::from_secs(5);
/// Entries of each cache.
const CACHED: u64 = 20_000;

/// Identifies people, programs and devices.
pub struct Identity {
    pub(crate) accounts: Arc<dyn Accounts>,
    pub(crate) api_tokens: Arc<dyn ApiTokens>,
    pub(crate) tenants: Arc<dyn Tenants>,
    pub(crate) logins: Arc<Logins>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) audit: Audit,
    pub(crate) passwords: Passwords,
    pub(crate) back_off: BackOff,
    pub(crate) limits: Limits,
    /// Passwords that nobody may choose; without it only common ones are refused.
    pub(crate) breached: Option<BreachedPasswords>,
    pub(crate) revocations: Arc<Revocations>,
    /// Uses of API tokens that are to be noted.
    pub(crate) uses: Throttle<(TenantId, TokenId)>,
    pub(crate) metrics: IdentityMetrics,
    pub(crate) setup: Setup,
    /// Without it there are no identity providers.
    pub(crate) oidc: Option<Oidc>,
    /// Without it there are no service clients.
    pub(crate) clients: Option<Arc<dyn ServiceClients>>,
    /// Without it nobody has a second factor.
    pub(crate) factors: Option<Factors>,
    /// Without it no device signs.
    pub(crate) enrolments: Option<Enrolments>,
    /// Without it no device is let in that shows a certificate.
    pub(crate) authorities: Option<Arc<dyn EnrolledAuthorities>>,
    pub(crate) cache: Caches,
}

/// What was found lately. What was not found is asked for again every time: it may have come into being.
pub(crate) struct Caches {
    pub(crate) tenants: Cache<TenantSlug, Tenant>,
    pub(crate) tenants_by_id: Cache<TenantId, Tenant>,
    /// Each with the generation of before it was looked up, as the following.
    pub(crate) devices: Cache<(TenantId, DeviceId), (Generation, DeviceLogin)>,
    pub(crate) devices_by_token: Cache<[u8; 32], (Generation, DeviceLogin)>,
    /// Also that a hospital has none.
    pub(crate) enrolment_secrets: Cache<TenantId, Option<Secret>>,
    pub(crate) authorities: Cache<TenantId, (Generation, Arc<[Authority]>)>,
    pub(crate) all_tenants: Cache<(), Arc<[Tenant]>>,
    pub(crate) sessions: Cache<[u8; 32], (Generation, Arc<ActiveSession>)>,
    pub(crate) tokens: Cache<[u8; 32], (Generation, ActiveToken)>,
}

impl Identity {
    /// On these stores.
    pub fn new(
        accounts: Arc<dyn Accounts>,
        api_tokens: Arc<dyn ApiTokens>,
        tenants: Arc<dyn Tenants>,
        devices: Arc<dyn DeviceCredentials>,
        audit: Arc<dyn AuditTrail>,
        revocations: Arc<Revocations>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let cache = Caches {
            tenants: short_lived(),
            tenants_by_id: short_lived(),
            devices: short_lived(),
            devices_by_token: short_lived(),
            enrolment_secrets: short_lived(),
            authorities: short_lived(),
            all_tenants: short_lived(),
            sessions: short_lived(),
            tokens: short_lived(),
        };
        Self {
            accounts,
            api_tokens,
            tenants,
            logins: Logins::new(devices),
            audit: Audit::new(audit, clock.clone()),
            clock,
            passwords: Passwords::new(),
            back_off: BackOff::new(),
            limits: Limits::new(),
            breached: None,
            revocations,
            uses: Throttle::new(),
            metrics: IdentityMetrics::default(),
            setup: Setup::default(),
            oidc: None,
            clients: None,
            factors: None,
            enrolments: None,
            authorities: None,
            cache,
        }
    }

    /// Lets people in through the identity providers of their hospitals, too.
    #[must_use]
    pub fn with_providers(self, federation: Federation) -> Self {
        let oidc = Oidc::new(federation, Arc::clone(&self.clock));
        Self { oidc: Some(oidc), ..self }
    }

    /// Lets programs in that act for hospitals themselves, too.
    #[must_use]
    pub fn with_service_clients(self, clients: Arc<dyn ServiceClients>) -> Self {
        Self { clients: Some(clients), ..self }
    }

    /// What was counted, to be shown.
    pub fn metrics(&self) -> &IdentityMetrics {
        &self.metrics
    }

    /// Tells of revocations.
    pub fn revocations(&self) -> &Arc<Revocations> {
        &self.revocations
    }

    /// Refuses new passwords that are in a file of breached ones.
    #[must_use]
    pub fn with_breached_passwords(self, breached: Option<BreachedPasswords>) -> Self {
        Self { breached, ..self }
    }

    /// The PHC string to keep of a password.
    ///
    /// # Errors
    /// [`IdentityError::Busy`] when too many are being hashed already.
    pub async fn hash_password(&self, password: &str) -> Result<String, IdentityError> {
        self.passwords.hash(password).await
    }

    /// Looks at tenants anew: one was suspended, or is served again.
    pub fn forget_tenants(&self) {
        self.cache.tenants.invalidate_all();
        self.cache.tenants_by_id.invalidate_all();
        self.cache.all_tenants.invalidate_all();
    }

    /// The tenant of this name, if there is one.
    pub(crate) async fn tenant(&self, slug: &TenantSlug) -> Result<Option<Tenant>, IdentityError> {
        if let Some(known) = self.cache.tenants.get(slug) {
            return Ok(Some(known));
        }
        let tenant = self.tenants.by_slug(slug).await?;
        if let Some(tenant) = &tenant {
            self.cache.tenants.insert(slug.clone(), tenant.clone());
        }
        Ok(tenant)
    }

    /// The same by a text that need be no name.
    pub(crate) async fn tenant_named(&self, text: &str) -> Result<Option<Tenant>, IdentityError> {
        match TenantSlug::parse(text) {
            Ok(slug) => self.tenant(&slug).await,
            Err(_) => Ok(None),
        }
    }

    /// All of them.
    pub(crate) async fn all_tenants(&self) -> Result<Arc<[Tenant]>, IdentityError> {
        if let Some(known) = self.cache.all_tenants.get(&()) {
            return Ok(known);
        }
        let all: Arc<[Tenant]> = self.tenants.all().await?.into();
        self.cache.all_tenants.insert((), Arc::clone(&all));
        Ok(all)
    }

    /// The same by its id.
    pub(crate) async fn tenant_by_id(&self, id: TenantId) -> Result<Option<Tenant>, IdentityError> {
        if let Some(known) = self.cache.tenants_by_id.get(&id) {
            return Ok(Some(known));
        }
        let tenant = self.tenants.by_id(id).await?;
        if let Some(tenant) = &tenant {
            self.cache.tenants_by_id.insert(id, tenant.clone());
        }
        Ok(tenant)
    }
}

/// The caller that a user is, with all rights that the user has.
pub(crate) fn caller(user: &User) -> Caller {
    restricted(user, None)
}

/// The same, with a part of them.
pub(crate) fn restricted(user: &User, to: Option<Restriction>) -> Caller {
    Caller {
        tenant: user.tenant,
        principal: Principal::User {
            id: user.id,
            name: user.display_name.as_str().into(),
            email: user.email.as_str().into(),
            restricted_to: to.map(|restriction| Arc::from([restriction])),
        },
    }
}

fn short_lived<K, V>() -> Cache<K, V>
where
    K: std::hash::Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    Cache::builder().max_capacity(CACHED).time_to_live(TRUSTED_FOR).build()
}
