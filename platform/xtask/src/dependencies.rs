//! Licences and banned crates, judged by the lists in `deny.toml`, for machines without cargo-deny.
//!
//! It knows less than cargo-deny (no advisories, no versions, no licence texts), but it needs neither minutes of
//! compiling nor a network, so that a licence we cannot ship is found on every machine.

use std::fs;

use crate::metadata::{Extent, Metadata, Package};
use crate::process;

/// What was looked at, or each package that breaks the rules on a line of its own.
pub(crate) fn check() -> Result<String, String> {
    let file = process::root().join("deny.toml");
    let rules = fs::read_to_string(&file).map_err(|error| format!("deny.toml: {error}"))?;
    let allowed = quoted(&rules, "[licenses]", "allow");
    let banned = banned(&rules);
    if allowed.is_empty() || banned.is_empty() {
        return Err("deny.toml: the list `allow` in [licenses] or `deny` in [bans] was not found".to_owned());
    }
    let metadata = Metadata::load(Extent::Everything)?;
    let problems: Vec<String> =
        metadata.packages.iter().filter_map(|package| problem(package, &allowed, &banned)).collect();
    if problems.is_empty() {
        Ok(format!("{} packages, no licence or crate that deny.toml refuses", metadata.packages.len()))
    } else {
        Err(problems.join("\n"))
    }
}

fn problem(package: &Package, allowed: &[String], banned: &[String]) -> Option<String> {
    let Package { name, version, .. } = package;
    if banned.contains(name) {
        return Some(format!(
            "{name} {version} is banned by deny.toml; `cargo tree -i {name}` says who wants it"
        ));
    }
    match package.license.as_deref() {
        None => Some(format!("{name} {version} names no licence")),
        Some(expression) => match permits(expression, allowed) {
            Some(true) => None,
            Some(false) => {
                Some(format!("{name} {version} is under {expression}, which deny.toml does not allow"))
            }
            None => Some(format!("{name} {version}: cannot read its licence {expression:?}")),
        },
    }
}

/// The strings of the list `key` in `section`.
fn quoted(toml: &str, section: &str, key: &str) -> Vec<String> {
    let lines = toml.lines().map(str::trim).skip_while(|line| *line != section).skip(1);
    let list = lines
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.starts_with('#'))
        .skip_while(|line| !line.starts_with(&format!("{key} =")))
        .take_while(|line| *line != "]");
    list.filter_map(|line| line.split('"').nth(1)).map(str::to_owned).collect()
}

/// Banned crates; a ban of certain versions only is left to cargo-deny.
fn banned(toml: &str) -> Vec<String> {
    quoted(toml, "[bans]", "deny").into_iter().filter(|name| !name.contains([':', '@'])).collect()
}

/// Whether an SPDX expression leaves a choice that is allowed; `None` for what is no expression.
fn permits(expression: &str, allowed: &[String]) -> Option<bool> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let (value, rest) = any_of(&tokens, allowed)?;
    rest.is_empty().then_some(value)
}

fn any_of<'a>(tokens: &'a [&'a str], allowed: &[String]) -> Option<(bool, &'a [&'a str])> {
    let (mut value, mut rest) = all_of(tokens, allowed)?;
    while let ["OR", more @ ..] = rest {
        let (next, left) = all_of(more, allowed)?;
        (value, rest) = (value | next, left);
    }
    Some((value, rest))
}

fn all_of<'a>(tokens: &'a [&'a str], allowed: &[String]) -> Option<(bool, &'a [&'a str])> {
    let (mut value, mut rest) = one(tokens, allowed)?;
    while let ["AND", more @ ..] = rest {
        let (next, left) = one(more, allowed)?;
        (value, rest) = (value & next, left);
    }
    Some((value, rest))
}

fn one<'a>(tokens: &'a [&'a str], allowed: &[String]) -> Option<(bool, &'a [&'a str])> {
    match tokens {
        ["(", inner @ ..] => match any_of(inner, allowed)? {
            (value, [")", rest @ ..]) => Some((value, rest)),
            _ => None,
        },
        [")" | "AND" | "OR" | "WITH", ..] | [] => None,
        [license, "WITH", exception, rest @ ..] => {
            Some((has(allowed, &format!("{license} WITH {exception}")), rest))
        }
        // "or any later version" includes this one.
        [license, rest @ ..] => Some((has(allowed, license.trim_end_matches('+')), rest)),
    }
}

fn has(allowed: &[String], license: &str) -> bool {
    allowed.iter().any(|entry| entry == license)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn an_expression_is_judged_by_its_best_allowed_choice() {
        let allowed = list(&["MIT", "Apache-2.0", "ISC", "MPL-2.0", "Apache-2.0 WITH LLVM-exception"]);
        for (expression, expected) in [
            ("MIT", Some(true)),
            ("GPL-3.0-only", Some(false)),
            ("AGPL-3.0-or-later", Some(false)),
            ("MIT OR GPL-2.0", Some(true)),
            ("MIT AND GPL-2.0", Some(false)),
            ("(MIT OR GPL-2.0) AND ISC", Some(true)),
            ("GPL-2.0 OR MIT AND AGPL-3.0", Some(false)),
            ("MIT/Apache-2.0", Some(true)),
            ("Apache-2.0 / MIT", Some(true)),
            ("MPL-2.0+", Some(true)),
            ("GPL-3.0+", Some(false)),
            ("Apache-2.0 WITH LLVM-exception", Some(true)),
            ("MIT WITH LLVM-exception", Some(false)),
            ("GPL-2.0 WITH Classpath-exception-2.0 OR MIT", Some(true)),
            ("", None),
            ("MIT OR", None),
            ("(MIT", None),
            ("MIT GPL-2.0", None),
        ] {
            assert_eq!(permits(expression, &allowed), expected, "{expression:?}");
        }
    }

    #[test]
    fn lists_are_read_from_their_own_section() {
        let toml = "[licenses]\nallow = [\n  # \"GPL-3.0\",\n  \"MIT\",\n]\nother = [\n \"X\",\n]\n\
                    [bans]\ndeny = [\n  { crate = \"openssl\" },\n  { crate = \"h2:<0.4\" },\n]\n";
        assert_eq!(quoted(toml, "[licenses]", "allow"), ["MIT"]);
        assert_eq!(banned(toml), ["openssl"]);
        assert!(quoted(toml, "[sources]", "allow").is_empty());
    }

    #[test]
    fn a_package_without_a_licence_is_a_problem() {
        let package = |name: &str, license: Option<&str>| Package {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            license: license.map(str::to_owned),
            folder: "p".into(),
            member: false,
            dependencies: Vec::new(),
            tests: Vec::new(),
        };
        let (allowed, banned) = (list(&["MIT"]), list(&["openssl"]));
        assert_eq!(problem(&package("fine", Some("MIT")), &allowed, &banned), None);
        assert!(problem(&package("none", None), &allowed, &banned).unwrap().contains("no licence"));
        assert!(problem(&package("openssl", Some("MIT")), &allowed, &banned).unwrap().contains("banned"));
    }
}
