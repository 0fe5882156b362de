//! The newest message of each topic that was sent to be retained.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
    sync::Arc,
};

use ahash::RandomState;
use jiff::Timestamp;
use parking_lot::Mutex;
use tenants::{TenantId, topics::matches};

use crate::message::Publication;

/// All retained messages. They are changed by the exchange alone; sessions only ask whether there is room.
#[derive(Default)]
pub(crate) struct Retained(Mutex<HashMap<TenantId, OfTenant, RandomState>>);

#[derive(Default)]
struct OfTenant {
    by_topic: BTreeMap<Arc<str>, Publication>,
    bytes: usize,
}

/// How many there may be of a tenant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

impl Retained {
    /// Whether one more message fits. It is an estimate: what is on its way does not count yet.
    pub(crate) fn has_room(&self, tenant: TenantId, publication: &Publication, room: Room) -> bool {
        let all = self.0.lock();
        let Some(of) = all.get(&tenant) else { return true };
        let before = of.by_topic.get(&publication.message.topic).map_or(0, size);
        let is_new = usize::from(before == 0);
        of.by_topic.len() + is_new <= room.messages && of.bytes - before + size(publication) <= room.bytes
    }

    /// Keeps a message instead of the one of its topic, or none when it is empty.
    pub(crate) fn put(&self, tenant: TenantId, publication: &Publication) {
        let mut all = self.0.lock();
        let of = all.entry(tenant).or_default();
        let message = &publication.message;
        let before = if message.payload.is_empty() {
            of.by_topic.remove(&message.topic)
        } else {
            of.bytes += size(publication);
            of.by_topic.insert(Arc::clone(&message.topic), publication.clone())
        };
        of.bytes -= before.as_ref().map_or(0, size);
    }

    /// Those of topics that a filter matches, by topic, less those that have expired.
    pub(crate) fn matching(&self, tenant: TenantId, filter: &str, now: Timestamp) -> Vec<Publication> {
        let all = self.0.lock();
        let Some(of) = all.get(&tenant) else { return Vec::new() };
        // All topics that it can match begin with what stands before its first wildcard; `a/#` matches `a` too.
        let fixed = filter.split(['+', '#']).next().unwrap_or_default().trim_end_matches('/');
        let from: (Bound<&str>, Bound<&str>) = (Bound::Included(fixed), Bound::Unbounded);
        let candidates = of.by_topic.range::<str, _>(from).take_while(|(topic, _)| topic.starts_with(fixed));
        let lasts = |one: &Publication| one.message.expires_at.is_none_or(|end| now < end);
        let found = candidates.filter(|(topic, one)| matches(filter, topic) && lasts(one));
        found.map(|(_, publication)| publication.clone()).collect()
    }

    /// How many there are of a tenant.
    pub(crate) fn count(&self, tenant: TenantId) -> usize {
        self.0.lock().get(&tenant).map_or(0, |of| of.by_topic.len())
    }

    /// The tenant has left.
    pub(crate) fn forget(&self, tenant: TenantId) {
        self.0.lock().remove(&tenant);
    }
}

fn size(publication: &Publication) -> usize {
    let message = &publication.message;
    message.topic.len() + message.payload.len() + message.properties.len()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{message::Message, protocol::Qos, topics::Space};

    const TENANT: TenantId = TenantId::PLATFORM;

    fn publication(topic: &str, payload: &str, expires_at: Option<Timestamp>) -> Publication {
        let (payload, properties) = (Bytes::from(payload.to_owned()), Bytes::new());
        let message = Message { space: Space::Topics, topic: topic.into(), payload, properties, expires_at };
        Publication { message: Arc::new(message), qos: Qos::AtLeastOnce, retain: true }
    }

    #[test]
    fn the_newest_of_each_topic_is_found_by_filters() {
        let retained = Retained::default();
        let later = Timestamp::from_second(100).unwrap();
        for (topic, payload) in
            [("a", "1"), ("a/b", "1"), ("a/b/c", "1"), ("ab", "1"), ("b", "1"), ("$x/a", "1")]
        {
            retained.put(TENANT, &publication(topic, payload, None));
        }
        retained.put(TENANT, &publication("a/b", "22", None));
        retained.put(TENANT, &publication("old", "1", Some(later)));
        let found = |filter: &str, now: Timestamp| {
            let found = retained.matching(TENANT, filter, now);
            found.iter().map(|one| one.message.topic.to_string()).collect::<Vec<_>>().join(" ")
        };
        let soon = Timestamp::from_second(99).unwrap();
        for (filter, expected) in [
            ("#", "a a/b a/b/c ab b old"),
            ("a/#", "a a/b a/b/c"),
            ("a/+", "a/b"),
            ("+", "a ab b old"),
            ("+/b/#", "a/b a/b/c"),
            ("a/b", "a/b"),
            ("$x/#", "$x/a"),
            ("c/#", ""),
        ] {
            assert_eq!(found(filter, soon), expected, "{filter}");
        }
        assert_eq!(found("old", later), "");
        assert_eq!(retained.matching(TENANT, "a/b", soon)[0].message.payload, "22");
        retained.put(TENANT, &publication("a/b", "", None));
        assert_eq!(found("a/b", soon), "");
        retained.put(TENANT, &publication("never", "", None));
    }

    #[test]
    fn room_is_counted_in_messages_and_bytes() {
        let retained = Retained::default();
        let room = Room { messages: 2, bytes: 10 };
        let fits =
            |topic: &str, payload: &str| retained.has_room(TENANT, &publication(topic, payload, None), room);
        assert!(fits("a", "1"));
        retained.put(TENANT, &publication("a", "123", None));
        retained.put(TENANT, &publication("b", "123", None));
        assert_eq!(retained.count(TENANT), 2);
        assert!(!fits("c", "1"), "a third");
        assert!(fits("a", "12345") && !fits("a", "123456"), "another one instead");
        retained.put(TENANT, &publication("a", "", None));
        assert_eq!(retained.count(TENANT), 1);
        assert!(fits("c", "1"));
    }
}
