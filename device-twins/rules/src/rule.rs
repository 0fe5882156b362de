//! What a rule is, and when it makes sense.

use care::Priority;
use jiff::SignedDuration;
use readings::{Path, Unit, UnitError};
use serde::{Deserialize, Serialize};
use tenants::{ErrorKind, RuleId};

use crate::Condition;

/// A threshold on one telemetry path, with hysteresis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// Which.
    pub id: RuleId,
    /// What people call it, and the title of its alarms: 1 to [`Rule::MAX_NAME`] characters.
    pub name: String,
    /// The telemetry that it judges.
    pub path: Path,
    /// What raises.
    pub raise: Condition,
    /// How long `raise` must hold: 0 to 24 hours, by the readings' `measured_at`.
    pub hold: SignedDuration,
    /// What clears; no value may meet both this and `raise`.
    pub clear: Condition,
    /// How long `clear` must hold: 0 to 24 hours, by the readings' `measured_at`.
    pub clear_hold: SignedDuration,
    /// The unit of both conditions' values. None: they are in the unit that the template gives to the path.
    pub unit: Option<Unit>,
    /// The priority of its alarms.
    pub priority: Priority,
    /// Whether it judges at all.
    pub enabled: bool,
    /// 1 when created, one more with every change.
    pub version: u32,
}

/// Why a rule makes no sense.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RuleError {
    /// The name is missing, too long, or has characters that cannot be seen.
    #[error("name: expected 1 to {} printable characters", Rule::MAX_NAME)]
    Name,
    /// A bound is infinite or not a number.
    #[error("{field}: expected a finite number")]
    NotFinite {
        /// `raiseValue` or `clearValue`.
        field: &'static str,
    },
    /// A duration is negative or too long.
    #[error("{field}: expected 0 to {} seconds", Rule::MAX_HOLD.as_secs())]
    Hold {
        /// `holdSeconds` or `clearHoldSeconds`.
        field: &'static str,
    },
    /// A value could raise and clear at once.
    #[error("clearValue: a value that is {clear} must never be {raise} too, or the alarm would flap")]
    Overlap {
        /// What raises.
        raise: Condition,
        /// What clears.
        clear: Condition,
    },
    /// No template has the path.
    #[error("path: no device template has {path}")]
    UnknownPath {
        /// What was given.
        path: Path,
    },
    /// The rule has a unit, the path has none: a text, a flag or a bare number.
    #[error("unit: {path} has no unit, the rule has {unit}")]
    NoUnit {
        /// The path.
        path: Path,
        /// The rule's unit.
        unit: Unit,
    },
    /// The rule's unit is not one of the path's quantity.
    #[error("unit: {0}")]
    Unit(#[from] UnitError),
}

impl RuleError {
    /// Always [`ErrorKind::BadInput`].
    pub const fn kind(&self) -> ErrorKind {
        ErrorKind::BadInput
    }
}

impl Rule {
    /// The longest name, in characters.
    pub const MAX_NAME: usize = 100;
    /// The longest hold.
    pub const MAX_HOLD: SignedDuration = SignedDuration::from_hours(24);

    /// The rule itself if it makes sense, its name without spaces around it.
    ///
    /// # Errors
    /// The first [`RuleError`] found, in the order of the fields.
    pub fn validate(mut self) -> Result<Self, RuleError> {
        self.name = self.name.trim().to_owned();
        let length = self.name.chars().count();
        if !(1..=Self::MAX_NAME).contains(&length) || self.name.chars().any(char::is_control) {
            return Err(RuleError::Name);
        }
        for (field, condition) in [("raiseValue", self.raise), ("clearValue", self.clear)] {
            if !condition.value.is_finite() {
                return Err(RuleError::NotFinite { field });
            }
        }
        for (field, hold) in [("holdSeconds", self.hold), ("clearHoldSeconds", self.clear_hold)] {
            if !(SignedDuration::ZERO..=Self::MAX_HOLD).contains(&hold) {
                return Err(RuleError::Hold { field });
            }
        }
        if self.raise.overlaps(self.clear) {
            return Err(RuleError::Overlap { raise: self.raise, clear: self.clear });
        }
        Ok(self)
    }

    /// Whether the rule fits what templates know: `modeled` are their paths, each with its unit. A path
    /// that several templates have must fit in each.
    ///
    /// # Errors
    /// [`RuleError::UnknownPath`], or what is wrong with the unit.
    pub fn fits<'t>(
        &self,
        modeled: impl IntoIterator<Item = (&'t Path, Option<&'t Unit>)>,
    ) -> Result<(), RuleError> {
        let mut known = false;
        for (_, unit) in modeled.into_iter().filter(|(path, _)| **path == self.path) {
            known = true;
            match (&self.unit, unit) {
                (None, _) => {}
                (Some(own), Some(unit)) => {
                    unit.converter_to(own)?;
                }
                (Some(own), None) => {
                    return Err(RuleError::NoUnit { path: self.path.clone(), unit: own.clone() });
                }
            }
        }
        if known { Ok(()) } else { Err(RuleError::UnknownPath { path: self.path.clone() }) }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::Comparison::{Above, AtLeast, AtMost, Below};
    use uuid::Uuid;

    /// Raises at 130 /min or more for 10 s, clears at 120 or less for 5 s.
    pub(crate) fn tachycardia() -> Rule {
        Rule {
            id: RuleId::from_uuid(Uuid::from_u128(1)),
            name: "Tachycardia".into(),
            path: Path::parse("heartRate").unwrap(),
            raise: Condition { comparison: AtLeast, value: 130.0 },
            hold: SignedDuration::from_secs(10),
            clear: Condition { comparison: AtMost, value: 120.0 },
            clear_hold: SignedDuration::from_secs(5),
            unit: Unit::parse("/min").ok(),
            priority: Priority::High,
            enabled: true,
            version: 1,
        }
    }

    fn changed(change: impl FnOnce(&mut Rule)) -> Result<Rule, RuleError> {
        let mut rule = tachycardia();
        change(&mut rule);
        rule.validate()
    }

    #[test]
    fn a_name_is_1_to_100_visible_characters() {
        for good in ["x", " padded ", &"ü".repeat(100)] {
            assert_eq!(changed(|rule| rule.name = good.into()).unwrap().name, good.trim());
        }
        for bad in ["", "   ", "a\nb", "\u{7f}", &"x".repeat(101)] {
            assert_eq!(changed(|rule| rule.name = bad.into()), Err(RuleError::Name), "{bad:?}");
        }
    }

    #[test]
    fn bounds_and_holds_are_sane() {
        for bad in [f64::NAN, f64::INFINITY] {
            assert_eq!(
                changed(|rule| rule.raise.value = bad),
                Err(RuleError::NotFinite { field: "raiseValue" })
            );
            assert_eq!(
                changed(|rule| rule.clear.value = bad),
                Err(RuleError::NotFinite { field: "clearValue" })
            );
        }
        let microsecond = SignedDuration::from_micros(1);
        for bad in [-microsecond, Rule::MAX_HOLD + microsecond] {
            assert_eq!(changed(|rule| rule.hold = bad), Err(RuleError::Hold { field: "holdSeconds" }));
            assert_eq!(
                changed(|rule| rule.clear_hold = bad),
                Err(RuleError::Hold { field: "clearHoldSeconds" })
            );
        }
        assert!(
            changed(|rule| (rule.hold, rule.clear_hold) = (SignedDuration::ZERO, Rule::MAX_HOLD)).is_ok()
        );
    }

    #[test]
    fn what_clears_must_not_raise() {
        // raise, clear, whether it makes sense
        let rows = [
            ((AtLeast, 130.0), (AtMost, 120.0), true),
            ((AtLeast, 130.0), (Below, 130.0), true),
            ((Above, 130.0), (AtMost, 130.0), true),
            ((AtLeast, 130.0), (AtMost, 130.0), false),
            ((AtLeast, 130.0), (Below, 131.0), false),
            ((AtLeast, 130.0), (AtLeast, 140.0), false),
            ((Below, 90.0), (AtLeast, 90.0), true),
            ((AtMost, 90.0), (Above, 90.0), true),
            ((AtMost, 90.0), (AtLeast, 90.0), false),
            ((Below, 90.0), (Above, 85.0), false),
        ];
        for (raise, clear, sane) in rows {
            let raise = Condition { comparison: raise.0, value: raise.1 };
            let clear = Condition { comparison: clear.0, value: clear.1 };
            let result = changed(|rule| (rule.raise, rule.clear) = (raise, clear));
            assert_eq!(result.is_ok(), sane, "raise {raise}, clear {clear}");
        }
    }

    #[test]
    fn a_rule_fits_only_what_templates_know() {
        let rule = tachycardia();
        let (pulse, other) = (rule.path.clone(), Path::parse("spo2").unwrap());
        let (per_minute, hertz, percent) =
            (Unit::parse("/min").unwrap(), Unit::parse("Hz").unwrap(), Unit::parse("%").unwrap());
        assert_eq!(rule.fits([(&other, Some(&percent)), (&pulse, Some(&per_minute))]), Ok(()));
        assert_eq!(rule.fits([(&pulse, Some(&hertz))]), Ok(()));
        assert_eq!(
            rule.fits([(&other, Some(&percent))]),
            Err(RuleError::UnknownPath { path: pulse.clone() })
        );
        assert!(matches!(
            rule.fits([(&pulse, Some(&per_minute)), (&pulse, Some(&percent))]),
            Err(RuleError::Unit(_))
        ));
        assert_eq!(
            rule.fits([(&pulse, None)]),
            Err(RuleError::NoUnit { path: pulse.clone(), unit: per_minute })
        );
        assert_eq!(Rule { unit: None, ..rule }.fits([(&pulse, Some(&percent))]), Ok(()));
    }

    #[test]
    fn a_stored_rule_comes_back() {
        let rule = tachycardia();
        let stored = serde_json::to_string(&rule).unwrap();
        assert_eq!(serde_json::from_str::<Rule>(&stored).unwrap(), rule);
    }
}
