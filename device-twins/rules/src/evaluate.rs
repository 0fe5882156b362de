//! How one rule judges one reading.

use jiff::{SignedDuration, Timestamp};
use readings::Reading;
use serde::{Deserialize, Serialize};

use crate::Rule;

/// Where a rule stands with one device. All times are the readings' `measured_at`.
///
/// ```text
///            raise met            held long enough: Raise
///   Normal ------------> Pending --------------------------> Raised
///      ^  <------------  raise not met                       |    ^
///      |                                           clear met |    | clear not met
///      |     held long enough: Clear                         v    |
///      '---------------------------------------------------- Clearing
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nothing to say.
    #[default]
    Normal,
    /// What raises was met since then, and not for long enough yet.
    Pending {
        /// The first reading that met it.
        since: Timestamp,
    },
    /// Raised.
    Raised,
    /// Raised, and what clears was met since then, and not for long enough yet.
    Clearing {
        /// The first reading that met it.
        since: Timestamp,
    },
}

impl Phase {
    /// Whether an alarm stands.
    pub const fn is_raised(&self) -> bool {
        matches!(self, Self::Raised | Self::Clearing { .. })
    }
}

/// What a rule says to a reading.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// An alarm begins.
    Raise {
        /// The value that raised it, in the rule's unit.
        value: f64,
    },
    /// The alarm ends.
    Clear {
        /// The value that ended it, in the rule's unit.
        value: f64,
    },
    /// Judged; nothing begins and nothing ends.
    Hold,
}

/// Judges a reading: the phase after it, and the verdict.
///
/// Verdicts raise and clear in turns. No verdict, and the phase as it was, when the reading says nothing to
/// the rule: it is of another path, older than what the phase waits for, a text or a waveform, in a unit that
/// is not known or does not convert to the rule's. A rule that was disabled says only one thing more: it
/// clears what it had raised.
///
/// Readings of one path must come in the order in which they were measured: a phase keeps no time of what
/// it saw last, only of what it waits for, so the caller holds back readings older than the newest one.
/// A hold is over with the first reading that is late enough, even if none came in between: a device that was
/// silent while the condition may have held must not delay its alarm.
pub fn evaluate(rule: &Rule, phase: &Phase, reading: &Reading) -> (Phase, Option<Verdict>) {
    let unchanged = (*phase, None);
    if reading.path != rule.path {
        return unchanged;
    }
    let Some(value) = value_in_rule_unit(rule, reading) else { return unchanged };
    if !rule.enabled {
        return (Phase::Normal, phase.is_raised().then_some(Verdict::Clear { value }));
    }
    let at = reading.measured_at;
    match *phase {
        Phase::Pending { since } | Phase::Clearing { since } if at < since => unchanged,
        Phase::Normal => pending(rule, value, at, at),
        Phase::Pending { since } => pending(rule, value, since, at),
        Phase::Raised => clearing(rule, value, at, at),
        Phase::Clearing { since } => clearing(rule, value, since, at),
    }
}

fn pending(rule: &Rule, value: f64, since: Timestamp, at: Timestamp) -> (Phase, Option<Verdict>) {
    if !rule.raise.is_met_by(value) {
        (Phase::Normal, Some(Verdict::Hold))
    } else if held(rule.hold, since, at) {
        (Phase::Raised, Some(Verdict::Raise { value }))
    } else {
        (Phase::Pending { since }, Some(Verdict::Hold))
    }
}

fn clearing(rule: &Rule, value: f64, since: Timestamp, at: Timestamp) -> (Phase, Option<Verdict>) {
    if !rule.clear.is_met_by(value) {
        (Phase::Raised, Some(Verdict::Hold))
    } else if held(rule.clear_hold, since, at) {
        (Phase::Normal, Some(Verdict::Clear { value }))
    } else {
        (Phase::Clearing { since }, Some(Verdict::Hold))
    }
}

fn held(hold: SignedDuration, since: Timestamp, at: Timestamp) -> bool {
    at.duration_since(since) >= hold
}

/// The value to compare. Without a unit of its own a rule trusts only the template's: a device that may
/// choose another unit with every message is not compared with a bare number.
fn value_in_rule_unit(rule: &Rule, reading: &Reading) -> Option<f64> {
    let value = reading.value.as_comparable()?;
    let value = match (&rule.unit, &reading.unit) {
        (Some(own), Some(unit)) if own == unit => value,
        (Some(own), Some(unit)) => unit.converter_to(own).ok()?.apply(value),
        (Some(_), None) => return None,
        (None, Some(_)) if !reading.modeled => return None,
        (None, _) => value,
    };
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests;
