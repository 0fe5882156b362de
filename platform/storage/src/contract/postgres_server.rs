//! A PostgreSQL server of our own, on a socket in a temporary folder, gone with the test process.
#![cfg(test)]

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

/// Starts the server, says so, and stops it when its standard input ends: when the test process lets go
/// of it, however that ends.
const SCRIPT: &str = r#"
"$BIN/initdb" -D "$DIR/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$DIR/initdb.log" 2>&1 &&
"$BIN/pg_ctl" -D "$DIR/data" -w -l "$DIR/server.log" \
    -o "-k $DIR -c listen_addresses='' -c fsync=$FSYNC -c max_connections=200" start >"$DIR/start.log" 2>&1 || exit 1
echo ready
read -r _
"$BIN/pg_ctl" -D "$DIR/data" -m immediate stop >"$DIR/stop.log" 2>&1
"#;

pub(super) struct Server {
    process: Child,
    folder: TempDir,
}

impl Server {
    /// For checks. `None`, and why aloud, where PostgreSQL is not installed; a failure on CI.
    pub(super) fn start() -> Option<Self> {
        Self::start_with("off")
    }

    #[cfg(feature = "measure")]
    /// For measurements: with the flushes that make commits durable.
    pub(super) fn start_durable() -> Option<Self> {
        Self::start_with("on")
    }

    fn start_with(fsync: &str) -> Option<Self> {
        let Some(binaries) = binaries() else {
            assert!(!on_ci(), "PostgreSQL is not installed: apt-get install postgresql");
            eprintln!("SKIPPED: PostgreSQL is not installed (apt-get install postgresql)");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        if is_root() {
            // PostgreSQL does not run as root.
            let owner = Command::new("chown").arg("postgres").arg(folder.path()).status().unwrap();
            assert!(owner.success(), "chown postgres {}", folder.path().display());
            command = Command::new("runuser");
            command.args(["-u", "postgres", "--", "sh"]);
        }
        let mut process = command
            .args(["-c", SCRIPT])
            .env("BIN", binaries)
            .env("DIR", folder.path())
            .env("FSYNC", fsync)
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let log = |name| std::fs::read_to_string(folder.path().join(name)).unwrap_or_default();
        assert_eq!(line, "ready\n", "{}{}{}", log("initdb.log"), log("start.log"), log("server.log"));
        Some(Self { process, folder })
    }

    /// The address of a database, for a role.
    pub(super) fn url(&self, role: &str, database: &str) -> String {
        format!("postgres://{role}@localhost/{database}?host={}", self.folder.path().display())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        drop(self.process.wait());
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.starts_with(b"0"))
}

/// The newest installed version's programs.
fn binaries() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let installed = versions.map(|version| version.path().join("bin"));
    let newest = installed.filter(|folder| folder.join("initdb").exists()).max();
    newest.or_else(|| {
        let found = Command::new("sh").args(["-c", "command -v initdb"]).output().ok()?;
        let path = String::from_utf8(found.stdout).ok()?;
        Path::new(path.trim()).parent().filter(|folder| !folder.as_os_str().is_empty()).map(Path::to_owned)
    })
}

#[allow(clippy::disallowed_methods, reason = "tests have no configuration; CI is told by the environment")]
fn on_ci() -> bool {
    std::env::var("CI").is_ok_and(|ci| ci == "true")
}
