//! Programs that act for a hospital itself.

use async_graphql::{ID, SimpleObject};
use tenants::{org::OrgTree, service_client as domain};

use super::OrgUnit;
use crate::scalars::DateTime;

/// A program that acts for the hospital itself. It gets access tokens at /oauth/token (OAuth 2 client credentials).
#[derive(SimpleObject)]
pub(crate) struct ServiceClient {
    /// Its client_id.
    id: ID,
    name: String,
    role: String,
    /// Where it holds the role, and everywhere below it.
    unit: Option<OrgUnit>,
    /// The first characters of its secret.
    prefix: String,
    created_at: DateTime,
    /// When it last got an access token; null when never.
    last_used_at: Option<DateTime>,
    /// Null when it has no end.
    expires_at: Option<DateTime>,
    /// Refused since then; null while it may act.
    disabled_at: Option<DateTime>,
}

impl ServiceClient {
    pub(crate) fn new(client: domain::ServiceClient, units: &OrgTree) -> Self {
        Self {
            id: ID(client.id.to_string()),
            name: client.name,
            unit: units.get(client.role.unit).cloned().map(Into::into),
            role: client.role.role.to_string(),
            prefix: client.prefix,
            created_at: client.created_at.into(),
            last_used_at: client.last_used_at.map(Into::into),
            expires_at: client.expires_at.map(Into::into),
            disabled_at: client.disabled_at.map(Into::into),
        }
    }
}
