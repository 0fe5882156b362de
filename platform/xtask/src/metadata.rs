//! What `cargo metadata` says about the workspace and everything that it builds on.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::process;

pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) target_directory: PathBuf,
}

pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// An SPDX expression.
    pub(crate) license: Option<String>,
    pub(crate) folder: PathBuf,
    /// One of ours, and not from a registry.
    pub(crate) member: bool,
    pub(crate) dependencies: Vec<Dependency>,
    /// Names of the package's integration tests.
    pub(crate) tests: Vec<String>,
}

pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) for_tests_only: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Our own packages; quick, and needs no network.
    Workspace,
    /// The whole tree of dependencies for every platform.
    Everything,
}

impl Metadata {
    pub(crate) fn load(extent: Extent) -> Result<Metadata, String> {
        let mut cargo = process::cargo();
        cargo.args(["metadata", "--format-version", "1"]);
        if extent == Extent::Workspace {
            cargo.arg("--no-deps");
        }
        let output = cargo.output().map_err(|error| format!("cannot run cargo metadata: {error}"))?;
        if !output.status.success() {
            return Err(format!("cargo metadata failed:\n{}", String::from_utf8_lossy(&output.stderr)));
        }
        let json = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("cargo metadata is no JSON: {error}"))?;
        Metadata::parse(&json).ok_or_else(|| "cargo metadata has an unknown shape".to_owned())
    }

    fn parse(json: &Value) -> Option<Metadata> {
        let members: BTreeSet<&str> =
            json.get("workspace_members")?.as_array()?.iter().filter_map(Value::as_str).collect();
        let packages = json.get("packages")?.as_array()?;
        Some(Metadata {
            packages: packages
                .iter()
                .map(|package| Package::parse(package, &members))
                .collect::<Option<_>>()?,
            target_directory: PathBuf::from(text(json, "target_directory")?),
        })
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.member)
    }

    /// Where cargo puts the program `name`.
    pub(crate) fn program(&self, profile_folder: &str, name: &str) -> PathBuf {
        self.target_directory.join(profile_folder).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }
}

impl Package {
    fn parse(json: &Value, members: &BTreeSet<&str>) -> Option<Package> {
        let tests = json.get("targets")?.as_array()?.iter().filter(|target| is_test(target));
        Some(Package {
            name: text(json, "name")?,
            version: text(json, "version")?,
            license: text(json, "license"),
            folder: Path::new(&text(json, "manifest_path")?).parent()?.to_path_buf(),
            member: members.contains(json.get("id")?.as_str()?),
            dependencies: json
                .get("dependencies")?
                .as_array()?
                .iter()
                .map(Dependency::parse)
                .collect::<Option<_>>()?,
            tests: tests.filter_map(|target| text(target, "name")).collect(),
        })
    }
}

impl Dependency {
    fn parse(json: &Value) -> Option<Dependency> {
        Some(Dependency {
            name: text(json, "name")?,
            for_tests_only: json.get("kind")?.as_str() == Some("dev"),
        })
    }
}

fn is_test(target: &Value) -> bool {
    target.pointer("/kind/0").and_then(Value::as_str) == Some("test")
}

fn text(json: &Value, key: &str) -> Option<String> {
    json.get(key)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_workspace_is_read() {
        let metadata = Metadata::load(Extent::Workspace).unwrap();
        let xtask = metadata.members().find(|package| package.name == "xtask").unwrap();
        assert_eq!(xtask.license.as_deref(), Some("Apache-2.0"));
        assert!(xtask.dependencies.iter().any(|d| d.name == "serde_json" && !d.for_tests_only));
        assert!(xtask.dependencies.iter().any(|d| d.name == "tempfile" && d.for_tests_only));
        assert!(xtask.folder.ends_with("platform/xtask"));
    }

    #[test]
    fn another_shape_is_refused_and_not_taken_for_an_empty_workspace() {
        for json in [
            "{}",
            r#"{"packages": [], "workspace_members": []}"#,
            r#"{"packages": [{}], "workspace_members": [], "target_directory": "t"}"#,
        ] {
            assert!(Metadata::parse(&serde_json::from_str(json).unwrap()).is_none(), "{json}");
        }
    }
}
