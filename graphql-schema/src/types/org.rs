//! The tree of units, and who holds which role in it.

use async_graphql::{ID, SimpleObject};
use tenants::org;

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

/// A role that somebody holds in a unit and everything below it.
#[derive(SimpleObject)]
pub(crate) struct RoleGrant {
    /// e.g. nurse
    pub(crate) role: String,
    pub(crate) unit: OrgUnit,
    /// Null where nobody set an end.
    pub(crate) until: Option<DateTime>,
}
