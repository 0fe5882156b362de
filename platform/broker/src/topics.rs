//! What a client may publish and subscribe to, and where its names live in the tenant.
//!
//! This is the one place that puts a client's own names into the tenant's name space: a device's
//! topics live under `devices/<id>/`, an application's are the tenant's. The tenant itself is not part
//! of any text: it is the root of the subscription tree, so no filter can even name another one.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tenants::{
    DeviceId, TenantId,
    topics::{MAX_TOPIC_BYTES, TopicFilters, is_filter, is_topic},
};

use crate::{
    dialect::{self, Around, Dialect, Errand, Heard, Speaker, Unheard, Uplink, newcomer},
    gate::{Admission, Channel, Client, Grants, Speech, UserProperties},
    session::outbox::View,
};

/// What a filter begins with whose subscription is shared; the name of the group follows.
pub(crate) const SHARED: &str = "$share/";

/// What the topics of the tenant's feed begin with.
const FEED: &str = "feed/";

/// Begins what the broker says of its own work for the tenant.
pub(crate) const SYS: &str = "$SYS/";

/// Among whose names a topic is. A filter matches within its own space only, so that `#` of a program never meets what is
/// addressed to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Space {
    /// The platform's: the feed, and what is addressed to devices.
    Platform,
    /// What programs say to each other.
    Topics,
}

/// What becomes of a message to a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// A device's: it goes to ingest, with what its topic says about it besides.
    Ingest(Channel, UserProperties),
    /// The same of a device that is behind the one that says it.
    OfChild(DeviceId, Channel),
    /// A device's question or answer, at its own topic.
    Request(Arc<str>),
    /// A program's, in the topic space.
    Topic(Arc<str>),
}

/// A valid topic filter in the tenant's name space.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Filter {
    space: Space,
    path: Arc<str>,
    /// The group that shares the subscription: each message goes to one of its members.
    group: Option<Arc<str>>,
}

impl Filter {
    pub(crate) fn space(&self) -> Space {
        self.space
    }

    /// In the tenant's name space, without its group.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn levels(&self) -> impl Iterator<Item = &str> {
        self.path.split('/')
    }

    pub(crate) fn group(&self) -> Option<&Arc<str>> {
        self.group.as_ref()
    }

    #[cfg(test)]
    pub(crate) fn unchecked(filter: &str) -> Self {
        Self { space: Space::Platform, path: filter.into(), group: None }
    }
}

/// Why a subscription is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FilterError {
    /// Not a topic filter: 0x8F.
    Invalid,
    /// Not this client's business: 0x87.
    Denied,
    /// What its token excludes by name: 0x80.
    Excluded,
}

/// The rights of one admitted client.
#[derive(Clone)]
pub(crate) struct Rights {
    tenant: TenantId,
    /// Stands before a device's own topics in the tenant's name space, and before an application's feed.
    prefix: Arc<str>,
    voice: Voice,
    asks_where: bool,
}

/// In which topics a client speaks.
#[derive(Clone)]
enum Voice {
    Device(Speaker, &'static dyn Dialect),
    Application(Grants),
    Newcomer,
}

impl Rights {
    pub(crate) fn of(admission: &Admission) -> Self {
        let (prefix, voice): (Arc<str>, _) = match &admission.client {
            Client::Device(device) => {
                let who = Speaker { device: device.clone(), behind: Arc::clone(&admission.behind) };
                (format!("devices/{device}/").into(), Voice::Device(who, dialect::of(admission.speech)))
            }
            Client::Application { .. } => {
                let grants = admission.grants.clone();
                (grants.feed.clone().unwrap_or_default(), Voice::Application(grants))
            }
            Client::Newcomer { connection } => (format!("newcomers/{connection}/").into(), Voice::Newcomer),
        };
        let asks_where = admission.speech == Speech::Provisioning;
        Self { tenant: admission.tenant, prefix, voice, asks_where }
    }

    /// What an application was granted.
    fn grants(&self) -> Option<&Grants> {
        match &self.voice {
            Voice::Application(grants) => Some(grants),
            Voice::Device(..) | Voice::Newcomer => None,
        }
    }

    /// Filters of the topic space to which the client may subscribe.
    fn subscribable(&self) -> Option<&Arc<TopicFilters>> {
        self.grants()?.subscribe.as_ref()
    }

    /// The same of what it may publish to.
    fn publishable(&self) -> Option<&Arc<TopicFilters>> {
        self.grants()?.publish.as_ref()
    }

    pub(crate) fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// What becomes of a message to `topic`; `None` when the client may not publish there.
    pub(crate) fn route(&self, topic: &[u8]) -> Option<Route> {
        if topic.len() > MAX_TOPIC_BYTES {
            return None;
        }
        let topic = std::str::from_utf8(topic).ok()?;
        match &self.voice {
            Voice::Device(who, dialect) => dialect.uplink(who, topic).map(|uplink| match uplink {
                Uplink::Message(channel) => Route::Ingest(channel, None),
                Uplink::Annotated(channel, properties) => Route::Ingest(channel, Some(properties)),
                Uplink::OfChild(child, channel) => Route::OfChild(child, channel),
                Uplink::Request => Route::Request(topic.into()),
            }),
            Voice::Application(grants) => {
                let allowed = grants.publish.as_ref().is_some_and(|filters| filters.permit(topic));
                (allowed && is_topic(topic)).then(|| Route::Topic(topic.into()))
            }
            Voice::Newcomer => (topic == newcomer::REQUEST).then(|| Route::Request(topic.into())),
        }
    }

    /// What a device means by a question or an answer.
    pub(crate) fn hear(&self, topic: &str, payload: &Bytes, around: &Around<'_>) -> Result<Heard, Unheard> {
        match &self.voice {
            Voice::Device(who, dialect) => dialect.hear(who, topic, payload, around),
            Voice::Newcomer => Ok(newcomer::hear(payload)),
            Voice::Application(_) => Err(Unheard::UNREADABLE),
        }
    }

    /// Whether the client asks where it belongs.
    pub(crate) fn asks_where(&self) -> bool {
        self.asks_where
    }

    /// What is to be done when the client has subscribed to a filter of its own.
    pub(crate) fn welcome(&self, filter: &str) -> Vec<Errand> {
        match &self.voice {
            Voice::Device(who, dialect) => dialect.welcome(who, filter),
            Voice::Application(_) | Voice::Newcomer => Vec::new(),
        }
    }

    /// A topic of the client's own in the tenant's name space.
    pub(crate) fn place(&self, topic: &str) -> String {
        [&self.prefix, topic].concat()
    }

    /// How the client sees topics.
    pub(crate) fn view(&self) -> View {
        let denied = self.subscribable().filter(|filters| !filters.deny.is_empty()).cloned();
        View { prefix_bytes: self.prefix.len(), denied }
    }

    /// Whether the client uses the topic space.
    pub(crate) fn use_topics(&self) -> bool {
        self.subscribable().is_some() || self.publishable().is_some()
    }

    /// Whether the client may have messages retained.
    pub(crate) fn may_retain(&self) -> bool {
        self.publishable().is_some()
    }

    /// Whether the client may still subscribe to a filter that it had.
    pub(crate) fn permit(&self, filter: &Filter) -> bool {
        let path = match filter.space {
            Space::Platform => filter.path.strip_prefix(&*self.prefix),
            Space::Topics => Some(&*filter.path),
        };
        let own = path.map(|own| match &filter.group {
            Some(group) => format!("{SHARED}{group}/{own}"),
            None => own.to_owned(),
        });
        own.is_some_and(|own| self.filter(&own).as_ref() == Ok(filter))
    }

    fn excludes(&self, filter: &Filter) -> bool {
        self.subscribable().is_some_and(|filters| filters.deny(&filter.path))
    }

    /// The client's filter in the tenant's name space, if the client may subscribe to it.
    pub(crate) fn filter(&self, filter: &str) -> Result<Filter, FilterError> {
        let (group, filter) = match filter.strip_prefix(SHARED) {
            Some(shared) => shared.split_once('/').map(|(group, of)| (Some(group), of)),
            None => Some((None, filter)),
        }
        .ok_or(FilterError::Invalid)?;
        if !is_filter(filter) || !group.is_none_or(is_topic) {
            return Err(FilterError::Invalid);
        }
        let (space, allowed) = match &self.voice {
            Voice::Device(who, dialect) => (Space::Platform, dialect.hears(who, filter)),
            Voice::Newcomer => (Space::Platform, filter == newcomer::RESPONSE),
            Voice::Application(grants) => {
                if filter.starts_with(FEED) {
                    (Space::Platform, grants.feed.is_some())
                } else if filter.starts_with(SYS) {
                    (Space::Topics, grants.subscribe.is_some())
                } else {
                    let filters = grants.subscribe.as_ref();
                    (Space::Topics, filters.is_some_and(|filters| filters.permit(filter)))
                }
            }
        };
        let path = match space {
            Space::Platform => self.place(filter).into(),
            Space::Topics => filter.into(),
        };
        let filter = Filter { space, path, group: group.map(Into::into) };
        match allowed {
            true => Ok(filter),
            false if space == Space::Topics && self.excludes(&filter) => Err(FilterError::Excluded),
            false => Err(FilterError::Denied),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tenants::{
        CorrelationId,
        topics::{MAX_LEVELS, covers},
    };

    use super::*;
    use crate::tree::tests::matches;

    fn rights(client: Client, grants: Grants) -> Rights {
        Rights::of(&Admission {
            tenant: TenantId::PLATFORM,
            client,
            speech: Speech::Native,
            until: None,
            behind: Arc::default(),
            grants,
            quotas: None,
        })
    }

    fn filters(allow: &[&str], deny: &[&str]) -> Option<Arc<TopicFilters>> {
        let parsed = |of: &[&str]| of.iter().map(|filter| filter.parse().unwrap()).collect();
        Some(Arc::new(TopicFilters { allow: parsed(allow), deny: parsed(deny) }))
    }

    fn device(id: &str) -> Rights {
        rights(Client::Device(DeviceId::parse(id).unwrap()), Grants::default())
    }

    fn application(grants: Grants) -> Rights {
        rights(Client::Application { name: "ehr".into() }, grants)
    }

    #[test]
    fn filters_of_a_device() {
        let device = device("d1");
        for allowed in [
            "properties/desired",
            "properties/result/+",
            "properties/result/7",
            "commands/#",
            "commands/+/+",
            "commands/reboot/+",
            "commands/reboot/#",
        ] {
            let expected = Filter::unchecked(&format!("devices/d1/{allowed}"));
            assert_eq!(device.filter(allowed), Ok(expected), "{allowed}");
        }
        let refused = [
            ("#", FilterError::Denied),
            ("+/#", FilterError::Denied),
            ("+/desired", FilterError::Denied),
            ("properties/#", FilterError::Denied),
            ("properties/+", FilterError::Denied),
            ("properties/result/#", FilterError::Denied),
            ("telemetry", FilterError::Denied),
            ("feed/#", FilterError::Denied),
            ("devices/d2/commands/#", FilterError::Denied),
            ("/commands/#", FilterError::Denied),
            ("$SYS/#", FilterError::Denied),
            ("$share/g/telemetry", FilterError::Denied),
            ("$share/g/$share/g/commands/#", FilterError::Denied),
            ("$share/g", FilterError::Invalid),
            ("$share//commands/#", FilterError::Invalid),
            ("$share/+/commands/#", FilterError::Invalid),
            ("$share/g#/commands/#", FilterError::Invalid),
            ("$share/g/", FilterError::Invalid),
            ("", FilterError::Invalid),
            ("commands/#/x", FilterError::Invalid),
            ("commands/a+", FilterError::Invalid),
            ("commands/\0", FilterError::Invalid),
        ];
        for (filter, error) in refused {
            assert_eq!(device.filter(filter), Err(error), "{filter}");
        }
        assert_eq!(device.filter(&"c/".repeat(MAX_LEVELS)), Err(FilterError::Invalid), "too deep");
    }

    #[test]
    fn a_newcomer_hears_its_own_answer() {
        let newcomer = |id| rights(Client::Newcomer { connection: CorrelationId(id) }, Grants::default());
        let heard = newcomer(1).filter("/provision/response").unwrap();
        assert_eq!(heard.path(), newcomer(1).place("/provision/response"));
        assert_ne!(newcomer(2).filter("/provision/response"), Ok(heard));
        assert!(!newcomer(1).use_topics() && !newcomer(1).may_retain());
    }

    #[test]
    fn an_application_hears_the_feed_and_says_nothing() {
        let application = application(Grants { feed: Some("".into()), ..Grants::default() });
        for allowed in ["feed/#", "feed/alarms/+/d1", "feed/+/d1"] {
            assert_eq!(application.filter(allowed), Ok(Filter::unchecked(allowed)));
            let shared = Filter { group: Some("g".into()), ..Filter::unchecked(allowed) };
            assert_eq!(application.filter(&format!("$share/g/{allowed}")), Ok(shared));
        }
        for denied in ["#", "feed", "+/alarms", "feeds/#", "devices/d1/commands/#", "/feed/#", "$SYS/#"] {
            assert_eq!(application.filter(denied), Err(FilterError::Denied), "{denied}");
        }
        for topic in ["telemetry", "feed/alarms/high/1", "devices/d1/telemetry"] {
            assert_eq!(application.route(topic.as_bytes()), None, "{topic}");
        }
    }

    #[test]
    fn an_application_uses_as_much_of_the_topic_space_as_its_token_says() {
        let (subscribe, publish) = (filters(&["lab/#"], &["lab/private"]), filters(&["lab/orders/+"], &[]));
        let application = application(Grants { feed: None, subscribe, publish });
        for (filter, expected) in [
            ("lab/#", Ok(Space::Topics)),
            ("$share/g/lab/+", Ok(Space::Topics)),
            ("lab/private", Err(FilterError::Excluded)),
            ("#", Err(FilterError::Denied)),
            ("feed/#", Err(FilterError::Denied)),
            ("devices/#", Err(FilterError::Denied)),
            ("$SYS/#", Ok(Space::Topics)),
            ("$SYS", Err(FilterError::Denied)),
        ] {
            assert_eq!(application.filter(filter).map(|found| found.space()), expected, "{filter}");
        }
        for (topic, expected) in
            [("lab/orders/1", true), ("lab/orders", false), ("lab/x", false), ("feed/x", false)]
        {
            assert_eq!(
                application.route(topic.as_bytes()),
                expected.then(|| Route::Topic(topic.into())),
                "{topic}"
            );
        }
        assert!(application.view().denied.is_some() && application.may_retain());
    }

    #[test]
    fn a_filter_is_permitted_while_it_could_be_subscribed_to() {
        let device = device("d1");
        let held = |filter: &str| device.filter(filter).unwrap();
        for filter in ["commands/#", "$share/g/commands/reboot/+"] {
            assert!(device.permit(&held(filter)), "{filter}");
        }
        let grants = |allow: &str| Grants { subscribe: filters(&[allow], &[]), ..Grants::default() };
        let (before, now) = (application(grants("lab/#")), application(grants("lab/orders/#")));
        for (filter, expected) in [("lab/#", false), ("lab/orders/1", true), ("$share/g/lab/x", false)] {
            assert_eq!(now.permit(&before.filter(filter).unwrap()), expected, "{filter}");
        }
        assert!(!device.permit(&before.filter("lab/#").unwrap()));
    }

    fn text() -> impl Strategy<Value = String> {
        let level = prop_oneof![
            "commands",
            "properties",
            "desired",
            "result",
            "feed",
            "devices",
            "d1",
            "\\+",
            "#",
            ""
        ];
        proptest::collection::vec(level, 1..6).prop_map(|levels| levels.join("/"))
    }

    proptest! {
        #[test]
        fn a_covered_filter_matches_no_more(own in text(), filter in text(), topic in text()) {
            prop_assume!(is_filter(&own) && is_filter(&filter) && is_topic(&topic));
            if covers(&own, &filter) && matches(&filter, &topic) {
                prop_assert!(matches(&own, &topic), "{own} covers {filter} but does not match {topic}");
            }
        }

        #[test]
        fn no_filter_of_a_device_reaches_beyond_the_device(
            root in prop_oneof!["", "commands/", "properties/", "devices/d2/"],
            filter in text(),
            device_or_not in prop_oneof!["", "devices/d1/", "devices/d2/", "feed/"],
            topic in text(),
        ) {
            let topic = format!("{device_or_not}{root}{topic}");
            prop_assume!(is_topic(&topic));
            if let Ok(filter) = device("d1").filter(&format!("{root}{filter}")) {
                prop_assert!(!matches(&filter.path, &topic) || topic.starts_with("devices/d1/"), "{filter:?} {topic}");
            }
        }
    }
}
