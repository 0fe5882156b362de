//! All sessions that are kept, by whose they are.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use ahash::RandomState;
use jiff::Timestamp;
use parking_lot::Mutex;
use tenants::{StoreError, TenantId, messaging};

use crate::{
    config::BrokerConfig,
    hub::{Hub, Reach},
    mailbox::{Key, Mailbox, owner_of},
    message::Publication,
    subscriptions::Place,
};

/// The sessions that are kept, and where the publication log of each tenant ends.
#[derive(Default)]
pub(crate) struct Kept {
    sessions: Mutex<HashMap<Key, Arc<Mailbox>, RandomState>>,
    heads: Mutex<HashMap<TenantId, Arc<Head>, RandomState>>,
}

/// Where the publication log of a tenant ends.
#[derive(Default)]
pub(crate) struct Head {
    published: AtomicU64,
    offered: AtomicU64,
    trimmed: AtomicU64,
}

impl Head {
    /// Position of the last message that is durable. It is set before that message is offered to anybody.
    pub(crate) fn published(&self) -> u64 {
        self.published.load(Ordering::Acquire)
    }

    /// Position of the last message that was offered to all who hear it.
    pub(crate) fn offered(&self) -> u64 {
        self.offered.load(Ordering::Acquire)
    }

    pub(crate) fn set_published(&self, position: u64) {
        self.published.store(position, Ordering::Release);
    }

    pub(crate) fn set_offered(&self, position: u64) {
        self.offered.store(position, Ordering::Release);
    }

    /// Nothing up to this position stands in the log any more, but perhaps its newest row.
    pub(crate) fn trimmed(&self) -> u64 {
        self.trimmed.load(Ordering::Acquire)
    }

    pub(crate) fn set_trimmed(&self, position: u64) {
        self.trimmed.store(position, Ordering::Release);
    }
}

impl Kept {
    pub(crate) fn head(&self, tenant: TenantId) -> Arc<Head> {
        Arc::clone(self.heads.lock().entry(tenant).or_default())
    }

    pub(crate) fn heads(&self) -> Vec<(TenantId, Arc<Head>)> {
        self.heads.lock().iter().map(|(tenant, head)| (*tenant, Arc::clone(head))).collect()
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Arc<Mailbox>> {
        self.sessions.lock().get(key).cloned()
    }

    /// The session of a client, made where there is none; `None` where there are as many as there may be.
    pub(crate) fn open(
        &self,
        key: &Key,
        config: &BrokerConfig,
        make: impl FnOnce() -> Mailbox,
    ) -> Option<Arc<Mailbox>> {
        let mut sessions = self.sessions.lock();
        if let Some(known) = sessions.get(key) {
            return Some(Arc::clone(known));
        }
        let of_tenant = sessions.keys().filter(|(tenant, ..)| *tenant == key.0);
        let (mut all, mut own) = (0, 0);
        for (_, client, _) in of_tenant {
            all += 1;
            own += usize::from(*client == key.1);
        }
        if all >= config.max_kept_sessions || own >= config.max_kept_sessions_of_one {
            return None;
        }
        let mailbox = Arc::new(make());
        sessions.insert(key.clone(), Arc::clone(&mailbox));
        Some(mailbox)
    }

    /// One has ended.
    pub(crate) fn remove(&self, mailbox: &Mailbox) {
        let mut sessions = self.sessions.lock();
        if sessions.get(&mailbox.key).is_some_and(|known| known.id == mailbox.id) {
            sessions.remove(&mailbox.key);
        }
    }

    /// All, or those of a tenant.
    pub(crate) fn all(&self, of: Option<TenantId>) -> Vec<Arc<Mailbox>> {
        let sessions = self.sessions.lock();
        let wanted = sessions.iter().filter(|((tenant, ..), _)| of.is_none_or(|of| of == *tenant));
        wanted.map(|(_, mailbox)| Arc::clone(mailbox)).collect()
    }

    pub(crate) fn expired(&self, now: Timestamp) -> Vec<Arc<Mailbox>> {
        let sessions = self.sessions.lock();
        sessions.values().filter(|mailbox| mailbox.has_expired(now)).cloned().collect()
    }
}

/// Takes up what was kept when the process ended, before anybody is let in.
pub(crate) async fn restore(hub: &Hub) -> Result<(), StoreError> {
    for (tenant, kept) in hub.store.kept().await? {
        let head = hub.kept.head(tenant);
        head.set_published(kept.head);
        head.set_offered(kept.head);
        for (topic, message) in kept.retained {
            match crate::entry::read(message).map(|mut entries| entries.pop()) {
                Ok(Some(entry)) => {
                    hub.retained.put(tenant, &Publication { retain: true, ..entry.publication });
                }
                _ => tracing::error!(%tenant, topic, "a retained message is damaged"),
            }
        }
        for record in kept.mailboxes {
            let received = kept.received.iter().filter(|received| received.mailbox == record.id);
            restore_one(hub, tenant, &record, received.map(|received| received.packet_id));
        }
    }
    Ok(())
}

fn restore_one(
    hub: &Hub,
    tenant: TenantId,
    record: &messaging::Mailbox,
    received: impl Iterator<Item = u16>,
) {
    let id = record.id;
    let restored = owner_of(&record.owner).and_then(|client| {
        let key = (tenant, client, record.client_id.as_str().into());
        Mailbox::restored(record, key, hub.registry.next_number(), hub.kept.head(tenant), hub.clock.now())
    });
    let Some((mailbox, held)) = restored else {
        tracing::error!(%tenant, mailbox = %id, "a session that was kept is damaged");
        return;
    };
    mailbox.note_received(received);
    let mailbox = Arc::new(mailbox);
    let place = Place { hub, tenant, number: mailbox.number };
    mailbox.subscriptions.restore(&place, &Reach::Kept(Arc::clone(&mailbox)), held);
    hub.kept.sessions.lock().insert(mailbox.key.clone(), mailbox);
}
