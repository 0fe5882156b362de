//! The list of all settings. A new one is a line here and a field in its concern.

/// How a value may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secrecy {
    /// As it is.
    Open,
    /// An address that may have a password in it.
    Address,
    /// Not at all.
    Secret,
}

/// One setting.
#[derive(Debug)]
pub(crate) struct Setting {
    /// Its name in the file, `table.key`.
    pub(crate) key: &'static str,
    /// Its name in the environment; a secret can also be put into a file that `<name>_FILE` names.
    pub(crate) variable: &'static str,
    /// Without any of them. Empty: none, or worked out from others.
    pub(crate) default: &'static str,
    pub(crate) secrecy: Secrecy,
}

impl Setting {
    /// The variable that names a file with the value, for secrets.
    pub(crate) fn file_variable(&self) -> Option<String> {
        (self.secrecy != Secrecy::Open).then(|| format!("{}_FILE", self.variable))
    }
}

macro_rules! settings {
    ($($name:ident: $key:literal $variable:literal $default:literal $secrecy:ident;)+) => {
        /// Each setting by name.
        pub(crate) mod key {
            use super::{Secrecy, Setting};
            $(pub(crate) static $name: Setting =
                Setting { key: $key, variable: $variable, default: $default, secrecy: Secrecy::$secrecy };)+
        }
        /// All of them, in the order in which they are shown.
        pub(crate) static ALL: &[&Setting] = &[$(&key::$name),+];
    };
}

settings! {
    DATABASE_URL: "database.url" "IOMT_DATABASE_URL" "sqlite://./iomt.db" Address;
    DATABASE_CONNECTIONS: "database.max_connections" "IOMT_DATABASE_MAX_CONNECTIONS" "8" Open;
    MASTER_KEY: "keys.master_key" "IOMT_MASTER_KEY" "" Secret;
    PREVIOUS_MASTER_KEYS: "keys.previous_master_keys" "IOMT_MASTER_KEY_PREVIOUS" "" Secret;
    KEYS_FOLDER: "keys.folder" "IOMT_KEYS_FOLDER" "" Open;
    VAULT_ADDR: "keys.vault_addr" "IOMT_VAULT_ADDR" "" Open;
    VAULT_MOUNT: "keys.vault_mount" "IOMT_VAULT_MOUNT" "transit" Open;
    VAULT_TOKEN: "keys.vault_token" "IOMT_VAULT_TOKEN" "" Secret;
    BREACHED_PASSWORDS: "passwords.breached" "IOMT_BREACHED_PASSWORDS" "" Open;
    HTTP_ADDR: "http.addr" "IOMT_HTTP_ADDR" "127.0.0.1:8080" Open;
    PUBLIC_URL: "http.public_url" "IOMT_PUBLIC_URL" "" Open;
    HTTP_WORKERS: "http.workers" "IOMT_HTTP_WORKERS" "2" Open;
    MQTT_ADDR: "mqtt.addr" "IOMT_MQTT_ADDR" "127.0.0.1:1883" Open;
    MQTTS_ADDR: "mqtt.tls_addr" "IOMT_MQTTS_ADDR" "" Open;
    MQTT_PROXY: "mqtt.proxy_protocol" "IOMT_MQTT_PROXY_PROTOCOL" "off" Open;
    MQTT_CONNECTIONS: "mqtt.max_connections" "IOMT_MQTT_MAX_CONNECTIONS" "100000" Open;
    MQTT_TENANT_CONNECTIONS: "mqtt.max_tenant_connections" "IOMT_MQTT_MAX_TENANT_CONNECTIONS" "50000" Open;
    TLS_CERT: "tls.cert" "IOMT_TLS_CERT" "" Open;
    TLS_KEY: "tls.key" "IOMT_TLS_KEY" "" Open;
    METRICS_ADDR: "metrics.addr" "IOMT_METRICS_ADDR" "127.0.0.1:9090" Open;
    LOG_FILTER: "log.filter" "IOMT_LOG" "info,actix_server=warn,sea_orm_migration=warn" Open;
    LOG_FORMAT: "log.format" "IOMT_LOG_FORMAT" "auto" Open;
    NODE_NAME: "node.name" "IOMT_NODE_NAME" "node-1" Open;
    SHUTDOWN_GRACE: "node.shutdown_grace_s" "IOMT_SHUTDOWN_GRACE_S" "20" Open;
}

/// The setting of this key in the file.
pub(crate) fn by_key(key: &str) -> Option<&'static Setting> {
    ALL.iter().copied().find(|setting| setting.key == key)
}

/// The key that was probably meant.
pub(crate) fn nearest(key: &str) -> Option<&'static str> {
    let candidates = ALL.iter().map(|setting| (distance(setting.key, key), setting.key));
    candidates.min().filter(|(distance, _)| *distance <= 3).map(|(_, key)| key)
}

/// Insertions, deletions and replacements that turn one text into the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, to) in row.iter_mut().skip(1).zip(b.chars()) {
            let cost = (diagonal + usize::from(from != to)).min(*cell + 1).min(left + 1);
            diagonal = *cell;
            *cell = cost;
            left = cost;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_one_pattern_and_are_unique() {
        for (n, setting) in ALL.iter().enumerate() {
            assert!(setting.key.split('.').count() == 2 && setting.variable.starts_with("IOMT_"));
            let clash = |other: &&&Setting| other.key == setting.key || other.variable == setting.variable;
            assert_eq!(ALL[n + 1..].iter().find(clash).map(|other| other.key), None, "{}", setting.key);
        }
    }

    #[test]
    fn a_typing_error_is_recognised() {
        for (typed, meant) in [
            ("http.adr", Some("http.addr")),
            ("htp.addr", Some("http.addr")),
            ("database.uri", Some("database.url")),
            ("metrics.address", Some("metrics.addr")),
            ("something.else", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed), meant, "{typed}");
        }
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
