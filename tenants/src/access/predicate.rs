//! Which rows a scope covers, as data: storage turns it into a condition, memory checks it directly.

use std::fmt;

/// A column that a predicate may test or a policy may mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Column {
    /// `device.id`
    DeviceId,
    /// `patient.ward`
    PatientWard,
    /// `patient.name`
    PatientName,
    /// `patient.mrn`
    PatientMrn,
}

impl Column {
    /// As written in policies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DeviceId => "device.id",
            Self::PatientWard => "patient.ward",
            Self::PatientName => "patient.name",
            Self::PatientMrn => "patient.mrn",
        }
    }

    /// Reads a column name of a policy.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::DeviceId, Self::PatientWard, Self::PatientName, Self::PatientMrn]
            .into_iter()
            .find(|column| column.as_str() == text)
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A condition on a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Predicate {
    /// Every row of the tenant.
    All,
    /// Rows whose column has this value; a row without a value does not match.
    Equals(Column, String),
}

impl Predicate {
    /// Whether a row matches; `value` gives the row's columns. A column that the row does not have
    /// matches nothing: predicates fail closed.
    pub fn matches<'a>(&self, value: impl Fn(Column) -> Option<&'a str>) -> bool {
        match self {
            Self::All => true,
            Self::Equals(column, wanted) => value(*column) == Some(wanted.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_column_matches_nothing() {
        let own = Predicate::Equals(Column::DeviceId, "monitor-1".into());
        assert!(own.matches(|_| Some("monitor-1")));
        assert!(!own.matches(|_| Some("monitor-2")));
        assert!(!own.matches(|_| None));
        assert!(Predicate::All.matches(|_| None));
    }
}
