//! `bench-ingest`: what the server takes in, beside Mosquitto under the same load. One JSON line per figure on stdout.
//!
//! The server and Mosquitto run as processes of their own; this process is the load, on a single thread, with frames
//! encoded beforehand, because it shares the machine with what it measures. Phases: `flood.rs` (rate, PUBACK latency,
//! time until all is folded), `alarms.rs` (from a reading to the subscriber), `memory.rs` (with many devices connected),
//! `neighbours.rs` (a quiet hospital beside a loud one), `sessions.rs` (opening and holding many), `fan_out.rs` (from one to a thousand).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool: its result goes to stdout, and what goes wrong ends it with a message"
)]

mod alarms;
mod connection;
mod fan_out;
mod figures;
mod flood;
mod machine;
mod memory;
mod neighbours;
mod options;
mod paced;
mod payload;
mod quotas;
mod sessions;

use std::rc::Rc;

use options::{Command, Options, Phase};
use tests::Postgres;

fn main() {
    let options = match options::parse(std::env::args().skip(1)) {
        Ok(Command::Run(options)) => options,
        Ok(Command::Help) => {
            println!("{}", options::HELP);
            return;
        }
        Err(reason) => {
            eprintln!("{reason}\n\n{}", options::HELP);
            std::process::exit(2);
        }
    };
    machine::allow_open_files(2 * options.connections.max(options.sessions) + 1_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(tokio::task::LocalSet::new().run_until(run(options)));
}

async fn run(mut options: Options) {
    if options.on_postgres {
        let postgres = Postgres::start().await.expect("PostgreSQL is installed");
        options.postgres = Some(Rc::new(postgres));
    }
    let folder =
        tempfile::Builder::new().prefix("bench-").tempdir_in(&options.folder).expect("a folder for the data");
    figures::conditions(&options, machine::commit_ms(folder.path()));
    if options.runs(Phase::Flood) {
        flood::run(&options, folder.path()).await;
    }
    if options.runs(Phase::Alarms) {
        alarms::run(&options, folder.path()).await;
    }
    if options.runs(Phase::Memory) {
        memory::run(&options, folder.path()).await;
    }
    if options.runs(Phase::Sessions) {
        sessions::run(&options, folder.path()).await;
    }
    if options.runs(Phase::FanOut) {
        fan_out::run(&options, folder.path()).await;
    }
    if options.runs(Phase::Neighbours) {
        neighbours::run(&options, folder.path()).await;
    }
}
