//! Showing a value without its secrets.

use url::Url;

use super::settings::Secrecy;

const HIDDEN: &str = "***";

/// The value as it may be shown.
pub(super) fn shown(value: &str, secrecy: Secrecy) -> String {
    match secrecy {
        Secrecy::Open => value.to_owned(),
        Secrecy::Address => address(value),
        Secrecy::Secret if value.is_empty() => String::new(),
        Secrecy::Secret => HIDDEN.to_owned(),
    }
}

/// An address without the password, wherever in it that stands.
fn address(value: &str) -> String {
    let Ok(mut url) = Url::parse(value) else {
        // What cannot be taken apart could be anything.
        return value
            .split_once("://")
            .map_or(HIDDEN.to_owned(), |(scheme, _)| format!("{scheme}://{HIDDEN}"));
    };
    // Only a handful of query parameters are known to be harmless.
    let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let mut changed = false;
    if url.password().is_some() {
        changed = url.set_password(Some(HIDDEN)).is_ok();
    }
    if !query.is_empty() {
        let harmless = ["sslmode", "application_name", "mode", "cache"];
        let shown = |(name, value): (String, String)| {
            let value = if harmless.contains(&name.as_str()) { value } else { HIDDEN.to_owned() };
            format!("{name}={value}")
        };
        url.set_query(Some(&query.into_iter().map(shown).collect::<Vec<_>>().join("&")));
        changed = true;
    }
    // An address without secrets is shown as it was written: parsing normalises relative paths away.
    if changed { url.to_string() } else { value.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_shown() {
        for (value, expected) in [
            ("sqlite://./iomt.db", "sqlite://./iomt.db"),
            ("postgres://iomt@db/iomt", "postgres://iomt@db/iomt"),
            ("postgres://iomt:hunter2@db:5432/iomt", "postgres://iomt:***@db:5432/iomt"),
            ("postgres://db/iomt?user=a&password=hunter2", "postgres://db/iomt?user=***&password=***"),
            ("postgres://db/iomt?sslmode=require", "postgres://db/iomt?sslmode=require"),
            ("postgres://iomt:hunter2@bad host/iomt", "postgres://***"),
            ("hunter2", "***"),
        ] {
            assert_eq!(shown(value, Secrecy::Address), expected);
        }
        assert_eq!(
            (shown("hunter2", Secrecy::Secret), shown("", Secrecy::Secret)),
            ("***".into(), String::new())
        );
    }
}
