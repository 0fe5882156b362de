//! `cargo bench-ingest`: builds the server and the load generator optimised, then becomes the load generator.
//! `cargo bench-connections`, `cargo bench-fan-out`, `cargo bench-neighbours`: one of its phases each.
//! `cargo bench-access`: runs the measurements of `storage`, which need its insides, and prints their JSON lines.

use std::io::{BufRead, BufReader};
use std::process::{ExitCode, Stdio};

use crate::metadata::{Extent, Metadata};
use crate::process;

const HELP: &str = "\
Starts a release server on loopback, loads it from a second process and prints one JSON line per figure; where
Mosquitto is installed it runs under the same load, and the ratio is printed.

Usage: cargo bench-ingest [-- OPTIONS OF THE LOAD GENERATOR]

stdout carries the JSON lines and nothing else. What the load generator can do:
";

pub(crate) fn ingest(arguments: &[&str]) -> ExitCode {
    let help = arguments.iter().any(|argument| matches!(*argument, "-h" | "--help"));
    let metadata = match Metadata::load(Extent::Workspace) {
        Ok(metadata) => metadata,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::FAILURE;
        }
    };
    if help {
        eprint!("{HELP}");
    }
    // One call for both, so that what they share is compiled once.
    let mut cargo = process::cargo();
    cargo.args(["build", "--release", "--package", "server", "--bin", "iomt"]);
    cargo.args(["--package", "tests", "--bin", "bench-ingest"]).stdin(Stdio::null());
    match cargo.status() {
        Ok(status) if status.success() => {}
        Ok(_) => return ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cannot run cargo: {error}");
            return ExitCode::FAILURE;
        }
    }
    let mut load = process::command(metadata.program("release", "bench-ingest"));
    load.arg("--server").arg(metadata.program("release", "iomt"));
    process::hand_over(load.args(arguments.iter().filter(|argument| **argument != "--")))
}

/// How fast many sessions are opened, and what each takes.
pub(crate) fn connections(arguments: &[&str]) -> ExitCode {
    ingest(&[&["--phases", "sessions"], arguments].concat())
}

/// How fast what one program says reaches a thousand.
pub(crate) fn fan_out(arguments: &[&str]) -> ExitCode {
    ingest(&[&["--phases", "fan-out"], arguments].concat())
}

/// What a hospital at ten times its quotas does to another.
pub(crate) fn neighbours(arguments: &[&str]) -> ExitCode {
    ingest(&[&["--phases", "neighbours"], arguments].concat())
}

const ACCESS_HELP: &str = "\
What an access decision costs with 500 policies, and what a row policy adds to a list of 50 out of 100,000 rows, on
SQLite and, where it is installed, PostgreSQL. One JSON line per figure.

Usage: cargo bench-access
";

pub(crate) fn access(arguments: &[&str]) -> ExitCode {
    if !arguments.is_empty() {
        eprint!("{ACCESS_HELP}");
        let help = matches!(arguments, ["-h" | "--help"]);
        return if help { ExitCode::SUCCESS } else { ExitCode::from(2) };
    }
    let mut cargo = process::cargo();
    cargo.args(["test", "--release", "--package", "storage", "--features", "measure", "measure_access"]);
    // One after the other: they would measure each other.
    cargo.args(["--", "--ignored", "--nocapture", "--test-threads", "1"]);
    let child = cargo.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let finished = child.and_then(|mut child| {
        for line in child.stdout.take().into_iter().flat_map(|out| BufReader::new(out).lines()) {
            match line? {
                // What the test harness says stands on the same line as the first figure.
                line if line.contains("{\"") => println!("{}", &line[line.find("{\"").unwrap_or(0)..]),
                line => eprintln!("{line}"),
            }
        }
        child.wait()
    });
    match finished {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cannot run cargo: {error}");
            ExitCode::FAILURE
        }
    }
}
