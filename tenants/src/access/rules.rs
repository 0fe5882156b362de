//! Who holds which role where: what decisions in a tenant rest on.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use super::{Action, Object, Role};
use crate::{
    errors::StoreError,
    ids::{ElevationId, OpeningId, RoleName, TenantId, UnitId, UserId},
    org::OrgUnit,
};

/// A role that a user holds in a unit and everything below it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RoleGrant {
    /// Which role.
    pub role: RoleName,
    /// Where; [`UnitId::root`] for the whole hospital.
    pub unit: UnitId,
    /// Held until then; for as long as nobody takes it away when `None`.
    pub until: Option<Timestamp>,
}

impl RoleGrant {
    /// A built-in role in the whole hospital, until it is taken away.
    pub fn everywhere(tenant: TenantId, role: Role) -> Self {
        Self { role: role.into(), unit: UnitId::root(tenant), until: None }
    }
}

/// A role and a unit to which a credential is restricted: with an API token one may do less than its owner.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Restriction {
    /// Which of the owner's roles.
    pub role: RoleName,
    /// Where at most.
    pub unit: UnitId,
}

/// A patient's record that a user has opened in an emergency.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Opened {
    /// The opening.
    pub id: OpeningId,
    /// Who.
    pub user: UserId,
    /// Whose record.
    pub patient: Uuid,
    /// Why, in their words.
    pub reason: Arc<str>,
    /// Open until then.
    pub until: Timestamp,
}

/// An operator whom a hospital lets act in it for a while.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Elevated {
    /// What was asked and granted.
    pub id: ElevationId,
    /// Who: a user of [`TenantId::PLATFORM`].
    pub operator: UserId,
    /// What they are called.
    pub name: Arc<str>,
    /// Under which role, in the whole hospital.
    pub role: RoleName,
    /// What the one is called who let them in.
    pub granted_by: Arc<str>,
    /// Why, in the operator's words.
    pub reason: Arc<str>,
    /// In force until then.
    pub until: Timestamp,
}

/// A policy of one of a hospital's own roles, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPolicy {
    /// Whom it is granted to.
    pub role: RoleName,
    /// On what.
    pub object: Object,
    /// What.
    pub action: Action,
    /// The predicate as it was written.
    pub rows: String,
    /// Names of hidden columns.
    pub masked: Vec<String>,
}

/// Everything that decisions in one tenant rest on, as of one moment.
#[derive(Debug, Clone, Default)]
pub struct AccessData {
    /// Grows with every change.
    pub version: u64,
    /// The tree of units, in any order.
    pub units: Vec<OrgUnit>,
    /// What the hospital's own roles may do; those that are built in are known.
    pub policies: Vec<StoredPolicy>,
    /// Who holds what.
    pub grants: Vec<(UserId, RoleGrant)>,
    /// Records that are open in an emergency, the newest opening of a record last.
    pub opened: Vec<Opened>,
    /// Operators who act in it.
    pub elevated: Vec<Elevated>,
    /// Whether the tenant is cut off: nobody may do anything.
    pub suspended: bool,
}

/// Where that comes from. `storage` implements it.
#[async_trait]
pub trait AccessRules: Send + Sync {
    /// Everything of a tenant, of records that are open in an emergency and of operators who are let in those that are
    /// `now`;
    /// [`StoreError::NotFound`] when there is no such tenant.
    async fn access_data(&self, tenant: TenantId, now: Timestamp) -> Result<AccessData, StoreError>;
    /// The versions of all tenants, to notice what other processes change.
    async fn access_versions(&self) -> Result<Vec<(TenantId, u64)>, StoreError>;
}

/// Rules that never change, for tests and for tools that have no database: users and the roles that each holds
/// in the whole hospital, the same in every tenant.
pub struct FixedRules(Arc<[(UserId, RoleName)]>);

impl FixedRules {
    /// One user for each built-in role.
    pub fn of_each_role(user: impl Fn(Role) -> UserId) -> Self {
        Self(Role::ALL.iter().map(|role| (user(*role), RoleName::from(*role))).collect())
    }

    /// With these roles.
    pub fn new(roles: impl IntoIterator<Item = (UserId, RoleName)>) -> Self {
        Self(roles.into_iter().collect())
    }
}

#[async_trait]
impl AccessRules for FixedRules {
    async fn access_data(&self, tenant: TenantId, _: Timestamp) -> Result<AccessData, StoreError> {
        let unit = UnitId::root(tenant);
        let grants =
            self.0.iter().map(|(user, role)| (*user, RoleGrant { role: role.clone(), unit, until: None }));
        let whole =
            OrgUnit { id: unit, parent: None, name: "All".into(), kind: crate::org::UnitKind::Hospital };
        Ok(AccessData { units: vec![whole], grants: grants.collect(), ..AccessData::default() })
    }

    async fn access_versions(&self) -> Result<Vec<(TenantId, u64)>, StoreError> {
        Ok(Vec::new())
    }
}
