//! What applies: the value of each setting, and where it came from.

use std::{fmt, path::Path, path::PathBuf};

use super::{
    ConfigError, Environment, Given, Setting, Sources, file, hidden,
    settings::{self, Secrecy},
};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Flag,
    Variable(String),
    File(PathBuf),
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("from the command line"),
            Self::Variable(name) => write!(f, "from {name}"),
            Self::File(path) => write!(f, "from {}", path.display()),
            Self::Default => f.write_str("the default"),
        }
    }
}

/// One setting as it applies.
pub(crate) struct Effective {
    pub(crate) setting: &'static Setting,
    value: String,
    pub(crate) origin: Origin,
}

impl Effective {
    /// The value without its secrets.
    pub(crate) fn shown(&self) -> String {
        hidden::shown(&self.value, self.setting.secrecy)
    }
}

impl fmt::Debug for Effective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={} ({})", self.setting.key, self.shown(), self.origin)
    }
}

/// All settings.
#[derive(Debug)]
pub(crate) struct Values {
    effective: Vec<Effective>,
    ignored: Vec<String>,
}

impl Values {
    /// Looks every setting up in its sources, the strongest first.
    pub(crate) fn gather(sources: Sources<'_>, environment: &Environment) -> Result<Self, ConfigError> {
        let Sources { flags, file: path, defaults } = sources;
        let from_file = match path {
            Some(path) => file::read(path)?,
            None => Vec::new(),
        };
        let mut effective = Vec::new();
        for &setting in settings::ALL {
            let (value, origin) = if let Some(value) = find(&flags, setting) {
                (value, Origin::Flag)
            } else if let Some((value, name)) = variable(setting, environment)? {
                (value, Origin::Variable(name))
            } else if let (Some(value), Some(path)) = (find(&from_file, setting), path) {
                (value, Origin::File(path.to_owned()))
            } else {
                let value = find(&defaults, setting).unwrap_or_else(|| setting.default.to_owned());
                (value, Origin::Default)
            };
            effective.push(Effective { setting, value, origin });
        }
        Ok(Self { effective, ignored: ignored(environment) })
    }

    /// Every setting, in order.
    pub(crate) fn effective(&self) -> &[Effective] {
        &self.effective
    }

    /// What stands in the environment and means nothing.
    pub(crate) fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// The value as written; empty when there is none.
    pub(super) fn text(&self, setting: &'static Setting) -> &str {
        self.of(setting).map_or("", |found| found.value.as_str())
    }

    /// The value as a type.
    pub(super) fn parse<T>(
        &self,
        setting: &'static Setting,
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, ConfigError> {
        parse(self.text(setting)).ok_or_else(|| ConfigError::Invalid {
            key: setting.key,
            value: match self.of(setting) {
                Some(found) if !found.value.is_empty() => format!("{:?}", found.shown()),
                _ => "empty".to_owned(),
            },
            origin: self.of(setting).map_or(String::new(), |found| found.origin.to_string()),
            expected,
        })
    }

    fn of(&self, setting: &'static Setting) -> Option<&Effective> {
        self.effective.iter().find(|found| std::ptr::eq(found.setting, setting))
    }
}

/// The last that was given: a flag may be repeated to overrule a script.
fn find(given: &[Given], setting: &'static Setting) -> Option<String> {
    given.iter().rev().find(|(of, _)| std::ptr::eq(*of, setting)).map(|(_, value)| value.clone())
}

fn variable(
    setting: &'static Setting,
    environment: &Environment,
) -> Result<Option<(String, String)>, ConfigError> {
    // An empty variable is what scripts and manifests write for "not set".
    let set = |name: &str| environment.get(name).filter(|value| !value.is_empty()).map(str::to_owned);
    let plain = set(setting.variable);
    let file = setting.file_variable().and_then(|name| set(&name).map(|path| (name, path)));
    match (plain, file) {
        (Some(_), Some(_)) => Err(ConfigError::Ambiguous { variable: setting.variable }),
        (Some(value), None) => Ok(Some((value, setting.variable.to_owned()))),
        (None, Some((name, path))) => secret(&name, Path::new(&path)).map(|value| Some((value, name))),
        (None, None) => Ok(None),
    }
}

/// A secret in a file, without the line end that editors put behind it.
fn secret(variable: &str, path: &Path) -> Result<String, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::SecretFile {
        variable: variable.to_owned(),
        path: path.to_owned(),
        source,
    })?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn ignored(environment: &Environment) -> Vec<String> {
    let known = |name: &str| {
        settings::ALL.iter().any(|setting| {
            setting.variable == name
                || (setting.secrecy != Secrecy::Open && setting.file_variable().as_deref() == Some(name))
        })
    };
    let unknown = environment.names().filter(|name| !known(name));
    unknown.map(|name| format!("{name} is no setting of this version and was ignored")).collect()
}
