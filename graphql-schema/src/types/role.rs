//! Roles, what they may do, and what that comes to.

use async_graphql::{Enum, SimpleObject};
use tenants::{
    access::{self, Column, Object, Reason},
    org::OrgTree,
};

use super::{RoleGrant, ServiceClient, User};

/// A role that can be given.
#[derive(SimpleObject)]
pub(crate) struct Role {
    /// As grants name it.
    name: String,
    /// For people.
    title: String,
    /// Whether it is there from the start and stays as it is.
    built_in: bool,
    policies: Vec<Policy>,
    /// How many people and service clients hold it now.
    holders: usize,
    /// From 1 on; null for built-in roles.
    version: Option<u32>,
}

/// An action on an object, in certain rows, without certain columns.
#[derive(SimpleObject)]
pub(crate) struct Policy {
    /// One of policyObjects.
    object: String,
    /// One of the object's actions.
    action: String,
    /// all, or a predicate over the object's columns and the user, e.g. not patient.restricted
    rows: String,
    /// What stays hidden in these rows.
    hidden_columns: Vec<String>,
}

impl Role {
    pub(crate) fn of_built_in(role: access::Role, policies: &[access::Policy], holders: usize) -> Self {
        let of_role = policies.iter().filter(|policy| policy.role.as_str() == role.as_str());
        let name = role.as_str();
        Self {
            name: name.to_owned(),
            title: name.get(..1).unwrap_or_default().to_uppercase() + name.get(1..).unwrap_or_default(),
            built_in: true,
            policies: of_role.map(|policy| policy.stored().into()).collect(),
            holders,
            version: None,
        }
    }

    pub(crate) fn of_own(role: access::OwnRole, holders: usize) -> Self {
        Self {
            name: role.name.to_string(),
            title: role.title,
            built_in: false,
            policies: role.policies.into_iter().map(Into::into).collect(),
            holders,
            version: Some(role.version),
        }
    }
}

impl From<access::StoredPolicy> for Policy {
    fn from(policy: access::StoredPolicy) -> Self {
        Self {
            object: policy.object.to_string(),
            action: policy.action.to_string(),
            rows: policy.rows,
            hidden_columns: policy.masked,
        }
    }
}

/// What a policy may be about, and what it may say.
#[derive(SimpleObject)]
pub(crate) struct PolicyObject {
    name: String,
    actions: Vec<String>,
    /// What a predicate may test.
    testable_columns: Vec<PolicyColumn>,
    /// What may stay hidden.
    hideable_columns: Vec<String>,
}

/// A column that a predicate may test.
#[derive(SimpleObject)]
pub(crate) struct PolicyColumn {
    name: String,
    /// In words, e.g. a text.
    kind: String,
}

impl From<Object> for PolicyObject {
    fn from(object: Object) -> Self {
        let names = |columns: &[Column]| columns.iter().map(ToString::to_string).collect();
        let column = |column: &Column| PolicyColumn {
            name: column.to_string(),
            kind: column.kind().in_words().to_owned(),
        };
        Self {
            name: object.to_string(),
            actions: object.actions().iter().map(ToString::to_string).collect(),
            testable_columns: Column::testable(object).iter().map(column).collect(),
            hideable_columns: names(Column::maskable(object)),
        }
    }
}

/// Whose access a change of a role would change.
#[derive(SimpleObject)]
pub(crate) struct RolePreview {
    /// People whose access would change.
    pub(crate) people: usize,
    /// Service clients whose access would change.
    pub(crate) clients: usize,
    /// What would change for them; of many for the first 20.
    pub(crate) changes: Vec<AccessChange>,
}

/// What would change for somebody, or for a service client.
#[derive(SimpleObject)]
pub(crate) struct AccessChange {
    /// Null where it is a service client.
    pub(crate) user: Option<User>,
    /// Null where it is a person.
    pub(crate) client: Option<ServiceClient>,
    /// object:action
    pub(crate) permission: String,
    /// Null where they may not do it.
    pub(crate) before: Option<AccessExtent>,
    /// Null where they could not do it any more.
    pub(crate) after: Option<AccessExtent>,
}

/// How far a permission reaches.
#[derive(SimpleObject)]
pub(crate) struct AccessExtent {
    /// How many rows; null for what is not counted.
    pub(crate) rows: Option<u64>,
    /// Hidden in some of them.
    pub(crate) hidden_columns: Vec<String>,
}

/// Kinds of rows that policies are about.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PolicyRowKind {
    /// A patient, by id.
    Patient,
    /// A device, by id.
    Device,
    /// An alarm, by id.
    Alarm,
}

/// What somebody may do with one row, and why.
#[derive(SimpleObject)]
pub(crate) struct EffectiveAccess {
    user: User,
    /// The roles that count now.
    roles: Vec<RoleGrant>,
    actions: Vec<ActionAccess>,
}

/// Whether somebody may do something with a row.
#[derive(SimpleObject)]
pub(crate) struct ActionAccess {
    action: String,
    allowed: bool,
    /// Columns of the row that they do not see.
    hidden_columns: Vec<String>,
    /// The policies of their roles that are about it; none of them has one when this is empty.
    reasons: Vec<AccessReason>,
}

/// A policy, and whether it covers the row.
#[derive(SimpleObject)]
pub(crate) struct AccessReason {
    role: RoleGrant,
    /// The policy's predicate, with the part of the hospital in which the role is held.
    rows: String,
    covers: bool,
    hidden_columns: Vec<String>,
}

impl EffectiveAccess {
    /// `covered` says of each reason whether it covers the row.
    pub(crate) fn new(
        user: User,
        object: Object,
        held: Vec<access::RoleGrant>,
        reasons: &[(Reason, bool)],
        units: &OrgTree,
    ) -> Self {
        let actions = object.actions().iter().map(|action| {
            let of_action = || reasons.iter().filter(|(reason, _)| reason.action == *action);
            let covering = || of_action().filter(|(_, covers)| *covers);
            // A row shows what any policy that covers it shows.
            let hidden = |column: &&Column| {
                covering().count() > 0 && covering().all(|(reason, _)| reason.clause.masked.contains(column))
            };
            ActionAccess {
                action: action.to_string(),
                allowed: covering().count() > 0,
                hidden_columns: names(Column::maskable(object).iter().filter(hidden)),
                reasons: of_action().filter_map(|(reason, covers)| shown(reason, *covers, units)).collect(),
            }
        });
        // Devices publish, people do not.
        let actions = actions.filter(|action| action.action != access::Action::Publish.as_str()).collect();
        Self { user, roles: RoleGrant::all(held, units), actions }
    }
}

fn shown(reason: &Reason, covers: bool, units: &OrgTree) -> Option<AccessReason> {
    let role = RoleGrant::all(vec![reason.grant.clone()], units).pop()?;
    let rows = reason.clause.predicate.to_string();
    Some(AccessReason { role, rows, covers, hidden_columns: names(reason.clause.masked.iter()) })
}

pub(crate) fn names<'a>(columns: impl Iterator<Item = &'a Column>) -> Vec<String> {
    columns.map(ToString::to_string).collect()
}
