//! The harness lives outside the server, so it has no Clock to ask: this is its one look at the time.
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// The wall time.
#[allow(clippy::disallowed_methods, reason = "a client of the server, as any device; it has its own clock")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// A moment on a clock that only goes forward.
#[allow(clippy::disallowed_methods, reason = "measures bounds and latencies from outside the server")]
pub fn instant() -> Instant {
    Instant::now()
}

/// Bounds are generous: they are there to end a test that hangs, not to measure one that is slow.
pub const BOUND: Duration = Duration::from_secs(30);
