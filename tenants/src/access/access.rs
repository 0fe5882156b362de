//! The decision: may this caller do that, and in which rows?

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use jiff::Timestamp;
use parking_lot::RwLock;
use tokio::sync::{Mutex, watch};

use super::{
    AccessData, AccessRules, Action, Caller, Clause, Column, Elevated, Object, Permission, Predicate,
    Principal, Reach, Role, RoleGrant, Rows, Scope, Subject, Value, decisions::Decisions,
};
use crate::{
    clock::Clock,
    errors::{ErrorKind, StoreError},
    ids::{DeviceId, RoleName, TenantId, UserId},
    org::OrgTree,
};

/// How often rules that change while they are loaded are loaded again before they are used without being kept.
const LOADS: usize = 3;

/// Why a permission was not granted.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// None of the caller's roles has it.
    #[error("{held} may not {action} a {object}")]
    Forbidden {
        /// The caller's roles in words.
        held: String,
        /// What was asked for.
        action: Action,
        /// On what.
        object: Object,
    },
    /// An operator whom the hospital has not let in, or not any more.
    #[error(
        "this hospital has not let you in, or not any more; ask it for access, and use it where you have signed in"
    )]
    NotElevated,
    /// An operator who acts in a hospital.
    #[error(
        "an operator who acts in a hospital may not {action} a {object}, whatever the role: that stays with its people"
    )]
    Foreign {
        /// What was asked for.
        action: Action,
        /// On what.
        object: Object,
    },
    /// The hospital is cut off.
    #[error("this hospital is suspended; ask whoever runs the platform")]
    Suspended,
    /// The rules themselves are broken; nothing is granted.
    #[error("the access policy cannot be evaluated")]
    Policy(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The rules cannot be read; nothing is granted.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AccessError {
    /// What the error means to a caller.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Forbidden { .. } | Self::NotElevated | Self::Foreign { .. } | Self::Suspended => {
                ErrorKind::Forbidden
            }
            Self::Policy(_) => ErrorKind::Internal,
            Self::Store(error) => error.kind(),
        }
    }

    pub(super) fn policy(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Policy(cause.into())
    }
}

/// Decides by casbin and the grants of users, remembers, and grants.
pub struct Access {
    rules: Arc<dyn AccessRules>,
    clock: Arc<dyn Clock>,
    tenants: RwLock<HashMap<TenantId, Arc<Decisions>>>,
    loading: Mutex<()>,
    /// Changes noticed, of all tenants together.
    changes: AtomicU64,
    /// When it was last looked at what has run out.
    looked: parking_lot::Mutex<Timestamp>,
    told: watch::Sender<u64>,
}

impl Access {
    /// By these rules.
    pub fn new(rules: Arc<dyn AccessRules>, clock: Arc<dyn Clock>) -> Self {
        let (tenants, loading, changes) = (RwLock::default(), Mutex::default(), AtomicU64::new(0));
        let looked = parking_lot::Mutex::new(clock.now());
        Self { rules, clock, tenants, loading, changes, looked, told: watch::Sender::new(0) }
    }

    /// The scope in which the caller may act, or why it may not.
    ///
    /// # Errors
    /// [`AccessError::Forbidden`] when no role has the permission; devices have none here. Also when the rules
    /// cannot be read: then nobody may do anything.
    pub async fn grant(&self, caller: &Caller, object: Object, action: Action) -> Result<Scope, AccessError> {
        let Some(id) = caller.holder() else {
            return Err(AccessError::Forbidden { held: "a device".to_owned(), action, object });
        };
        let decisions = self.decisions_of(caller.tenant, id).await?;
        let now = self.clock.now();
        if let Some(elevated) = caller.elevated() {
            self.check_elevated(&decisions, elevated).await?;
            if stays_with_its_people(object, action) {
                return Err(AccessError::Foreign { action, object });
            }
        }
        match decisions.decide(id, caller.restricted_to(), (object, action), now)? {
            Some(rows) => Ok(Scope::new(caller.clone(), Permission { object, action }, rows)),
            None if decisions.suspended => Err(AccessError::Suspended),
            None => {
                let held = in_words(&decisions.held(id, caller.restricted_to(), now));
                Err(AccessError::Forbidden { held, action, object })
            }
        }
    }

    /// The scope of an authenticated device: it may send its own readings, nothing else.
    pub fn device(&self, tenant: TenantId, device: &DeviceId) -> Scope {
        let own = Clause {
            role: None,
            predicate: Predicate::Equals(Column::DeviceId, Value::Text(device.as_str().to_owned())),
            subject: Subject::new(UserId::from_uuid(*tenant.as_uuid()), Reach::Hospital, Arc::new([])),
            masked: Vec::new(),
        };
        Scope::new(
            Caller { tenant, principal: Principal::Device(device.clone()) },
            Permission { object: Object::Device, action: Action::Publish },
            Arc::new(Rows(vec![own])),
        )
    }

    /// Everything the caller may do in some rows, for a user interface that shows only that.
    ///
    /// # Errors
    /// [`AccessError::Policy`] and [`AccessError::Store`] when the rules cannot be used.
    pub async fn permissions(&self, caller: &Caller) -> Result<Vec<Permission>, AccessError> {
        let Some(id) = caller.holder() else { return Ok(Vec::new()) };
        let decisions = self.decisions_of(caller.tenant, id).await?;
        let now = self.clock.now();
        if let Some(elevated) = caller.elevated() {
            self.check_elevated(&decisions, elevated).await?;
        }
        let mut granted = Vec::new();
        for &object in Object::ALL {
            for &action in object.actions() {
                if caller.elevated().is_some() && stays_with_its_people(object, action) {
                    continue;
                }
                if decisions.decide(id, caller.restricted_to(), (object, action), now)?.is_some() {
                    granted.push(Permission { object, action });
                }
            }
        }
        Ok(granted)
    }

    /// The roles that the caller holds now, as far as the credential carries them.
    ///
    /// # Errors
    /// As for [`Access::permissions`].
    pub async fn roles(&self, caller: &Caller) -> Result<Vec<RoleGrant>, AccessError> {
        let Some(id) = caller.holder() else { return Ok(Vec::new()) };
        Ok(self.decisions_of(caller.tenant, id).await?.held(id, caller.restricted_to(), self.clock.now()))
    }

    /// The caller as whom an operator acts in a hospital that has let them in.
    ///
    /// # Errors
    /// [`AccessError::NotElevated`] when it has not, or not any more, and for whoever is no operator.
    pub async fn acting(&self, operator: &Caller, tenant: TenantId) -> Result<Caller, AccessError> {
        let (Some(id), None) = (operator.user(), operator.restricted_to()) else {
            return Err(AccessError::NotElevated);
        };
        if operator.tenant != TenantId::PLATFORM || tenant == TenantId::PLATFORM {
            return Err(AccessError::NotElevated);
        }
        let decisions = self.decisions_of(tenant, id).await.map_err(not_there)?;
        let elevated = decisions.elevated(id, self.now()).ok_or(AccessError::NotElevated)?;
        self.check_elevated(&decisions, elevated).await?;
        Ok(Caller { tenant, principal: Principal::Operator(Arc::new(elevated.clone())) })
    }

    /// Whether exactly this elevation is in force, of somebody who still is an operator.
    async fn check_elevated(&self, decisions: &Decisions, elevated: &Elevated) -> Result<(), AccessError> {
        let (operator, now) = (elevated.operator, self.now());
        let platform = self.decisions_of(TenantId::PLATFORM, operator).await?;
        let operates = platform.decide(operator, None, (Object::Tenant, Action::Read), now)?.is_some();
        let in_force = decisions.elevated(operator, now).is_some_and(|known| known.id == elevated.id);
        if operates && in_force { Ok(()) } else { Err(AccessError::NotElevated) }
    }

    /// What each of the tenant's users holds, also what is over already.
    ///
    /// # Errors
    /// As for [`Access::permissions`].
    pub async fn grants(&self, tenant: TenantId) -> Result<HashMap<UserId, Vec<RoleGrant>>, AccessError> {
        Ok(self.decisions(tenant).await?.grants.clone())
    }

    /// The roles that can be given in the tenant: built-in ones first, then its own by name.
    ///
    /// # Errors
    /// As for [`Access::permissions`].
    pub async fn role_names(&self, tenant: TenantId) -> Result<Vec<RoleName>, AccessError> {
        let on_platform = tenant == TenantId::PLATFORM;
        let built_in = Role::ALL.iter().copied().filter(|role| (*role == Role::Operator) == on_platform);
        let own = self.decisions(tenant).await?.own_roles();
        Ok(built_in.map(RoleName::from).chain(own).collect())
    }

    /// The tenant's tree of units.
    ///
    /// # Errors
    /// As for [`Access::permissions`].
    pub async fn units(&self, tenant: TenantId) -> Result<OrgTree, AccessError> {
        Ok(self.decisions(tenant).await?.tree.clone())
    }

    /// Something that decisions in the tenant rest on was changed: from now on they are made anew.
    pub fn changed(&self, tenant: TenantId) {
        // Counted before it is forgotten: a load that has begun earlier is then not kept.
        let changes = self.changes.fetch_add(1, Ordering::SeqCst) + 1;
        self.tenants.write().remove(&tenant);
        self.told.send_replace(changes);
    }

    /// Tells of every change, so that open streams can be looked at again.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.told.subscribe()
    }

    /// Notices what other processes have changed, and what was given for a time and has run out; to be called about
    /// twice a second.
    ///
    /// # Errors
    /// When the database fails; then every tenant's rules are loaded anew when they are next needed, which fails
    /// as long as the database does.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        let now = self.now();
        let since = std::mem::replace(&mut *self.looked.lock(), now);
        let known: Vec<_> =
            self.tenants.read().iter().map(|(tenant, decisions)| (*tenant, Arc::clone(decisions))).collect();
        if known.is_empty() {
            return Ok(());
        }
        let stored = self.rules.access_versions().await;
        let versions: HashMap<_, _> =
            stored.as_ref().map(|all| all.iter().copied().collect()).unwrap_or_default();
        for (tenant, decisions) in known {
            if versions.get(&tenant) != Some(&decisions.version) || decisions.ran_out(since, now) {
                self.changed(tenant);
            }
        }
        stored.map(drop)
    }

    /// The tenant's decisions, looked at anew for a user who holds nothing in them: somebody who has just come
    /// aboard must not be turned away until the next look.
    pub(super) async fn decisions_of(
        &self,
        tenant: TenantId,
        user: UserId,
    ) -> Result<Arc<Decisions>, AccessError> {
        let decisions = self.decisions(tenant).await?;
        if decisions.grants.contains_key(&user) {
            return Ok(decisions);
        }
        self.refresh().await?;
        self.decisions(tenant).await
    }

    async fn decisions(&self, tenant: TenantId) -> Result<Arc<Decisions>, AccessError> {
        if let Some(known) = self.known(tenant) {
            return Ok(known);
        }
        let _one_at_a_time = self.loading.lock().await;
        if let Some(known) = self.known(tenant) {
            return Ok(known);
        }
        let mut loads = 0;
        loop {
            let before = self.changes.load(Ordering::SeqCst);
            let data = self.data(tenant).await?;
            let decisions = Arc::new(Decisions::new(tenant, data).await?);
            let mut tenants = self.tenants.write();
            if self.changes.load(Ordering::SeqCst) == before {
                tenants.insert(tenant, decisions.clone());
                return Ok(decisions);
            }
            loads += 1;
            if loads == LOADS {
                return Ok(decisions);
            }
        }
    }

    pub(super) async fn data(&self, tenant: TenantId) -> Result<AccessData, AccessError> {
        Ok(self.rules.access_data(tenant, self.now()).await?)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn known(&self, tenant: TenantId) -> Option<Arc<Decisions>> {
        self.tenants.read().get(&tenant).cloned()
    }
}

/// What no operator does in a hospital, whatever the role that it gave them: let people in, which would outlast the
/// elevation, or see more than the role does.
const fn stays_with_its_people(object: Object, action: Action) -> bool {
    matches!(
        (object, action),
        (
            Object::User | Object::Role | Object::Token | Object::IdentityProvider | Object::Elevation,
            Action::Write
        ) | (Object::Patient, Action::BreakGlass)
            | (Object::Audit, Action::Review)
    )
}

/// A hospital that is not there has let nobody in.
fn not_there(error: AccessError) -> AccessError {
    match error {
        AccessError::Store(StoreError::NotFound { .. }) => AccessError::NotElevated,
        other => other,
    }
}

fn in_words(held: &[RoleGrant]) -> String {
    match held {
        [] => "a user without a role".to_owned(),
        held => {
            let mut names: Vec<&str> = held.iter().map(|grant| grant.role.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            format!("the role {}", names.join(" or "))
        }
    }
}

#[cfg(test)]
mod tests;
