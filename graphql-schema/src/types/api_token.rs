//! What a person gave to programs.

use async_graphql::{ID, SimpleObject};
use tenants::{api_token as domain, org::OrgTree, topics as domain_topics};

use super::OrgUnit;
use crate::scalars::DateTime;

/// Topics of the hospital's topic space: what one of `allow` names and none of `deny`.
#[derive(SimpleObject)]
pub(crate) struct TopicFilters {
    /// Topic filters of MQTT; `#` is every topic but the platform's own.
    allow: Vec<String>,
    deny: Vec<String>,
}

impl From<domain_topics::TopicFilters> for TopicFilters {
    fn from(filters: domain_topics::TopicFilters) -> Self {
        let written = |of: Vec<domain_topics::TopicFilter>| of.into_iter().map(String::from).collect();
        Self { allow: written(filters.allow), deny: written(filters.deny) }
    }
}

/// An API token. Its secret is told once, when it is made.
#[derive(SimpleObject)]
pub(crate) struct ApiToken {
    id: ID,
    name: String,
    /// The first characters of its secret, by which its owner recognises it.
    prefix: String,
    /// Which of its owner's roles it has; null where it has all of them.
    role: Option<String>,
    /// Where at most, and everywhere below it; null where the unit is gone, too: then it has no rights.
    unit: Option<OrgUnit>,
    /// What of the hospital's topic space it may use over MQTT, as far as its role may; null for nothing of it.
    topics: Option<TopicFilters>,
    created_at: DateTime,
    /// To about a minute; null when it was never used.
    last_used_at: Option<DateTime>,
    /// Null for what the platform itself has given out.
    expires_at: Option<DateTime>,
}

impl ApiToken {
    pub(crate) fn new(token: domain::ApiToken, units: &OrgTree) -> Self {
        let restriction = token.restriction.as_ref();
        Self {
            id: ID(token.id.to_string()),
            role: restriction.map(|of| of.role.to_string()),
            unit: restriction.and_then(|of| units.get(of.unit)).cloned().map(Into::into),
            topics: token.topics.map(Into::into),
            name: token.name,
            prefix: token.prefix,
            created_at: token.created_at.into(),
            last_used_at: token.last_used_at.map(Into::into),
            expires_at: token.expires_at.map(Into::into),
        }
    }
}
