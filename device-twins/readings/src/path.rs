//! Where in a device a reading comes from.

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};
use tenants::ErrorKind;

/// The name of a telemetry within its device: `heartRate`, or `component/heartRate` for one of a component,
/// or `acceleration.x` for one field of an object.
///
/// 1 to 128 characters of `A-Z a-z 0-9 _ . / -`, with something before, between and after slashes. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Path(Arc<str>);

/// A text that cannot be a [`Path`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a telemetry path: expected 1 to {} of A-Z, a-z, 0-9, '_', '.', '/' and '-'",
    Path::MAX_LENGTH
)]
pub struct PathError {
    /// What was given, cut to 64 characters.
    text: String,
}

impl PathError {
    /// Always [`ErrorKind::BadInput`].
    pub const fn kind(&self) -> ErrorKind {
        ErrorKind::BadInput
    }
}

impl Path {
    /// The longest path, in characters (all of them ASCII).
    pub const MAX_LENGTH: usize = 128;

    /// Checks and wraps a text.
    ///
    /// # Errors
    /// [`PathError`] when it is empty, longer than [`Path::MAX_LENGTH`] or has a character that is not allowed.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'/' | b'-');
        if text.len() <= Self::MAX_LENGTH
            && text.bytes().all(allowed)
            && text.split('/').all(|part| !part.is_empty())
        {
            Ok(Self(text.into()))
        } else {
            Err(PathError { text: text.chars().take(64).collect() })
        }
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Path {
    type Err = PathError;
    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::parse(text)
    }
}

// So that a map keyed by Path can be asked with a &str, without making a Path first.
impl Borrow<str> for Path {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_are_safe_everywhere_are_paths() {
        for good in ["heartRate", "component/heartRate", "a.b-c_d", "9", &"x".repeat(128)] {
            assert_eq!(Path::parse(good).unwrap().as_str(), good);
        }
        for bad in
            ["", " ", "/", "/a", "a/", "a//b", "a b", "a+b", "#", "$ts", "ü", "a\n", "a\0", &"x".repeat(129)]
        {
            assert!(Path::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_stored_path_is_checked_again() {
        let path: Path = serde_json::from_str(r#""component/heartRate""#).unwrap();
        assert_eq!(serde_json::to_string(&path).unwrap(), r#""component/heartRate""#);
        assert!(serde_json::from_str::<Path>(r#""a b""#).is_err());
    }

    #[test]
    fn an_error_shows_at_most_64_characters_of_what_was_given() {
        let error = Path::parse(&"ü".repeat(1000)).unwrap_err();
        assert_eq!(error.text.chars().count(), 64);
        assert_eq!(error.kind(), ErrorKind::BadInput);
    }
}
