//! What a client may publish and subscribe to, and where its names live in the tenant.
//!
//! This is the one place that puts a client's own names into the tenant's name space: a device's
//! topics live under `devices/<id>/`, an application's are the tenant's. The tenant itself is not part
//! of any text: it is the root of the subscription tree, so no filter can even name another one.

use std::sync::Arc;

use tenants::TenantId;

use crate::{
    dialect::{Dialect, native::Native},
    gate::{Admission, Channel, Client},
};

/// Levels of a filter; bounds the depth of the subscription tree.
const MAX_LEVELS: usize = 16;

/// What a filter begins with whose subscription is shared; the name of the group follows.
pub(crate) const SHARED: &str = "$share/";

/// Longest topic or filter. The protocol allows 65,535 bytes; nothing here needs more than this.
const MAX_TOPIC_BYTES: usize = 1_024;

/// A valid topic filter in the tenant's name space.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Filter {
    path: Arc<str>,
    /// The group that shares the subscription: each message goes to one of its members.
    group: Option<Arc<str>>,
}

impl Filter {
    pub(crate) fn levels(&self) -> impl Iterator<Item = &str> {
        self.path.split('/')
    }

    pub(crate) fn group(&self) -> Option<&Arc<str>> {
        self.group.as_ref()
    }

    #[cfg(test)]
    pub(crate) fn unchecked(filter: &str) -> Self {
        Self { path: filter.into(), group: None }
    }
}

/// Why a subscription is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FilterError {
    /// Not a topic filter: 0x8F.
    Invalid,
    /// Not this client's business: 0x87.
    Denied,
}

/// The rights of one admitted client.
#[derive(Clone)]
pub(crate) struct Rights {
    tenant: TenantId,
    /// Stands before a device's own topics in the tenant's name space; empty for an application.
    prefix: Arc<str>,
    dialect: Option<&'static dyn Dialect>,
}

impl Rights {
    pub(crate) fn of(admission: &Admission) -> Self {
        let (prefix, dialect): (Arc<str>, Option<&'static dyn Dialect>) = match &admission.client {
            Client::Device(device) => (format!("devices/{device}/").into(), Some(&Native)),
            Client::Application { .. } => ("".into(), None),
        };
        Self { tenant: admission.tenant, prefix, dialect }
    }

    pub(crate) fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// How many bytes of a topic the client does not see.
    pub(crate) fn prefix_bytes(&self) -> usize {
        self.prefix.len()
    }

    /// What a message to `topic` is; `None` when the client may not publish there.
    pub(crate) fn channel(&self, topic: &[u8]) -> Option<Channel> {
        if topic.len() > MAX_TOPIC_BYTES {
            return None;
        }
        self.dialect?.channel(std::str::from_utf8(topic).ok()?)
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
        let allowed = match self.dialect {
            Some(dialect) => dialect.audible().iter().any(|own| covers(own, filter)),
            None => filter.starts_with("feed/"),
        };
        let path = [&self.prefix, filter].concat().into();
        if allowed { Ok(Filter { path, group: group.map(Into::into) }) } else { Err(FilterError::Denied) }
    }
}

/// Whether a text is a topic that the platform may publish to.
pub(crate) fn is_topic(topic: &str) -> bool {
    (1..=MAX_TOPIC_BYTES).contains(&topic.len()) && !topic.contains(['+', '#', '\0'])
}

fn is_filter(filter: &str) -> bool {
    if !(1..=MAX_TOPIC_BYTES).contains(&filter.len()) || filter.contains('\0') {
        return false;
    }
    let last = filter.split('/').count() - 1;
    last < MAX_LEVELS
        && filter.split('/').enumerate().all(|(position, level)| match level {
            "+" => true,
            "#" => position == last,
            _ => !level.contains(['+', '#']),
        })
}

/// Whether every topic that `filter` matches is matched by `own` too. Both are valid filters.
fn covers(own: &str, filter: &str) -> bool {
    let mut wanted = filter.split('/');
    for level in own.split('/') {
        match (level, wanted.next()) {
            ("#", Some(_)) => return true,
            ("+", Some(wanted)) if wanted != "#" => {}
            (level, Some(wanted)) if level == wanted => {}
            _ => return false,
        }
    }
    wanted.next().is_none()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tenants::DeviceId;

    use super::*;
    use crate::tree::tests::matches;

    fn rights(client: Client) -> Rights {
        Rights::of(&Admission { tenant: TenantId::PLATFORM, client })
    }

    fn device(id: &str) -> Rights {
        rights(Client::Device(DeviceId::parse(id).unwrap()))
    }

    fn application() -> Rights {
        rights(Client::Application { name: "ehr".into() })
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
    fn an_application_hears_the_feed_and_says_nothing() {
        let application = application();
        for allowed in ["feed/#", "feed/alarms/+/d1", "feed/+/d1"] {
            assert_eq!(application.filter(allowed), Ok(Filter::unchecked(allowed)));
            let shared = Filter { group: Some("g".into()), ..Filter::unchecked(allowed) };
            assert_eq!(application.filter(&format!("$share/g/{allowed}")), Ok(shared));
        }
        for denied in ["#", "feed", "+/alarms", "feeds/#", "devices/d1/commands/#", "/feed/#", "$SYS/#"] {
            assert_eq!(application.filter(denied), Err(FilterError::Denied), "{denied}");
        }
        for topic in ["telemetry", "feed/alarms/high/1", "devices/d1/telemetry"] {
            assert_eq!(application.channel(topic.as_bytes()), None, "{topic}");
        }
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
