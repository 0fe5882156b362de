//! The catalogue of vital signs: what a ward looks at first.

use std::{fmt, ops::RangeInclusive, str::FromStr, sync::LazyLock};

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::Unit;

/// A vital sign. Ordered as listed, which is the order in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VitalSign {
    /// Heart or pulse rate, in /min. LOINC 8867-4.
    HeartRate,
    /// Oxygen saturation by pulse oximetry (SpO2), in %. LOINC 59408-5.
    OxygenSaturation,
    /// Breaths, in /min. LOINC 9279-1.
    RespiratoryRate,
    /// Systolic blood pressure, in mm\[Hg\]. LOINC 8480-6.
    SystolicPressure,
    /// Diastolic blood pressure, in mm\[Hg\]. LOINC 8462-4.
    DiastolicPressure,
    /// Body temperature, in Cel. LOINC 8310-5.
    Temperature,
    /// Whether the patient breathes supplemental oxygen rather than air: a flag, without a LOINC code. 3151-8,
    /// the inhaled oxygen flow rate, is a quantity in L/min and would make a number of the yes or no.
    SupplementalOxygen,
    /// Level of consciousness as one letter of ACVPU: `A` alert, `C` new confusion, `V` responds to voice,
    /// `P` responds to pain, `U` unresponsive. LOINC 67775-7.
    Consciousness,
}

/// A text that names no vital sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key:?} is not a vital sign: expected one of {}", VitalSign::ALL.map(VitalSign::key).join(", "))]
pub struct UnknownSign {
    /// What was given, cut to 64 characters.
    key: String,
}

static UNITS: LazyLock<[Option<Unit>; 8]> =
    LazyLock::new(|| VitalSign::ALL.map(|sign| sign.ucum().and_then(|code| Unit::parse(code).ok())));

impl VitalSign {
    /// All of them, in order.
    pub const ALL: [Self; 8] = [
        Self::HeartRate,
        Self::OxygenSaturation,
        Self::RespiratoryRate,
        Self::SystolicPressure,
        Self::DiastolicPressure,
        Self::Temperature,
        Self::SupplementalOxygen,
        Self::Consciousness,
    ];

    /// Its place in [`VitalSign::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The LOINC code (<https://loinc.org>), none for supplemental oxygen.
    ///
    /// Rates, pressures and temperature are the codes of HL7's vital signs
    /// (<https://hl7.org/fhir/R5/valueset-observation-vitalsignresult.html>). Saturation is the narrower code for
    /// pulse oximetry, which the US Core pulse oximetry profile puts beside HL7's 2708-6 (arterial blood, however
    /// measured).
    pub const fn loinc(self) -> Option<&'static str> {
        match self {
            Self::HeartRate => Some("8867-4"),
            Self::OxygenSaturation => Some("59408-5"),
            Self::RespiratoryRate => Some("9279-1"),
            Self::SystolicPressure => Some("8480-6"),
            Self::DiastolicPressure => Some("8462-4"),
            Self::Temperature => Some("8310-5"),
            Self::SupplementalOxygen => None,
            Self::Consciousness => Some("67775-7"),
        }
    }

    /// What people call it, in English.
    pub const fn label(self) -> &'static str {
        match self {
            Self::HeartRate => "Heart rate",
            Self::OxygenSaturation => "Oxygen saturation",
            Self::RespiratoryRate => "Respiratory rate",
            Self::SystolicPressure => "Systolic blood pressure",
            Self::DiastolicPressure => "Diastolic blood pressure",
            Self::Temperature => "Temperature",
            Self::SupplementalOxygen => "Supplemental oxygen",
            Self::Consciousness => "Consciousness",
        }
    }

    /// What programs call it.
    pub const fn key(self) -> &'static str {
        match self {
            Self::HeartRate => "heart_rate",
            Self::OxygenSaturation => "oxygen_saturation",
            Self::RespiratoryRate => "respiratory_rate",
            Self::SystolicPressure => "systolic_pressure",
            Self::DiastolicPressure => "diastolic_pressure",
            Self::Temperature => "temperature",
            Self::SupplementalOxygen => "supplemental_oxygen",
            Self::Consciousness => "consciousness",
        }
    }

    /// The unit in which it is kept, scored and shown; none for the two that are coded.
    pub fn unit(self) -> Option<Unit> {
        UNITS[self.index()].clone()
    }

    /// HL7's units for vital signs: <https://hl7.org/fhir/R5/valueset-ucum-vitals-common.html>.
    const fn ucum(self) -> Option<&'static str> {
        match self {
            Self::HeartRate | Self::RespiratoryRate => Some("/min"),
            Self::OxygenSaturation => Some("%"),
            Self::SystolicPressure | Self::DiastolicPressure => Some("mm[Hg]"),
            Self::Temperature => Some("Cel"),
            Self::SupplementalOxygen | Self::Consciousness => None,
        }
    }

    /// How long a value may be shown and scored as current; older ones are stale.
    ///
    /// - What a monitor measures all the time (heart rate, saturation, respiration): 2 minutes. No standard
    ///   sets this; it is the platform's own limit, so that a probe that fell off is noticed on the board
    ///   within minutes, and one lost message is not.
    /// - Blood pressure, measured from time to time: 1 hour; the rest (temperature, oxygen, consciousness):
    ///   4 hours. These are intervals between observations that the Royal College of Physicians lays down
    ///   (NEWS2, 2017, Chart 4: at least every hour from a score of 5 or a 3 in one parameter, at least every
    ///   4 to 6 hours from a score of 1). From a score of 7 it asks for continuous monitoring: a value that is
    ///   current here may then be older than it should be, which is why each is shown with its age.
    pub const fn stale_after(self) -> SignedDuration {
        match self {
            Self::HeartRate | Self::OxygenSaturation | Self::RespiratoryRate => SignedDuration::from_mins(2),
            Self::SystolicPressure | Self::DiastolicPressure => SignedDuration::from_hours(1),
            Self::Temperature | Self::SupplementalOxygen | Self::Consciousness => {
                SignedDuration::from_hours(4)
            }
        }
    }

    /// The values that an instrument can show at all, in [`VitalSign::unit`]; both ends included.
    ///
    /// Not a normal range and not an alarm limit: these are the physical limits of bedside instruments,
    /// taken wide, and a value beyond them is a fault of the sensor or a wrong unit, whoever the patient is.
    ///
    /// | sign | range | why |
    /// |---|---|---|
    /// | heart rate | 0 to 350 /min | 0 is asystole; monitors count to 300 or 350 |
    /// | saturation | 0 to 100 % | by definition |
    /// | respiration | 0 to 200 /min | 0 is apnoea; impedance and capnography count to 150 or 200 |
    /// | pressures | 0 to 360 mm\[Hg\] | invasive transducers; a cuff ends at 300 |
    /// | temperature | 0 to 50 Cel | thermistor probes; deep hypothermia is survived, so no narrower |
    /// | supplemental oxygen | 0 to 1 | a flag |
    /// | consciousness | 0 to 0 | a code: it has no number, so nothing lies within but the placeholder 0 |
    pub const fn plausible(self) -> RangeInclusive<f64> {
        match self {
            Self::HeartRate => 0.0..=350.0,
            Self::OxygenSaturation => 0.0..=100.0,
            Self::RespiratoryRate => 0.0..=200.0,
            Self::SystolicPressure | Self::DiastolicPressure => 0.0..=360.0,
            Self::Temperature => 0.0..=50.0,
            Self::SupplementalOxygen => 0.0..=1.0,
            Self::Consciousness => 0.0..=0.0,
        }
    }
}

/// The label.
impl fmt::Display for VitalSign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// From the key.
impl FromStr for VitalSign {
    type Err = UnknownSign;
    fn from_str(key: &str) -> Result<Self, UnknownSign> {
        Self::ALL
            .into_iter()
            .find(|sign| sign.key() == key)
            .ok_or_else(|| UnknownSign { key: key.chars().take(64).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_catalogue_is_complete_and_in_order() {
        for (place, sign) in VitalSign::ALL.into_iter().enumerate() {
            assert_eq!(sign.index(), place);
            assert_eq!(sign.key().parse(), Ok(sign));
            assert_eq!(serde_json::to_string(&sign).unwrap(), format!("{:?}", sign.key()));
            assert_eq!(sign.unit().is_some(), sign.ucum().is_some(), "{sign}: its unit is not UCUM");
            assert!(sign.stale_after() > SignedDuration::ZERO);
        }
        let codes: Vec<_> = VitalSign::ALL.into_iter().filter_map(VitalSign::loinc).collect();
        assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len(), "no two signs share a code");
        assert!("pulse".parse::<VitalSign>().is_err());
    }

    /// Transcribed a second time, from HL7's value sets and US Core: a wrong code may have a right check digit.
    #[test]
    fn codes_and_units_are_those_of_hl7s_vital_signs() {
        let published = [
            (VitalSign::HeartRate, Some("8867-4"), Some("/min")),
            (VitalSign::OxygenSaturation, Some("59408-5"), Some("%")),
            (VitalSign::RespiratoryRate, Some("9279-1"), Some("/min")),
            (VitalSign::SystolicPressure, Some("8480-6"), Some("mm[Hg]")),
            (VitalSign::DiastolicPressure, Some("8462-4"), Some("mm[Hg]")),
            (VitalSign::Temperature, Some("8310-5"), Some("Cel")),
            // 3151-8 is a flow in L/min: a yes or no under it would be read as a number.
            (VitalSign::SupplementalOxygen, None, None),
            (VitalSign::Consciousness, Some("67775-7"), None),
        ];
        assert_eq!(published.map(|(sign, ..)| sign), VitalSign::ALL);
        for (sign, loinc, ucum) in published {
            assert_eq!((sign.loinc(), sign.ucum()), (loinc, ucum), "{sign}");
        }
    }

    #[test]
    fn loinc_codes_have_a_right_check_digit() {
        for (sign, code) in VitalSign::ALL.into_iter().filter_map(|sign| Some((sign, sign.loinc()?))) {
            let (number, check) = code.split_once('-').unwrap();
            assert_eq!(luhn(number), check.parse::<u32>().unwrap(), "{sign}: {code}");
        }
    }

    /// LOINC's check digit is the Luhn "mod 10" digit of the number (LOINC Users' Guide, appendix C).
    fn luhn(number: &str) -> u32 {
        let sum: u32 = number
            .bytes()
            .rev()
            .map(|digit| u32::from(digit - b'0'))
            .enumerate()
            .map(|(place, digit)| if place % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { digit })
            .sum();
        (10 - sum % 10) % 10
    }
}
