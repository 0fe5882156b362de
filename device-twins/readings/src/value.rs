//! What was read.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// What a device said at one path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// A number in the reading's unit. Always finite: make it with [`Value::number`] when the source may not be.
    Number(f64),
    /// A code or a text, for example `A` for alert.
    Text(Arc<str>),
    /// Yes or no, for example whether the patient is on supplemental oxygen.
    Flag(bool),
    /// Equally spaced samples, for example of an ECG.
    Waveform(Arc<Waveform>),
}

/// Equally spaced samples of one channel; the first was taken at the reading's `measured_at`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Waveform {
    /// Samples per second; finite and above 0.
    pub sample_rate_hz: f64,
    /// The samples in the reading's unit, all finite. Single precision: an ECG of 24 bits fits exactly.
    pub samples: Vec<f32>,
}

impl Value {
    /// A number, or nothing if it is infinite or not a number.
    pub fn number(number: f64) -> Option<Self> {
        number.is_finite().then_some(Self::Number(number))
    }

    /// The number, of a [`Value::Number`] only.
    pub const fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The text, of a [`Value::Text`] only.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Yes or no, of a [`Value::Flag`] only.
    pub const fn as_flag(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    /// What a threshold is compared with: the number, or 1 for yes and 0 for no. A text or a waveform has none.
    pub const fn as_comparable(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Flag(true) => Some(1.0),
            Self::Flag(false) => Some(0.0),
            Self::Text(_) | Self::Waveform(_) => None,
        }
    }
}

/// For people: the number, the text, `yes` or `no`, or how long the waveform is.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
            Self::Flag(flag) => f.write_str(if *flag { "yes" } else { "no" }),
            Self::Waveform(waveform) => {
                write!(f, "{} samples at {} Hz", waveform.samples.len(), waveform.sample_rate_hz)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_not_finite_is_no_number() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Value::number(bad), None);
        }
        assert_eq!(Value::number(-0.5), Some(Value::Number(-0.5)));
    }

    #[test]
    fn a_flag_compares_as_one_or_zero_and_a_text_not_at_all() {
        assert_eq!(Value::Flag(true).as_comparable(), Some(1.0));
        assert_eq!(Value::Flag(false).as_comparable(), Some(0.0));
        assert_eq!(Value::Text("9".into()).as_comparable(), None);
    }

    #[test]
    fn values_are_shown_as_people_write_them() {
        let waveform = Waveform { sample_rate_hz: 125.0, samples: vec![0.0; 250] };
        let shown = [
            (Value::Number(72.0), "72"),
            (Value::Number(38.2), "38.2"),
            (Value::Text("A".into()), "A"),
            (Value::Flag(true), "yes"),
            (Value::Waveform(waveform.into()), "250 samples at 125 Hz"),
        ];
        for (value, text) in shown {
            assert_eq!(value.to_string(), text);
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let samples = prop::collection::vec(-1e6_f32..1e6, 0..50);
        prop_oneof![
            // 15 significant digits survive every JSON parser.
            (-1_000_000_000_i64..1_000_000_000).prop_map(|n| Value::Number(n as f64 / 1000.0)),
            ".*".prop_map(|text: String| Value::Text(text.into())),
            any::<bool>().prop_map(Value::Flag),
            (1_u32..10_000, samples).prop_map(|(rate, samples)| Value::Waveform(Arc::new(Waveform {
                sample_rate_hz: rate.into(),
                samples
            }))),
        ]
    }

    proptest! {
        #[test]
        fn a_snapshot_gives_a_value_back(value in any_value()) {
            let stored = serde_json::to_string(&value).unwrap();
            prop_assert_eq!(serde_json::from_str::<Value>(&stored).unwrap(), value);
        }
    }
}
