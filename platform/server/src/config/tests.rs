//! Precedence, secrets, and errors that name what is wrong.

use std::{fs, path::PathBuf};

use super::*;

fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("iomt.toml");
    fs::write(&path, text).unwrap();
    (folder, path)
}

fn http_addr(sources: Sources<'_>, environment: &Environment) -> String {
    Config::load(sources, environment).unwrap().http.addr.to_string()
}

#[test]
fn flags_before_environment_before_file_before_defaults() {
    let (_folder, path) = file("[http]\naddr = \"127.0.0.1:3\"\n");
    let variable = Environment::from([("IOMT_HTTP_ADDR", "127.0.0.1:2")]);
    let flags = || vec![(&key::HTTP_ADDR, "127.0.0.1:1".to_owned())];
    let defaults = || vec![(&key::HTTP_ADDR, "127.0.0.1:4".to_owned())];
    let none = Environment::default();
    let from_file = Some(path.as_path());

    let all = Sources { flags: flags(), file: from_file, defaults: defaults() };
    assert_eq!(http_addr(all, &variable), "127.0.0.1:1");
    let all = Sources { file: from_file, defaults: defaults(), ..Sources::default() };
    assert_eq!(http_addr(all, &variable), "127.0.0.1:2");
    let all = Sources { file: from_file, defaults: defaults(), ..Sources::default() };
    assert_eq!(http_addr(all, &none), "127.0.0.1:3");
    assert_eq!(http_addr(Sources { defaults: defaults(), ..Sources::default() }, &none), "127.0.0.1:4");
    assert_eq!(http_addr(Sources::default(), &none), "127.0.0.1:8080");
    let empty = Environment::from([("IOMT_HTTP_ADDR", "")]);
    assert_eq!(http_addr(Sources::default(), &empty), "127.0.0.1:8080", "an empty variable is not set");
}

#[test]
fn the_defaults_stay_on_this_machine() {
    let config = Config::load(Sources::default(), &Environment::default()).unwrap();
    assert_eq!(config.database.url, "sqlite://./iomt.db");
    for (addr, expected) in [
        (config.http.addr, "127.0.0.1:8080"),
        (config.mqtt.addr, "127.0.0.1:1883"),
        (config.metrics.addr, "127.0.0.1:9090"),
    ] {
        assert_eq!(addr.to_string(), expected);
    }
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}

#[test]
fn a_secret_can_stand_in_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("database-url");
    fs::write(&path, "postgres://iomt:hunter2@db/iomt\n").unwrap();
    let path = path.to_str().unwrap();
    let environment = Environment::from([("IOMT_DATABASE_URL_FILE", path)]);
    let values = Values::gather(Sources::default(), &environment).unwrap();
    let config = Config::from_values(&values).unwrap();
    assert_eq!(config.database.url, "postgres://iomt:hunter2@db/iomt");
    assert!(config.warnings.is_empty());
    let shown = format!("{config:?} {:?} {values:?}", config.database.shown_url());
    assert!(!shown.contains("hunter2") && shown.contains("***"), "{shown}");
    assert!(shown.contains("from IOMT_DATABASE_URL_FILE"), "{shown}");

    let both = Environment::from([("IOMT_DATABASE_URL_FILE", path), ("IOMT_DATABASE_URL", "sqlite://x")]);
    let error = Config::load(Sources::default(), &both).unwrap_err();
    assert!(error.to_string().contains("both IOMT_DATABASE_URL and IOMT_DATABASE_URL_FILE"), "{error}");
    let missing = Environment::from([("IOMT_DATABASE_URL_FILE", "/does/not/exist")]);
    assert!(matches!(
        Config::load(Sources::default(), &missing),
        Err(ConfigError::SecretFile { variable, .. }) if variable == "IOMT_DATABASE_URL_FILE"
    ));
}

#[test]
fn what_is_wrong_in_a_file_is_named() {
    for (text, expected) in [
        ("[http]\nadr = \"127.0.0.1:1\"", "unknown setting http.adr (did you mean http.addr?)"),
        ("[nonsense]\nvalue = 1", "unknown setting nonsense.value"),
        ("http = \"127.0.0.1:1\"", "unknown setting http"),
        ("[http]\naddr = [1, 2]", "http.addr must be a text, a number or a boolean"),
        ("[http]\naddr = \"localhost\"", "http.addr is \"localhost\" (from "),
        ("[http]\n\naddr = ", "line 3"),
        ("[node]\nshutdown_grace_s = 5000", "must be 0 to 600 seconds"),
        ("[database]\nurl = \"mysql://root:hunter2@x\"", "must be an address that begins with sqlite://"),
    ] {
        let (_folder, path) = file(text);
        let sources = Sources { file: Some(&path), ..Sources::default() };
        let error = Config::load(sources, &Environment::default()).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    let sources = Sources { file: Some(Path::new("/does/not/exist.toml")), ..Sources::default() };
    let error = Config::load(sources, &Environment::default()).unwrap_err().to_string();
    assert!(error.contains("/does/not/exist.toml"), "{error}");
}

#[test]
fn wrong_values_of_the_environment_are_named() {
    for (name, value) in [
        ("IOMT_HTTP_ADDR", "8080"),
        ("IOMT_MQTT_ADDR", "127.0.0.1:99999"),
        ("IOMT_DATABASE_MAX_CONNECTIONS", "0"),
        ("IOMT_HTTP_WORKERS", "many"),
        ("IOMT_PUBLIC_URL", "iomt.example.org"),
        ("IOMT_PUBLIC_URL", "ftp://iomt.example.org"),
        ("IOMT_PUBLIC_URL", "https://iomt.example.org/app"),
        ("IOMT_PUBLIC_URL", "https://user:pw@iomt.example.org"),
        ("IOMT_LOG", "broker=loud"),
        ("IOMT_LOG_FORMAT", "xml"),
        ("IOMT_NODE_NAME", "a b"),
    ] {
        let error = Config::load(Sources::default(), &Environment::from([(name, value)])).unwrap_err();
        assert!(error.to_string().contains(&format!("from {name}")), "{name}={value}: {error}");
    }
}

#[test]
fn what_does_nothing_or_is_dangerous_is_said() {
    let warnings = |name, value| {
        Config::load(Sources::default(), &Environment::from([(name, value)])).unwrap().warnings.join("\n")
    };
    assert!(warnings("IOMT_HTPP_ADDR", "127.0.0.1:1").contains("IOMT_HTPP_ADDR is no setting"));
    assert!(warnings("IOMT_HTTP_ADDR_FILE", "/x").contains("IOMT_HTTP_ADDR_FILE is no setting"));
    assert!(warnings("IOMT_HTTP_ADDR", "0.0.0.0:80").contains("unencrypted"));
    assert!(warnings("IOMT_MQTT_ADDR", "[::]:1883").contains("unencrypted"));
    assert!(warnings("IOMT_METRICS_ADDR", "0.0.0.0:9090").contains("metrics.addr"));
    let environment = Environment::from([
        ("IOMT_HTTP_ADDR", "0.0.0.0:80"),
        ("IOMT_PUBLIC_URL", "https://iomt.example.org"),
    ]);
    assert!(Config::load(Sources::default(), &environment).unwrap().warnings.is_empty());
}
