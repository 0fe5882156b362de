//! Being asked to stop.

use std::{io, process};

use tokio::signal::unix::{SignalKind, signal};

use super::{CliError, output::remark};

/// What a shell reports of a process that was interrupted.
const INTERRUPTED: i32 = 130;

/// Waits for Ctrl-C or SIGTERM. A second one ends the process at once.
pub(super) async fn stopped() -> Result<(), CliError> {
    let mut signals = Signals::new().map_err(CliError::Runtime)?;
    signals.next().await;
    actix_web::rt::spawn(async move {
        signals.next().await;
        remark("stopped at once; what was acknowledged is stored");
        process::exit(INTERRUPTED);
    });
    Ok(())
}

struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
