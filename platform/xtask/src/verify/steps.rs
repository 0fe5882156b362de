//! The checks, in the order of the table. What each one runs is all there is to know about it.

use std::fs;
use std::process::Command;

use super::report::Tally;
use super::{Context, Outcome, counts, sdks, tools};
use crate::{architecture, dependencies, process, ui};

/// Which checks wait for which. The two lanes run side by side: most of cargo's time is compiling with a tail that
/// only keeps one core busy, and most of npm's is waiting.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    Rust,
    Ui,
    /// After both lanes, one at a time: these start servers and browsers, and would only measure each other.
    Whole,
}

pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) lane: Lane,
    /// Without these there is nothing to check; any other failure does not hide this one.
    pub(crate) needs: &'static [&'static str],
    pub(crate) run: fn(&Context, &str) -> Outcome,
}

const fn step(
    name: &'static str,
    lane: Lane,
    needs: &'static [&'static str],
    run: fn(&Context, &str) -> Outcome,
) -> Step {
    Step { name, lane, needs, run }
}

pub(crate) const STEPS: [Step; 16] = [
    step("format", Lane::Rust, &[], format),
    step("packages", Lane::Ui, &[], packages),
    step("biome", Lane::Ui, &["packages"], biome),
    step("clippy", Lane::Rust, &[], clippy),
    step("architecture", Lane::Rust, &[], architecture_),
    step("dependencies", Lane::Rust, &[], dependencies_),
    step("build", Lane::Rust, &[], build),
    step("rust-tests", Lane::Rust, &["build"], rust_tests),
    step("doc-tests", Lane::Rust, &["build"], doc_tests),
    step("codegen", Lane::Ui, &["packages"], codegen),
    step("types", Lane::Ui, &["packages"], types),
    step("ui-tests", Lane::Ui, &["packages"], ui_tests),
    step("bundle", Lane::Ui, &["packages"], bundle),
    step("conformance", Lane::Whole, &["build"], conformance),
    step("device-sdks", Lane::Whole, &["build"], device_sdks),
    step("journeys", Lane::Whole, &["build", "packages", "bundle"], journeys),
];

fn format(context: &Context, name: &str) -> Outcome {
    context.check(name, process::cargo().args(["fmt", "--all", "--", "--check", "--color", "never"]))
}

fn clippy(context: &Context, name: &str) -> Outcome {
    context.check(
        name,
        process::cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    )
}

fn architecture_(_: &Context, _: &str) -> Outcome {
    Outcome::of_result(
        architecture::check().map(|report| report.lines().next().unwrap_or_default().to_owned()),
    )
}

fn dependencies_(context: &Context, name: &str) -> Outcome {
    if process::find("cargo-deny").is_none() {
        let checked = dependencies::check();
        return Outcome::of_result(checked.map(|report| format!("{report}; advisories need cargo-deny")));
    }
    let ours = context.check(name, process::cargo().args(["deny", "check", "licenses", "bans", "sources"]));
    if ours.tally != Tally::PASSED {
        return ours;
    }
    let advisories = context.check("advisories", process::cargo().args(["deny", "check", "advisories"]));
    // Without a network there is nothing to compare with. A person may go on; CI may not.
    let unreachable = advisories.output.contains("failed to fetch advisory database");
    if unreachable && !context.ci {
        Outcome::passed("the database of advisories is out of reach")
    } else {
        advisories
    }
}

/// The server and every test, in one call and over the whole workspace. Cargo unites the features of all packages of
/// a call, so a build of fewer would compile some dependencies a second time; this way the tests below, and the
/// server that they start, are made of the same artefacts.
fn build(context: &Context, name: &str) -> Outcome {
    context.check(name, process::cargo().args(["build", "--workspace", "--bins", "--tests"]))
}

fn rust_tests(context: &Context, name: &str) -> Outcome {
    let tests = context.metadata.members().flat_map(|member| member.tests.iter());
    let mut targets = vec!["--lib", "--bins"];
    for test in tests.filter(|test| ![CONFORMANCE, SDKS].contains(&test.as_str())) {
        targets.extend(["--test", test]);
    }
    cargo_test(context, name, &targets)
}

/// Rust's examples in the documentation, which nextest does not run.
fn doc_tests(context: &Context, name: &str) -> Outcome {
    let finished =
        context.finish(name, process::cargo().args(["test", "--workspace", "--doc", "--no-fail-fast"]));
    Outcome::of_tests(&finished, counts::libtest(&finished.output))
}

const CONFORMANCE: &str = "conformance";

/// The parts of the public surface that follow a standard, against that standard. Its tests share one server, so they run in
/// one process.
fn conformance(context: &Context, name: &str) -> Outcome {
    let mut cargo = process::cargo();
    cargo.env("IOMT_BIN", context.server());
    cargo.args(["test", "--workspace", "--test", CONFORMANCE]);
    let finished = context.finish(name, &mut cargo);
    Outcome::of_tests(&finished, counts::libtest(&finished.output))
}

const SDKS: &str = "sdks";

/// Devices of other platforms: programs written with those platforms' own clients, each in an environment of its own.
fn device_sdks(context: &Context, name: &str) -> Outcome {
    if let Some(tool) = tools::FOR_TESTS.iter().find(|tool| tool.name == tools::PYTHON && tool.is_missing()) {
        return Outcome::without_count(format!("{} is missing", tool.name)); // counted where it is listed
    }
    let folder = context.metadata.target_directory.join("sdks");
    let ready = sdks::set_up(&folder, |command| {
        let outcome = context.check("device-sdks-set-up", command);
        if outcome.tally == Tally::PASSED { Ok(()) } else { Err(outcome) }
    });
    if let Err(failed) = ready {
        return failed;
    }
    let mut cargo = process::cargo();
    cargo.env("IOMT_BIN", context.server()).env("IOMT_SDKS", &folder);
    cargo.args(["test", "--workspace", "--test", SDKS, "--", "--show-output"]);
    let finished = context.finish(name, &mut cargo);
    let mut outcome = Outcome::of_tests(&finished, counts::libtest(&finished.output));
    (outcome.tally, outcome.note) = counts::own_skips(&finished.output, outcome.tally);
    outcome
}

/// The named targets of the workspace. nextest is quicker and ends a test that hangs; without it cargo does as well.
fn cargo_test(context: &Context, name: &str, targets: &[&str]) -> Outcome {
    let mut cargo = process::cargo();
    cargo.env("IOMT_BIN", context.server());
    // The output of passed tests is wanted too: it is where they say that they were skipped.
    let counted = if process::find("cargo-nextest").is_some() {
        let profile = if context.ci { "ci" } else { "default" };
        cargo.args(["nextest", "run", "--workspace", "--no-fail-fast", "--profile", profile]).args(targets);
        cargo.args(["--success-output", "immediate", "--failure-output", "final"]);
        counts::nextest
    } else {
        cargo.args(["test", "--workspace", "--no-fail-fast"]).args(targets).args(["--", "--show-output"]);
        counts::libtest
    };
    let finished = context.finish(name, &mut cargo);
    let mut outcome = Outcome::of_tests(&finished, counted(&finished.output));
    (outcome.tally, outcome.note) = counts::own_skips(&finished.output, outcome.tally);
    outcome
}

fn packages(context: &Context, name: &str) -> Outcome {
    if let Err(problem) = tools::require_for_building(true) {
        return context.missing_tool(&problem);
    }
    if ui::packages_outdated() {
        context.check(name, &mut ui::install())
    } else {
        Outcome::passed("up to date")
    }
}

fn biome(context: &Context, name: &str) -> Outcome {
    context.check(name, &mut ui::npm(&["run", "lint"]))
}

/// The committed TypeScript is what the schema generates.
fn codegen(context: &Context, name: &str) -> Outcome {
    context.check(name, &mut ui::npm(&["run", "codegen:check"]))
}

fn types(context: &Context, name: &str) -> Outcome {
    context.check(name, &mut ui::npm(&["run", "typecheck"]))
}

fn ui_tests(context: &Context, name: &str) -> Outcome {
    let json = context.logs.join("ui-tests.json");
    let file = format!("--outputFile.json={}", json.display());
    let mut npm = ui::npm(&["run", "test", "--", "--reporter=default", "--reporter=json", &file]);
    context.counted(name, &mut npm, &json, counts::vitest)
}

fn bundle(context: &Context, name: &str) -> Outcome {
    context.check(name, &mut ui::build())
}

fn journeys(context: &Context, name: &str) -> Outcome {
    if let Some(tool) = tools::FOR_TESTS.iter().find(|tool| tool.name == tools::CHROMIUM && tool.is_missing())
    {
        // Counted once, where the missing tool is listed.
        return Outcome::without_count(format!("{} is missing", tool.name));
    }
    let json = context.logs.join("journeys.json");
    let mut npm = ui::npm(&["run", "e2e", "--", "--reporter=line,json"]);
    npm.env("IOMT_BIN", context.server()).env("PLAYWRIGHT_JSON_OUTPUT_FILE", &json);
    context.counted(name, &mut npm, &json, counts::playwright)
}

impl Context {
    fn counted(
        &self,
        name: &str,
        command: &mut Command,
        json: &std::path::Path,
        count: fn(&str) -> Option<Tally>,
    ) -> Outcome {
        // The last run's numbers must not pass for this one's.
        drop(fs::remove_file(json));
        let finished = self.finish(name, command);
        Outcome::of_tests(&finished, fs::read_to_string(json).ok().and_then(|text| count(&text)))
    }
}
