//! From a message to all who hear it.

use std::sync::Arc;

use tenants::TenantId;

use crate::{
    hub::{Hub, Target},
    message::{Outgoing, Publication},
    metrics::Loss,
    session::outbox::Offer,
    tree::{Audience, SessionNumber, Subscriber},
};

/// What became of a message, counted in subscribers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Queued for sending.
    pub queued: usize,
    /// Dropped; the metrics say why.
    pub dropped: usize,
}

/// Nobody in particular says it: the platform does, or somebody who is gone.
pub(crate) const NOBODY: SessionNumber = 0;

impl Hub {
    /// Queues a message that the session `from` says for everybody who hears it. A subscriber receives it at the lower of its
    /// QoS and the QoS of the subscription.
    pub(crate) fn deliver(
        &self,
        tenant: TenantId,
        publication: &Publication,
        from: SessionNumber,
    ) -> Delivery {
        let (mut delivery, message) = (Delivery::default(), &publication.message);
        let Audience { each, groups } = self.tree.matching((tenant, message.space), &message.topic, from);
        let of_each = each.iter().filter(|one| publication.is_for(one)).map(|one| publication.offer(one));
        let of_groups = groups.iter().filter_map(|members| publication.offer_one_of(members));
        for outcome in of_each.chain(of_groups) {
            match outcome {
                Ok(()) => delivery.queued += 1,
                Err(loss) => {
                    self.metrics.dropped(loss, 1);
                    delivery.dropped += 1;
                }
            }
        }
        delivery
    }
}

impl Publication {
    /// Whether the subscriber may hear it, whatever its filters match.
    fn is_for(&self, subscriber: &Subscriber<Target>) -> bool {
        !subscriber.target.denied.as_ref().is_some_and(|filters| filters.deny(&self.message.topic))
    }

    /// Queues it for a subscriber.
    fn offer(&self, subscriber: &Subscriber<Target>) -> Result<(), Loss> {
        let outgoing = Outgoing {
            message: Arc::clone(&self.message),
            qos: self.qos.min(subscriber.options.qos),
            retain: self.retain && subscriber.options.retain_as_published,
            prefix_bytes: subscriber.target.prefix_bytes,
            subscription_ids: subscriber.ids.clone(),
        };
        match subscriber.target.outbox.offer(outgoing) {
            Offer::Queued => Ok(()),
            Offer::QueueFull => Err(Loss::QueueFull),
            Offer::SlowConsumer => Err(Loss::SlowConsumer),
            Offer::Disconnected => Err(Loss::Disconnected),
            Offer::TooLarge => Err(Loss::TooLarge),
        }
    }

    /// Queues it for the first of a group that takes it; where none does, for the reason of the one whose turn it was. `None`
    /// where nobody of them may hear it.
    fn offer_one_of(&self, members: &[Subscriber<Target>]) -> Option<Result<(), Loss>> {
        let mut first = None;
        for member in members.iter().filter(|member| self.is_for(member)) {
            match self.offer(member) {
                Ok(()) => return Some(Ok(())),
                Err(loss) => first = first.or(Some(Err(loss))),
            }
        }
        first
    }
}
