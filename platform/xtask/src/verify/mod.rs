//! `cargo verify`: everything that CI checks, each check timed, and none hidden by the failure of another.
//!
//! [`steps`] says what is checked, [`tools`] and [`sdks`] what must be installed for it, [`counts`] reads the numbers of each test
//! runner, and [`report`] prints them.

mod counts;
mod report;
mod sdks;
mod steps;
pub(crate) mod tools;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::console::{Console, Detail};
use crate::metadata::{Extent, Metadata};
use crate::process::{self, Finished, Stopwatch};
use report::{Row, Tally};
use steps::{Lane, STEPS, Step};

const HELP: &str = "\
Everything that CI checks, in one command. It ends with one line: N passed, N failed, N skipped.

Usage: cargo verify [OPTIONS]

Options:
  --only A,B   only these checks; what they build on is taken as done
  --list       the names of the checks
  -h, --help   this text

On Debian as root, what is missing (PostgreSQL, Chromium, an MQTT client, Python) is installed with apt-get; elsewhere the
command that installs it is named and the check is skipped. With CI=true such a skip is a failure.
What each check wrote is kept in target/verify.
";
/// How much of a failed check's output is shown at once.
const SHOWN_LINES: usize = 120;

pub(crate) struct Context {
    ci: bool,
    console: Console,
    logs: PathBuf,
    metadata: Metadata,
}

/// What became of one check.
pub(crate) struct Outcome {
    tally: Tally,
    note: String,
    /// What to show of a failure.
    output: String,
    /// Whether what builds on it can run.
    usable: bool,
}

pub(crate) fn run(arguments: &[&str]) -> ExitCode {
    let chosen: Vec<&'static Step> = match arguments {
        [] => STEPS.iter().collect(),
        ["--only", names] => match select(names) {
            Ok(steps) => steps,
            Err(problem) => return refuse(&problem),
        },
        ["--list"] => {
            STEPS.iter().for_each(|step| println!("{}", step.name));
            return ExitCode::SUCCESS;
        }
        ["-h" | "--help"] => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        _ => return refuse(&format!("unknown options: {}", arguments.join(" "))),
    };
    match Metadata::load(Extent::Workspace) {
        Ok(metadata) => verify(&chosen, metadata),
        Err(problem) => refuse(&problem),
    }
}

fn select(names: &str) -> Result<Vec<&'static Step>, String> {
    let names: Vec<&str> = names.split(',').collect();
    match names.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        Some(unknown) => Err(format!("no check is called {unknown:?}; `cargo verify --list` names them")),
        None => Ok(STEPS.iter().filter(|step| names.contains(&step.name)).collect()),
    }
}

fn refuse(problem: &str) -> ExitCode {
    eprintln!("{problem}");
    ExitCode::from(2)
}

fn verify(chosen: &[&'static Step], metadata: Metadata) -> ExitCode {
    let watch = Stopwatch::start();
    let logs = metadata.target_directory.join("verify");
    let ci = process::variable("CI").is_some_and(|value| !matches!(value.to_str(), Some("" | "0" | "false")));
    let context = Context { ci, console: Console::new(Detail::Progress), logs, metadata };
    tools::install_missing(&context.console, &context.logs);
    let outcomes = run_steps(&context, chosen);
    let mut rows = context.missing_tools();
    rows.extend(chosen.iter().filter_map(|step| {
        outcomes.get(step.name).map(|(seconds, outcome)| outcome.row(step.name, *seconds))
    }));
    drop(context);
    println!("{}", report::render(&rows, watch.seconds()));
    if rows.iter().any(|row| row.tally.failed > 0) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

type Outcomes = BTreeMap<&'static str, (f64, Outcome)>;

fn run_steps(context: &Context, chosen: &[&'static Step]) -> Outcomes {
    let outcomes = Mutex::new(Outcomes::new());
    let run = |lane: Lane| {
        for step in chosen.iter().filter(|step| step.lane == lane) {
            let unusable = {
                let done = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
                step.needs
                    .iter()
                    .find(|need| done.get(**need).is_some_and(|(_, outcome)| !outcome.usable))
                    .copied()
            };
            let timed = context.run_step(step, unusable);
            outcomes.lock().unwrap_or_else(PoisonError::into_inner).insert(step.name, timed);
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| run(Lane::Ui));
        run(Lane::Rust);
    });
    run(Lane::Whole);
    outcomes.into_inner().unwrap_or_else(PoisonError::into_inner)
}

impl Context {
    fn run_step(&self, step: &Step, unusable: Option<&str>) -> (f64, Outcome) {
        let watch = Stopwatch::start();
        let outcome = match unusable {
            Some(need) => Outcome::skipped(&format!("needs {need}")),
            None => {
                self.console.say(&format!("{:<14} ...", step.name));
                (step.run)(self, step.name)
            }
        };
        let row = outcome.row(step.name, watch.seconds());
        self.console.say(&format!(
            "{:<14} {} after {:.1} s: {}",
            row.name,
            row.verdict(),
            row.seconds,
            row.tally
        ));
        if row.tally.failed > 0 {
            self.show(step.name, &outcome.output);
        }
        (row.seconds, outcome)
    }

    fn show(&self, name: &str, output: &str) {
        let lines: Vec<&str> = output.lines().collect();
        let from = lines.len().saturating_sub(SHOWN_LINES);
        let cut = if from > 0 {
            format!("(the last {SHOWN_LINES} of {} lines)\n", lines.len())
        } else {
            String::new()
        };
        self.console.say(&format!("---- {name} {cut}\n{}\n---- end of {name}", lines[from..].join("\n")));
    }

    fn server(&self) -> PathBuf {
        self.metadata.program("debug", "iomt")
    }

    /// Runs a program of the check `name`; what it writes is kept in the logs.
    fn finish(&self, name: &str, command: &mut Command) -> Finished {
        let log = self.logs.join(format!("{name}.log"));
        // The counts are read from the output, and a colour code in the middle of a number is no number.
        process::run(&self.console, name, &log, command.env("CARGO_TERM_COLOR", "never").env("NO_COLOR", "1"))
    }

    /// A program that counts as one check.
    fn check(&self, name: &str, command: &mut Command) -> Outcome {
        Outcome::of_tests(&self.finish(name, command), None)
    }

    fn missing_tool(&self, problem: &str) -> Outcome {
        let tally = if self.ci { Tally::FAILED } else { Tally::SKIPPED };
        Outcome { tally, note: problem.replace('\n', "; "), output: problem.to_owned(), usable: false }
    }

    /// A row for each tool that is still missing: tests that find no such tool pass over it in silence.
    fn missing_tools(&self) -> Vec<Row> {
        let missing = tools::FOR_TESTS.iter().filter(|tool| tool.is_missing());
        let row = |tool: &tools::Tool| {
            let outcome = self.missing_tool(&format!("not checked: {}; {}", tool.needed_for, tool.hint()));
            outcome.row(tool.name, 0.0)
        };
        missing.map(row).collect()
    }
}

impl Outcome {
    fn passed(note: &str) -> Outcome {
        Outcome { tally: Tally::PASSED, note: note.to_owned(), output: String::new(), usable: true }
    }

    fn skipped(note: &str) -> Outcome {
        Outcome { tally: Tally::SKIPPED, note: note.to_owned(), output: String::new(), usable: false }
    }

    /// Not run, for a reason that is counted elsewhere.
    fn without_count(note: String) -> Outcome {
        Outcome { tally: Tally::default(), note, output: String::new(), usable: false }
    }

    fn of_result(result: Result<String, String>) -> Outcome {
        match result {
            Ok(note) => Outcome::passed(&note),
            Err(output) => Outcome { tally: Tally::FAILED, note: String::new(), output, usable: false },
        }
    }

    /// A run of tests. What failed without counting a failed test (it did not compile, say) is one failure more.
    fn of_tests(finished: &Finished, counted: Option<Tally>) -> Outcome {
        let tally = match (finished.success, counted) {
            (true, Some(tally)) if tally != Tally::default() => tally,
            (true, _) => Tally::PASSED,
            (false, Some(tally)) if tally.failed > 0 => tally,
            (false, counted) => {
                let mut tally = counted.unwrap_or_default();
                tally += Tally::FAILED;
                tally
            }
        };
        Outcome { tally, note: String::new(), output: finished.output.clone(), usable: finished.success }
    }

    fn row(&self, name: &str, seconds: f64) -> Row {
        Row { name: name.to_owned(), seconds, tally: self.tally, note: self.note.clone() }
    }
}

#[cfg(test)]
mod tests;
