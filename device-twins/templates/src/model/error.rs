//! Why a model was refused.

use tenants::ErrorKind;

/// Why a document cannot be a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It is not JSON.
    #[error("not JSON: the mistake is at line {line}, column {column}")]
    NotJson {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// It is too large.
    #[error("a model of {bytes} bytes; at most {} are read", super::MAX_BYTES)]
    TooLarge {
        /// How large it is.
        bytes: usize,
    },
    /// It is not DTDL version 2, or says something that cannot be understood.
    #[error("{}: {problem}", if at.is_empty() { "the document" } else { at })]
    Invalid {
        /// Where in the document, for example `contents/3 (temperature)`.
        at: String,
        /// What is wrong there, and what to do.
        problem: String,
    },
}

impl TemplateError {
    pub(super) fn invalid(at: &str, problem: impl Into<String>) -> Self {
        Self::Invalid { at: at.to_owned(), problem: problem.into() }
    }

    /// What the error means to a caller.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::TooLarge { .. } => ErrorKind::TooLarge,
            Self::NotJson { .. } | Self::Invalid { .. } => ErrorKind::BadInput,
        }
    }
}
