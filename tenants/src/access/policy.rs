//! What a role may do: an action on an object, in certain rows, without certain columns.

use super::{Action, Column, Object, Predicate, PredicateError, Role};
use crate::{
    errors::ErrorKind,
    ids::{IdError, RoleName},
};

/// One line of what a role may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Whom it is granted to.
    pub role: RoleName,
    /// On what.
    pub object: Object,
    /// What.
    pub action: Action,
    /// In which rows.
    pub rows: Predicate,
    /// Columns that stay hidden, in the order of [`Column::ALL`].
    pub masked: Vec<Column>,
}

/// Why a policy cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A name that is none.
    #[error(transparent)]
    Word(#[from] IdError),
    /// A predicate that makes no sense.
    #[error("rows: {0}")]
    Rows(#[from] PredicateError),
    /// A column that cannot be hidden.
    #[error("masked: {name:?} is no column of a {object} that can be hidden; expected {expected}")]
    Masked {
        /// What was given.
        name: String,
        /// Of what.
        object: Object,
        /// What may be given.
        expected: String,
    },
    /// An action that the object does not know.
    #[error("a {object} is not a thing to {action}; expected one of {expected}")]
    Action {
        /// On what.
        object: Object,
        /// What was asked for.
        action: Action,
        /// What may be given.
        expected: String,
    },
    /// Not for hospitals to give.
    #[error("{object}:{action} is for operators of the platform; a hospital's role cannot have it")]
    Platform {
        /// On what.
        object: Object,
        /// What.
        action: Action,
    },
    /// A line of the wrong form.
    #[error("expected role, object, action, rows, masked")]
    Form,
}

impl PolicyError {
    /// What the error means to a caller.
    pub const fn kind(&self) -> ErrorKind {
        ErrorKind::BadInput
    }
}

impl Policy {
    /// Reads a policy from its words; `masked` holds columns' names.
    ///
    /// # Errors
    /// [`PolicyError`] naming what is wrong.
    pub fn parse(
        role: RoleName,
        object: Object,
        action: Action,
        rows: &str,
        masked: &[impl AsRef<str>],
    ) -> Result<Self, PolicyError> {
        if !object.actions().contains(&action) {
            let expected =
                object.actions().iter().map(|action| action.as_str()).collect::<Vec<_>>().join(", ");
            return Err(PolicyError::Action { object, action, expected });
        }
        let rows = Predicate::parse(object, rows)?;
        let mut columns = Vec::with_capacity(masked.len());
        for name in masked {
            columns.push(maskable(object, name.as_ref())?);
        }
        columns.sort_unstable();
        columns.dedup();
        Ok(Self { role, object, action, rows, masked: columns })
    }

    /// The same for a role that a hospital makes itself.
    ///
    /// # Errors
    /// [`PolicyError::Platform`] for what only operators do.
    pub fn of_hospital(self) -> Result<Self, PolicyError> {
        if self.object == Object::Tenant {
            return Err(PolicyError::Platform { object: self.object, action: self.action });
        }
        Ok(self)
    }
}

fn maskable(object: Object, name: &str) -> Result<Column, PolicyError> {
    let known = Column::maskable(object);
    let column = Column::parse(name).filter(|column| known.contains(column));
    column.ok_or_else(|| {
        let names = known.iter().map(|column| column.as_str()).collect::<Vec<_>>().join(", ");
        let expected = if names.is_empty() { "none".to_owned() } else { names };
        PolicyError::Masked { name: name.chars().take(64).collect(), object, expected }
    })
}

/// What the built-in roles may do, as `policy.csv` says: operators on the platform, all others in a hospital.
///
/// # Errors
/// [`PolicyError`] when the file is wrong, which a test of this module would tell.
pub fn built_in(on_platform: bool) -> Result<Vec<Policy>, PolicyError> {
    let mut policies = Vec::new();
    for line in include_str!("policy.csv").lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.splitn(5, ',').map(str::trim);
        let mut field = || fields.next().ok_or(PolicyError::Form);
        let (role, object, action) = (field()?.parse::<Role>()?, field()?.parse()?, field()?.parse()?);
        let (rows, masked) = (field()?, field()?);
        let masked: Vec<_> = masked.split('|').filter(|name| *name != "none").collect();
        if (role == Role::Operator) == on_platform {
            policies.push(Policy::parse(role.into(), object, action, rows, &masked)?);
        }
    }
    Ok(policies)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role() -> RoleName {
        RoleName::parse("night-nurse").unwrap()
    }

    #[test]
    fn the_built_in_policies_are_understood() {
        let hospital = built_in(false).unwrap();
        assert!(hospital.len() > 40);
        assert!(hospital.into_iter().all(|policy| policy.of_hospital().is_ok()));
        let platform = built_in(true).unwrap();
        assert!(platform.iter().all(|policy| policy.object == Object::Tenant));
    }

    #[test]
    fn a_policy_that_is_not_understood_is_none() {
        let none: &[&str] = &[];
        let read = |rows, masked: &[&str]| Policy::parse(role(), Object::Patient, Action::Read, rows, masked);
        let policy = read("all", &["patient.mrn", "patient.name", "patient.mrn"]).unwrap();
        assert_eq!(policy.masked, [Column::PatientName, Column::PatientMrn]);
        assert!(matches!(read("al", none), Err(PolicyError::Rows(_))));
        assert!(matches!(read("", none), Err(PolicyError::Rows(_))));
        assert!(matches!(read("all", &["patient.nam"]), Err(PolicyError::Masked { .. })));
        assert!(matches!(read("all", &["patient.restricted"]), Err(PolicyError::Masked { .. })));
        let masked = Policy::parse(role(), Object::Rule, Action::Read, "all", &["patient.name"]);
        assert!(matches!(masked, Err(PolicyError::Masked { .. })));
        let action = Policy::parse(role(), Object::Patient, Action::Publish, "all", none);
        assert!(matches!(action, Err(PolicyError::Action { .. })));
        let tenant = Policy::parse(role(), Object::Tenant, Action::Read, "all", none).unwrap();
        assert!(matches!(tenant.of_hospital(), Err(PolicyError::Platform { .. })));
    }
}
