//! Scalars of the schema, and numbers as they are written.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use jiff::Timestamp;

/// RFC 3339 date and time in UTC, for example 2026-01-02T03:04:05Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DateTime(pub(crate) Timestamp);

#[Scalar(name = "DateTime")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        text.parse().map(Self).map_err(|_| {
            InputValueError::custom(format!(
                "{:?} is not a date and time with an offset, for example 2026-01-02T03:04:05Z",
                text.chars().take(64).collect::<String>()
            ))
        })
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

impl From<Timestamp> for DateTime {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

/// A single-precision sample as the shortest decimal that means the same sample: widening its bits instead
/// would write 0.1 as 0.10000000149011612.
pub(crate) fn shortest(sample: f32) -> f64 {
    sample.to_string().parse().unwrap_or_else(|_| f64::from(sample))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_read_with_an_offset_and_written_in_utc() {
        let read = |text: &str| DateTime::parse(Value::from(text));
        let written = |text: &str| read(text).unwrap().to_value();
        assert_eq!(written("2026-01-02T03:04:05Z"), Value::from("2026-01-02T03:04:05Z"));
        assert_eq!(written("2026-01-02T04:04:05.25+01:00"), Value::from("2026-01-02T03:04:05.25Z"));
        for bad in ["", "yesterday", "2026-01-02", "2026-01-02T03:04:05", "1767322800000"] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert!(DateTime::parse(Value::from(1_767_322_800)).is_err());
    }

    proptest! {
        #[test]
        fn a_sample_keeps_its_value_and_few_digits(sample in -1e6_f32..1e6) {
            let written = shortest(sample);
            #[allow(clippy::cast_possible_truncation, reason = "that is the question asked")]
            let back = written as f32;
            prop_assert_eq!(back, sample);
            prop_assert!(written.to_string().len() <= sample.to_string().len());
        }
    }
}
