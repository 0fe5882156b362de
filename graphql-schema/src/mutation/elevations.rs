//! Asking a hospital to be let in, answering, and ending it.

use async_graphql::{Context, ID, InputObject, Object};
use tenants::{
    ElevationId, RoleName, TenantId,
    access::{Action, Object as Thing, Scope},
    audit::AuditEntry,
    elevation::{self, Answer, Wish},
};

use crate::{
    arguments,
    context::RequestContext,
    errors::{ApiError, Result},
    types::Elevation,
};

#[derive(InputObject)]
pub(super) struct RequestElevationInput {
    /// The hospital.
    tenant: ID,
    /// One of the hospital's roles, e.g. technician.
    role: String,
    /// Why: 10 to 500 characters in one line. Stands beside everything that is done under it.
    reason: String,
    /// 1 to 8, from the hospital's answer on.
    hours: u32,
}

#[derive(Default)]
pub(super) struct ElevationMutation;

#[Object]
impl ElevationMutation {
    /// Operators only. Asks a hospital to be let in under one of its roles, for a while. It waits for 24 hours.
    async fn request_elevation(&self, ctx: &Context<'_>, input: RequestElevationInput) -> Result<Elevation> {
        let scope = ctx.grant(Thing::Tenant, Action::Write).await?;
        let (services, tenant): (_, TenantId) = (ctx.services()?, arguments::id(&input.tenant)?);
        let hospital = services.tenants.by_id(tenant).await?.filter(|known| known.id != TenantId::PLATFORM);
        hospital.ok_or_else(|| ApiError::not_found("hospital"))?;
        let known = services.access.role_names(tenant).await?;
        let role = RoleName::parse(&input.role).ok().filter(|role| known.contains(role));
        let role = role.ok_or_else(|| {
            let names = known.iter().map(RoleName::as_str).collect::<Vec<_>>().join(", ");
            ApiError::bad_input(format!("role: expected one of {names}"))
        })?;
        let wish = Wish::new(role, &input.reason, input.hours)?;
        let (id, now) = (ElevationId::new(&*services.clock), services.clock.now());
        let operator = (ctx.person()?, scope.caller().name());
        let asked = elevation::Elevation::new(id, tenant, operator, wish, now);
        let detail = format!("{} for {} h because: {}", asked.role, asked.hours, asked.reason);
        let entry = entry(ctx, &scope, "elevation.request", &asked, detail)?;
        services.elevations.ask(&scope, &asked, &entry).await?;
        Ok(Elevation::new(asked, now))
    }

    /// Lets an operator in, or refuses to: for a hospital's own people. It ends by itself.
    async fn answer_elevation(&self, ctx: &Context<'_>, id: ID, grant: bool) -> Result<Elevation> {
        let scope = ctx.grant(Thing::Elevation, Action::Write).await?;
        let services = ctx.services()?;
        let (asked, now) = (found(ctx, &scope, scope.tenant(), &id).await?, services.clock.now());
        let answer = Answer { granted: grant, by: ctx.person()?, by_name: scope.caller().name(), at: now };
        let action = if grant { "elevation.grant" } else { "elevation.refuse" };
        let detail = format!("{} for {} h to operator {}", asked.role, asked.hours, asked.operator_name);
        let entry = entry(ctx, &scope, action, &asked, detail)?;
        services.elevations.answer(&scope, asked.id, &answer, &entry).await?;
        services.access.changed(scope.tenant());
        Ok(Elevation::new(elevation::Elevation { answer: Some(answer), ..asked }, now))
    }

    /// Ends what an operator was let in for, or withdraws the request. The hospital's people end what is of their
    /// hospital, operators what they have asked for themselves. It ends within a second, in open subscriptions, too.
    async fn end_elevation(
        &self,
        ctx: &Context<'_>,
        id: ID,
        #[graphql(desc = "The hospital, for operators; one's own otherwise.")] tenant: Option<ID>,
    ) -> Result<Elevation> {
        let services = ctx.services()?;
        let (scope, asked) = match tenant {
            Some(tenant) => {
                let scope = ctx.grant(Thing::Tenant, Action::Write).await?;
                let asked = found(ctx, &scope, arguments::id(&tenant)?, &id).await?;
                if asked.operator != ctx.person()? {
                    return Err(ApiError::not_found("request of an operator"));
                }
                (scope, asked)
            }
            None => {
                let scope = ctx.grant(Thing::Elevation, Action::Write).await?;
                let asked = found(ctx, &scope, scope.tenant(), &id).await?;
                (scope, asked)
            }
        };
        let now = services.clock.now();
        let detail = format!("{} of operator {}", asked.role, asked.operator_name);
        let entry = entry(ctx, &scope, "elevation.end", &asked, detail)?;
        services.elevations.end(&scope, &asked, now, &entry).await?;
        services.access.changed(asked.tenant);
        services.revocations.tell(asked.tenant);
        Ok(Elevation::new(elevation::Elevation { ended_at: Some(now), ..asked }, now))
    }
}

async fn found(ctx: &Context<'_>, scope: &Scope, tenant: TenantId, id: &ID) -> Result<elevation::Elevation> {
    let id: ElevationId = arguments::id(id)?;
    let found = ctx.services()?.elevations.elevation(scope, tenant, id).await?;
    found.ok_or_else(|| ApiError::not_found("request of an operator"))
}

/// A line of the hospital's own trail, whoever acts: an operator who does is named as one.
fn entry(
    ctx: &Context<'_>,
    scope: &Scope,
    action: &str,
    elevation: &elevation::Elevation,
    detail: String,
) -> Result<AuditEntry> {
    let entry = ctx.audit(scope, action, format!("elevation:{}", elevation.id), detail)?;
    if scope.tenant() == elevation.tenant {
        return Ok(entry);
    }
    let (actor, actor_name) =
        (format!("operator:{}", elevation.operator), format!("operator {}", scope.caller().name()));
    Ok(AuditEntry { tenant: elevation.tenant, actor, actor_name, ..entry })
}
