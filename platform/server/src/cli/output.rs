//! Writing to the terminal. A reader that has gone away, as with `| head`, is no error of ours.

use std::{
    error::Error,
    fmt::Display,
    io::{self, Write, stderr, stdout},
};

use super::CliError;

/// What was asked for, to standard output.
pub(super) fn say(text: impl Display) -> Result<(), CliError> {
    match writeln!(stdout(), "{text}").and_then(|()| stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CliError::Output(error)),
        _ => Ok(()),
    }
}

/// A remark, to standard error.
pub(super) fn remark(text: impl Display) {
    // Where even this cannot be written there is nowhere left to say so.
    let _unwritten = writeln!(stderr(), "{text}").is_err();
}

/// What went wrong, why, and what to do.
pub(super) fn complain(error: &CliError) {
    remark(format_args!("error: {error}"));
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        // Errors that only pass another one on would say it twice.
        if text != said {
            remark(format_args!("  because {text}"));
        }
        said = text;
        cause = error.source();
    }
    if let Some(hint) = error.hint() {
        remark(format_args!("  {hint}"));
    }
}
