//! The subscription tree: who hears a topic.
//!
//! One tree for each space of a tenant, found before a single level of the topic is looked at, so a match across tenants
//! cannot be expressed. A lookup costs the levels of the topic, not the
//! number of subscriptions.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use ahash::RandomState;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use tenants::TenantId;

use crate::{
    protocol::Qos,
    topics::{Filter, Space},
};

/// Numbers the sessions of this process; a subscription belongs to one.
pub(crate) type SessionNumber = u64;

/// The subscriptions of all tenants. `S` is how a subscriber is reached.
pub(crate) struct Tree<S> {
    /// A root stays when its last subscription goes: removing it could race with a new one.
    roots: RwLock<HashMap<(TenantId, Space), Root<S>, RandomState>>,
}

type Root<S> = Arc<RwLock<Node<S>>>;

/// A subscriber that hears a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subscriber<S> {
    pub(crate) session: SessionNumber,
    pub(crate) options: Options,
    /// Identifiers of its subscriptions that match, where it gave them some.
    pub(crate) ids: Vec<u32>,
    pub(crate) target: S,
}

/// How somebody hears what a filter matches; where several do, the most of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Options {
    /// The highest QoS.
    pub(crate) qos: Qos,
    /// Not what the subscriber says itself.
    pub(crate) no_local: bool,
    /// With the RETAIN flag as it was sent.
    pub(crate) retain_as_published: bool,
}

/// Who hears a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Audience<S> {
    /// Each of them.
    pub(crate) each: Vec<Subscriber<S>>,
    /// Of each group one: the first that takes it, in the order of their turns.
    pub(crate) groups: Vec<Vec<Subscriber<S>>>,
}

struct Node<S> {
    children: HashMap<Box<str>, Node<S>, RandomState>,
    /// The child for `+`.
    any: Option<Box<Node<S>>>,
    /// Filters that end here.
    here: Subscriptions<S>,
    /// Filters that end in `#` here: they match this level and everything below.
    below: Subscriptions<S>,
}

/// Subscriptions to one filter.
struct Subscriptions<S> {
    each: Vec<Subscriber<S>>,
    groups: Vec<Group<S>>,
}

/// Those who share one subscription.
struct Group<S> {
    name: Arc<str>,
    members: Vec<Subscriber<S>>,
    /// Counts the messages, so that each is another one's turn.
    turn: AtomicUsize,
}

impl<S> Default for Tree<S> {
    fn default() -> Self {
        Self { roots: RwLock::default() }
    }
}

impl Options {
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            qos: self.qos.max(other.qos),
            no_local: self.no_local && other.no_local,
            retain_as_published: self.retain_as_published || other.retain_as_published,
        }
    }
}

impl<S> Default for Node<S> {
    fn default() -> Self {
        Self {
            children: HashMap::default(),
            any: None,
            here: Subscriptions::default(),
            below: Subscriptions::default(),
        }
    }
}

impl<S> Default for Subscriptions<S> {
    fn default() -> Self {
        Self { each: Vec::new(), groups: Vec::new() }
    }
}

impl<S> Subscriptions<S> {
    /// Where subscribers of a group, or of none, stand.
    fn list(&mut self, group: Option<&Arc<str>>) -> &mut Vec<Subscriber<S>> {
        let Some(name) = group else { return &mut self.each };
        let found = self.groups.iter().position(|known| known.name == *name);
        let at = found.unwrap_or_else(|| {
            let (name, turn) = (Arc::clone(name), AtomicUsize::new(0));
            self.groups.push(Group { name, members: Vec::new(), turn });
            self.groups.len() - 1
        });
        // It is there: found, or just added.
        self.groups.get_mut(at).map_or(&mut self.each, |group| &mut group.members)
    }

    /// Removes a session's subscription; false when there was none.
    fn remove(&mut self, group: Option<&Arc<str>>, session: SessionNumber) -> bool {
        let Some(name) = group else { return remove_from(&mut self.each, session) };
        let removed = self.groups.iter_mut().find(|known| known.name == *name);
        let removed = removed.is_some_and(|group| remove_from(&mut group.members, session));
        self.groups.retain(|group| !group.members.is_empty());
        removed
    }

    fn is_empty(&self) -> bool {
        self.each.is_empty() && self.groups.is_empty()
    }
}

impl<S: Clone> Group<S> {
    /// Its members, the one whose turn it is first.
    fn in_turn(&self) -> Vec<Subscriber<S>> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.members.len().max(1);
        let (before, from) = self.members.split_at_checked(turn).unwrap_or((&[], &self.members));
        [from, before].concat()
    }
}

impl<S: Clone> Tree<S> {
    /// Adds a subscription, or changes its options and identifier when the session has it already. True when it is new.
    pub(crate) fn subscribe(&self, tenant: TenantId, filter: &Filter, subscriber: Subscriber<S>) -> bool {
        let key = (tenant, filter.space());
        let existing = self.roots.read().get(&key).cloned();
        let root = existing.unwrap_or_else(|| Arc::clone(self.roots.write().entry(key).or_default()));
        let mut root = root.write();
        let list = root.descend(filter.levels()).list(filter.group());
        match list.iter_mut().find(|other| other.session == subscriber.session) {
            Some(own) => {
                *own = subscriber;
                false
            }
            None => {
                list.push(subscriber);
                true
            }
        }
    }

    /// Removes a subscription; false when there was none.
    pub(crate) fn unsubscribe(&self, tenant: TenantId, filter: &Filter, session: SessionNumber) -> bool {
        let root = self.roots.read().get(&(tenant, filter.space())).cloned();
        root.is_some_and(|root| root.write().remove(&mut filter.levels(), filter.group(), session))
    }

    /// Everybody who hears what `from` says on `topic`: each session once, and one more time for each group whose turn it has.
    pub(crate) fn matching(&self, place: (TenantId, Space), topic: &str, from: SessionNumber) -> Audience<S> {
        let (mut each, mut groups) = (Vec::new(), Vec::new());
        self.visit(place, topic, &mut |found| {
            let hears = |one: &&Subscriber<S>| !(one.options.no_local && one.session == from);
            each.extend(found.each.iter().filter(hears).cloned());
            groups.extend(found.groups.iter().map(Group::in_turn));
            false
        });
        if each.len() > 1 {
            each.sort_by_key(|one: &Subscriber<S>| one.session);
            each.dedup_by(|again, first| {
                let same = again.session == first.session;
                if same {
                    first.options = first.options.and(again.options);
                    first.ids.append(&mut again.ids);
                }
                same
            });
        }
        Audience { each, groups }
    }

    /// Whether anybody hears `topic`.
    pub(crate) fn has_subscribers(&self, place: (TenantId, Space), topic: &str) -> bool {
        self.visit(place, topic, &mut |found| !found.is_empty())
    }

    /// Shows the subscriptions to every filter that matches, until `stop` says true.
    fn visit(
        &self,
        place: (TenantId, Space),
        topic: &str,
        stop: &mut dyn FnMut(&Subscriptions<S>) -> bool,
    ) -> bool {
        let Some(root) = self.roots.read().get(&place).cloned() else { return false };
        let root = root.read();
        if topic.starts_with('$') {
            // MQTT 4.7.2: a filter that starts with a wildcard does not match a topic that starts with $.
            let mut levels = topic.split('/');
            let first = levels.next().unwrap_or_default();
            return root.children.get(first).is_some_and(|node| node.visit(levels, stop));
        }
        root.visit(topic.split('/'), stop)
    }
}

impl<S> Node<S> {
    /// Where subscriptions to a filter stand.
    fn descend<'a>(&mut self, levels: impl Iterator<Item = &'a str>) -> &mut Subscriptions<S> {
        let mut node = self;
        for level in levels {
            node = match level {
                "#" => return &mut node.below, // always the last level
                "+" => node.any.get_or_insert_default(),
                _ => node.children.entry(level.into()).or_default(),
            };
        }
        &mut node.here
    }

    /// Removes a session's subscription and the nodes that are empty without it.
    fn remove(
        &mut self,
        levels: &mut dyn Iterator<Item = &str>,
        group: Option<&Arc<str>>,
        session: SessionNumber,
    ) -> bool {
        match levels.next() {
            None => self.here.remove(group, session),
            Some("#") => self.below.remove(group, session),
            Some("+") => {
                let removed = self.any.as_mut().is_some_and(|node| node.remove(levels, group, session));
                self.any.take_if(|node| node.is_empty());
                removed
            }
            Some(level) => {
                let Some(child) = self.children.get_mut(level) else { return false };
                let removed = child.remove(levels, group, session);
                if child.is_empty() {
                    self.children.remove(level);
                }
                removed
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.children.is_empty() && self.any.is_none() && self.here.is_empty() && self.below.is_empty()
    }

    /// Depth is bounded by the filters in the tree, whatever the topic.
    fn visit<'a>(
        &self,
        mut levels: impl Iterator<Item = &'a str> + Clone,
        stop: &mut dyn FnMut(&Subscriptions<S>) -> bool,
    ) -> bool {
        if stop(&self.below) {
            return true;
        }
        let Some(level) = levels.next() else { return stop(&self.here) };
        self.children.get(level).is_some_and(|node| node.visit(levels.clone(), stop))
            || self.any.as_ref().is_some_and(|node| node.visit(levels, stop))
    }
}

fn remove_from<S>(list: &mut Vec<Subscriber<S>>, session: SessionNumber) -> bool {
    let before = list.len();
    list.retain(|one| one.session != session);
    list.len() < before
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use tenants::{DeviceId, topics::TopicFilters};
    use uuid::Uuid;

    use super::*;
    use crate::{
        gate::{Admission, Client, Grants, Speech},
        topics::Rights,
    };

    /// The matching rules of MQTT 4.7, written down naively as the measure of the tree.
    pub(crate) fn matches(filter: &str, topic: &str) -> bool {
        if topic.starts_with('$') && filter.starts_with(['+', '#']) {
            return false;
        }
        let (filter, topic): (Vec<_>, Vec<_>) = (filter.split('/').collect(), topic.split('/').collect());
        for (position, level) in filter.iter().enumerate() {
            match (*level, topic.get(position)) {
                ("#", _) => return true,
                ("+", Some(_)) => {}
                (level, Some(actual)) if level == *actual => {}
                _ => return false,
            }
        }
        filter.len() == topic.len()
    }

    fn tenant(number: u128) -> TenantId {
        TenantId::from_uuid(Uuid::from_u128(number))
    }

    fn application(number: u128) -> Rights {
        let filters: Arc<TopicFilters> =
            Arc::new(TopicFilters { allow: vec!["#".parse().unwrap()], deny: Vec::new() });
        let grants =
            Grants { feed: Some("".into()), subscribe: Some(filters.clone()), publish: Some(filters) };
        let client = Client::Application { name: "a".into() };
        Rights::of(&Admission {
            tenant: tenant(number),
            client,
            speech: Speech::Native,
            until: None,
            behind: Arc::default(),
            grants,
            quotas: None,
        })
    }

    fn platform(number: u128) -> (TenantId, Space) {
        (tenant(number), Space::Platform)
    }

    fn device(number: u128, id: &str, speech: Speech) -> Rights {
        let client = Client::Device(DeviceId::parse(id).unwrap());
        Rights::of(&Admission {
            tenant: tenant(number),
            client,
            speech,
            until: None,
            behind: Arc::default(),
            grants: Grants::default(),
            quotas: None,
        })
    }

    fn subscriber(session: SessionNumber, qos: Qos) -> Subscriber<()> {
        let options = Options { qos, no_local: false, retain_as_published: false };
        Subscriber { session, options, ids: Vec::new(), target: () }
    }

    fn sessions(tree: &Tree<()>, number: u128, topic: &str) -> Vec<SessionNumber> {
        tree.matching(platform(number), topic, 0).each.iter().map(|one| one.session).collect()
    }

    #[test]
    fn a_session_with_overlapping_filters_hears_once_at_its_highest_qos() {
        let tree = Tree::default();
        let feed = |filter: &str| application(1).filter(filter).unwrap();
        assert!(tree.subscribe(tenant(1), &feed("feed/#"), subscriber(7, Qos::AtMostOnce)));
        assert!(tree.subscribe(tenant(1), &feed("feed/+/x"), subscriber(7, Qos::AtLeastOnce)));
        assert!(!tree.subscribe(tenant(1), &feed("feed/#"), subscriber(7, Qos::AtMostOnce)));
        assert_eq!(tree.matching(platform(1), "feed/a/x", 0).each, [subscriber(7, Qos::AtLeastOnce)]);
        let parent = tree.matching(platform(1), "feed", 0).each;
        assert_eq!(parent, [subscriber(7, Qos::AtMostOnce)], "# matches its parent");
        assert!(tree.has_subscribers(platform(1), "feed/b") && !tree.has_subscribers(platform(2), "feed/b"));
        assert!(tree.unsubscribe(tenant(1), &feed("feed/#"), 7));
        assert!(!tree.unsubscribe(tenant(1), &feed("feed/#"), 7));
        assert!(tree.matching(platform(1), "feed/b", 0).each.is_empty());
        assert!(tree.unsubscribe(tenant(1), &feed("feed/+/x"), 7));
        assert!(tree.roots.read()[&platform(1)].read().is_empty(), "empty nodes are removed");
    }

    #[test]
    fn a_session_is_told_every_subscription_that_matched() {
        let tree = Tree::default();
        let subscribe = |filter: &str, qos, ids: &[u32]| {
            let subscriber = Subscriber { ids: ids.to_vec(), ..subscriber(7, qos) };
            tree.subscribe(tenant(1), &application(1).filter(filter).unwrap(), subscriber)
        };
        assert!(subscribe("feed/#", Qos::ExactlyOnce, &[3]) && subscribe("feed/+", Qos::AtMostOnce, &[4]));
        assert!(subscribe("feed/x", Qos::AtLeastOnce, &[]) && subscribe("feed/y", Qos::AtLeastOnce, &[5]));
        assert!(!subscribe("feed/y", Qos::AtLeastOnce, &[6]), "another identifier for the same filter");
        let heard = |topic| {
            let [one]: [Subscriber<()>; 1] = tree.matching(platform(1), topic, 0).each.try_into().unwrap();
            assert_eq!(one.options.qos, Qos::ExactlyOnce);
            let mut ids = one.ids;
            ids.sort_unstable();
            ids
        };
        assert_eq!([heard("feed/x"), heard("feed/y")], [vec![3, 4], vec![3, 4, 6]]);
    }

    #[test]
    fn members_of_a_group_take_turns_and_groups_do_not_know_each_other() {
        let tree = Tree::default();
        let shared = |filter: &str| application(1).filter(filter).unwrap();
        let one = |session| subscriber(session, Qos::AtLeastOnce);
        for session in [1, 2, 3] {
            assert!(tree.subscribe(tenant(1), &shared("$share/g/feed/#"), one(session)));
        }
        assert!(!tree.subscribe(tenant(1), &shared("$share/g/feed/#"), one(3)), "there already");
        assert!(tree.subscribe(tenant(1), &shared("$share/h/feed/#"), one(4)));
        assert!(tree.subscribe(tenant(1), &shared("feed/#"), one(1)), "besides the group");
        let other = application(2);
        assert!(tree.subscribe(tenant(2), &other.filter("$share/g/feed/#").unwrap(), one(5)));
        let turns = |topic: &str| {
            let Audience { each, groups } = tree.matching(platform(1), topic, 0);
            assert_eq!(each, [one(1)]);
            assert_eq!(groups[1], [one(4)], "the other group");
            groups[0].iter().map(|member| member.session).collect::<Vec<_>>()
        };
        assert_eq!([turns("feed/a"), turns("feed/b")], [[1, 2, 3], [2, 3, 1]]);
        assert!(tree.unsubscribe(tenant(1), &shared("$share/g/feed/#"), 2));
        assert!(!tree.unsubscribe(tenant(1), &shared("$share/h/feed/#"), 2));
        assert_eq!([turns("feed/a"), turns("feed/b")], [[1, 3], [3, 1]]);
        for (filter, session) in
            [("$share/g/feed/#", 1), ("$share/g/feed/#", 3), ("$share/h/feed/#", 4), ("feed/#", 1)]
        {
            assert!(tree.unsubscribe(tenant(1), &shared(filter), session));
        }
        assert!(tree.roots.read()[&platform(1)].read().is_empty(), "empty groups are removed");
        assert!(tree.has_subscribers(platform(2), "feed/a") && !tree.has_subscribers(platform(1), "feed/a"));
    }

    #[test]
    fn leading_wildcards_do_not_match_dollar_topics() {
        let tree = Tree::default();
        let raw = |filter: &'static str| Filter::unchecked(filter);
        for (session, filter) in [(1, "#"), (2, "+/a"), (3, "$SYS/#"), (4, "$SYS/+")] {
            tree.subscribe(tenant(1), &raw(filter), subscriber(session, Qos::AtMostOnce));
        }
        assert_eq!(sessions(&tree, 1, "$SYS/a"), [3, 4]);
        assert_eq!(sessions(&tree, 1, "x/a"), [1, 2]);
    }

    fn levels(of: &'static [&'static str]) -> impl Strategy<Value = String> {
        proptest::collection::vec(proptest::sample::select(of), 1..5).prop_map(|levels| levels.join("/"))
    }

    fn filter() -> impl Strategy<Value = String> {
        levels(&["a", "b", "+", "", "$x"]).prop_flat_map(|filter| {
            prop_oneof![Just(filter.clone()), Just(format!("{filter}/#")), Just("#".to_owned())]
        })
    }

    proptest! {
        #[test]
        fn the_tree_agrees_with_the_naive_rules(
            filters in proptest::collection::vec(filter(), 1..12),
            gone in proptest::collection::vec(any::<bool>(), 12),
            topic in levels(&["a", "b", "", "$x"]),
        ) {
            let tree = Tree::default();
            for (session, filter) in (0..).zip(&filters) {
                tree.subscribe(tenant(1), &Filter::unchecked(filter), subscriber(session, Qos::AtMostOnce));
            }
            for ((session, filter), _) in (0..).zip(&filters).zip(&gone).filter(|(_, gone)| **gone) {
                prop_assert!(tree.unsubscribe(tenant(1), &Filter::unchecked(filter), session));
            }
            let expected: Vec<_> = (0..).zip(&filters).zip(&gone)
                .filter(|((_, filter), gone)| !**gone && matches(filter, &topic))
                .map(|((session, _), _)| session)
                .collect();
            prop_assert_eq!(sessions(&tree, 1, &topic), expected);
        }

        #[test]
        fn no_filter_reaches_another_tenant(
            filter in prop_oneof![
                filter(), ".*", "(feed|commands|properties|devices)/[ab+#/]{0,8}",
                "v1/(devices|gateway|[+])(/(me|rpc|attributes|[+#a])){0,4}", "(\\$share/g/)?feed/(#|[+a/]{1,4})",
            ],
            topic in prop_oneof!["(feed|devices/d|devices/e|00000000-0000-0000-0000-000000000002)/[ab/]{0,6}", ".*"],
        ) {
            let tree = Tree::default();
            let devices = Speech::ALL.iter().map(|speech| device(1, "d", *speech));
            for rights in devices.chain([application(1)]) {
                if let Ok(filter) = rights.filter(&filter) {
                    tree.subscribe(rights.tenant(), &filter, subscriber(1, Qos::AtLeastOnce));
                }
            }
            let nobody = Audience { each: Vec::new(), groups: Vec::new() };
            for space in [Space::Platform, Space::Topics] {
                prop_assert_eq!(&tree.matching((tenant(2), space), &topic, 0), &nobody);
                prop_assert!(!tree.has_subscribers((tenant(2), space), &topic));
            }
            // And inside the tenant no device hears its neighbour.
            let neighbour = format!("devices/e/{topic}");
            let heard = tree.matching(platform(1), &neighbour, 0);
            prop_assert!(heard.each.is_empty() && heard.groups.is_empty());
        }
    }
}
