//! The TOML file, flattened to `table.key`.

use std::path::Path;

use super::{ConfigError, Given, settings};

/// Reads all settings of a file.
pub(super) fn read(path: &Path) -> Result<Vec<Given>, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::File { path: path.to_owned(), source })?;
    parse(path, &text)
}

fn parse(path: &Path, text: &str) -> Result<Vec<Given>, ConfigError> {
    let syntax = |error: toml::de::Error| {
        // Not the error's own text: it quotes the line, and the line may hold a password.
        let line =
            error.span().map_or(1, |span| text.get(..span.start).unwrap_or(text).lines().count().max(1));
        ConfigError::Syntax { path: path.to_owned(), problem: format!("line {line}: {}", error.message()) }
    };
    let tables: toml::Table = text.parse().map_err(syntax)?;
    let mut found = Vec::new();
    for (table, content) in tables {
        match content {
            toml::Value::Table(content) => {
                for (name, value) in content {
                    found.push(setting(path, &format!("{table}.{name}"), &value)?);
                }
            }
            value => found.push(setting(path, &table, &value)?),
        }
    }
    Ok(found)
}

fn setting(path: &Path, key: &str, value: &toml::Value) -> Result<Given, ConfigError> {
    let Some(setting) = settings::by_key(key) else {
        let (path, meant) = (path.to_owned(), settings::nearest(key));
        return Err(ConfigError::UnknownKey { path, key: key.to_owned(), meant });
    };
    let value = match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Boolean(flag) => flag.to_string(),
        _ => return Err(ConfigError::NotAValue { path: path.to_owned(), key: key.to_owned() }),
    };
    Ok((setting, value))
}
