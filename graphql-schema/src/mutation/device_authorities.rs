//! Enrolling certificate authorities, and telling what they have taken back.

use async_graphql::{Context, ID, Object};
use tenants::{AuthorityId, access::Scope, audit::AuditEntry, device_authority as domain};

use crate::{
    arguments,
    context::RequestContext,
    errors::{ApiError, Result},
    types::DeviceAuthority,
};

#[derive(Default)]
pub(super) struct DeviceAuthorityMutation;

#[Object]
impl DeviceAuthorityMutation {
    /// Adds an authority by its certificate, in PEM. Its devices are let in once it is proven that somebody has its key.
    async fn add_device_authority(&self, ctx: &Context<'_>, certificate: String) -> Result<DeviceAuthority> {
        let scope = ctx.any_device().await?;
        let services = ctx.services()?;
        let authority = services.certificates.authority(&certificate)?;
        let entry = audit(ctx, &scope, "authority.add", &authority)?;
        services.authorities.add_authority(&scope, &authority, &entry).await?;
        Ok(authority.into())
    }

    /// Proves that somebody has an authority's key, by a certificate in PEM that it has signed and whose common name is the
    /// challenge. From then on its devices are let in.
    async fn prove_device_authority(
        &self,
        ctx: &Context<'_>,
        id: ID,
        certificate: String,
    ) -> Result<DeviceAuthority> {
        let scope = ctx.any_device().await?;
        let services = ctx.services()?;
        let authority = found(ctx, &scope, &id).await?;
        services.certificates.proves(&authority, &certificate)?;
        let entry = audit(ctx, &scope, "authority.prove", &authority)?;
        services.authorities.prove_authority(&scope, authority.id, services.clock.now(), &entry).await?;
        services.revocations.tell(scope.tenant());
        Ok(found(ctx, &scope, &id).await?.into())
    }

    /// Refuses the certificates that a revocation list of the authority names, in PEM; devices that are connected with one are
    /// cut off at once. It replaces the list that there was, which must not be newer.
    async fn set_revocation_list(&self, ctx: &Context<'_>, id: ID, list: String) -> Result<DeviceAuthority> {
        let scope = ctx.any_device().await?;
        let services = ctx.services()?;
        let authority = found(ctx, &scope, &id).await?;
        let list = services.certificates.revocations(&authority, &list)?;
        let entry = audit(ctx, &scope, "authority.revoke", &authority)?;
        let entry = entry.with("certificates", list.entries.to_string());
        services.authorities.set_revocations(&scope, authority.id, &list, &entry).await?;
        services.revocations.tell(scope.tenant());
        Ok(found(ctx, &scope, &id).await?.into())
    }

    /// Removes an authority for good: devices that are connected with a certificate of it are cut off at once.
    async fn remove_device_authority(&self, ctx: &Context<'_>, id: ID) -> Result<ID> {
        let scope = ctx.any_device().await?;
        let services = ctx.services()?;
        let authority = found(ctx, &scope, &id).await?;
        let entry = audit(ctx, &scope, "authority.remove", &authority)?;
        services.authorities.remove_authority(&scope, authority.id, &entry).await?;
        services.revocations.tell(scope.tenant());
        Ok(id)
    }
}

async fn found(ctx: &Context<'_>, scope: &Scope, id: &ID) -> Result<domain::DeviceAuthority> {
    let id: AuthorityId = arguments::id(id)?;
    let all = ctx.services()?.authorities.authorities(scope).await?;
    all.into_iter().find(|known| known.id == id).ok_or_else(|| ApiError::not_found("certificate authority"))
}

fn audit(
    ctx: &Context<'_>,
    scope: &Scope,
    action: &str,
    authority: &domain::DeviceAuthority,
) -> Result<AuditEntry> {
    let subject = format!("authority:{}", authority.id);
    ctx.audit(scope, action, subject, authority.subject.clone())
}
