//! What operators see of the twins. No label ever names a device or a patient.

use std::sync::Arc;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// Why a message was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ReasonLabel {
    /// A code from a fixed set, e.g. `not_json`.
    pub reason: String,
}

/// Counters and gauges of ingest and twins; cloning shares them.
#[derive(Debug, Clone)]
pub struct TwinMetrics {
    /// Messages committed to the log.
    pub committed: Counter,
    /// Messages folded by device twins.
    pub folded: Counter,
    /// Messages set aside, by reason.
    pub set_aside: Family<ReasonLabel, Counter>,
    /// Checkpoints written: from the last one on, a restart has to fold.
    pub checkpoints: Counter,
    /// Panics caught by supervision.
    pub panics: Counter,
    /// Alarm changes (raised, acknowledged, cleared).
    pub alarm_changes: Counter,
    /// Twins in memory.
    pub active_twins: Gauge,
    /// Committed messages that wait to be folded.
    pub fold_backlog: Gauge,
    /// Seconds a commit took.
    pub commit_seconds: Histogram,
    /// Messages per commit.
    pub commit_messages: Histogram,
    /// Commits that failed and were tried again.
    pub commit_failures: Counter,
}

impl Default for TwinMetrics {
    fn default() -> Self {
        let seconds = [0.000_25, 0.000_5, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.25, 1.0];
        let sizes = [1.0, 4.0, 16.0, 64.0, 256.0, 1_024.0, 4_096.0, 16_384.0];
        Self {
            committed: Counter::default(),
            folded: Counter::default(),
            set_aside: Family::default(),
            checkpoints: Counter::default(),
            panics: Counter::default(),
            alarm_changes: Counter::default(),
            active_twins: Gauge::default(),
            fold_backlog: Gauge::default(),
            commit_seconds: Histogram::new(seconds),
            commit_messages: Histogram::new(sizes),
            commit_failures: Counter::default(),
        }
    }
}

impl TwinMetrics {
    /// Makes them visible.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("ingest_committed_messages", "Messages in the log", self.committed.clone());
        registry.register("twins_folded_messages", "Messages folded", self.folded.clone());
        registry.register("twins_set_aside_messages", "Messages set aside", self.set_aside.clone());
        registry.register("twins_checkpoints", "Checkpoints written", self.checkpoints.clone());
        registry.register("twins_panics", "Panics caught by supervision", self.panics.clone());
        registry.register("twins_alarm_changes", "Alarm changes", self.alarm_changes.clone());
        registry.register("twins_active", "Twins in memory", self.active_twins.clone());
        registry.register("twins_fold_backlog", "Messages waiting to be folded", self.fold_backlog.clone());
        registry.register("ingest_commit_seconds", "Duration of commits", self.commit_seconds.clone());
        registry.register("ingest_commit_messages", "Messages per commit", self.commit_messages.clone());
        registry.register("ingest_commit_failures", "Commits tried again", self.commit_failures.clone());
    }
}

/// Whether the platform can take messages; read by the readiness probe.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<parking_lot::Mutex<Condition>>);

#[derive(Debug, Default)]
struct Condition {
    recovered: bool,
    commit_error: Option<String>,
    fenced: bool,
}

impl Health {
    /// `Ok` when messages are taken; otherwise why not, in words.
    ///
    /// # Errors
    /// The reason, for operators.
    pub fn check(&self) -> Result<(), String> {
        let condition = self.0.lock();
        if condition.fenced {
            return Err("another node has taken over this node's partitions".to_owned());
        }
        if let Some(error) = &condition.commit_error {
            return Err(format!("the log cannot be written: {error}"));
        }
        if !condition.recovered {
            return Err("twins are being recovered from the log".to_owned());
        }
        Ok(())
    }

    pub(crate) fn recovered(&self) {
        self.0.lock().recovered = true;
    }
    pub(crate) fn committed(&self) {
        let mut condition = self.0.lock();
        if condition.commit_error.take().is_some() {
            tracing::info!("the log can be written again");
        }
    }
    pub(crate) fn commit_failed(&self, error: &tenants::StoreError) {
        let cause = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
        self.0.lock().commit_error = Some(cause);
    }
    pub(crate) fn fenced(&self) {
        self.0.lock().fenced = true;
    }
}
