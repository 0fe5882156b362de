//! `cargo bench-ingest`: builds the server and the load generator optimised, then becomes the load generator.

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
