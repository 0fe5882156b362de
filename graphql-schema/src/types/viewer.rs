//! Who is signed in, and where.

use async_graphql::{ID, SimpleObject};

use super::RoleGrant;
use crate::scalars::DateTime;

/// A hospital on the platform.
#[derive(SimpleObject)]
pub(crate) struct Tenant {
    id: ID,
    /// Its name in addresses and user names.
    slug: String,
    name: String,
    /// Cut off since then; null while it is served.
    suspended_since: Option<DateTime>,
}

impl From<tenants::Tenant> for Tenant {
    fn from(tenant: tenants::Tenant) -> Self {
        Self {
            id: ID(tenant.id.to_string()),
            slug: tenant.slug.to_string(),
            name: tenant.name,
            suspended_since: tenant.suspended_since.map(DateTime),
        }
    }
}

/// The signed-in principal and what it may do; the UI shows only what stands in permissions.
#[derive(SimpleObject)]
pub(crate) struct Viewer {
    pub(crate) id: ID,
    pub(crate) email: String,
    pub(crate) display_name: String,
    /// In the order of their names; fewer than the user has where an API token is restricted.
    pub(crate) roles: Vec<RoleGrant>,
    /// Null for operators, who belong to no hospital.
    pub(crate) tenant: Option<Tenant>,
    /// object:action pairs, e.g. alarm:acknowledge
    pub(crate) permissions: Vec<String>,
}
