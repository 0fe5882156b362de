//! Starting other programs: in the root folder, without our own cargo variables, with their output in a log.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::console::{Console, Feed};

/// How often a running program's log is looked at for new lines.
const FOLLOW_EVERY: Duration = Duration::from_millis(100);

/// The folder with the workspace's `Cargo.toml`: of this checkout, also where several share one folder for what they build.
pub(crate) fn root() -> PathBuf {
    let manifest = variable("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let manifest = Path::new(&manifest);
    manifest.ancestors().nth(2).unwrap_or(manifest).to_path_buf()
}

/// `program`, to be run in the root folder as if from a plain shell.
///
/// `cargo run` leaves variables that describe *this* crate. Build scripts that watch them (ring's, for one) would run
/// again whenever a build changes between `cargo demo` and a plain `cargo build`.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    const OURS: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
    let mut command = Command::new(program);
    command.current_dir(root());
    for (name, _) in std::env::vars_os() {
        if OURS.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
}

pub(crate) fn cargo() -> Command {
    command(variable("CARGO").unwrap_or_else(|| OsString::from("cargo")))
}

#[allow(clippy::disallowed_methods, reason = "a build tool has no configuration to read these from")]
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// The first file called `program` on the PATH.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = variable("PATH")?;
    let names = [program.to_owned(), format!("{program}.exe"), format!("{program}.cmd")];
    std::env::split_paths(&path)
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)).collect::<Vec<_>>())
        .find(|file| file.is_file())
}

/// How a program ended, with everything that it wrote.
pub(crate) struct Finished {
    pub(crate) success: bool,
    /// Both streams in the order of writing; for a program that could not be started, the reason.
    pub(crate) output: String,
}

/// Runs to the end, with the output going to `log` and, line by line, to the console.
///
/// The output goes through a file and not a pipe, because a pipe stays open as long as *any* descendant holds it: a
/// server left behind by a failed test would keep us waiting for ever.
pub(crate) fn run(console: &Console, label: &str, log: &Path, command: &mut Command) -> Finished {
    let program = command.get_program().to_string_lossy().into_owned();
    run_logged(console.feed(label), log, command).unwrap_or_else(|error| {
        let output = format!("cannot run `{program}`: {error}");
        console.feed(label).line(&output);
        Finished { success: false, output }
    })
}

fn run_logged(feed: Feed<'_>, log: &Path, command: &mut Command) -> io::Result<Finished> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder)?;
    }
    let file = File::create(log)?;
    let mut child = command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).spawn()?;
    let reader = File::open(log)?;
    let status = thread::scope(|scope| {
        let (ended, end) = channel::<()>();
        scope.spawn(move || follow(reader, feed, &end));
        let status = child.wait();
        drop(ended);
        status
    })?;
    let output = String::from_utf8_lossy(&fs::read(log)?).into_owned();
    Ok(Finished { success: status.success(), output })
}

/// Passes on each complete line, until the sender is gone and the file is read to its end.
fn follow(mut log: File, mut feed: Feed<'_>, end: &Receiver<()>) {
    let mut pending = Vec::new();
    loop {
        let last_round = matches!(end.recv_timeout(FOLLOW_EVERY), Err(RecvTimeoutError::Disconnected));
        if log.read_to_end(&mut pending).is_err() {
            return;
        }
        let complete = if last_round {
            pending.len()
        } else {
            pending.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1)
        };
        let text: Vec<u8> = pending.drain(..complete).collect();
        String::from_utf8_lossy(&text).lines().for_each(|line| feed.line(line));
        if last_round {
            return;
        }
    }
}

/// Becomes `command`: signals, terminal and exit code are its own from here on.
#[cfg(unix)]
pub(crate) fn hand_over(command: &mut Command) -> ExitCode {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    eprintln!("cannot start {}: {error}", command.get_program().display());
    ExitCode::FAILURE
}

/// Runs `command` in the foreground and ends with its exit code. A console's Ctrl-C reaches it directly.
#[cfg(not(unix))]
pub(crate) fn hand_over(command: &mut Command) -> ExitCode {
    match command.status() {
        Ok(status) => ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)),
        Err(error) => {
            eprintln!("cannot start {}: {error}", command.get_program().display());
            ExitCode::FAILURE
        }
    }
}

pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[allow(
        clippy::disallowed_methods,
        reason = "builds are timed by the wall, and tenants would be minutes to compile"
    )]
    pub(crate) fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::console::Detail;

    /// How `command` ended, and its log.
    fn logged(command: &mut Command) -> io::Result<(Finished, String)> {
        let folder = tempfile::tempdir()?;
        let log = folder.path().join("step.log");
        let finished = run(&Console::new(Detail::Progress), "test", &log, command);
        Ok((finished, fs::read_to_string(log)?))
    }

    fn shell(script: &str) -> (Finished, String) {
        logged(command("sh").args(["-c", script])).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn both_streams_are_kept_in_order() {
        let (finished, log) = shell("echo one; echo two >&2; printf three");
        assert!(finished.success);
        assert_eq!(finished.output, "one\ntwo\nthree");
        assert_eq!(log, finished.output);
    }

    #[test]
    fn a_failure_is_told_from_a_success() {
        assert!(!shell("exit 3").0.success);
        assert!(!shell("kill -9 $$").0.success);
    }

    #[test]
    fn a_descendant_left_behind_does_not_hold_us_up() {
        let watch = Stopwatch::start();
        let (finished, _) = shell("sleep 20 & echo done");
        assert_eq!(finished.output, "done\n");
        assert!(watch.seconds() < 10.0, "waited for a process that nobody asked about");
    }

    #[test]
    fn a_program_that_does_not_exist_is_named() {
        let (finished, _) = logged(&mut command("no-such-program")).unwrap();
        assert!(!finished.success);
        assert!(finished.output.contains("no-such-program"), "{}", finished.output);
    }

    #[test]
    fn our_own_cargo_variables_stay_here() {
        let names: Vec<_> = command("x").get_envs().map(|(name, _)| name.to_owned()).collect();
        assert!(names.contains(&OsString::from("CARGO_MANIFEST_DIR")));
    }
}
