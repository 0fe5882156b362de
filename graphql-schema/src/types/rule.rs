//! A rule that judges readings.

use async_graphql::{ID, SimpleObject};

use super::{AlarmPriority, Comparison};

/// A threshold on one telemetry path, with hysteresis.
#[derive(SimpleObject)]
pub(crate) struct Rule {
    id: ID,
    name: String,
    path: String,
    raise_when: Comparison,
    raise_value: f64,
    /// How long the condition must hold.
    hold_seconds: i64,
    clear_when: Comparison,
    clear_value: f64,
    clear_hold_seconds: i64,
    /// UCUM unit of both values; empty for the template's own.
    unit: String,
    priority: AlarmPriority,
    enabled: bool,
    /// 1 when created, one more with every change.
    version: u32,
}

impl From<&rules::Rule> for Rule {
    fn from(rule: &rules::Rule) -> Self {
        Self {
            id: ID(rule.id.to_string()),
            name: rule.name.clone(),
            path: rule.path.to_string(),
            raise_when: rule.raise.comparison.into(),
            raise_value: rule.raise.value,
            hold_seconds: rule.hold.as_secs(),
            clear_when: rule.clear.comparison.into(),
            clear_value: rule.clear.value,
            clear_hold_seconds: rule.clear_hold.as_secs(),
            unit: rule.unit.as_ref().map(ToString::to_string).unwrap_or_default(),
            priority: rule.priority.into(),
            enabled: rule.enabled,
            version: rule.version,
        }
    }
}
