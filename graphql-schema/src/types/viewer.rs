//! Who is signed in, and where.

use async_graphql::{ComplexObject, Context, ID, SimpleObject};
use tenants::{
    TenantId,
    access::{Action, Object as Thing},
    enrolment::id_scope,
};

use super::{ActingAs, RoleGrant};
use crate::{context::RequestContext, errors::Result, scalars::DateTime};

/// A hospital on the platform.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct Tenant {
    #[graphql(skip)]
    key: TenantId,
    id: ID,
    /// Its name in addresses and user names.
    slug: String,
    /// What devices know it by that ask a Device Provisioning Service where they belong.
    id_scope: String,
    name: String,
    /// ISO 3166-1 country code; null when nobody said.
    region: Option<String>,
    /// BCP 47 language tag, in which its times and dates are written; null for that of whoever looks.
    locale: Option<String>,
    /// IANA time zone; null for that of whoever looks.
    time_zone: Option<String>,
    /// Cut off since then; null while it is served.
    suspended_since: Option<DateTime>,
    /// When everything that is kept for it was exported last.
    exported_at: Option<DateTime>,
    /// It leaves since then, for good; null while it stays.
    departed_since: Option<DateTime>,
    /// Everything but its name and its audit trail was deleted then.
    erased_at: Option<DateTime>,
}

/// What seals a hospital's secrets and what identifies its patients.
#[derive(SimpleObject)]
pub(crate) struct DataKey {
    /// Counts up with each rotation.
    version: u32,
    created_at: DateTime,
}

#[ComplexObject]
impl Tenant {
    /// The newest data key; operators only. Null before anything was sealed, and once the hospital has left.
    async fn data_key(&self, ctx: &Context<'_>) -> Result<Option<DataKey>> {
        ctx.grant(Thing::Tenant, Action::Read).await?;
        let newest = ctx.services()?.keys.newest(self.key).await?;
        Ok(newest.map(|(version, made_at)| DataKey { version, created_at: DateTime(made_at) }))
    }
}

impl From<tenants::Tenant> for Tenant {
    fn from(tenant: tenants::Tenant) -> Self {
        Self {
            key: tenant.id,
            id: ID(tenant.id.to_string()),
            slug: tenant.slug.to_string(),
            id_scope: id_scope(tenant.id),
            region: tenant.locality.region().map(str::to_owned),
            locale: tenant.locality.locale().map(str::to_owned),
            time_zone: tenant.locality.time_zone().map(str::to_owned),
            name: tenant.name,
            suspended_since: tenant.suspended_since.map(DateTime),
            exported_at: tenant.exported_at.map(DateTime),
            departed_since: tenant.departure.map(|departure| DateTime(departure.since)),
            erased_at: tenant.departure.and_then(|departure| departure.erased_at).map(DateTime),
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
    /// How an operator comes to act in this hospital; null for everybody else.
    pub(crate) acting: Option<ActingAs>,
}
