//! Units of measure after UCUM, the Unified Code for Units of Measure (<https://ucum.org>, version 2.2).

use std::{
    collections::HashMap,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

use octofhir_ucum::{Number, evaluate, get_canonical_units, parse_expression};
use serde::{Deserialize, Serialize};
use tenants::ErrorKind;

/// A unit of UCUM, for example `mm[Hg]`. Two are equal when their codes are. Cheap to clone.
///
/// All that a conversion needs is worked out once, when the code is parsed.
#[derive(Clone)]
pub struct Unit(Arc<Resolved>);

struct Resolved {
    code: Box<str>,
    scale: Scale,
}

/// What one unit is, in base units.
enum Scale {
    /// A value `v` is `factor * v + offset` in `base`, a product of base units (`s-1`, `K`, `g.m-1.s-2`).
    Linear { base: Box<str>, factor: Number, offset: Number },
    /// A logarithmic or otherwise bent scale (`dB`, `[pH]`), which no factor and offset turn into another.
    Bent,
}

/// Why a unit was refused, or two of them do not convert.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// The code is not UCUM.
    #[error("{code:?} is not a unit of UCUM (case matters: for example Cel, mm[Hg], /min, %)")]
    Unknown {
        /// What was given, cut to 64 characters.
        code: String,
    },
    /// The two units measure different kinds of quantity, or one is on a scale that is not linear.
    #[error("a value in {from} cannot be converted to {to}")]
    NotConvertible {
        /// The unit of the value.
        from: Unit,
        /// The unit that was wanted.
        to: Unit,
    },
}

impl UnitError {
    /// Always [`ErrorKind::BadInput`].
    pub const fn kind(&self) -> ErrorKind {
        ErrorKind::BadInput
    }
}

/// Turns values of one unit into values of another: `value * factor + offset`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conversion {
    /// Multiplied first.
    pub factor: f64,
    /// Added then; 0 except between temperatures.
    pub offset: f64,
}

impl Conversion {
    /// From a unit to itself.
    pub const IDENTITY: Self = Self { factor: 1.0, offset: 0.0 };

    /// The value in the target unit. Not finite if it is too large for an `f64`.
    pub fn apply(self, value: f64) -> f64 {
        value * self.factor + self.offset
    }
}

/// Units met so far, so that a unit which comes with every message is parsed once. What would not fit any
/// more is parsed each time: devices choose these codes and must not make the server's memory grow.
static KNOWN: LazyLock<RwLock<HashMap<Box<str>, Unit>>> = LazyLock::new(RwLock::default);
const KNOWN_CAPACITY: usize = 1024;

impl Unit {
    /// The longest code, in bytes. UCUM sets none; no unit in clinical use comes near.
    pub const MAX_LENGTH: usize = 64;

    /// The unit of a UCUM code, case sensitive.
    ///
    /// # Errors
    /// [`UnitError::Unknown`] when it is not one.
    pub fn parse(code: &str) -> Result<Self, UnitError> {
        if let Some(unit) = KNOWN.read().unwrap_or_else(PoisonError::into_inner).get(code) {
            return Ok(unit.clone());
        }
        let scale =
            resolve(code).ok_or_else(|| UnitError::Unknown { code: code.chars().take(64).collect() })?;
        let unit = Self(Arc::new(Resolved { code: code.into(), scale }));
        let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() < KNOWN_CAPACITY {
            return Ok(known.entry(code.into()).or_insert(unit).clone());
        }
        Ok(unit)
    }

    /// The UCUM code.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// How values of this unit become values of another.
    ///
    /// # Errors
    /// [`UnitError::NotConvertible`] when the units are not commensurable, or on a scale that is not linear.
    pub fn converter_to(&self, to: &Unit) -> Result<Conversion, UnitError> {
        if self == to {
            return Ok(Conversion::IDENTITY);
        }
        linear(&self.0.scale, &to.0.scale)
            .ok_or_else(|| UnitError::NotConvertible { from: self.clone(), to: to.clone() })
    }
}

fn resolve(code: &str) -> Option<Scale> {
    if !(1..=Unit::MAX_LENGTH).contains(&code.len()) {
        return None;
    }
    // Evaluated by itself first: the error of `get_canonical_units` compares the code with every unit to
    // suggest corrections, which is too dear for what any device may send.
    evaluate(&parse_expression(code).ok()?).ok()?;
    Some(match get_canonical_units(code) {
        Ok(canonical) => {
            Scale::Linear { base: canonical.unit.into(), factor: canonical.factor, offset: canonical.offset }
        }
        Err(_) => Scale::Bent,
    })
}

/// With 28 decimal digits, so that 38 Cel is 100.4 [degF] and not a bit below a threshold of 100.4.
fn linear(from: &Scale, to: &Scale) -> Option<Conversion> {
    let Scale::Linear { base: from_base, factor: from_factor, offset: from_offset } = from else {
        return None;
    };
    let Scale::Linear { base: to_base, factor: to_factor, offset: to_offset } = to else { return None };
    if from_base != to_base {
        return None;
    }
    let factor = from_factor.checked_div(*to_factor)?.to_f64();
    let offset = from_offset.checked_sub(*to_offset)?.checked_div(*to_factor)?.to_f64();
    (factor.is_finite() && factor != 0.0 && offset.is_finite()).then_some(Conversion { factor, offset })
}

impl PartialEq for Unit {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.code() == other.code()
    }
}

impl Eq for Unit {}

impl Hash for Unit {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.code().hash(state);
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unit({})", self.code())
    }
}

impl FromStr for Unit {
    type Err = UnitError;
    fn from_str(code: &str) -> Result<Self, UnitError> {
        Self::parse(code)
    }
}

impl Serialize for Unit {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Unit {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let code = String::deserialize(from)?;
        Self::parse(&code).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unit(code: &str) -> Unit {
        Unit::parse(code).unwrap()
    }

    fn convert(value: f64, from: &str, to: &str) -> f64 {
        unit(from).converter_to(&unit(to)).unwrap().apply(value)
    }

    #[test]
    fn clinical_units_convert_exactly() {
        let rows = [
            (38.0, "Cel", "[degF]", 100.4),
            (100.4, "[degF]", "Cel", 38.0),
            (310.15, "K", "Cel", 37.0),
            (120.0, "mm[Hg]", "mm[Hg]", 120.0),
            (16.0, "kPa", "mm[Hg]", 120.010_200_867_073_7),
            (0.97, "1", "%", 97.0),
            (1.2, "Hz", "/min", 72.0),
            (72.0, "{beats}/min", "/min", 72.0),
            (1.5, "mV", "uV", 1500.0),
        ];
        for (value, from, to, expected) in rows {
            let got = convert(value, from, to);
            assert!((got - expected).abs() < 1e-9, "{value} {from} = {got} {to}, not {expected}");
        }
    }

    #[test]
    fn a_threshold_in_the_other_temperature_scale_is_met_at_its_bound() {
        // NEWS2 and fever limits, as a nurse would write them in either scale.
        for (celsius, fahrenheit) in [(35.0, 95.0), (36.0, 96.8), (38.0, 100.4), (39.0, 102.2)] {
            assert!((convert(celsius, "Cel", "[degF]") - fahrenheit).abs() < 1e-12);
        }
    }

    #[test]
    fn what_is_not_ucum_is_named_and_refused() {
        let too_long = "m".repeat(65);
        let too_deep = "(".repeat(60);
        for bad in ["", "celsius", "cel", "mmHg", "bpm", "°C", "/", "m//s", "\0", &too_long, &too_deep] {
            let error = Unit::parse(bad).unwrap_err();
            assert!(
                error
                    .to_string()
                    .contains(format!("{:?}", bad.chars().take(64).collect::<String>()).as_str()),
                "{error}"
            );
        }
    }

    #[test]
    fn different_kinds_of_quantity_do_not_convert() {
        for (from, to) in
            [("Cel", "%"), ("mm[Hg]", "/min"), ("mg", "mm"), ("[IU]", "g"), ("dB", "1"), ("[pH]", "mol/L")]
        {
            let error = unit(from).converter_to(&unit(to)).unwrap_err();
            assert_eq!(error, UnitError::NotConvertible { from: unit(from), to: unit(to) });
        }
        assert_eq!(unit("dB").converter_to(&unit("dB")).unwrap(), Conversion::IDENTITY);
    }

    #[test]
    fn a_unit_is_kept_by_its_code_alone() {
        assert_eq!(serde_json::to_string(&unit("mm[Hg]")).unwrap(), r#""mm[Hg]""#);
        assert_eq!(serde_json::from_str::<Unit>(r#""mm[Hg]""#).unwrap(), unit("mm[Hg]"));
        assert!(serde_json::from_str::<Unit>(r#""mmHg""#).is_err());
    }

    const FAMILIES: [&[&str]; 5] = [
        &["Cel", "[degF]", "K", "mK"],
        &["mm[Hg]", "kPa", "Pa", "cm[H2O]", "bar", "[psi]"],
        &["/min", "Hz", "/s", "/h", "{breaths}/min"],
        &["%", "1", "[ppth]"],
        &["mV", "uV", "V"],
    ];

    fn pair() -> impl Strategy<Value = (&'static str, &'static str)> {
        prop::sample::select(&FAMILIES[..])
            .prop_flat_map(|family| (prop::sample::select(family), prop::sample::select(family)))
    }

    proptest! {
        #[test]
        fn there_and_back_is_the_same_value((from, to) in pair(), value in -1e6_f64..1e6) {
            let there = convert(value, from, to);
            let back = convert(there, to, from);
            // Relative to the size that the value has in base units, where an offset may dwarf it.
            prop_assert!((back - value).abs() <= 1e-12 * (value.abs() + 1e3) * 1e3, "{value} {from} -> {there} {to} -> {back}");
        }

        #[test]
        fn conversion_agrees_with_the_unit_library((from, to) in pair(), value in -1e3_f64..1e3) {
            let expected = octofhir_ucum::convert(value, from, to).unwrap();
            prop_assert!((convert(value, from, to) - expected).abs() <= 1e-9 * (1.0 + expected.abs()));
        }

        #[test]
        fn no_text_panics(code in ".{0,80}") {
            if let Ok(unit) = Unit::parse(&code) {
                prop_assert_eq!(unit.code(), code);
            }
        }

        #[test]
        fn no_text_of_ucum_characters_panics(code in r"[a-zA-Z0-9\[\]\(\)\{\}./*^'%-]{0,64}") {
            let _unused = Unit::parse(&code);
        }
    }
}
