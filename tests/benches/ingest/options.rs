//! What the command line says.
use std::path::PathBuf;
use std::rc::Rc;

use tests::Postgres;

pub(crate) const HELP: &str = "\
bench-ingest --server PATH [OPTIONS]
  --server PATH       a release build of iomt
  --phases LIST       of flood,alarms,memory,neighbours,sessions,fan-out (default: the first three)
  --publishers N      connections that send (50)
  --window N          messages of a connection that wait for their PUBACK (50)
  --messages N        messages of one round, all connections together (200000)
  --rounds N          rounds; the median is printed, and every round (5)
  --rate N            messages a second while alarms are timed (5000)
  --seconds N         how long alarms are timed (15)
  --limit N           messages a second that a loud neighbour may send; it offers ten times as many (5000)
  --connections N     devices connected while memory is measured (10000)
  --sessions N        idle sessions that are opened (50000)
  --folder DIR        where the data lies; put it on the disk to be measured (beside this program)
  --postgres          the server stores in a PostgreSQL that is started for it, not in SQLite
  --no-mosquitto      do not measure Mosquitto even where it is installed

Many connections need many open files: the limit is raised to the hard one by itself (ulimit -Hn).";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Flood,
    Alarms,
    Memory,
    Neighbours,
    Sessions,
    FanOut,
}

#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) server: PathBuf,
    pub(crate) phases: Vec<Phase>,
    pub(crate) publishers: usize,
    pub(crate) window: usize,
    pub(crate) messages: usize,
    pub(crate) rounds: usize,
    pub(crate) rate: usize,
    pub(crate) seconds: usize,
    pub(crate) limit: usize,
    pub(crate) connections: usize,
    pub(crate) sessions: usize,
    pub(crate) folder: PathBuf,
    pub(crate) mosquitto: bool,
    pub(crate) on_postgres: bool,
    /// There once the program has started it.
    pub(crate) postgres: Option<Rc<Postgres>>,
}

impl Options {
    pub(crate) fn runs(&self, phase: Phase) -> bool {
        self.phases.contains(&phase)
    }
}

pub(crate) enum Command {
    Run(Options),
    Help,
}

pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let beside = std::env::current_exe().ok().and_then(|file| Some(file.parent()?.to_path_buf()));
    let mut options = Options {
        server: PathBuf::new(),
        phases: vec![Phase::Flood, Phase::Alarms, Phase::Memory],
        publishers: 50,
        window: 50,
        messages: 200_000,
        rounds: 5,
        rate: 5_000,
        seconds: 15,
        limit: 5_000,
        connections: 10_000,
        sessions: 50_000,
        folder: beside.unwrap_or_else(std::env::temp_dir),
        mosquitto: true,
        on_postgres: false,
        postgres: None,
    };
    while let Some(name) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{name} needs a value"));
        match name.as_str() {
            "-h" | "--help" => return Ok(Command::Help),
            "--no-mosquitto" => options.mosquitto = false,
            "--postgres" => options.on_postgres = true,
            "--server" => options.server = value()?.into(),
            "--sessions" => options.sessions = number(&name, &value()?)?,
            "--folder" => options.folder = value()?.into(),
            "--phases" => options.phases = phases(&value()?)?,
            "--publishers" => options.publishers = number(&name, &value()?)?,
            "--window" => options.window = number(&name, &value()?)?,
            "--messages" => options.messages = number(&name, &value()?)?,
            "--rounds" => options.rounds = number(&name, &value()?)?,
            "--rate" => options.rate = number(&name, &value()?)?,
            "--seconds" => options.seconds = number(&name, &value()?)?,
            "--limit" => options.limit = number(&name, &value()?)?,
            "--connections" => options.connections = number(&name, &value()?)?,
            _ => return Err(format!("unknown option {name}")),
        }
    }
    if !options.server.is_file() {
        return Err(format!("--server: {} is no file", options.server.display()));
    }
    Ok(Command::Run(options))
}

fn number(name: &str, value: &str) -> Result<usize, String> {
    value.parse().ok().filter(|number| *number > 0).ok_or(format!("{name}: {value} is no positive number"))
}

fn phases(list: &str) -> Result<Vec<Phase>, String> {
    let phase = |name: &str| match name {
        "flood" => Ok(Phase::Flood),
        "alarms" => Ok(Phase::Alarms),
        "memory" => Ok(Phase::Memory),
        "neighbours" => Ok(Phase::Neighbours),
        "sessions" => Ok(Phase::Sessions),
        "fan-out" => Ok(Phase::FanOut),
        _ => Err(format!("--phases: there is no {name}")),
    };
    list.split(',').map(phase).collect()
}
