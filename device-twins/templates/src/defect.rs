//! Why a message was set aside.

use std::fmt;

/// Why a message could not be understood. The message is in the log all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct Defect {
    /// For programs and metrics.
    pub reason: DefectReason,
    /// For people: what and where, without any measured value.
    pub detail: String,
}

/// The kinds of defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DefectReason {
    /// The payload is not JSON.
    NotJson,
    /// Nested deeper than [`crate::RawMessage::MAX_DEPTH`].
    TooDeep,
    /// Larger than [`crate::RawMessage::MAX_BYTES`], or a text longer than [`crate::RawMessage::MAX_TEXT`].
    TooLarge,
    /// A number that is infinite or not a number.
    NotFinite,
    /// A time before 2000, or more than a day after receipt.
    TimeOutOfRange,
    /// A unit that is not UCUM, or does not convert to the template's.
    UnknownUnit,
    /// A value that the template does not allow at its path, or that no instrument can show.
    WrongType,
    /// Nothing was said.
    Empty,
    /// A name that cannot be a telemetry path.
    BadPath,
    /// More values, samples or messages than one payload may hold.
    TooManyValues,
}

impl DefectReason {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::NotJson,
        Self::TooDeep,
        Self::TooLarge,
        Self::NotFinite,
        Self::TimeOutOfRange,
        Self::UnknownUnit,
        Self::WrongType,
        Self::Empty,
        Self::BadPath,
        Self::TooManyValues,
    ];

    /// What programs call it, and the label of the metric.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotJson => "not_json",
            Self::TooDeep => "too_deep",
            Self::TooLarge => "too_large",
            Self::NotFinite => "not_finite",
            Self::TimeOutOfRange => "time_out_of_range",
            Self::UnknownUnit => "unknown_unit",
            Self::WrongType => "wrong_type",
            Self::Empty => "empty",
            Self::BadPath => "bad_path",
            Self::TooManyValues => "too_many_values",
        }
    }

    /// A defect of this kind.
    pub(crate) fn because(self, detail: impl Into<String>) -> Defect {
        Defect { reason: self, detail: detail.into() }
    }
}

impl fmt::Display for DefectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
