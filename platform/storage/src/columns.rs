//! How the domain's values stand in columns: times as microseconds since the epoch, unsigned numbers in
//! signed columns, names checked again when they are read.

use jiff::Timestamp;
use tenants::{CorrelationId, DeviceId, Sequence};

use crate::errors::StorageError;

pub(crate) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

pub(crate) fn timestamp(micros: i64) -> Result<Timestamp, StorageError> {
    Timestamp::from_microsecond(micros).map_err(|_| StorageError::corrupt("a time out of range"))
}

/// A log would have to grow for centuries to reach the end of `i64`.
pub(crate) fn position(sequence: Sequence) -> i64 {
    i64::try_from(sequence.0).unwrap_or(i64::MAX)
}

pub(crate) fn sequence(position: i64) -> Result<Sequence, StorageError> {
    u64::try_from(position).map(Sequence).map_err(|_| StorageError::corrupt("a negative sequence"))
}

/// The same 64 bits; only their order as a number differs, and nothing is ordered by them.
pub(crate) const fn correlation_bits(id: CorrelationId) -> i64 {
    id.0.cast_signed()
}

pub(crate) fn device(text: &str) -> Result<DeviceId, StorageError> {
    parsed(DeviceId::parse(text), "a device id")
}

/// The column holds something that the domain does not know.
pub(crate) fn parsed<T, E>(value: Result<T, E>, what: &'static str) -> Result<T, StorageError> {
    value.map_err(|_| StorageError::corrupt(what))
}

/// Text as it is searched: lower case in the sense of Unicode, which SQLite's own `lower` does not know.
pub(crate) fn folded(text: &str) -> String {
    text.to_lowercase()
}

/// Text that comes from devices or people, as it can be stored and looked for: PostgreSQL has no NUL
/// character, and what a fold leaves behind must not fail for it again and again.
pub(crate) fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
