//! Programs that are not built here: whether they are installed, and the command that installs them.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::console::Console;
use crate::process;

/// The UI's tools refuse to run on anything older.
const NODE_AT_LEAST: (u32, u32) = (20, 19);

pub(crate) struct Tool {
    pub(crate) name: &'static str,
    /// What is not checked without it.
    pub(crate) needed_for: &'static str,
    found: fn() -> bool,
    debian: &'static str,
    fedora: &'static str,
    homebrew: &'static str,
}

/// What the tests start beside our own binaries.
pub(crate) const FOR_TESTS: [Tool; 6] = [
    Tool {
        name: "postgresql",
        needed_for: "the store contract and the journeys on PostgreSQL",
        found: postgresql,
        debian: "postgresql",
        fedora: "postgresql-server",
        homebrew: "postgresql",
    },
    Tool {
        name: "mosquitto_pub",
        needed_for: "journeys with an MQTT client that is not ours",
        found: || process::find("mosquitto_pub").is_some(),
        debian: "mosquitto-clients",
        fedora: "mosquitto",
        homebrew: "mosquitto",
    },
    Tool {
        name: "mosquitto",
        needed_for: "tests of the harness's MQTT client against a broker that is not ours",
        // Debian keeps it where only root's PATH leads.
        found: || process::find("mosquitto").is_some() || Path::new("/usr/sbin/mosquitto").is_file(),
        debian: "mosquitto",
        fedora: "mosquitto",
        homebrew: "mosquitto",
    },
    Tool {
        name: "openssl",
        needed_for: "certificate authorities as hospitals have them",
        found: || process::find("openssl").is_some(),
        debian: "openssl",
        fedora: "openssl",
        homebrew: "openssl",
    },
    Tool {
        name: PYTHON,
        needed_for: "devices written with the clients of other platforms",
        found: python,
        debian: "python3-venv",
        fedora: "python3",
        homebrew: "python",
    },
    Tool {
        name: CHROMIUM,
        needed_for: "browser journeys",
        found: chromium,
        debian: "chromium",
        fedora: "chromium",
        homebrew: "--cask chromium",
    },
];
pub(crate) const CHROMIUM: &str = "chromium";
pub(crate) const PYTHON: &str = "python3";

/// What nothing can be built without. cargo itself is there, or we would not be running.
const FOR_BUILDING: [Tool; 1] = [Tool {
    name: "cc",
    needed_for: "SQLite and the linker",
    // MSVC's compiler is found through the registry and not on the PATH.
    found: || cfg!(windows) || process::variable("CC").is_some() || process::find("cc").is_some(),
    debian: "gcc libc6-dev",
    fedora: "gcc",
    homebrew: "gcc",
}];
const FOR_THE_UI: [Tool; 2] = [
    Tool {
        name: "node",
        needed_for: "building the UI (20.19 or newer: https://nodejs.org where the system has an older one)",
        found: || process::find("node").is_some(),
        debian: "nodejs",
        fedora: "nodejs",
        homebrew: "node",
    },
    Tool {
        name: "npm",
        needed_for: "building the UI",
        found: || process::find("npm").is_some(),
        debian: "npm",
        fedora: "npm",
        homebrew: "node",
    },
];

impl Tool {
    pub(crate) fn is_missing(&self) -> bool {
        !(self.found)()
    }

    /// The command that installs it here.
    pub(crate) fn hint(&self) -> String {
        match system() {
            System::Debian => format!("sudo apt-get install {}", self.debian),
            System::Fedora => format!("sudo dnf install {}", self.fedora),
            System::MacOs => format!("brew install {}", self.homebrew),
            System::Other => format!("install {} with your system's package manager", self.debian),
        }
    }

    fn missing(&self) -> String {
        format!("{} is missing and needed for {}: {}", self.name, self.needed_for, self.hint())
    }
}

/// Names everything that is missing at once, so that nobody comes back three times.
pub(crate) fn require_for_building(with_ui: bool) -> Result<(), String> {
    let ui: &[Tool] = if with_ui { &FOR_THE_UI } else { &[] };
    let mut problems: Vec<String> =
        FOR_BUILDING.iter().chain(ui).filter(|tool| tool.is_missing()).map(Tool::missing).collect();
    if with_ui && let Some(problem) = node_problem() {
        problems.push(problem);
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

/// What is wrong with the installed Node; a missing one is another matter.
fn node_problem() -> Option<String> {
    let output = process::command("node").arg("--version").output().ok()?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let (major, minor) = NODE_AT_LEAST;
    match node_version(&version) {
        Some(found) if found >= NODE_AT_LEAST => None,
        _ => Some(format!(
            "node {version} is too old: the UI needs {major}.{minor} or newer, see https://nodejs.org"
        )),
    }
}

fn node_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.strip_prefix('v')?.split('.').map(str::parse::<u32>);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Installs with apt-get what is missing, where that is possible without asking anybody.
pub(crate) fn install_missing(console: &Console, logs: &Path) {
    let packages: Vec<&str> =
        FOR_TESTS.iter().filter(|tool| tool.is_missing()).map(|tool| tool.debian).collect();
    if packages.is_empty() || system() != System::Debian || !is_root() {
        return;
    }
    console.say(&format!("installing {} with apt-get", packages.join(", ")));
    // Outdated lists are no reason to give up: what is wanted may be in them.
    process::run(console, "apt-get", &logs.join("apt-update.log"), apt_get().arg("update"));
    let install = ["install", "--yes", "--no-install-recommends"];
    let log = logs.join("apt-install.log");
    if !process::run(console, "apt-get", &log, apt_get().args(install).args(packages)).success {
        console.say(&format!("apt-get failed, see {}", log.display()));
    }
}

fn apt_get() -> Command {
    let mut apt_get = process::command("apt-get");
    apt_get.env("DEBIAN_FRONTEND", "noninteractive").arg("--quiet");
    apt_get
}

#[derive(PartialEq, Eq)]
enum System {
    Debian,
    Fedora,
    MacOs,
    Other,
}

fn system() -> System {
    if cfg!(target_os = "macos") {
        return System::MacOs;
    }
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let ids: Vec<&str> = release
        .lines()
        .filter_map(|line| line.strip_prefix("ID=").or_else(|| line.strip_prefix("ID_LIKE=")))
        .flat_map(|value| value.trim_matches('"').split(' '))
        .collect();
    match ids {
        ids if ids.contains(&"debian") => System::Debian,
        ids if ids.contains(&"fedora") => System::Fedora,
        _ => System::Other,
    }
}

fn is_root() -> bool {
    process::command("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Debian keeps the server's programs off the PATH, one folder for each major version.
fn postgresql() -> bool {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    process::find("initdb").is_some()
        || versions.map(|entry| entry.path().join("bin/initdb")).any(|file| file.is_file())
}

/// Debian has its environments in a package of their own.
fn python() -> bool {
    let import = ["-c", "import ensurepip, venv"];
    process::find(PYTHON).is_some()
        && process::command(PYTHON).args(import).output().is_ok_and(|output| output.status.success())
}

fn chromium() -> bool {
    const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    NAMES.iter().any(|name| process::find(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_version_is_read_and_compared() {
        for (text, expected) in [
            ("v20.19.4", Some((20, 19))),
            ("v22.0.0", Some((22, 0))),
            ("v18.20", Some((18, 20))),
            ("20.19.4", None),
            ("", None),
        ] {
            assert_eq!(node_version(text), expected, "{text:?}");
        }
        assert!(node_version("v22.0.0").unwrap() >= NODE_AT_LEAST);
        assert!(node_version("v20.18.1").unwrap() < NODE_AT_LEAST);
    }

    #[test]
    fn a_missing_tool_is_named_with_its_purpose_and_the_way_to_get_it() {
        let tool = Tool { found: || false, ..FOR_TESTS[0] };
        let text = tool.missing();
        assert!(text.contains("postgresql is missing"), "{text}");
        assert!(text.contains("store contract") && text.contains("install"), "{text}");
    }
}
