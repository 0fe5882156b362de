//! The project's own commands: `cargo demo`, `cargo verify`, `cargo bench-*`, `cargo xtask architecture`.
//!
//! It builds and starts the other crates from outside and never links them, so that it compiles in seconds on a
//! machine that has built nothing yet. Start reading at [`demo`] for what a newcomer runs and at [`verify`] for what
//! CI runs; both start programs through [`process`].
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool: the terminal is its interface"
)]

mod architecture;
mod bench;
mod console;
mod demo;
mod dependencies;
mod metadata;
mod process;
mod ui;
mod verify;

use std::process::ExitCode;

const HELP: &str = "\
Commands of this project

  cargo demo                  build everything and run a demo hospital   (cargo demo --help)
  cargo verify                everything that CI checks                  (cargo verify --help)
  cargo bench-ingest          throughput, latency and memory of ingest   (cargo bench-ingest --help)
  cargo bench-connections     how fast many sessions are opened, and what each takes
  cargo bench-fan-out         how fast what one program says reaches a thousand
  cargo bench-neighbours      what a hospital at ten times its quotas does to another
  cargo bench-access          cost of access decisions and row policies  (cargo bench-access --help)
  cargo xtask architecture    compare the crates' arrows with platform/ARCHITECTURE.md
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo demo -- --patients 40` is written from habit; the alias has its own `--` already.
    let words: Vec<&str> = arguments.iter().map(String::as_str).filter(|word| *word != "--").collect();
    match words.as_slice() {
        ["demo", rest @ ..] => demo::run(rest),
        ["verify", rest @ ..] => verify::run(rest),
        ["bench", "ingest", rest @ ..] => bench::ingest(rest),
        ["bench", "connections", rest @ ..] => bench::connections(rest),
        ["bench", "fan-out", rest @ ..] => bench::fan_out(rest),
        ["bench", "neighbours", rest @ ..] => bench::neighbours(rest),
        ["bench", "access", rest @ ..] => bench::access(rest),
        ["architecture"] => architecture::run(),
        [] | ["help" | "-h" | "--help"] => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        _ => {
            eprint!("unknown command: {}\n\n{HELP}", words.join(" "));
            ExitCode::from(2)
        }
    }
}
