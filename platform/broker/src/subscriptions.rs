//! The filters of one session.

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tenants::{TenantId, topics::matches};

use crate::{
    hub::{Hub, Reach},
    message::Message,
    topics::Filter,
    tree::{Options, SessionNumber, Subscriber},
};

/// A filter that a session has subscribed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Held {
    pub(crate) filter: Filter,
    pub(crate) options: Options,
    /// The identifier that a v5 client gave it.
    pub(crate) id: Option<u32>,
    /// Where the publication log ended then: what is said later is for it.
    pub(crate) since: u64,
}

/// Whose they are.
pub(crate) struct Place<'a> {
    pub(crate) hub: &'a Hub,
    pub(crate) tenant: TenantId,
    pub(crate) number: SessionNumber,
}

/// What became of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Added {
    New,
    /// It was there; its options are others now.
    Changed,
    /// The session has too many.
    Refused,
}

/// All of a session. They stand in the tree as well.
#[derive(Default)]
pub(crate) struct Subscriptions(Mutex<Vec<Held>>);

impl Subscriptions {
    /// Subscribes who is reached that way, or changes options and identifier of a subscription; `most`: how many there may be.
    pub(crate) fn add(&self, place: &Place<'_>, reach: &Reach, held: &Held, most: usize) -> Added {
        let mut all = self.0.lock();
        let is_full = all.len() >= most;
        let known = all.iter_mut().find(|own| own.filter == held.filter);
        let added = if known.is_some() { Added::Changed } else { Added::New };
        match known {
            Some(own) => *own = Held { since: own.since, ..held.clone() },
            None if is_full => return Added::Refused,
            None => all.push(held.clone()),
        }
        drop(all);
        place.enter(reach, held);
        added
    }

    /// False when there was no such subscription.
    pub(crate) fn remove(&self, place: &Place<'_>, filter: &Filter) -> bool {
        let mut all = self.0.lock();
        let Some(position) = all.iter().position(|own| own.filter == *filter) else { return false };
        all.swap_remove(position);
        drop(all);
        place.leave(filter);
        true
    }

    /// Removes those that are not permitted any more; true when there were some.
    pub(crate) fn keep_only(&self, place: &Place<'_>, permitted: impl Fn(&Filter) -> bool) -> bool {
        let mut all = self.0.lock();
        let (kept, gone): (Vec<_>, Vec<_>) = all.drain(..).partition(|own| permitted(&own.filter));
        *all = kept;
        drop(all);
        gone.iter().for_each(|own| place.leave(&own.filter));
        !gone.is_empty()
    }

    /// Those of a session that is found at start-up.
    pub(crate) fn restore(&self, place: &Place<'_>, reach: &Reach, held: Vec<Held>) {
        held.iter().for_each(|own| place.enter(reach, own));
        *self.0.lock() = held;
    }

    pub(crate) fn all(&self) -> Vec<Held> {
        self.0.lock().clone()
    }

    /// How the session hears a message that stands at `position` in the publication log, with the identifiers of all that
    /// match; `None` where it does not. `in_turn`: whether it was chosen for its groups. `own`: whether it said it itself.
    pub(crate) fn hears(
        &self,
        message: &Message,
        position: u64,
        in_turn: bool,
        own: bool,
    ) -> Option<(Options, Vec<u32>)> {
        let all = self.0.lock();
        let hears = |held: &&Held| {
            held.filter.space() == message.space
                && held.since < position
                && (held.filter.group().is_none() || in_turn)
                && !(own && held.options.no_local)
                && matches(held.filter.path(), &message.topic)
        };
        let mut found = None::<(Options, Vec<u32>)>;
        for held in all.iter().filter(hears) {
            let (options, ids) = found.get_or_insert_with(|| (held.options, Vec::new()));
            *options = options.and(held.options);
            ids.extend(held.id);
        }
        found
    }
}

impl Place<'_> {
    fn enter(&self, reach: &Reach, held: &Held) {
        let Held { filter, options, id, .. } = held;
        let (ids, target) = (id.iter().copied().collect(), reach.clone());
        let subscriber = Subscriber { session: self.number, options: *options, ids, target };
        if self.hub.tree.subscribe(self.tenant, filter, subscriber) {
            self.hub.metrics.subscriptions.inc();
            self.hub.metrics.tenants.of(self.tenant).subscriptions.inc();
        }
    }

    fn leave(&self, filter: &Filter) {
        if self.hub.tree.unsubscribe(self.tenant, filter, self.number) {
            self.hub.metrics.subscriptions.dec();
            self.hub.metrics.tenants.of(self.tenant).subscriptions.dec();
        }
    }
}
