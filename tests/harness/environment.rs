//! What the machine offers: the binary under test, and tools that may be missing.
use std::path::{Path, PathBuf};
use std::process::Command;

/// A variable of the environment, if set.
#[allow(clippy::disallowed_methods, reason = "the harness is configured like any command line tool")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Where nothing may be skipped.
pub fn is_ci() -> bool {
    variable("CI").is_some_and(|value| value == "true")
}

/// The path of a program that is not ours. `None` says aloud that the calling test is skipped; in CI it fails instead.
pub fn tool_or_skip(name: &str, needed_for: &str) -> Option<PathBuf> {
    let found = find(name);
    if found.is_none() {
        skip(&format!("{name} is missing, needed for {needed_for}"));
    }
    found
}

/// Says aloud that a test is skipped; in CI it fails.
pub fn skip(reason: &str) {
    assert!(!is_ci(), "may not be skipped in CI: {reason}");
    eprintln!("SKIPPED: {reason}");
}

/// A program on the PATH, where Debian keeps servers, or where it keeps those of PostgreSQL (newest first).
pub fn find(name: &str) -> Option<PathBuf> {
    let path = variable("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.extend(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    versions.sort();
    folders.extend(versions.into_iter().rev());
    folders.into_iter().map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Whether this process may mount file systems and become other users.
pub fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// The server under test: `IOMT_BIN`, or the one that lies beside the test in cargo's target folder, built if missing.
pub fn iomt() -> PathBuf {
    if let Some(path) = variable("IOMT_BIN") {
        return PathBuf::from(path);
    }
    let executable = std::env::current_exe().expect("a running test has a path");
    let deps = executable.parent().filter(|folder| folder.ends_with("deps"));
    let profile = deps
        .and_then(Path::parent)
        .expect("set IOMT_BIN where the test does not lie in cargo's target folder");
    let binary = profile.join("iomt");
    if !binary.is_file() {
        build(profile);
    }
    binary
}

/// Several tests may come here at once; cargo's own lock makes the others wait.
fn build(profile: &Path) {
    let cargo = variable("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--package", "server", "--bin", "iomt", "--target-dir"]);
    command.arg(profile.parent().expect("a profile's folder has a parent"));
    if profile.ends_with("release") {
        command.arg("--release");
    }
    let status = command.status().expect("cargo runs");
    assert!(status.success(), "the server does not build");
}
