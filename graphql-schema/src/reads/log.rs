//! Commits reads in groups.

use std::{sync::Arc, time::Duration};

use moka::sync::Cache;
use tenants::{StoreError, audit::AuditEntry, stores::AuditTrail};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

/// Answers that wait for the writer. When it is full, further ones wait to be taken in: a reader never gets
/// past it.
const QUEUE: usize = 256;
/// Answers whose reads are committed together at most.
const GROUP: usize = 256;
/// Reads within this time are one entry.
const SPAN_S: i64 = 5 * 60;
/// Rows that are remembered as committed, for as long as they can come again.
const REMEMBERED: u64 = 200_000;
const REMEMBERED_FOR: Duration = Duration::from_secs(10 * 60);

type Row = (Uuid, AuditEntry);

struct Waiting {
    rows: Vec<Row>,
    done: oneshot::Sender<Result<(), Arc<StoreError>>>,
}

/// One writer for all requests: what arrives while it commits is committed next, together. It ends with the
/// last handle; since every answer waits for its rows, nothing is left behind.
#[derive(Clone)]
pub(crate) struct ReadLog {
    queue: mpsc::Sender<Waiting>,
    /// Ids of rows that are committed.
    known: Cache<Uuid, ()>,
}

impl ReadLog {
    /// On a runtime of tokio.
    pub(crate) fn start(trail: Arc<dyn AuditTrail>) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(write(trail, waiting));
        let known = Cache::builder().max_capacity(REMEMBERED).time_to_live(REMEMBERED_FOR).build();
        Self { queue, known }
    }

    /// Returns once the entries are committed; those of the same five minutes were perhaps committed before.
    pub(super) async fn write(&self, entries: Vec<AuditEntry>) -> Result<(), StoreError> {
        let rows = entries.into_iter().map(|entry| (id(&entry), entry));
        let rows: Vec<Row> = rows.filter(|(id, _)| !self.known.contains_key(id)).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = rows.iter().map(|(id, _)| *id).collect();
        let (done, committed) = oneshot::channel();
        let ended = |what: &'static str| StoreError::Unavailable(what.into());
        let waiting = Waiting { rows, done };
        self.queue.send(waiting).await.map_err(|_| ended("the writer of reads has ended"))?;
        let committed = committed.await.map_err(|_| ended("the writer of reads ended in the middle"))?;
        committed.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        for id in ids {
            self.known.insert(id, ());
        }
        Ok(())
    }
}

async fn write(trail: Arc<dyn AuditTrail>, mut waiting: mpsc::Receiver<Waiting>) {
    let mut group = Vec::with_capacity(GROUP);
    while waiting.recv_many(&mut group, GROUP).await > 0 {
        let rows: Vec<Row> = group.iter_mut().flat_map(|waiting| std::mem::take(&mut waiting.rows)).collect();
        let committed = trail.append_once(&rows).await.map_err(Arc::new);
        for waiting in group.drain(..) {
            // Whoever has gone away sees nothing either.
            let _gone = waiting.done.send(committed.clone()).is_err();
        }
    }
}

/// The same for reads that are one row.
fn id(entry: &AuditEntry) -> Uuid {
    let AuditEntry { actor, action, subject, outcome, detail, origin, policy, facts, .. } = entry;
    let span = entry.at.as_second().div_euclid(SPAN_S);
    let (outcome, channel, policy) =
        (outcome.as_str(), origin.channel.as_str(), policy.as_deref().unwrap_or_default());
    // Ids, words and names of roles: none holds a line break. What people write does not either in quotation marks.
    let name = format!(
        "{actor}\n{action}\n{subject}\n{outcome}\n{channel}\n{}\n{policy}\n{span}\n{detail:?}\n{facts:?}",
        origin.address
    );
    Uuid::new_v5(entry.tenant.as_uuid(), name.as_bytes())
}
