//! The tree of units, and who holds which role in it.

use async_graphql::{ID, SimpleObject};
use jiff::Timestamp;
use tenants::{access, account, org};

use super::UnitKind;
use crate::scalars::DateTime;

/// The hospital as a whole, a department or a ward.
#[derive(SimpleObject)]
pub(crate) struct OrgUnit {
    id: ID,
    name: String,
    kind: UnitKind,
    /// Null for the hospital as a whole.
    parent_id: Option<ID>,
}

impl From<org::OrgUnit> for OrgUnit {
    fn from(unit: org::OrgUnit) -> Self {
        Self {
            id: ID(unit.id.to_string()),
            name: unit.name,
            kind: unit.kind.into(),
            parent_id: unit.parent.map(|parent| ID(parent.to_string())),
        }
    }
}

/// Somebody who signs in.
#[derive(SimpleObject)]
pub(crate) struct User {
    id: ID,
    email: String,
    display_name: String,
    /// In the order of their names.
    roles: Vec<RoleGrant>,
    /// A code is asked for at every sign-in since then; null for whoever has no second factor here.
    second_factor_since: Option<DateTime>,
}

impl User {
    pub(crate) fn new(
        user: account::User,
        held: Vec<access::RoleGrant>,
        second_factor_since: Option<Timestamp>,
        units: &org::OrgTree,
    ) -> Self {
        Self {
            id: ID(user.id.to_string()),
            email: user.email,
            display_name: user.display_name,
            roles: RoleGrant::all(held, units),
            second_factor_since: second_factor_since.map(DateTime),
        }
    }
}

/// A role that somebody holds in a unit and everything below it.
#[derive(SimpleObject)]
pub(crate) struct RoleGrant {
    /// e.g. nurse
    role: String,
    unit: OrgUnit,
    /// Null where nobody set an end.
    until: Option<DateTime>,
}

impl RoleGrant {
    /// In the order of the roles' names; a role in a unit that is gone counts for nothing.
    pub(crate) fn all(mut held: Vec<access::RoleGrant>, units: &org::OrgTree) -> Vec<Self> {
        held.sort_by(|one, other| one.role.cmp(&other.role));
        let shown = held.into_iter().filter_map(|grant| {
            let unit = units.get(grant.unit)?.clone().into();
            Some(Self { role: grant.role.to_string(), unit, until: grant.until.map(DateTime) })
        });
        shown.collect()
    }
}
