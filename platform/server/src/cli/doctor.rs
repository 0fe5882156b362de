//! `iomt doctor`: what would keep the server from running here.

use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
};

use serde::Serialize;
use storage::{Database, DatabaseOptions};
use tenants::stores::Tenants;

use super::{CliError, arguments::ReportArguments, output::say, runtime::block_on};
use crate::{
    config::{Config, DatabaseConfig},
    http,
};

/// Files that the server opens besides its connections.
const OWN_FILES: usize = 256;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Ok,
    /// It works, but not as well as it could, or not yet.
    Warning,
    Failed,
}

#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    /// What was found and, unless all is well, what to do.
    detail: String,
}

impl Finding {
    fn new(check: &'static str, verdict: Verdict, detail: impl Into<String>) -> Self {
        Self { check, verdict, detail: detail.into() }
    }
}

pub(super) fn run(arguments: &ReportArguments) -> Result<(), CliError> {
    let config = arguments.config.load()?;
    block_on(async {
        let mut findings = vec![configuration(&config)];
        findings.extend(database(&config.database).await);
        for (check, address, key) in [
            ("http port", config.http.addr, "http.addr"),
            ("mqtt port", config.mqtt.addr, "mqtt.addr"),
            ("metrics port", config.metrics.addr, "metrics.addr"),
        ] {
            findings.push(port(check, address, key));
        }
        findings.push(user_interface());
        findings.push(open_files(&config));
        report(&findings, arguments.json)
    })
}

fn report(findings: &[Finding], json: bool) -> Result<(), CliError> {
    if json {
        say(serde_json::json!({ "findings": findings }))?;
    } else {
        for Finding { check, verdict, detail } in findings {
            let mark = match verdict {
                Verdict::Ok => "ok     ",
                Verdict::Warning => "warning",
                Verdict::Failed => "FAILED ",
            };
            say(format_args!("{mark}  {check}: {detail}"))?;
        }
    }
    match findings.iter().filter(|finding| finding.verdict == Verdict::Failed).count() {
        0 => Ok(()),
        failed => Err(CliError::Unhealthy { failed }),
    }
}

fn configuration(config: &Config) -> Finding {
    match config.warnings.as_slice() {
        [] => Finding::new("configuration", Verdict::Ok, "valid"),
        warnings => Finding::new("configuration", Verdict::Warning, warnings.join("; ")),
    }
}

async fn database(config: &DatabaseConfig) -> Vec<Finding> {
    const CHECK: &str = "database";
    let shown = config.shown_url();
    // Looking must not make one.
    if let Some(path) = config.sqlite_file()
        && !path.exists()
    {
        return vec![missing_file(path, &shown)];
    }
    let options = DatabaseOptions { max_connections: 1, ..DatabaseOptions::default() };
    let database = match Database::connect(&config.url, &options).await {
        Ok(database) => database,
        Err(error) => {
            let detail = format!("{shown} cannot be used: {error}; check database.url and whether it runs");
            return vec![Finding::new(CHECK, Verdict::Failed, detail)];
        }
    };
    let mut findings = vec![Finding::new(CHECK, Verdict::Ok, format!("{shown} answers"))];
    findings.push(match Tenants::all(&database).await {
        Ok(_) => Finding::new("schema", Verdict::Ok, "is there"),
        Err(_) => {
            let detail = "is missing or older than this version; run `iomt migrate`";
            Finding::new("schema", Verdict::Warning, detail)
        }
    });
    findings.push(match database.check_row_level_security().await {
        Ok(()) => Finding::new("row level security", Verdict::Ok, "in force, or not needed (SQLite)"),
        Err(error) => {
            Finding::new("row level security", Verdict::Failed, format!("{error}; run `iomt migrate`"))
        }
    });
    if let Err(error) = database.close().await {
        findings.push(Finding::new(CHECK, Verdict::Warning, format!("did not close cleanly: {error}")));
    }
    findings
}

/// A file that is not there yet can be made only in a folder that is.
fn missing_file(path: &Path, shown: &str) -> Finding {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if folder.is_dir() {
        let detail = format!("{shown} does not exist yet; `iomt serve` or `iomt migrate` makes it");
        return Finding::new("database", Verdict::Warning, detail);
    }
    let detail = format!("the folder {} for {shown} does not exist; make it first", folder.display());
    Finding::new("database", Verdict::Failed, detail)
}

fn port(check: &'static str, address: SocketAddr, key: &str) -> Finding {
    match TcpListener::bind(address) {
        Ok(_) => Finding::new(check, Verdict::Ok, format!("{address} is free")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            let detail =
                format!("{address} is in use; fine if that is this server, else choose another {key}");
            Finding::new(check, Verdict::Warning, detail)
        }
        Err(error) => {
            Finding::new(check, Verdict::Failed, format!("{address}: {error}; choose another {key}"))
        }
    }
}

fn user_interface() -> Finding {
    if http::ui_is_built() {
        return Finding::new("user interface", Verdict::Ok, "built");
    }
    let detail = "not built; run `npm ci --ignore-scripts && npm run build` in admin-ui (a release takes it in when compiled)";
    Finding::new("user interface", Verdict::Warning, detail)
}

fn open_files(config: &Config) -> Finding {
    const CHECK: &str = "open files";
    let wanted = config.mqtt.max_connections + OWN_FILES;
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    match open_file_limit(&limits) {
        None => Finding::new(CHECK, Verdict::Warning, "the limit of this system is not known"),
        Some(limit) if limit >= wanted => Finding::new(CHECK, Verdict::Ok, format!("up to {limit}")),
        Some(limit) => {
            let detail = format!(
                "{limit} at most, which is fewer than {wanted} for mqtt.max_connections; raise it (`ulimit -n {wanted}`, \
                 LimitNOFILE= of systemd) or lower the setting"
            );
            Finding::new(CHECK, Verdict::Warning, detail)
        }
    }
}

/// The soft limit in the text of `/proc/self/limits`.
fn open_file_limit(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(usize::MAX),
        limit => limit.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_open_files_is_read() {
        let text = |limit| {
            format!("Limit    Soft Limit  Hard Limit  Units\nMax open files    {limit}   4096   files\n")
        };
        assert_eq!(open_file_limit(&text("1024")), Some(1_024));
        assert_eq!(open_file_limit(&text("unlimited")), Some(usize::MAX));
        assert_eq!(open_file_limit(""), None);
    }

    #[test]
    fn a_port_in_use_is_noticed() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let finding = port("http port", taken.local_addr().unwrap(), "http.addr");
        assert_eq!(finding.verdict, Verdict::Warning, "{finding:?}");
        let foreign = "203.0.113.1:80".parse().unwrap();
        assert_eq!(port("http port", foreign, "http.addr").verdict, Verdict::Failed);
    }

    #[tokio::test]
    async fn looking_at_a_database_does_not_make_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("iomt.db");
        let url = format!("sqlite://{}", path.display());
        let findings = database(&DatabaseConfig { url: url.clone(), max_connections: 1 }).await;
        assert_eq!(findings[0].verdict, Verdict::Warning, "{findings:?}");
        assert!(!path.exists());

        let nowhere = format!("sqlite://{}/missing/iomt.db", folder.path().display());
        let findings = database(&DatabaseConfig { url: nowhere, max_connections: 1 }).await;
        assert_eq!(findings[0].verdict, Verdict::Failed, "{findings:?}");

        let made = Database::connect(&url, &DatabaseOptions::default()).await.unwrap();
        let findings = database(&DatabaseConfig { url: url.clone(), max_connections: 1 }).await;
        assert!(
            findings.iter().any(|f| f.check == "schema" && f.verdict == Verdict::Warning),
            "{findings:?}"
        );
        made.migrate().await.unwrap();
        let findings = database(&DatabaseConfig { url, max_connections: 1 }).await;
        assert!(findings.iter().all(|finding| finding.verdict == Verdict::Ok), "{findings:?}");
    }
}
