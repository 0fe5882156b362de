//! What is counted about proofs of identity.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use tenants::ErrorKind;

use crate::IdentityError;

/// How it ended. Nothing that anybody sent becomes a label.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// Counts proofs of identity; cloning shares the counts.
#[derive(Debug, Clone, Default)]
pub struct IdentityMetrics {
    tokens: Family<Outcome, Counter>,
}

impl IdentityMetrics {
    /// Makes them visible, all named `identity_...`.
    pub fn register(&self, registry: &mut Registry) {
        let identity = registry.sub_registry_with_prefix("identity");
        identity.register("tokens_presented", "Bearer tokens presented, by outcome", self.tokens.clone());
    }

    /// A bearer token was presented.
    pub(crate) fn presented(&self, refused: Option<&IdentityError>) {
        self.tokens.get_or_create(&Outcome { outcome: outcome(refused) }).inc();
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
