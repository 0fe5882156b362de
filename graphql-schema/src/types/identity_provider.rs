//! Where a hospital's people sign in outside the platform.

use async_graphql::{ID, SimpleObject};
use tenants::{identity_provider as domain, org::OrgTree};

use super::OrgUnit;

/// An OpenID Connect provider. Its client secret is never told.
#[derive(SimpleObject)]
pub(crate) struct IdentityProvider {
    id: ID,
    /// What its button on the sign-in page says.
    name: String,
    /// Its identifier; cannot be changed later, as people are known by it.
    issuer: String,
    /// What it knows this platform as.
    client_id: String,
    /// Whether a client secret is kept.
    has_client_secret: bool,
    /// Access tokens for this audience are bearer tokens of the API.
    api_audience: Option<String>,
    /// What is asked for beside openid.
    scopes: Vec<String>,
    /// The claim that holds a person's groups, e.g. groups or realm_access.roles.
    group_claim: String,
    /// What the members of groups hold.
    roles: Vec<GroupRole>,
    /// What a person holds in the whole hospital of whom no group is known; nobody else gets in when null.
    default_role: Option<String>,
    enabled: bool,
    version: u32,
}

/// A role that the members of a group hold.
#[derive(SimpleObject)]
pub(crate) struct GroupRole {
    /// As the provider names it.
    group: String,
    role: String,
    /// Where, and everywhere below it.
    unit: OrgUnit,
}

/// What a provider answered when it was asked about itself.
#[derive(SimpleObject)]
pub(crate) struct IdentityProviderCheck {
    /// Where browsers are sent.
    authorization_endpoint: String,
    /// Keys that it signs with.
    keys: usize,
    /// Whether it ends its own session when somebody signs out here.
    ends_sessions: bool,
    /// Whether it tells the platform when somebody signs out there (back-channel logout).
    tells_of_logout: bool,
}

impl IdentityProvider {
    pub(crate) fn new(provider: domain::IdentityProvider, units: &OrgTree) -> Self {
        let role = |entry: domain::GroupRole| {
            let unit = units.get(entry.unit)?.clone().into();
            Some(GroupRole { group: entry.group, role: entry.role.to_string(), unit })
        };
        Self {
            id: ID(provider.id.to_string()),
            name: provider.name,
            issuer: provider.issuer,
            client_id: provider.client_id,
            has_client_secret: provider.client_secret.is_some(),
            api_audience: provider.api_audience,
            scopes: provider.scopes,
            group_claim: provider.group_claim,
            roles: provider.roles.into_iter().filter_map(role).collect(),
            default_role: provider.default_role.map(|role| role.to_string()),
            enabled: provider.enabled,
            version: provider.version,
        }
    }
}

impl From<domain::Discovered> for IdentityProviderCheck {
    fn from(found: domain::Discovered) -> Self {
        let domain::Discovered { authorization_endpoint, keys, ends_sessions, tells_of_logout } = found;
        Self { authorization_endpoint, keys, ends_sessions, tells_of_logout }
    }
}
