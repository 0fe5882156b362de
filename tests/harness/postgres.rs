//! A PostgreSQL server of one's own, in a temporary folder, for one test.
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::environment::{is_root, tool_or_skip};
use crate::eventually;
use crate::time::BOUND;

/// Runs until it is dropped.
pub struct Postgres {
    child: Child,
    port: u16,
    folder: TempDir,
}

/// PostgreSQL refuses to run as root, so root lends it this user.
const SERVICE_USER: &str = "postgres";

impl Postgres {
    /// `None` where PostgreSQL is not installed; the caller's test is then skipped, or fails in CI.
    pub async fn start() -> Option<Postgres> {
        let initdb = tool_or_skip("initdb", "tests on PostgreSQL")?;
        let postgres = tool_or_skip("postgres", "tests on PostgreSQL")?;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let user = is_root().then(service_user);
        if let Some((uid, gid)) = user {
            chown(folder.path(), Some(uid), Some(gid)).expect("root may give a folder away");
        }
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).expect("the folder is ours");
        let data = folder.path().join("data");
        let mut init = as_user(&initdb, user, folder.path());
        init.args([
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
            "-D",
        ]);
        let made = init.arg(&data).output().expect("initdb runs");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));

        let port = free_port();
        let mut serve = as_user(&postgres, user, folder.path());
        serve.arg("-D").arg(&data).arg("-k").arg(folder.path()).args([
            "-h",
            "127.0.0.1",
            "-p",
            &port.to_string(),
        ]);
        let log = fs::File::create(folder.path().join("log")).expect("the folder can be written");
        let child = serve.stderr(log).spawn().expect("postgres runs");
        let running = Postgres { child, port, folder };
        running.accepts_queries().await;
        Some(running)
    }

    /// A new, empty database and the address of it.
    pub async fn database(&self, name: &str) -> String {
        self.query("postgres", &format!("create database {name}")).expect("a database can be created");
        format!("postgres://postgres@127.0.0.1:{}/{name}", self.port)
    }

    async fn accepts_queries(&self) {
        let log = self.folder.path().join("log");
        eventually("PostgreSQL starts", BOUND, async || {
            let answered = self.query("postgres", "select 1");
            answered.map_err(|reason| format!("{reason}{}", fs::read_to_string(&log).unwrap_or_default()))
        })
        .await;
    }

    fn query(&self, database: &str, statement: &str) -> Result<(), String> {
        let psql = crate::environment::find("psql").ok_or("psql is missing beside the server")?;
        let mut command = Command::new(psql);
        command.args(["-X", "-q", "-h", "127.0.0.1", "-U", "postgres", "-p", &self.port.to_string()]);
        let output =
            command.args(["-d", database, "-c", statement]).output().map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Immediate shutdown: nobody needs the data any more, but the shared memory has to be given back.
        let stopped = Command::new("kill").args(["-QUIT", &self.child.id().to_string()]).status();
        if !stopped.is_ok_and(|status| status.success()) && self.child.kill().is_err() {
            eprintln!("PostgreSQL had already ended");
        }
        if let Err(error) = self.child.wait() {
            eprintln!("PostgreSQL does not end: {error}");
        }
    }
}

fn as_user(program: &Path, user: Option<(u32, u32)>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).env("LC_ALL", "C");
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    command
}

fn service_user() -> (u32, u32) {
    let accounts = fs::read_to_string("/etc/passwd").expect("a list of accounts");
    let line = accounts.lines().find(|line| line.split(':').next() == Some(SERVICE_USER));
    let fields: Vec<&str> = line.expect("the package of PostgreSQL makes its user").split(':').collect();
    (fields[2].parse().expect("a number"), fields[3].parse().expect("a number"))
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port of loopback is free");
    listener.local_addr().expect("a bound socket has an address").port()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_of_ones_own_has_databases_and_leaves_nothing() {
        let Some(postgres) = Postgres::start().await else { return };
        assert!(postgres.database("iomt").await.ends_with("/iomt"));
        postgres.query("iomt", "create table t (n int)").unwrap();
        let folder = postgres.folder.path().to_path_buf();
        drop(postgres);
        assert!(!folder.exists());
    }
}
