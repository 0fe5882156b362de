//! Topics and topic filters of MQTT, and which of a hospital's topic space a program may use.
//!
//! The topic space is what a hospital's programs say to each other: any topic but the platform's own (`feed`, `devices`)
//! and those that the protocol keeps for servers (`$SYS`, `$share`). A hospital is not part of any topic, so no filter can
//! name another one's.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::ids::IdError;

/// Levels of a filter; bounds the depth of a subscription tree.
pub const MAX_LEVELS: usize = 16;

/// Longest topic or filter, in bytes. The protocol allows 65,535; nothing here needs more than this.
pub const MAX_TOPIC_BYTES: usize = 1_024;

/// First levels that are not the topic space's.
const RESERVED: [&str; 4] = ["feed", "devices", "$SYS", "$share"];

/// Whether a text is a topic: what a message can be published to.
pub fn is_topic(topic: &str) -> bool {
    (1..=MAX_TOPIC_BYTES).contains(&topic.len()) && !topic.contains(['+', '#', '\0'])
}

/// Whether a text is a topic filter: what can be subscribed to (MQTT 5, 4.7).
pub fn is_filter(filter: &str) -> bool {
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

/// Whether a topic or filter belongs to the platform or the protocol, not to the topic space.
pub fn is_reserved(topic: &str) -> bool {
    topic.split('/').next().is_some_and(|first| RESERVED.contains(&first))
}

/// Whether every topic that `filter` matches is named by `own` too. Both are valid filters; a topic is one that matches itself.
/// As a right, `#` names every topic, those that begin with `$` too.
pub fn covers(own: &str, filter: &str) -> bool {
    let mut wanted = filter.split('/');
    for level in own.split('/') {
        match (level, wanted.next()) {
            ("#", _) => return true,
            ("+", Some(wanted)) if wanted != "#" => {}
            (level, Some(wanted)) if level == wanted => {}
            _ => return false,
        }
    }
    wanted.next().is_none()
}

/// Whether a filter matches a topic (MQTT 5, 4.7): one that begins with a wildcard none that begins with `$`.
pub fn matches(filter: &str, topic: &str) -> bool {
    !(topic.starts_with('$') && filter.starts_with(['+', '#'])) && covers(filter, topic)
}

/// A valid topic filter.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TopicFilter(Arc<str>);

impl TopicFilter {
    /// Reads a filter of the topic space.
    ///
    /// # Errors
    /// When it is no topic filter, or names what is not of the topic space.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let expected = "1 to 1,024 bytes in at most 16 levels, + as a whole level, # as the last one, \
                        not beginning with feed, devices, $SYS or $share";
        if is_filter(text) && !is_reserved(text) {
            Ok(Self(text.into()))
        } else {
            Err(IdError::new("topic filter", expected, text))
        }
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TopicFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TopicFilter {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for TopicFilter {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        Self::parse(&text)
    }
}

impl From<TopicFilter> for String {
    fn from(filter: TopicFilter) -> Self {
        filter.as_str().to_owned()
    }
}

/// Which topics of the topic space a program may use: what one of `allow` names and none of `deny`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicFilters {
    /// What it may use; with none of them, nothing.
    pub allow: Vec<TopicFilter>,
    /// What of that it may not.
    pub deny: Vec<TopicFilter>,
}

impl TopicFilters {
    /// Filters of each kind that there may be.
    pub const MAX: usize = 32;

    /// Whether messages of a topic may be published and heard, or a filter be subscribed to: one of `allow` names all of it.
    /// A filter may match more than is permitted where `deny` names a part of it; what is delivered is asked about again.
    pub fn permit(&self, topic: &str) -> bool {
        !is_reserved(topic) && any_covers(&self.allow, topic) && !self.deny(topic)
    }

    /// Whether `deny` names the topic.
    pub fn deny(&self, topic: &str) -> bool {
        any_covers(&self.deny, topic)
    }
}

fn any_covers(filters: &[TopicFilter], topic: &str) -> bool {
    filters.iter().any(|own| covers(own.as_str(), topic))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters(allow: &[&str], deny: &[&str]) -> TopicFilters {
        let parsed = |of: &[&str]| of.iter().map(|filter| TopicFilter::parse(filter).unwrap()).collect();
        TopicFilters { allow: parsed(allow), deny: parsed(deny) }
    }

    #[test]
    fn filters_of_the_topic_space() {
        for valid in ["#", "+", "/", "//", "a/+/b/#", "/#", "+/feed", "$app/x", "ü/🏥", "feeds"] {
            assert_eq!(TopicFilter::parse(valid).map(String::from), Ok(valid.to_owned()));
        }
        let (deep, long) = ("a/".repeat(MAX_LEVELS), "x".repeat(MAX_TOPIC_BYTES + 1));
        for bad in [
            "",
            "a#",
            "#/a",
            "a/b+",
            "\0",
            &deep,
            &long,
            "feed",
            "feed/#",
            "devices/d",
            "$SYS/#",
            "$share/g/a",
        ] {
            assert!(TopicFilter::parse(bad).unwrap_err().to_string().contains("topic filter"), "{bad}");
        }
    }

    #[test]
    fn what_is_denied_is_not_allowed() {
        let rights = filters(&["lab/#", "ward/+/note"], &["lab/private/#"]);
        for (topic, expected) in [
            ("lab", true),
            ("lab/a", true),
            ("lab/private", false),
            ("lab/private/x", false),
            ("ward/3/note", true),
            ("ward/3/note/x", false),
            ("ward", false),
            ("other", false),
        ] {
            assert_eq!(rights.permit(topic), expected, "{topic}");
        }
        assert!(rights.permit("lab/#"), "what is denied of it is not delivered");
        assert!(!rights.permit("lab/private/+") && !rights.permit("#"));
        assert!(!TopicFilters::default().permit("lab"));
    }

    #[test]
    fn everything_is_all_but_what_is_reserved() {
        let all = filters(&["#"], &[]);
        for topic in ["a", "/", "$app/x", "feeds", "Feed"] {
            assert!(all.permit(topic), "{topic}");
        }
        for topic in ["feed", "feed/alarms", "devices/d/telemetry", "$SYS", "$SYS/x", "$share/g/a"] {
            assert!(!all.permit(topic), "{topic}");
        }
    }

    #[test]
    fn what_filters_match() {
        for (filter, topic, expected) in [
            ("a/b", "a/b", true),
            ("a/#", "a", true),
            ("a/#", "a/b/c", true),
            ("a/+", "a/", true),
            ("+/+", "/", true),
            ("+", "/a", false),
            ("a/+", "a", false),
            ("#", "$SYS/x", false),
            ("+/x", "$SYS/x", false),
            ("$SYS/#", "$SYS/x", true),
        ] {
            assert_eq!(matches(filter, topic), expected, "{filter} {topic}");
        }
    }

    #[test]
    fn they_are_kept_as_json() {
        let rights = filters(&["a/#"], &["a/b"]);
        let text = serde_json::to_string(&rights).unwrap();
        assert_eq!(text, r#"{"allow":["a/#"],"deny":["a/b"]}"#);
        assert_eq!(serde_json::from_str::<TopicFilters>(&text).unwrap(), rights);
        assert!(serde_json::from_str::<TopicFilters>(r#"{"allow":["feed/#"],"deny":[]}"#).is_err());
    }
}
