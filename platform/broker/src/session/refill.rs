//! Brings a session that is kept what waits for it in the publication log, as it has room.

use std::{convert::Infallible, future::poll_fn, task::Poll, time::Duration};

use tokio::time::sleep;

use super::Session;

/// How many bytes of the log are read at a time, about.
const PAGE_BYTES: usize = 256 * 1024;

/// How long the store is left alone after it failed.
const PAUSE: Duration = Duration::from_secs(1);

/// Goes on for as long as the connection.
pub(super) async fn run(session: &Session) -> Infallible {
    let Some(mailbox) = &session.standing.mailbox else { return std::future::pending().await };
    let hub = &session.hub;
    loop {
        // Whatever makes room wakes the session's task.
        let after = poll_fn(|_| mailbox.wants_more().map_or(Poll::Pending, Poll::Ready)).await;
        let until = mailbox.log_end();
        match hub.store.publications(mailbox.tenant(), after, PAGE_BYTES).await {
            Ok(rows) => {
                mailbox.refill(rows, until, hub);
                continue;
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "messages that wait for a client cannot be read; trying again");
            }
        }
        sleep(PAUSE).await;
    }
}
