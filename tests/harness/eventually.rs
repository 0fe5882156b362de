//! Waiting for something that another process does.
use std::time::Duration;

use crate::time::instant;

const PAUSE: Duration = Duration::from_millis(25);

/// Tries until the attempt succeeds, and fails the test with the last reason when the bound is reached.
pub async fn eventually<T>(
    what: &str,
    bound: Duration,
    mut attempt: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let began = instant();
    loop {
        match attempt().await {
            Ok(value) => return value,
            Err(reason) if began.elapsed() > bound => {
                panic!("{what}: not within {bound:?}; at the end: {reason}")
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}
