//! The National Early Warning Score, second version (NEWS2).
//!
//! Source: Royal College of Physicians. *National Early Warning Score (NEWS) 2: Standardising the assessment
//! of acute-illness severity in the NHS.* Updated report of a working party. London: RCP, 2017,
//! ISBN 978-1-86016-682-2. Chart 1 (the scoring system, transcribed in `chart.rs`) and Chart 2 (thresholds and
//! triggers, in [`Risk`]).
//!
//! The score is made for adults in acute care: not for children under 16 years and not in pregnancy, as the
//! report says itself.

mod chart;

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use readings::{CLOCK_TOLERANCE, Value, VitalSign};
use serde::{Deserialize, Serialize};

use chart::Points;

/// Which of the two SpO2 scales of Chart 1 counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spo2Scale {
    /// Scale 1, for everyone else.
    #[default]
    One,
    /// Scale 2, target 88 to 92 %, for confirmed hypercapnic respiratory failure and only on a competent
    /// clinician's decision, which must be documented (RCP 2017, Chart 1, note).
    Two,
}

impl Spo2Scale {
    /// 1 or 2.
    pub const fn number(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }

    /// From 1 or 2; nothing else is a scale.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::One),
            2 => Some(Self::Two),
            _ => None,
        }
    }
}

/// Clinical risk (RCP 2017, Chart 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Total 0 to 4: ward-based response.
    Low,
    /// Total 0 to 4, but 3 in one parameter (a red score): urgent ward-based response.
    LowMedium,
    /// Total 5 or 6: the threshold for an urgent response.
    Medium,
    /// Total 7 or more: urgent or emergency response.
    High,
}

/// The seven parameters, in the order of Chart 1. Diastolic pressure is not one of them.
pub const PARAMETERS: [VitalSign; 7] = [
    VitalSign::RespiratoryRate,
    VitalSign::OxygenSaturation,
    VitalSign::SupplementalOxygen,
    VitalSign::SystolicPressure,
    VitalSign::HeartRate,
    VitalSign::Consciousness,
    VitalSign::Temperature,
];

/// One parameter's part in the score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterScore {
    /// Which.
    pub sign: VitalSign,
    /// 0 to 3; none when the value is missing, stale or cannot be scored.
    pub points: Option<u8>,
    /// How old the value is, where there is one; never negative.
    pub age: Option<SignedDuration>,
    /// Why it has these points, or none: one line for a clinician, for example `22 /min is 21 to 24`.
    pub reason: String,
}

/// The score of one patient at one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct News2 {
    /// The SpO2 scale that counted.
    pub scale: Spo2Scale,
    /// In the order of [`PARAMETERS`].
    pub parameters: [ParameterScore; 7],
    /// The sum of the known points, 0 to 20; none when none is known. A lower bound unless `complete`.
    pub total: Option<u8>,
    /// Whether all seven parameters have points.
    pub complete: bool,
    /// The parameters without points, in the order of [`PARAMETERS`].
    pub missing: Vec<VitalSign>,
    /// Known when all seven are, or when the total is 7 or more already: what is missing could only add.
    pub risk: Option<Risk>,
}

/// The score at `now`, from the newest value of each sign: its value in [`VitalSign::unit`], and its time.
///
/// Give as the time the earlier of measured and received: a device whose clock runs ahead must not make
/// an old value look fresh. A value measured more than a minute after `now` is not scored.
pub fn score<'v>(
    newest: impl Fn(VitalSign) -> Option<(&'v Value, Timestamp)>,
    now: Timestamp,
    scale: Spo2Scale,
) -> News2 {
    let current = |sign| Current::at(sign, newest(sign), now);
    let on_oxygen = current(VitalSign::SupplementalOxygen).value().and_then(Value::as_flag);
    let parameters = PARAMETERS.map(|sign| parameter(sign, current(sign), scale, on_oxygen));

    let known = || parameters.iter().filter_map(|parameter| parameter.points);
    let total = known().reduce(u8::saturating_add);
    let red = known().any(|points| points == 3);
    let missing: Vec<_> = parameters
        .iter()
        .filter(|parameter| parameter.points.is_none())
        .map(|parameter| parameter.sign)
        .collect();
    let complete = missing.is_empty();
    let risk = total.filter(|total| complete || *total >= 7).map(|total| risk(total, red));
    News2 { scale, parameters, total, complete, missing, risk }
}

/// Chart 2.
const fn risk(total: u8, red: bool) -> Risk {
    match total {
        7.. => Risk::High,
        5 | 6 => Risk::Medium,
        _ if red => Risk::LowMedium,
        _ => Risk::Low,
    }
}

/// The newest value of a sign, if it may count at all.
#[derive(Clone, Copy)]
enum Current<'v> {
    Never,
    Stale { age: SignedDuration },
    Ahead { by: SignedDuration },
    Fresh { value: &'v Value, age: SignedDuration },
}

impl<'v> Current<'v> {
    fn at(sign: VitalSign, newest: Option<(&'v Value, Timestamp)>, now: Timestamp) -> Self {
        let Some((value, at)) = newest else { return Self::Never };
        let age = now.duration_since(at);
        if age < -CLOCK_TOLERANCE {
            return Self::Ahead { by: age.abs() };
        }
        let age = age.max(SignedDuration::ZERO);
        if age > sign.stale_after() { Self::Stale { age } } else { Self::Fresh { value, age } }
    }

    const fn value(&self) -> Option<&'v Value> {
        match self {
            Self::Fresh { value, .. } => Some(value),
            _ => None,
        }
    }
}

fn parameter(
    sign: VitalSign,
    current: Current<'_>,
    scale: Spo2Scale,
    on_oxygen: Option<bool>,
) -> ParameterScore {
    let (age, scored) = match current {
        Current::Never => (None, Err("not measured".to_owned())),
        Current::Stale { age } => {
            let limit = sign.stale_after();
            (Some(age), Err(format!("stale: {age:#} old, valid for {limit:#}")))
        }
        Current::Ahead { by } => (
            Some(SignedDuration::ZERO),
            Err(format!("not scored: measured {by:#} in the future, the device's clock is wrong")),
        ),
        Current::Fresh { value, age } => (Some(age), chart::points(sign, value, scale, on_oxygen)),
    };
    match scored {
        Ok(Points { points, reason }) => ParameterScore { sign, points: Some(points), age, reason },
        Err(reason) => ParameterScore { sign, points: None, age, reason },
    }
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Low => "low",
            Self::LowMedium => "low-medium",
            Self::Medium => "medium",
            Self::High => "high",
        })
    }
}

#[cfg(test)]
mod tests;
