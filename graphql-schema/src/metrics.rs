//! What is counted about grave acts.

use prometheus_client::{metrics::counter::Counter, registry::Registry};

/// Counters; cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct ApiMetrics {
    /// Records opened in an emergency.
    pub(crate) records_opened: Counter,
    /// Attempts to open one that were refused.
    pub(crate) records_refused: Counter,
    /// Sessions that people or administrators ended from elsewhere.
    pub(crate) sessions_revoked: Counter,
}

impl ApiMetrics {
    /// Makes them visible, named `emergency_...` and `identity_...`.
    pub fn register(&self, registry: &mut Registry) {
        let emergency = registry.sub_registry_with_prefix("emergency");
        emergency.register(
            "records_opened",
            "Records opened in an emergency, outside the rows of whoever opened them",
            self.records_opened.clone(),
        );
        emergency.register(
            "records_refused",
            "Attempts to open a record in an emergency that were refused",
            self.records_refused.clone(),
        );
        registry.sub_registry_with_prefix("identity").register(
            "sessions_revoked",
            "Sessions that their owners or administrators ended from elsewhere",
            self.sessions_revoked.clone(),
        );
    }
}
