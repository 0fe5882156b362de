//! What a browser is told when signing in through a provider did not work: a category, and nothing about why.

use tenants::TenantSlug;

use super::{discovery::Unknown, token::Flaw};
use crate::IdentityError;

/// Kinds of failure that people can do something about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInProblem {
    /// The hospital has no such provider, or it is switched off.
    NotEnrolled,
    /// The provider cannot be reached.
    Unreachable,
    /// It took too long, was tried twice, or in another browser.
    Over,
    /// Somebody pressed "cancel" there.
    Cancelled,
    /// What came back does not hold.
    Refused,
    /// The provider does not vouch for an e-mail address.
    Email,
    /// The address has an account that is not linked with this provider.
    Account,
    /// No role is given for this person's groups.
    NoRole,
    /// The hospital is cut off.
    Suspended,
    /// Too many sign in at the moment.
    Busy,
}

impl SignInProblem {
    /// As the sign-in page reads it from its address.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotEnrolled => "not-enrolled",
            Self::Unreachable => "unreachable",
            Self::Over => "over",
            Self::Cancelled => "cancelled",
            Self::Refused => "refused",
            Self::Email => "email",
            Self::Account => "account",
            Self::NoRole => "no-role",
            Self::Suspended => "suspended",
            Self::Busy => "busy",
        }
    }
}

/// A sign-in that came to nothing.
#[derive(Debug)]
pub struct FailedSignIn {
    /// Whose sign-in page the browser is shown, where that is known.
    pub hospital: Option<TenantSlug>,
    /// What it is told.
    pub problem: SignInProblem,
}

/// Why, for the audit trail and the log.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) problem: SignInProblem,
    pub(super) reason: String,
}

impl Failure {
    pub(super) fn new(problem: SignInProblem, reason: impl Into<String>) -> Self {
        Self { problem, reason: reason.into() }
    }

    pub(super) fn refused(reason: impl Into<String>) -> Self {
        Self::new(SignInProblem::Refused, reason)
    }
}

impl From<Flaw> for Failure {
    fn from(flaw: Flaw) -> Self {
        Self::refused(flaw.to_string())
    }
}

impl From<Unknown> for Failure {
    fn from(error: Unknown) -> Self {
        Self::new(SignInProblem::Unreachable, in_words(&error))
    }
}

impl From<tenants::StoreError> for Failure {
    fn from(error: tenants::StoreError) -> Self {
        Self::new(SignInProblem::Busy, in_words(&error))
    }
}

impl From<IdentityError> for Failure {
    fn from(error: IdentityError) -> Self {
        let problem = match error {
            IdentityError::Suspended => SignInProblem::Suspended,
            _ => SignInProblem::Busy,
        };
        Self::new(problem, in_words(&error))
    }
}

/// With all its causes.
pub(super) fn in_words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push_str(": ");
        words.push_str(&error.to_string());
        cause = error.source();
    }
    words
}

/// An error code as it may be written down: it is somebody else's text.
pub(super) fn short(code: &str) -> String {
    code.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(40).collect()
}
