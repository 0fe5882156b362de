//! The filters of one session; they leave the tree with it, however it ends.

use std::sync::Arc;

use super::Session;
use crate::{
    hub::Target,
    topics::Filter,
    tree::{Options, Subscriber},
};

pub(super) struct Subscriptions<'a> {
    session: &'a Session,
    filters: Vec<Filter>,
}

impl<'a> Subscriptions<'a> {
    pub(super) fn new(session: &'a Session) -> Self {
        Self { session, filters: Vec::new() }
    }

    /// Subscribes, or changes options and identifier of a subscription; false when the session has too many.
    pub(super) fn add(&mut self, filter: Filter, options: Options, id: Option<u32>) -> bool {
        let Session { hub, rights, outbox, number, .. } = self.session;
        let full = self.filters.len() >= hub.config.max_subscriptions;
        if full && !self.filters.contains(&filter) {
            return false;
        }
        let (prefix_bytes, denied) = (rights.prefix_bytes(), rights.denied());
        let target = Target { outbox: Arc::clone(outbox), prefix_bytes, denied };
        let subscriber = Subscriber { session: *number, options, ids: id.into_iter().collect(), target };
        if hub.tree.subscribe(rights.tenant(), &filter, subscriber) {
            hub.metrics.subscriptions.inc();
            self.filters.push(filter);
        }
        true
    }

    /// False when there was no such subscription.
    pub(super) fn remove(&mut self, filter: &Filter) -> bool {
        let Some(position) = self.filters.iter().position(|own| own == filter) else { return false };
        let filter = self.filters.swap_remove(position);
        self.forget(&filter);
        true
    }

    fn forget(&self, filter: &Filter) {
        let Session { hub, rights, number, .. } = self.session;
        if hub.tree.unsubscribe(rights.tenant(), filter, *number) {
            hub.metrics.subscriptions.dec();
        }
    }
}

impl Drop for Subscriptions<'_> {
    fn drop(&mut self) {
        for filter in std::mem::take(&mut self.filters) {
            self.forget(&filter);
        }
    }
}
