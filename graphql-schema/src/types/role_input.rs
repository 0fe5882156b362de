//! A hospital's own role, as somebody wants it.

use async_graphql::InputObject;
use tenants::{
    RoleName,
    access::{OwnRole, RoleError, StoredPolicy},
};

use crate::errors::{ApiError, Result};

#[derive(InputObject)]
pub(crate) struct SaveRoleInput {
    /// 2 to 39 of a-z, 0-9 and -, starting with a letter; cannot be changed later.
    name: String,
    /// That was edited; omit to add a role.
    version: Option<u32>,
    /// 1 to 60 characters, for people.
    title: String,
    /// 1 to 100.
    policies: Vec<PolicyInput>,
}

#[derive(InputObject)]
pub(crate) struct PolicyInput {
    /// One of policyObjects.
    object: String,
    /// One of the object's actions.
    action: String,
    /// all, or a predicate over the object's testableColumns and the user: and, or, not, =, in, is missing,
    /// within user.units, contains user.id, user.break_glass
    rows: String,
    hidden_columns: Vec<String>,
}

impl From<RoleError> for ApiError {
    fn from(error: RoleError) -> Self {
        Self::new(error.kind(), error.to_string())
    }
}

impl SaveRoleInput {
    /// The role in the form in which it is kept, or what is wrong with it.
    pub(crate) fn checked(self) -> Result<OwnRole> {
        let name = RoleName::parse(&self.name)?;
        let mut policies = Vec::with_capacity(self.policies.len());
        for (at, policy) in self.policies.into_iter().enumerate() {
            let misread = |error: tenants::IdError| ApiError::bad_input(format!("policies[{at}]: {error}"));
            policies.push(StoredPolicy {
                role: name.clone(),
                object: policy.object.parse().map_err(misread)?,
                action: policy.action.parse().map_err(misread)?,
                rows: policy.rows,
                masked: policy.hidden_columns,
            });
        }
        let version = self.version.map_or(1, |edited| edited.saturating_add(1));
        Ok(OwnRole { name, title: self.title, policies, version }.checked()?)
    }
}
