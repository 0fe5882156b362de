//! What a value at a path may be.

use std::sync::Arc;

/// The schema of one telemetry, as far as it decides what a message may say there.
///
/// DTDL's objects are not among them: each of their fields is a telemetry of its own, `object.field`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schema {
    /// DTDL `double` and `float`: any finite number.
    Number,
    /// DTDL `integer` (32 bits) and `long` (64 bits): a number without a fraction, in the type's range.
    Integer {
        /// 32 or 64.
        bits: u8,
    },
    /// DTDL `boolean`.
    Flag,
    /// DTDL `string`, `date`, `dateTime`, `time` and `duration`, kept as they come.
    Text,
    /// DTDL `Enum` with string values: one of these.
    Codes(Arc<[Arc<str>]>),
    /// DTDL `Enum` with integer values: one of these.
    Numbers(Arc<[i64]>),
    /// An `Object` of exactly `rate` (a number, in Hz) and `samples` (an `Array` of numbers).
    Waveform,
    /// DTDL `Array`, `Map` and the geospatial schemas: kept as JSON text.
    Json,
}

impl Schema {
    /// Whether its values are numbers, so that they may have a unit.
    pub const fn is_numeric(&self) -> bool {
        matches!(self, Self::Number | Self::Integer { .. })
    }

    /// What a message should have there, for people.
    pub(crate) fn expected(&self) -> String {
        match self {
            Self::Number => "a number".to_owned(),
            Self::Integer { bits } => format!("an integer of {bits} bits"),
            Self::Flag => "true or false".to_owned(),
            Self::Text => "a string".to_owned(),
            Self::Codes(codes) => format!("one of {}", codes.join(", ")),
            Self::Numbers(numbers) => {
                let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
                format!("one of {}", numbers.join(", "))
            }
            Self::Waveform => "an object of rate and samples".to_owned(),
            Self::Json => "an array or an object".to_owned(),
        }
    }
}
