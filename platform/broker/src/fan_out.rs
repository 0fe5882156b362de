//! From a message to all who hear it.

use std::sync::Arc;

use tenants::{MailboxId, TenantId};

use crate::{
    hub::{Hub, Reach},
    message::{Outgoing, Publication},
    metrics::Loss,
    protocol::Qos,
    session::outbox::{Offer, Outbox},
    topics::Space,
    tree::{Audience, SessionNumber, Subscriber},
};

/// What became of a message, counted in subscribers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Queued for sending, or kept for who is away.
    pub queued: usize,
    /// Dropped; the metrics say why.
    pub dropped: usize,
}

/// Nobody in particular says it: the platform does, or somebody who is gone.
pub(crate) const NOBODY: SessionNumber = 0;

/// A message and who hears it.
pub(crate) struct Addressed {
    pub(crate) tenant: TenantId,
    pub(crate) publication: Publication,
    each: Vec<Subscriber<Reach>>,
    /// Of each group those who take it instead of one another, in the order of their turns.
    groups: Vec<Vec<Subscriber<Reach>>>,
    /// Sessions that are kept whose turn it is in their groups.
    pub(crate) to: Vec<MailboxId>,
}

impl Addressed {
    /// Whether somebody is to have it even if they are away, or have no room for it now.
    pub(crate) fn is_kept(&self) -> bool {
        !self.to.is_empty() || self.each.iter().any(|one| self.publication.is_kept_for(one))
    }

    /// How many hear it.
    pub(crate) fn count(&self) -> usize {
        self.each.len() + self.groups.len()
    }
}

impl Hub {
    /// Finds who hears what the session `from` says, and whose turn it is.
    pub(crate) fn address(
        &self,
        tenant: TenantId,
        publication: Publication,
        from: SessionNumber,
    ) -> Addressed {
        let message = &publication.message;
        let Audience { mut each, groups } = self.tree.matching((tenant, message.space), &message.topic, from);
        each.retain(|one| publication.is_for(one));
        let (mut turns, mut to) = (Vec::new(), Vec::new());
        for mut members in groups {
            members.retain(|one| publication.is_for(one));
            // Who is connected comes before who is away.
            members.sort_by_key(|one| !one.is_connected());
            match members.first() {
                None => continue,
                Some(first) => match &first.target {
                    Reach::Kept(mailbox) if publication.is_kept_for(first) => {
                        to.push(mailbox.id);
                        members.truncate(1);
                    }
                    // One that would have to be in the log to stand in is no help.
                    _ => members.retain(|one| !publication.is_kept_for(one)),
                },
            }
            turns.push(members);
        }
        Addressed { tenant, publication, each, groups: turns, to }
    }

    /// Whether a session that has a connection hears a topic of the platform.
    pub(crate) fn is_heard(&self, tenant: TenantId, topic: &str) -> bool {
        let Audience { each, groups } = self.tree.matching((tenant, Space::Platform), topic, NOBODY);
        each.iter().chain(groups.iter().flatten()).any(Subscriber::is_connected)
    }

    /// Queues a message for everybody who hears it. A subscriber receives it at the lower of its QoS and the QoS of the
    /// subscription. `position`: where it stands in the publication log, where somebody is to have it later.
    pub(crate) fn hand_out(&self, addressed: &Addressed, position: Option<u64>) -> Delivery {
        let Addressed { tenant, publication, each, groups, .. } = addressed;
        let mut delivery = Delivery::default();
        let of_each = each.iter().map(|one| publication.offer(one, position));
        let of_groups = groups.iter().filter_map(|members| publication.offer_one_of(members, position));
        for outcome in of_each.chain(of_groups) {
            match outcome {
                Ok(()) => delivery.queued += 1,
                Err(loss) => {
                    self.metrics.dropped(*tenant, loss, 1);
                    delivery.dropped += 1;
                }
            }
        }
        delivery
    }
}

impl Subscriber<Reach> {
    fn is_connected(&self) -> bool {
        match &self.target {
            Reach::Live(_) => true,
            Reach::Kept(mailbox) => mailbox.is_connected(),
        }
    }
}

impl Publication {
    /// Whether the subscriber may hear it, whatever its filters match. Who is away is asked when they come back.
    fn is_for(&self, subscriber: &Subscriber<Reach>) -> bool {
        match &subscriber.target {
            Reach::Live(outbox) => outbox.may_hear(&self.message),
            Reach::Kept(mailbox) => mailbox.outbox().is_none_or(|outbox| outbox.may_hear(&self.message)),
        }
    }

    /// Whether the subscriber is to have it even if it is away.
    fn is_kept_for(&self, subscriber: &Subscriber<Reach>) -> bool {
        matches!(subscriber.target, Reach::Kept(_)) && self.qos_for(subscriber) != Qos::AtMostOnce
    }

    fn qos_for(&self, subscriber: &Subscriber<Reach>) -> Qos {
        self.qos.min(subscriber.options.qos)
    }

    /// Queues it for a subscriber.
    fn offer(&self, subscriber: &Subscriber<Reach>, position: Option<u64>) -> Result<(), Loss> {
        let outgoing = Outgoing {
            message: Arc::clone(&self.message),
            qos: self.qos_for(subscriber),
            retain: self.retain && subscriber.options.retain_as_published,
            position: None,
            stored: false,
            subscription_ids: subscriber.ids.clone(),
        };
        match &subscriber.target {
            Reach::Live(outbox) => offered(outbox, outgoing),
            Reach::Kept(mailbox) if outgoing.qos == Qos::AtMostOnce => match mailbox.outbox() {
                Some(outbox) => offered(&outbox, outgoing),
                None => Err(Loss::Disconnected),
            },
            Reach::Kept(mailbox) => match position {
                Some(position) => mailbox.offer(outgoing, position),
                None => Err(Loss::QueueFull),
            },
        }
    }

    /// Queues it for the first of a group that takes it; where none does, for the reason of the one whose turn it was. `None`
    /// where there is nobody.
    fn offer_one_of(&self, members: &[Subscriber<Reach>], position: Option<u64>) -> Option<Result<(), Loss>> {
        let mut first = None;
        for member in members {
            match self.offer(member, position) {
                Ok(()) => return Some(Ok(())),
                Err(loss) => first = first.or(Some(Err(loss))),
            }
        }
        first
    }
}

fn offered(outbox: &Outbox, outgoing: Outgoing) -> Result<(), Loss> {
    match outbox.offer(outgoing) {
        Offer::Queued => Ok(()),
        Offer::QueueFull => Err(Loss::QueueFull),
        Offer::SlowConsumer => Err(Loss::SlowConsumer),
        Offer::Disconnected => Err(Loss::Disconnected),
        Offer::TooLarge => Err(Loss::TooLarge),
    }
}
