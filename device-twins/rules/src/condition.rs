//! A comparison with one number.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// How a reading is compared with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// Greater than it.
    Above,
    /// Greater than it, or equal.
    AtLeast,
    /// Less than it.
    Below,
    /// Less than it, or equal.
    AtMost,
}

/// A text that names no comparison.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a comparison: expected above, at_least, below or at_most")]
pub struct UnknownComparison {
    /// What was given, cut to 64 characters.
    text: String,
}

/// For example "at least 130".
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// How.
    pub comparison: Comparison,
    /// With what, in the rule's unit.
    pub value: f64,
}

impl Comparison {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Above, Self::AtLeast, Self::Below, Self::AtMost];

    /// What programs call it: `above`, `at_least`, `below`, `at_most`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Above => "above",
            Self::AtLeast => "at_least",
            Self::Below => "below",
            Self::AtMost => "at_most",
        }
    }

    /// Whether large values meet it.
    const fn is_upward(self) -> bool {
        matches!(self, Self::Above | Self::AtLeast)
    }

    /// Whether the number itself meets it.
    const fn includes_bound(self) -> bool {
        matches!(self, Self::AtLeast | Self::AtMost)
    }
}

impl Condition {
    /// Whether a value meets it. Nothing that is not a number does.
    pub fn is_met_by(self, value: f64) -> bool {
        match self.comparison {
            Comparison::Above => value > self.value,
            Comparison::AtLeast => value >= self.value,
            Comparison::Below => value < self.value,
            Comparison::AtMost => value <= self.value,
        }
    }

    /// Whether some value meets both. Two conditions that look the same way always overlap; two that look
    /// opposite ways do if one begins before the other ends.
    pub fn overlaps(self, other: Self) -> bool {
        let (up, down) = match (self.comparison.is_upward(), other.comparison.is_upward()) {
            (true, false) => (self, other),
            (false, true) => (other, self),
            _ => return true,
        };
        let touch = up.comparison.includes_bound() && down.comparison.includes_bound();
        up.value < down.value || (touch && up.value <= down.value)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.comparison.key().replace('_', " "), self.value)
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl FromStr for Comparison {
    type Err = UnknownComparison;
    fn from_str(key: &str) -> Result<Self, UnknownComparison> {
        Self::ALL
            .into_iter()
            .find(|comparison| comparison.key() == key)
            .ok_or_else(|| UnknownComparison { text: key.chars().take(64).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Comparison::{Above, AtLeast, AtMost, Below};
    use proptest::prelude::*;

    fn condition(comparison: Comparison, value: f64) -> Condition {
        Condition { comparison, value }
    }

    #[test]
    fn bounds_belong_to_at_least_and_at_most_only() {
        let rows = [
            (Above, [false, false, true]),
            (AtLeast, [false, true, true]),
            (Below, [true, false, false]),
            (AtMost, [true, true, false]),
        ];
        for (comparison, expected) in rows {
            let met = [129.0, 130.0, 131.0].map(|value| condition(comparison, 130.0).is_met_by(value));
            assert_eq!(met, expected, "{comparison:?}");
            assert!(!condition(comparison, 130.0).is_met_by(f64::NAN));
            assert_eq!(comparison.key().parse(), Ok(comparison));
        }
        assert!("equal".parse::<Comparison>().is_err());
        assert_eq!(condition(AtLeast, 130.5).to_string(), "at least 130.5");
    }

    fn any_comparison() -> impl Strategy<Value = Comparison> {
        prop::sample::select(Comparison::ALL.to_vec())
    }

    proptest! {
        #[test]
        fn overlap_is_what_a_search_finds(a in any_comparison(), b in any_comparison(), x in -3_i8..3, y in -3_i8..3) {
            let (one, other) = (condition(a, x.into()), condition(b, y.into()));
            // Every value at, between and beyond the bounds.
            let found = (-8_i8..=8).map(|n| f64::from(n) / 2.0).any(|value| one.is_met_by(value) && other.is_met_by(value));
            prop_assert_eq!(one.overlaps(other), found);
            prop_assert_eq!(other.overlaps(one), found);
        }
    }
}
