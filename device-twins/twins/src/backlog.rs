//! Bounds the messages that are committed but not yet folded.
//!
//! A committed message must never be dropped, so mailboxes cannot refuse it; instead the writer of the log
//! stops taking new messages while too many wait to be folded, and so do the sockets behind it.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// Messages that may wait to be folded, over all twins. At 256 bytes each this is about 100 MB.
pub const FOLD_BACKLOG: usize = 262_144;

/// The bound, shared by the writer and the twins.
#[derive(Clone)]
pub(crate) struct Backlog(Arc<Semaphore>);

impl Backlog {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(FOLD_BACKLOG)))
    }

    /// Waits for room for `messages`; the room is given back when the credit is dropped.
    pub(crate) async fn take(&self, messages: usize) -> Credit {
        // A batch larger than the whole backlog takes all of it: it is then alone.
        let permits = u32::try_from(messages.min(FOLD_BACKLOG)).unwrap_or(u32::MAX);
        match self.0.clone().acquire_many_owned(permits).await {
            Ok(permit) => Credit(Some(permit)),
            Err(_closed) => Credit(None),
        }
    }

    /// Waits until everything is folded.
    pub(crate) async fn drained(&self) {
        drop(self.take(FOLD_BACKLOG).await);
    }

    /// How many messages wait.
    pub(crate) fn waiting(&self) -> usize {
        FOLD_BACKLOG - self.0.available_permits().min(FOLD_BACKLOG)
    }
}

/// Room taken in the backlog. Dropping it, also in a panic, gives the room back.
#[derive(Debug)]
pub(crate) struct Credit(Option<tokio::sync::OwnedSemaphorePermit>);

impl Credit {
    /// Splits off the share of `messages`.
    pub(crate) fn split(&mut self, messages: usize) -> Credit {
        Credit(self.0.as_mut().and_then(|permit| permit.split(messages)))
    }
}
