//! The hospital that a command names.

use tenants::{
    CorrelationId, Tenant, TenantId, TenantSlug,
    audit::{Channel, Origin},
    onboarding::Initiator,
    stores::Tenants,
};

use super::{ACTOR, CliError};
use crate::wiring::Foundation;

/// The hospital with this slug, which is not the platform itself.
pub(super) async fn hospital(foundation: &Foundation, slug: &TenantSlug) -> Result<Tenant, CliError> {
    let found = foundation.database.by_slug(slug).await.map_err(CliError::Store)?;
    let hospital = found.filter(|tenant| tenant.id != TenantId::PLATFORM);
    hospital.ok_or_else(|| CliError::NoTenant { slug: slug.clone() })
}

/// Who acts: whoever may open the database.
pub(super) fn initiator() -> Initiator {
    Initiator {
        actor: ACTOR.to_owned(),
        actor_name: String::new(),
        origin: Origin::new(Channel::Cli, "", ""),
        correlation: CorrelationId::default(),
    }
}
