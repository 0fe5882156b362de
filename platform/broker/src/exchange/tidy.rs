//! What is done about sessions that are kept although nobody asks for it.

use std::collections::HashMap;

use ahash::RandomState;
use tenants::TenantId;

use super::Note;
use crate::{hub::Hub, metrics::Loss};

/// How many sessions' acknowledgements are written down then at most. They only spare a client a message that comes twice.
const TIDIED: usize = 200;

/// What should be written although nobody asks for it.
pub(super) fn due(hub: &Hub) -> Vec<Note> {
    count(hub);
    let over = hub.kept.expired(hub.clock.now()).into_iter().map(Note::Expired);
    let changed = hub.kept.all(None).into_iter().filter(|mailbox| mailbox.has_changed());
    over.chain(changed.take(TIDIED).map(Note::Flight)).collect()
}

/// Counts for each tenant what is kept for it.
fn count(hub: &Hub) {
    let mut kept = HashMap::<TenantId, (i64, u64), RandomState>::default();
    for mailbox in hub.kept.all(None) {
        let (sessions, oldest) = kept.entry(mailbox.tenant()).or_insert((0, u64::MAX));
        *sessions += 1;
        *oldest = mailbox.oldest_needed().min(*oldest);
    }
    for tally in hub.metrics.tenants.all() {
        let (sessions, oldest) = kept.get(&tally.tenant()).copied().unwrap_or((0, u64::MAX));
        let end = hub.kept.head(tally.tenant()).published() + 1;
        tally.kept_sessions.set(sessions);
        tally.kept_messages.set(i64::try_from(end.saturating_sub(oldest)).unwrap_or(i64::MAX));
    }
}

/// Deletes what no session needs any more, and what is older than a session may be behind.
pub(super) async fn trim(hub: &Hub) {
    for (tenant, head) in hub.kept.heads() {
        let published = head.published();
        let oldest = published.saturating_sub(hub.config.max_backlog);
        let mailboxes = hub.kept.all(Some(tenant));
        for mailbox in &mailboxes {
            let skipped = mailbox.skip_to(oldest);
            hub.metrics.dropped(tenant, Loss::Backlog, usize::try_from(skipped).unwrap_or(usize::MAX));
        }
        let needed = mailboxes.iter().map(|mailbox| mailbox.oldest_needed()).min().unwrap_or(published + 1);
        let until = needed.max(oldest).saturating_sub(1);
        if until <= head.trimmed() {
            continue;
        }
        match hub.store.trim(tenant, until).await {
            Ok(()) => head.set_trimmed(until),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, %tenant, "the publication log is not trimmed now");
            }
        }
    }
}
