//! What is counted about proofs of identity.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use tenants::{ErrorKind, second_factor::SecondFactorError};

use crate::IdentityError;

/// How it ended. Nothing that anybody sent becomes a label.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// How a session ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SessionEnd {
    /// Its owner has signed out.
    SignedOut,
    /// The identity provider said so.
    ByProvider,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct How {
    how: &'static str,
}

/// Counts proofs of identity; cloning shares the counts.
#[derive(Debug, Clone, Default)]
pub struct IdentityMetrics {
    tokens: Family<Outcome, Counter>,
    sign_ins: Family<Outcome, Counter>,
    opened: Counter,
    ended: Family<How, Counter>,
}

impl IdentityMetrics {
    /// Makes them visible, all named `identity_...`.
    pub fn register(&self, registry: &mut Registry) {
        let identity = registry.sub_registry_with_prefix("identity");
        identity.register("tokens_presented", "Bearer tokens presented, by outcome", self.tokens.clone());
        identity.register("sign_ins", "Sign-ins with a password, by outcome", self.sign_ins.clone());
        identity.register("sessions_opened", "Sessions opened, by whatever proof", self.opened.clone());
        identity.register("sessions_ended", "Sessions ended before their time, by how", self.ended.clone());
    }

    /// A bearer token was presented.
    pub(crate) fn presented(&self, refused: Option<&IdentityError>) {
        self.tokens.get_or_create(&Outcome { outcome: outcome(refused) }).inc();
    }

    /// A password was presented.
    pub(crate) fn signed_in(&self, refused: Option<&IdentityError>) {
        let outcome = match refused {
            Some(IdentityError::WrongPassword) => "wrong_password",
            Some(IdentityError::CodeNeeded) => "code_needed",
            Some(IdentityError::SecondFactor(SecondFactorError::Wrong)) => "wrong_code",
            Some(IdentityError::Suspended) => "suspended",
            other => outcome(other),
        };
        self.sign_ins.get_or_create(&Outcome { outcome }).inc();
    }

    pub(crate) fn opened(&self) {
        self.opened.inc();
    }

    pub(crate) fn ended(&self, how: SessionEnd, sessions: usize) {
        let how = match how {
            SessionEnd::SignedOut => "signed_out",
            SessionEnd::ByProvider => "by_provider",
        };
        self.ended.get_or_create(&How { how }).inc_by(sessions as u64);
    }
}

fn outcome(refused: Option<&IdentityError>) -> &'static str {
    match refused.map(IdentityError::kind) {
        None => "success",
        Some(ErrorKind::RateLimited) => "held_back",
        Some(ErrorKind::Unavailable | ErrorKind::Internal) => "error",
        Some(_) => "refused",
    }
}
