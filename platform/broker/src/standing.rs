//! What the rest of the broker has of a session: whose it is, its filters, and how it is reached.

use std::sync::Arc;

use tenants::{TenantId, quotas::ClientQuotas};

use crate::{
    config::count,
    hub::{Hub, Reach},
    mailbox::Mailbox,
    session::outbox::Outbox,
    subscriptions::{Added, Held, Place, Subscriptions},
    tally::Tally,
    topics::Filter,
    tree::SessionNumber,
};

/// A session that has a connection.
pub(crate) struct Standing {
    pub(crate) hub: Arc<Hub>,
    pub(crate) tenant: TenantId,
    pub(crate) tally: Arc<Tally>,
    pub(crate) number: SessionNumber,
    pub(crate) outbox: Arc<Outbox>,
    /// What its client may take up.
    pub(crate) quotas: ClientQuotas,
    /// Of a session that is kept.
    pub(crate) mailbox: Option<Arc<Mailbox>>,
    /// Of one that is not; they leave the tree with it, however it ends.
    own: Subscriptions,
}

impl Standing {
    pub(crate) fn new(
        hub: Arc<Hub>,
        (tenant, quotas): (TenantId, ClientQuotas),
        number: SessionNumber,
        outbox: Arc<Outbox>,
        mailbox: Option<Arc<Mailbox>>,
    ) -> Self {
        let tally = hub.metrics.tenants.of(tenant);
        tally.sessions.inc();
        Self { hub, tenant, tally, number, outbox, quotas, mailbox, own: Subscriptions::default() }
    }

    /// Messages that its client may have unacknowledged.
    pub(crate) fn receive_maximum(&self) -> usize {
        count(self.quotas.receive_maximum.max(1))
    }

    pub(crate) fn add(&self, held: &Held) -> Added {
        let reach = match &self.mailbox {
            Some(mailbox) => Reach::Kept(Arc::clone(mailbox)),
            None => Reach::Live(Arc::clone(&self.outbox)),
        };
        self.subscriptions().add(&self.place(), &reach, held, count(self.quotas.subscriptions))
    }

    /// Unsubscribes; the codes of the UNSUBACK.
    pub(crate) fn remove_all(&self, filters: Vec<Result<Filter, u8>>) -> Vec<u8> {
        let code = |filter: Result<Filter, u8>| match filter {
            Ok(filter) if self.subscriptions().remove(&self.place(), &filter) => 0x00,
            Ok(_) => 0x11, // no subscription existed
            Err(code) => code,
        };
        filters.into_iter().map(code).collect()
    }

    /// Nothing is for it any more, where it ends with its connection.
    pub(crate) fn close(&self) {
        self.own.keep_only(&self.place(), |_| false);
    }

    fn subscriptions(&self) -> &Subscriptions {
        self.mailbox.as_ref().map_or(&self.own, |mailbox| &mailbox.subscriptions)
    }

    fn place(&self) -> Place<'_> {
        Place { hub: &self.hub, tenant: self.tenant, number: self.number }
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        self.close(); // what the exchange did last, too
        self.tally.sessions.dec();
    }
}
