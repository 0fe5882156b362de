//! What can be set: flags before environment before file before defaults, one struct per concern.
//!
//! This is the only module that reads the environment. [`settings`] lists every setting with its names and
//! its default, [`values`] finds what applies, and each concern turns its own into types.

mod concerns;
mod environment;
mod errors;
mod file;
mod hidden;
mod settings;
mod values;

use std::path::Path;

pub(crate) use concerns::{
    DatabaseConfig, HttpConfig, KeysConfig, LogConfig, LogFormat, MetricsConfig, MqttConfig, NodeConfig,
    PasswordsConfig, TlsConfig, VaultConfig, master_key,
};
pub(crate) use environment::Environment;
pub(crate) use errors::ConfigError;
pub(crate) use settings::{Setting, key};
pub(crate) use values::{Effective, Values};

/// Everything the server can be told.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) database: DatabaseConfig,
    pub(crate) keys: KeysConfig,
    pub(crate) passwords: PasswordsConfig,
    pub(crate) http: HttpConfig,
    pub(crate) mqtt: MqttConfig,
    pub(crate) metrics: MetricsConfig,
    pub(crate) log: LogConfig,
    pub(crate) node: NodeConfig,
    /// What is set and does nothing, and what works but should not stay as it is.
    pub(crate) warnings: Vec<String>,
}

/// A value given for one setting.
pub(crate) type Given = (&'static Setting, String);

/// Where values come from, besides the environment.
#[derive(Debug, Default)]
pub(crate) struct Sources<'a> {
    /// From the command line.
    pub(crate) flags: Vec<Given>,
    /// A TOML file.
    pub(crate) file: Option<&'a Path>,
    /// In place of the built-in defaults.
    pub(crate) defaults: Vec<Given>,
}

impl Config {
    /// Finds and checks all settings.
    ///
    /// # Errors
    /// [`ConfigError`] naming the setting, where its value came from, and what it must be.
    pub(crate) fn load(sources: Sources<'_>, environment: &Environment) -> Result<Self, ConfigError> {
        Self::from_values(&Values::gather(sources, environment)?)
    }

    pub(crate) fn from_values(values: &Values) -> Result<Self, ConfigError> {
        let mut config = Self {
            database: DatabaseConfig::read(values)?,
            keys: KeysConfig::read(values)?,
            passwords: PasswordsConfig::read(values),
            http: HttpConfig::read(values)?,
            mqtt: MqttConfig::read(values)?,
            metrics: MetricsConfig::read(values)?,
            log: LogConfig::read(values)?,
            node: NodeConfig::read(values)?,
            warnings: values.ignored().to_vec(),
        };
        config.warnings.extend(config.exposures());
        Ok(config)
    }

    /// What leaves the machine unencrypted.
    fn exposures(&self) -> Vec<String> {
        let mut found = Vec::new();
        if !self.http.addr.ip().is_loopback() && !self.http.is_https() {
            found.push(format!(
                "http.addr {} can be reached from other machines and http.public_url is not https: passwords and \
                 patients' data travel unencrypted unless something in front of it encrypts",
                self.http.addr
            ));
        }
        if !self.mqtt.addr.ip().is_loopback() {
            found.push(format!(
                "mqtt.addr {} can be reached from other machines: device tokens and readings travel unencrypted \
                 unless something in front of it encrypts",
                self.mqtt.addr
            ));
        }
        if !self.metrics.addr.ip().is_loopback() {
            found.push(format!("metrics.addr {} can be read by anybody who reaches it", self.metrics.addr));
        }
        found
    }
}

#[cfg(test)]
mod tests;
