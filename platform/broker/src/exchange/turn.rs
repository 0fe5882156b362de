//! What is taken together: numbered, written in one commit, then handed out in its order.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use ahash::RandomState;
use tenants::{
    MailboxId, StoreError, TenantId,
    messaging::{MailboxChange, Publications, Received, Share},
};
use tokio::{sync::oneshot, time::sleep};

use super::{Note, Op, QUOTA_EXCEEDED, WantStored, Wanted, Work, refusal};
use crate::{
    encode,
    entry::{self, Entry},
    fan_out::{Addressed, NOBODY},
    hub::Hub,
    mailbox::Mailbox,
    message::{Outgoing, Publication},
    metrics::Loss,
    protocol::Qos,
    session::outbox::{Offer, Outbox},
    standing::Standing,
    subscriptions::{Added, Held},
    sys,
    topics::Space,
    tree::{Options, SessionNumber},
};

/// How long the store is left alone after it failed.
const PAUSE: Duration = Duration::from_millis(250);

/// Another process has taken over.
#[derive(Debug)]
pub(super) struct Fenced;

/// What is done together.
pub(super) struct Turn<'a> {
    hub: &'a Hub,
    shares: HashMap<TenantId, Pending, RandomState>,
    /// Sessions to be written in whole, and those of which only the flight is.
    put: HashMap<MailboxId, Arc<Mailbox>, RandomState>,
    flights: HashMap<MailboxId, Arc<Mailbox>, RandomState>,
    over: HashSet<MailboxId, RandomState>,
    after: Vec<After>,
}

/// What is written for a tenant.
struct Pending {
    share: Share,
    /// Position of the last message.
    last: u64,
    first: Option<u64>,
    messages: Vec<u8>,
}

/// What follows once it is durable, in its order.
enum After {
    Deliver {
        addressed: Addressed,
        position: Option<u64>,
    },
    Answer {
        outbox: Arc<Outbox>,
        frame: Vec<u8>,
    },
    /// What was retained, for who has just subscribed.
    Stored {
        tenant: TenantId,
        outbox: Arc<Outbox>,
        outgoing: Outgoing,
    },
    /// The same for a session that is kept.
    Kept {
        mailbox: Arc<Mailbox>,
        outgoing: Outgoing,
        position: u64,
    },
    Released {
        mailbox: Arc<Mailbox>,
        id: u16,
        outbox: Arc<Outbox>,
    },
    Receipt(oneshot::Sender<()>),
}

impl<'a> Turn<'a> {
    pub(super) fn new(hub: &'a Hub) -> Self {
        Self {
            hub,
            shares: HashMap::default(),
            put: HashMap::default(),
            flights: HashMap::default(),
            over: HashSet::default(),
            after: Vec::new(),
        }
    }

    pub(super) fn take(&mut self, work: Work) {
        match work {
            Work::Said { standing, ops, receipt } => {
                for op in ops {
                    self.op(&standing, op);
                }
                self.after.push(After::Receipt(receipt));
            }
            Work::Will { tenant, publication } => self.publish(tenant, publication, (NOBODY, None)),
            Work::Platform { addressed } => self.deliver(addressed, None),
            Work::Put { mailbox, receipt } => {
                self.put.insert(mailbox.id, mailbox);
                self.after.push(After::Receipt(receipt));
            }
            Work::End { mailbox, receipt } => {
                self.end(&mailbox, true);
                self.after.push(After::Receipt(receipt));
            }
            Work::Stop => {}
        }
    }

    pub(super) fn note(&mut self, note: Note) {
        match note {
            Note::Flight(mailbox) => drop(self.flights.insert(mailbox.id, mailbox)),
            Note::Left(mailbox) => drop(self.put.insert(mailbox.id, mailbox)),
            Note::Expired(mailbox) => self.end(&mailbox, false),
            Note::Over(mailbox) => self.end(&mailbox, true),
        }
    }

    fn end(&mut self, mailbox: &Arc<Mailbox>, even_if_connected: bool) {
        if !mailbox.end(self.hub, even_if_connected) {
            return;
        }
        self.hub.kept.remove(mailbox);
        if self.over.insert(mailbox.id) {
            self.pending(mailbox.tenant()).share.mailboxes.push(MailboxChange::Gone(mailbox.id));
        }
    }

    fn op(&mut self, standing: &Arc<Standing>, op: Op) {
        let (tenant, mailbox) = (standing.tenant, standing.mailbox.as_ref());
        match op {
            Op::Publish(publication) => {
                self.publish(tenant, publication, (standing.number, mailbox.map(|mailbox| mailbox.id)));
            }
            Op::Received(packet_id) => {
                let mailbox = mailbox.filter(|mailbox| !mailbox.has_ended());
                let of = mailbox.map(|mailbox| Received { mailbox: mailbox.id, packet_id });
                self.pending(tenant).share.received.extend(of);
            }
            Op::Release(packet_id) => {
                let Some(mailbox) = mailbox else { return };
                self.pending(tenant).share.released.push(Received { mailbox: mailbox.id, packet_id });
                let (mailbox, outbox) = (Arc::clone(mailbox), Arc::clone(&standing.outbox));
                self.after.push(After::Released { mailbox, id: packet_id, outbox });
            }
            Op::Subscribe { packet_id, wanted } => self.subscribe(standing, packet_id, wanted),
            Op::Unsubscribe { packet_id, filters } => {
                let codes = standing.remove_all(filters);
                self.put.extend(mailbox.map(|mailbox| (mailbox.id, Arc::clone(mailbox))));
                let frame = encode::unsuback(standing.outbox.version, packet_id, &codes);
                self.after.push(After::Answer { outbox: Arc::clone(&standing.outbox), frame });
            }
        }
    }

    fn publish(
        &mut self,
        tenant: TenantId,
        publication: Publication,
        (number, mailbox): (SessionNumber, Option<MailboxId>),
    ) {
        if publication.retain {
            self.retain(tenant, &publication);
        }
        let addressed = self.hub.address(tenant, publication, number);
        self.deliver(addressed, mailbox);
    }

    /// A message takes its place among those that are handed out, and in the log where somebody is to have it later.
    fn deliver(&mut self, addressed: Addressed, from: Option<MailboxId>) {
        let position = addressed.is_kept().then(|| {
            let publication = addressed.publication.clone();
            let entry = Entry { from, to: addressed.to.clone(), ..Entry::of(publication) };
            self.append(addressed.tenant, &entry)
        });
        self.after.push(After::Deliver { addressed, position });
    }

    /// Writes a message to the log; says where.
    fn append(&mut self, tenant: TenantId, entry: &Entry) -> u64 {
        let pending = self.pending(tenant);
        pending.last += 1;
        pending.first.get_or_insert(pending.last);
        entry::write(entry, &mut pending.messages);
        pending.last
    }

    fn retain(&mut self, tenant: TenantId, publication: &Publication) {
        self.hub.retained.put(tenant, publication);
        let topic = publication.message.topic.to_string();
        let message = (!publication.message.payload.is_empty()).then(|| {
            let mut message = Vec::new();
            entry::write(&Entry::of(publication.clone()), &mut message);
            message
        });
        self.pending(tenant).share.retained.push((topic, message));
    }

    fn subscribe(&mut self, standing: &Arc<Standing>, packet_id: u16, wanted: Vec<Wanted>) {
        let (tenant, version) = (standing.tenant, standing.outbox.version);
        let since = self.pending(tenant).last;
        let mut stored = Vec::new();
        let codes: Vec<u8> = wanted
            .into_iter()
            .map(|Wanted { filter, options, id, stored: wants }| {
                let filter = filter.map_err(|code| refusal(version, code))?;
                let held = Held { filter: filter.clone(), options, id, since };
                let added = standing.add(&held);
                let wants = match wants {
                    WantStored::Always => true,
                    WantStored::OnNewSubscription => added == Added::New,
                    WantStored::Never => false,
                };
                if added == Added::Refused {
                    return Err(refusal(version, QUOTA_EXCEEDED));
                }
                if wants && filter.group().is_none() && filter.space() == Space::Topics {
                    let found = self.hub.retained.matching(tenant, filter.path(), self.hub.clock.now());
                    let found = found.into_iter().chain(sys::matching(self.hub, tenant, filter.path()));
                    stored.extend(found.map(|publication| (publication, options, id)));
                }
                Ok(options.qos as u8)
            })
            .map(|code: Result<u8, u8>| code.unwrap_or_else(|refused| refused))
            .collect();
        let outbox = &standing.outbox;
        let frame = encode::suback(version, packet_id, &codes);
        self.after.push(After::Answer { outbox: Arc::clone(outbox), frame });
        for (publication, options, id) in stored {
            self.hand_stored(standing, publication, options, id);
        }
        let mailbox = standing.mailbox.as_ref();
        self.put.extend(mailbox.map(|mailbox| (mailbox.id, Arc::clone(mailbox))));
    }

    /// A retained message for who has just subscribed.
    fn hand_stored(
        &mut self,
        standing: &Standing,
        publication: Publication,
        options: Options,
        id: Option<u32>,
    ) {
        if !standing.outbox.may_hear(&publication.message) {
            return;
        }
        let outgoing = Outgoing {
            message: Arc::clone(&publication.message),
            qos: publication.qos.min(options.qos),
            retain: true,
            position: None,
            stored: true,
            subscription_ids: id.into_iter().collect(),
        };
        match &standing.mailbox {
            Some(mailbox) if outgoing.qos != Qos::AtMostOnce => {
                let entry = Entry { only: Some(mailbox.id), ..Entry::of(publication) };
                let position = self.append(standing.tenant, &entry);
                let outgoing = Outgoing { stored: false, ..outgoing };
                self.after.push(After::Kept { mailbox: Arc::clone(mailbox), outgoing, position });
            }
            _ => {
                let (tenant, outbox) = (standing.tenant, Arc::clone(&standing.outbox));
                self.after.push(After::Stored { tenant, outbox, outgoing });
            }
        }
    }

    fn pending(&mut self, tenant: TenantId) -> &mut Pending {
        let hub = self.hub;
        self.shares.entry(tenant).or_insert_with(|| Pending {
            share: Share::default(),
            last: hub.kept.head(tenant).published(),
            first: None,
            messages: Vec::new(),
        })
    }

    /// Writes what is to be written, and hands out what follows.
    pub(super) async fn finish(mut self) -> Result<(), Fenced> {
        let mut saved = Vec::new();
        for (id, mailbox) in std::mem::take(&mut self.put) {
            self.flights.remove(&id);
            if !mailbox.has_ended() {
                let (record, change) = mailbox.record();
                self.pending(mailbox.tenant()).share.mailboxes.push(MailboxChange::Put(record));
                saved.push((mailbox, change));
            }
        }
        for (id, mailbox) in std::mem::take(&mut self.flights) {
            if !mailbox.has_ended() {
                let (flight, change) = mailbox.flight();
                let changed = MailboxChange::Flight { id, flight };
                self.pending(mailbox.tenant()).share.mailboxes.push(changed);
                saved.push((mailbox, change));
            }
        }
        let mut heads = Vec::new();
        let mut shares = Vec::new();
        for (tenant, pending) in std::mem::take(&mut self.shares) {
            let Pending { mut share, last, first, messages } = pending;
            if let Some(first) = first {
                share.publications = Some(Publications { first, last, messages });
                heads.push((self.hub.kept.head(tenant), last));
            }
            if share != Share::default() {
                shares.push((tenant, share));
            }
        }
        self.write(&shares).await?;
        for (head, last) in &heads {
            head.set_published(*last);
        }
        for (mailbox, change) in saved {
            mailbox.saved(change);
        }
        for after in std::mem::take(&mut self.after) {
            self.follow(after);
        }
        for (head, last) in heads {
            head.set_offered(last);
        }
        Ok(())
    }

    /// Tries until it is written: nobody is answered before, and nothing is taken meanwhile.
    async fn write(&self, shares: &[(TenantId, Share)]) -> Result<(), Fenced> {
        while !shares.is_empty() {
            match self.hub.store.keep(shares).await {
                Ok(()) => return Ok(()),
                Err(StoreError::Fenced { .. }) => {
                    tracing::error!("another process keeps the sessions of mqtt clients now");
                    return Err(Fenced);
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, "messages of mqtt clients cannot be stored; trying again");
                }
            }
            sleep(PAUSE).await;
        }
        Ok(())
    }

    fn follow(&self, after: After) {
        let metrics = &self.hub.metrics;
        match after {
            After::Deliver { addressed, position } => {
                if position.is_some() {
                    metrics.publications_kept.inc();
                }
                self.hub.hand_out(&addressed, position);
            }
            After::Answer { outbox, frame } => outbox.reply(&frame),
            After::Stored { tenant, outbox, outgoing } => match outbox.offer(outgoing) {
                Offer::Queued | Offer::Disconnected => {}
                Offer::QueueFull => metrics.dropped(tenant, Loss::QueueFull, 1),
                Offer::SlowConsumer => metrics.dropped(tenant, Loss::SlowConsumer, 1),
                Offer::TooLarge => metrics.dropped(tenant, Loss::TooLarge, 1),
            },
            After::Kept { mailbox, outgoing, position } => {
                if let Err(loss) = mailbox.offer(outgoing, position) {
                    metrics.dropped(mailbox.tenant(), loss, 1);
                }
            }
            After::Released { mailbox, id, outbox } => {
                mailbox.note_released(id);
                let mut answer = Vec::with_capacity(4);
                encode::acknowledge(encode::PUBCOMP, id, &mut answer);
                outbox.reply(&answer);
            }
            After::Receipt(receipt) => drop(receipt.send(())),
        }
    }
}
