//! `cargo demo`: builds the UI and the server side by side, then becomes the server.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread;

use crate::console::{Console, Detail};
use crate::metadata::{Extent, Metadata};
use crate::verify::tools;
use crate::{process, ui};

const HELP: &str = "\
Builds what has changed and runs a demo hospital until Ctrl-C: server, broker and database in one process, with
simulated patients. It prints what to open and how to log in.

Usage: cargo demo [OPTIONS]

Options:
  --data DIR       where the demo keeps its database and credentials.json  [default: .demo]
  --http PORT      web UI and GraphQL; a port that is taken gives way to the next free one  [default: 8080]
  --mqtt PORT      MQTT  [default: 1883]
  --mqtts PORT     MQTT over TLS, with an authority of the demo's own  [default: 8883]
  --patients N     simulated patients  [default: 12]
  --no-simulator   no simulated patients: connect devices of your own
  --reset          throw the demo's data away and begin anew
  --release        build optimised: slower to start the first time, and then fit for load
  -h, --help       this text

Examples:
  cargo demo
  cargo demo --reset --patients 40
  cargo demo --data /tmp/ward --http 9000 --no-simulator
";

pub(crate) fn run(arguments: &[&str]) -> ExitCode {
    if arguments.iter().any(|argument| matches!(*argument, "-h" | "--help")) {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let release = arguments.contains(&"--release");
    match build(release) {
        Ok(mut server) => {
            let passed_on = arguments.iter().filter(|argument| **argument != "--release");
            process::hand_over(server.arg("demo").args(passed_on))
        }
        Err(problem) => {
            eprintln!("\n{problem}");
            ExitCode::FAILURE
        }
    }
}

/// The server, built, with a UI that is up to date.
fn build(release: bool) -> Result<Command, String> {
    let metadata = Metadata::load(Extent::Workspace)?;
    let install = ui::packages_outdated();
    let bundle = install || ui::bundle_outdated();
    tools::require_for_building(bundle)?;
    let logs = metadata.target_directory.join("demo");
    let console = Console::new(Detail::Lines);
    // A release binary carries the bundle inside: it must be there before the server is compiled.
    if release && bundle {
        build_ui(&console, &logs, install)?;
    }
    thread::scope(|scope| {
        let ui = scope.spawn(|| if bundle && !release { build_ui(&console, &logs, install) } else { Ok(()) });
        let server = build_server(&console, &logs, release);
        let ui = ui.join().unwrap_or_else(|_| Err("the UI's build panicked".to_owned()));
        server.and(ui)
    })?;
    Ok(process::command(metadata.program(if release { "release" } else { "debug" }, "iomt")))
}

fn build_ui(console: &Console, logs: &Path, install: bool) -> Result<(), String> {
    if install {
        step(console, "ui", &logs.join("npm.log"), &mut ui::install())?;
    }
    step(console, "ui", &logs.join("ui.log"), &mut ui::build())
}

fn build_server(console: &Console, logs: &Path, release: bool) -> Result<(), String> {
    let mut cargo = process::cargo();
    cargo.args(["build", "--package", "server"]);
    if release {
        cargo.arg("--release");
    }
    step(console, "server", &logs.join("server.log"), &mut cargo)
}

fn step(console: &Console, label: &str, log: &Path, command: &mut Command) -> Result<(), String> {
    if process::run(console, label, log, command).success {
        Ok(())
    } else {
        Err(format!(
            "The demo cannot start: building the {label} failed. Everything it said: {}",
            log.display()
        ))
    }
}
