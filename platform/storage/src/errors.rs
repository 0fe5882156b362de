//! What goes wrong with a database, without anything that a row holds.

use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};
use tenants::{StoreError, keys::SealError};

/// Why the database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The address is of no database that is known here.
    #[error("the database address must begin with sqlite:// or postgres://")]
    Address,
    /// The database refused, failed, is full or cannot be reached.
    #[error("the database failed{}: {message}", code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default())]
    Database {
        /// The database's own code, e.g. SQLite's 13 or PostgreSQL's 53100: no room.
        code: Option<String>,
        /// In the database's words, cut to what cannot hold a value.
        message: String,
    },
    /// A row with this key exists already.
    #[error("a row with this key exists already ({constraint})")]
    Duplicate {
        /// Which key.
        constraint: String,
    },
    /// A row that is referred to does not exist.
    #[error("a row that this one refers to does not exist")]
    Dangling,
    /// Not there, or outside the scope.
    #[error("{what} not found")]
    NotFound {
        /// The kind of thing.
        what: &'static str,
    },
    /// It collides with what is stored.
    #[error("{what}")]
    Conflict {
        /// What collides, in words for the user.
        what: String,
    },
    /// The hospital has as much of something as it may have.
    #[error("{what}")]
    QuotaExceeded {
        /// What there is too much of, in words for the user.
        what: String,
    },
    /// Another node has taken over.
    #[error("epoch {epoch} is over")]
    Fenced {
        /// The epoch in which this node was the owner.
        epoch: i64,
    },
    /// What is stored is not what this version writes.
    #[error("stored data cannot be read: {what}")]
    Corrupt {
        /// Which data, without its content.
        what: String,
    },
    /// What is sealed cannot be sealed or opened.
    #[error(transparent)]
    Keys(#[from] SealError),
    /// Tables that hold tenants' rows without row level security.
    #[error("row level security is not forced on: {}", tables.join(", "))]
    RowSecurityMissing {
        /// Their names.
        tables: Vec<String>,
    },
    /// The connection's role is not bound by row level security and cannot become one that is.
    #[error(
        "the database role {role} bypasses row level security and may not become iomt_app; use another role"
    )]
    BypassesRowSecurity {
        /// The role.
        role: String,
    },
}

impl StorageError {
    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into() }
    }

    /// Turns a duplicate key into words for the user.
    pub(crate) fn duplicate_as(self, what: &str) -> Self {
        match self {
            Self::Duplicate { .. } => Self::Conflict { what: what.to_owned() },
            other => other,
        }
    }

    /// Turns a reference to nothing into what was not found.
    pub(crate) fn dangling_as(self, what: &'static str) -> Self {
        match self {
            Self::Dangling => Self::NotFound { what },
            other => other,
        }
    }
}

impl From<DbErr> for StorageError {
    fn from(error: DbErr) -> Self {
        match error.sql_err() {
            // The texts inside name columns or constraints, never values.
            Some(SqlErr::UniqueConstraintViolation(constraint)) => return Self::Duplicate { constraint },
            Some(SqlErr::ForeignKeyConstraintViolation(_)) => return Self::Dangling,
            _ => {}
        }
        match &error {
            DbErr::Conn(RuntimeErr::SqlxError(cause))
            | DbErr::Exec(RuntimeErr::SqlxError(cause))
            | DbErr::Query(RuntimeErr::SqlxError(cause)) => driver_error(cause),
            _ => Self::Database { code: None, message: error.to_string() },
        }
    }
}

/// Keeps of a driver's error what cannot quote a row: PostgreSQL puts values into the text of data
/// exceptions (class 22) and into the details of every error.
fn driver_error(error: &sqlx::Error) -> StorageError {
    let sqlx::Error::Database(cause) = error else {
        return StorageError::Database { code: None, message: error.to_string() };
    };
    let code = cause.code().map(|code| code.into_owned());
    let message = match code.as_deref() {
        Some(code) if code.len() == 5 && code.starts_with("22") => "a value does not fit".to_owned(),
        _ => cause.message().to_owned(),
    };
    StorageError::Database { code, message }
}

impl From<StorageError> for StoreError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::NotFound { what } => Self::NotFound { what },
            StorageError::Conflict { what } => Self::Conflict { what },
            StorageError::QuotaExceeded { what } => Self::QuotaExceeded { what },
            StorageError::Duplicate { .. } => Self::Conflict { what: "it exists already".to_owned() },
            StorageError::Dangling => Self::NotFound { what: "what it refers to" },
            StorageError::Fenced { epoch } => Self::Fenced { epoch },
            StorageError::Corrupt { what } => Self::Corrupt { what },
            StorageError::Keys(error @ SealError::Unreachable(_)) => Self::Unavailable(error.into()),
            StorageError::Keys(error) => Self::Corrupt { what: error.to_string() },
            other => Self::Unavailable(Box::new(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use tenants::ErrorKind;

    use super::*;

    #[test]
    fn what_each_error_means_to_a_caller() {
        let database = || StorageError::Database { code: Some("53100".into()), message: "no room".into() };
        for (error, kind) in [
            (database(), ErrorKind::Unavailable),
            (StorageError::Duplicate { constraint: "k".into() }, ErrorKind::Conflict),
            (StorageError::Dangling, ErrorKind::NotFound),
            (StorageError::Dangling.dangling_as("patient"), ErrorKind::NotFound),
            (database().duplicate_as("x"), ErrorKind::Unavailable),
            (StorageError::Fenced { epoch: 1 }, ErrorKind::Unavailable),
            (StorageError::corrupt("x"), ErrorKind::Internal),
        ] {
            let text = error.to_string();
            assert_eq!(StoreError::from(error).kind(), kind, "{text}");
        }
        assert_eq!(database().to_string(), "the database failed (53100): no room");
    }
}
