//! The twins that are awake, by key.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use actix::{Actor, Addr};
use ahash::RandomState;
use dashmap::DashMap;

/// Counts a message as pending for its twin until it is handled or lost.
#[derive(Debug)]
pub(crate) struct Ticket(Arc<Activity>);

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.pending.fetch_sub(1, Ordering::AcqRel);
    }
}

/// What the roster knows of a twin without asking it.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    pending: AtomicUsize,
    /// Something was folded since the last snapshot.
    pub(crate) dirty: AtomicBool,
    /// Told something since the last checkpoint.
    touched: AtomicBool,
}

impl Activity {
    fn ticket(self: &Arc<Self>) -> Ticket {
        self.pending.fetch_add(1, Ordering::AcqRel);
        self.touched.store(true, Ordering::Release);
        Ticket(self.clone())
    }

    /// Whether a snapshot is due. A handler sets `dirty` before its ticket is dropped, so looking at
    /// `pending` first misses nothing.
    fn is_dirty(&self) -> bool {
        self.pending.load(Ordering::Acquire) > 0 || self.dirty.load(Ordering::Acquire)
    }
}

struct Awake<A: Actor> {
    address: Addr<A>,
    activity: Arc<Activity>,
}

/// A twin that a checkpoint has to look at.
pub(crate) struct Seen<A: Actor> {
    pub(crate) address: Addr<A>,
    pub(crate) dirty: bool,
    pub(crate) idle: bool,
}

/// Twins of one kind. Waking, telling and retiring are atomic per key, so no message reaches a twin
/// that is about to go.
pub(crate) struct Roster<K, A: Actor> {
    awake: DashMap<K, Awake<A>, RandomState>,
}

impl<K: std::hash::Hash + Eq + Clone, A: Actor> Default for Roster<K, A> {
    fn default() -> Self {
        Self { awake: DashMap::default() }
    }
}

impl<K: std::hash::Hash + Eq + Clone, A: Actor> Roster<K, A> {
    /// Tells the twin something through `tell`, which must not wait; wakes it with `start` if it sleeps.
    pub(crate) fn tell<T>(
        &self,
        key: &K,
        start: impl FnOnce(Arc<Activity>) -> Addr<A>,
        tell: impl FnOnce(&Addr<A>, Ticket) -> T,
    ) -> T {
        if let Some(awake) = self.awake.get(key) {
            return tell(&awake.address, awake.activity.ticket());
        }
        let awake = self.awake.entry(key.clone()).or_insert_with(|| {
            let activity = Arc::new(Activity::default());
            Awake { address: start(activity.clone()), activity }
        });
        tell(&awake.address, awake.activity.ticket())
    }

    /// Takes a twin off the roster unless a message is on its way to it.
    pub(crate) fn retire(&self, key: &K) -> bool {
        let idle = |awake: &Awake<A>| awake.activity.pending.load(Ordering::Acquire) == 0;
        self.awake.remove_if(key, |_, awake| idle(awake)).is_some()
    }

    /// All twins of the keys that `of` selects, with what has happened since the last look.
    pub(crate) fn look(&self, of: impl Fn(&K) -> bool) -> Vec<Seen<A>> {
        let selected = self.awake.iter().filter(|entry| of(entry.key()));
        let look = selected.map(|entry| Seen {
            address: entry.address.clone(),
            dirty: entry.activity.is_dirty(),
            idle: !entry.activity.touched.swap(false, Ordering::AcqRel),
        });
        look.collect()
    }

    /// Takes all twins of the selected keys off the roster; they stop once they have handled what was sent to them.
    pub(crate) fn dismiss(&self, of: impl Fn(&K) -> bool) {
        self.awake.retain(|key, _| !of(key));
    }

    pub(crate) fn clear(&self) {
        self.awake.clear();
    }
}
