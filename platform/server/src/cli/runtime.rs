//! The runtime that everything asynchronous runs on.

use std::future::Future;

use super::CliError;

/// Runs a command on an actix system over tokio's multi-threaded runtime: actors and the web server's
/// workers have threads of their own, everything else shares the runtime's.
pub(super) fn block_on<F: Future<Output = Result<(), CliError>>>(command: F) -> Result<(), CliError> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CliError::Runtime)?;
    actix::System::with_tokio_rt(|| runtime).block_on(command)
}
