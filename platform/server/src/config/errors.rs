//! What is wrong with the configuration, and where.

use std::{io, path::PathBuf};

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("the configuration file {} cannot be read", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{}: {problem}", path.display())]
    Syntax { path: PathBuf, problem: String },
    #[error("{}: unknown setting {key}{}", path.display(), meant.map(|key| format!(" (did you mean {key}?)")).unwrap_or_default())]
    UnknownKey { path: PathBuf, key: String, meant: Option<&'static str> },
    #[error("{}: {key} must be a text, a number or a boolean", path.display())]
    NotAValue { path: PathBuf, key: String },
    #[error("both {variable} and {variable}_FILE are set; unset one of them")]
    Ambiguous { variable: &'static str },
    #[error("the file {} that {variable} names cannot be read", path.display())]
    SecretFile { variable: String, path: PathBuf, source: io::Error },
    #[error("{key} is {value} ({origin}), but must be {expected}")]
    Invalid { key: &'static str, value: String, origin: String, expected: &'static str },
}
