//! What is going on, for a person to read: results go to stdout, everything here to stderr.

use std::io::{IsTerminal, Write, stderr};
use std::sync::{Mutex, PoisonError};

/// How much of a program's output is shown while it runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Every line, behind the name of the program that wrote it.
    Lines,
    /// Only that something moves; the lines are shown when the program has failed.
    Progress,
}

/// Without a terminal, one line of progress stands for this many compiled crates.
const CRATES_PER_LINE: usize = 100;
/// A line that is overwritten must not wrap, and the width of the terminal is not known to std.
const TRANSIENT_COLUMNS: usize = 78;

pub(crate) struct Console {
    detail: Detail,
    terminal: bool,
    /// True while the last line on the terminal is one that the next line overwrites.
    transient: Mutex<bool>,
}

impl Console {
    pub(crate) fn new(detail: Detail) -> Console {
        Console { detail, terminal: stderr().is_terminal(), transient: Mutex::new(false) }
    }

    /// A line that stays.
    pub(crate) fn say(&self, text: &str) {
        self.write(text, false);
    }

    /// A line that the next one overwrites; nothing where that is impossible.
    fn flash(&self, text: &str) {
        if self.terminal {
            self.write(&text.chars().take(TRANSIENT_COLUMNS).collect::<String>(), true);
        }
    }

    fn write(&self, text: &str, transient: bool) {
        let mut shown = self.transient.lock().unwrap_or_else(PoisonError::into_inner);
        let erase = if *shown { "\r\x1b[2K" } else { "" };
        let end = if transient { "" } else { "\n" };
        // A closed terminal must not stop a build that is nearly done.
        drop(write!(stderr().lock(), "{erase}{text}{end}"));
        *shown = transient;
    }

    pub(crate) fn feed(&self, label: &str) -> Feed<'_> {
        Feed { console: self, label: label.to_owned(), crates: 0 }
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        if *self.transient.get_mut().unwrap_or_else(PoisonError::into_inner) {
            self.write("", false);
        }
    }
}

/// The lines of one program, on their way to the console.
pub(crate) struct Feed<'a> {
    console: &'a Console,
    label: String,
    crates: usize,
}

impl Feed<'_> {
    pub(crate) fn line(&mut self, line: &str) {
        let labelled = format!("{:>12} | {line}", self.label);
        if is_progress(line) {
            self.crates += 1;
            if self.console.terminal {
                self.console.flash(&format!("{:>12} | {} {}", self.label, self.crates, line.trim_start()));
            } else if self.crates.is_multiple_of(CRATES_PER_LINE) {
                self.console.say(&format!("{:>12} | {} crates so far", self.label, self.crates));
            }
        } else if self.console.detail == Detail::Lines {
            self.console.say(&labelled);
        } else {
            self.console.flash(&labelled);
        }
    }
}

/// Cargo's line per crate: hundreds of them on a first build, and none that anyone reads twice.
fn is_progress(line: &str) -> bool {
    let line = line.trim_start();
    ["Compiling ", "Checking ", "Downloaded ", "Downloading ", "Fresh "]
        .iter()
        .any(|word| line.starts_with(word))
}

#[cfg(test)]
mod tests {
    use super::is_progress;

    #[test]
    fn only_cargo_lines_per_crate_are_progress() {
        for (line, expected) in [
            ("   Compiling tokio v1.48.0", true),
            ("    Checking server v0.1.0 (/src)", true),
            ("  Downloaded serde v1.0.0", true),
            ("    Finished `dev` profile in 3.2s", false),
            ("error[E0308]: mismatched types", false),
            ("warning: unused import", false),
            ("", false),
        ] {
            assert_eq!(is_progress(line), expected, "{line:?}");
        }
    }
}
