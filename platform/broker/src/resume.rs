//! A client that connects and has a session that is kept, or wants one.

use std::{sync::Arc, time::Duration};

use tenants::MailboxId;
use tokio::{sync::OwnedSemaphorePermit, task::yield_now, time::timeout};

use crate::{
    connect::Refused,
    gate::{Receipt, Refusal},
    hub::Hub,
    mailbox::{Key, Mailbox},
    protocol::Version,
    session::outbox::{Limits, Outbox},
    topics::Rights,
};

/// How often the connection that has the session is told to end, until it has.
const TOLD_EVERY: Duration = Duration::from_millis(500);

/// A session that is kept, with which nobody else goes on meanwhile.
pub(crate) struct Resumed {
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) permit: OwnedSemaphorePermit,
    /// Whether it was there before.
    pub(crate) goes_on: bool,
}

/// The session of a client; `None` for one that ends with its connection. A `clean` start ends the one that there was.
pub(crate) async fn session(
    hub: &Arc<Hub>,
    key: &Key,
    clean: bool,
    expiry: Duration,
) -> Result<Option<Resumed>, Refused> {
    loop {
        if expiry.is_zero() && hub.kept.get(key).is_none() {
            return Ok(None);
        }
        let mut goes_on = true;
        let opened = hub.kept.open(key, &hub.config, || {
            goes_on = false;
            let (id, head) = (MailboxId::new(&*hub.clock), hub.kept.head(key.0));
            Mailbox::new(id, key.clone(), hub.registry.next_number(), head, expiry, hub.clock.now())
        });
        let mailbox = opened.ok_or(Refused::TooManySessions)?;
        let permit = seat(hub, &mailbox).await?;
        if mailbox.has_ended() {
            yield_now().await;
            continue;
        }
        if clean && goes_on {
            durable(hub.exchange.end(mailbox).await).await?;
            continue;
        }
        return Ok(Some(Resumed { mailbox, permit, goes_on }));
    }
}

/// Waits until the connection that has the session has ended.
async fn seat(hub: &Hub, mailbox: &Mailbox) -> Result<OwnedSemaphorePermit, Refused> {
    let seated = async {
        loop {
            hub.registry.take_over(&mailbox.key);
            if let Ok(permit) = timeout(TOLD_EVERY, Arc::clone(&mailbox.seat).acquire_owned()).await {
                return permit;
            }
        }
    };
    match timeout(hub.config.admit_timeout, seated).await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(Refused::By(Refusal::Busy)),
    }
}

async fn durable(receipt: Option<Receipt>) -> Result<(), Refused> {
    let unavailable = Refused::By(Refusal::Unavailable);
    receipt.ok_or(unavailable)?.await.map_err(|_| unavailable)
}

impl Resumed {
    /// Gives it the outbox of its new connection. Filters that the client may not have any more are gone.
    pub(crate) async fn attach(
        &self,
        hub: &Arc<Hub>,
        (version, limits): (Version, Limits),
        rights: &Rights,
        expiry: Duration,
    ) -> Result<Arc<Outbox>, Refused> {
        let Self { mailbox, .. } = self;
        mailbox.subscriptions.keep_only(&mailbox.place(hub), |filter| rights.permit(filter));
        let flights = mailbox.resting(hub).await.map_err(|_| Refused::By(Refusal::Unavailable))?;
        let outbox = Arc::new(Outbox::kept(version, limits, rights.view(), flights));
        if !mailbox.attach(&outbox, expiry) {
            return Err(Refused::By(Refusal::Busy)); // its time was over just now
        }
        let written = durable(hub.exchange.put(Arc::clone(mailbox)).await).await;
        if written.is_err() {
            mailbox.detach(hub.clock.now(), None);
        }
        written.map(|()| outbox)
    }
}
