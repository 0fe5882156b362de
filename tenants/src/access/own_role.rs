//! Roles that a hospital makes itself.

use super::{Action, Object, Policy, PolicyError, Role, StoredPolicy};
use crate::{errors::ErrorKind, ids::RoleName};

/// Most policies of one role.
const MAX_POLICIES: usize = 100;
const MAX_TITLE: usize = 60;

/// A role that a hospital has made itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnRole {
    /// As grants name it; not that of a built-in role.
    pub name: RoleName,
    /// For people.
    pub title: String,
    /// What it may do.
    pub policies: Vec<StoredPolicy>,
    /// From 1 on.
    pub version: u32,
}

/// Why a role cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    /// The name of a role that is there from the start.
    #[error("name: {0} is a built-in role, which stays as it is; choose another name")]
    BuiltIn(RoleName),
    /// No title, or too long a one.
    #[error("title: must have 1 to {MAX_TITLE} characters")]
    Title,
    /// Nothing, or too much.
    #[error("policies: a role has 1 to {MAX_POLICIES} of them, got {0}")]
    Count(usize),
    /// One of its policies.
    #[error("policies[{at}]: {problem}")]
    Policy {
        /// Which, counted from 0.
        at: usize,
        /// What is wrong with it.
        problem: PolicyError,
    },
    /// The same thing said twice.
    #[error("policies[{at}]: {object}:{action} in these rows stands in an earlier policy, too; remove one")]
    Twice {
        /// Which, counted from 0.
        at: usize,
        /// On what.
        object: Object,
        /// What.
        action: Action,
    },
}

impl RoleError {
    /// What the error means to a caller.
    pub const fn kind(&self) -> ErrorKind {
        ErrorKind::BadInput
    }
}

impl OwnRole {
    /// Refuses what no role can be; the policies are then in the form in which they are kept.
    ///
    /// # Errors
    /// [`RoleError`] naming what is wrong, and where.
    pub fn checked(self) -> Result<Self, RoleError> {
        if Role::ALL.iter().any(|role| role.as_str() == self.name.as_str()) {
            return Err(RoleError::BuiltIn(self.name));
        }
        let title = self.title.trim().to_owned();
        if title.is_empty() || title.chars().count() > MAX_TITLE || title.contains(char::is_control) {
            return Err(RoleError::Title);
        }
        if self.policies.is_empty() || self.policies.len() > MAX_POLICIES {
            return Err(RoleError::Count(self.policies.len()));
        }
        let mut policies: Vec<StoredPolicy> = Vec::with_capacity(self.policies.len());
        for (at, StoredPolicy { object, action, rows, masked, .. }) in self.policies.into_iter().enumerate() {
            let policy = Policy::parse(self.name.clone(), object, action, &rows, &masked);
            let policy = policy.and_then(Policy::of_hospital);
            let policy = policy.map_err(|problem| RoleError::Policy { at, problem })?.stored();
            if policies.iter().any(|earlier| same_rows(earlier, &policy)) {
                return Err(RoleError::Twice { at, object, action });
            }
            policies.push(policy);
        }
        Ok(Self { title, policies, ..self })
    }
}

fn same_rows(one: &StoredPolicy, other: &StoredPolicy) -> bool {
    (one.object, one.action, &one.rows) == (other.object, other.action, &other.rows)
}

impl Policy {
    /// As it is kept.
    pub fn stored(&self) -> StoredPolicy {
        StoredPolicy {
            role: self.role.clone(),
            object: self.object,
            action: self.action,
            rows: self.rows.to_string(),
            masked: self.masked.iter().map(ToString::to_string).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(object: Object, action: Action, rows: &str) -> StoredPolicy {
        let role = RoleName::parse("night-nurse").unwrap();
        StoredPolicy { role, object, action, rows: rows.into(), masked: Vec::new() }
    }

    fn role(policies: Vec<StoredPolicy>) -> OwnRole {
        let name = RoleName::parse("night-nurse").unwrap();
        OwnRole { name, title: " Night nurse ".into(), policies, version: 1 }
    }

    #[test]
    fn a_role_is_kept_in_one_form() {
        let written = policy(Object::Patient, Action::Read, "not   patient.restricted");
        let kept = role(vec![written]).checked().unwrap();
        assert_eq!(
            (kept.title.as_str(), kept.policies[0].rows.as_str()),
            ("Night nurse", "not patient.restricted")
        );
        assert_eq!(kept.clone().checked().unwrap(), kept);
    }

    #[test]
    fn what_is_no_role_is_refused_where_it_is_wrong() {
        let read = || policy(Object::Patient, Action::Read, "all");
        let said = |role: OwnRole| role.checked().unwrap_err().to_string();
        let nurse = OwnRole { name: RoleName::parse("nurse").unwrap(), ..role(vec![read()]) };
        assert!(said(nurse).starts_with("name: nurse is a built-in role"));
        assert!(said(OwnRole { title: " ".into(), ..role(vec![read()]) }).starts_with("title: "));
        assert!(said(OwnRole { title: "x".repeat(61), ..role(vec![read()]) }).starts_with("title: "));
        assert!(said(role(Vec::new())).ends_with("got 0"));
        assert!(said(role(vec![read(); 101])).ends_with("got 101"));
        assert!(said(role(vec![read(), read()])).starts_with("policies[1]: patient:read"));
        let columns = policy(Object::Patient, Action::Read, "device.kind = \"x\"");
        assert!(said(role(vec![read(), columns])).starts_with("policies[1]: rows: "));
        let platform = policy(Object::Tenant, Action::Read, "all");
        assert!(said(role(vec![platform])).contains("for operators of the platform"));
    }
}
