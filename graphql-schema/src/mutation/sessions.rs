//! Ending sessions: one's own, and somebody else's.

use async_graphql::{Context, ID, Object};
use tenants::{
    SessionId, UserId,
    access::{Action, Object as Thing},
    account::SomeSessions,
};

use crate::{
    arguments,
    context::RequestContext,
    errors::{ApiError, Result},
};

#[derive(Default)]
pub(super) struct SessionMutation;

#[Object]
impl SessionMutation {
    /// Ends one of one's own sessions, at once, with its open subscriptions.
    async fn end_session(&self, ctx: &Context<'_>, id: ID) -> Result<ID> {
        ctx.session()?;
        let session: SessionId = arguments::id(&id)?;
        match end_own(ctx, SomeSessions::One(session)).await? {
            0 => Err(ApiError::not_found("session")),
            _ => Ok(id),
        }
    }

    /// Ends all of one's own sessions but the one in which this is asked, and says how many there were.
    async fn end_other_sessions(&self, ctx: &Context<'_>) -> Result<u64> {
        let current = ctx.session()?;
        end_own(ctx, SomeSessions::Others(current)).await
    }

    /// Ends all sessions of somebody, and says how many there were. Their API tokens go on.
    async fn end_sessions_of(&self, ctx: &Context<'_>, user: ID) -> Result<u64> {
        let scope = ctx.grant(Thing::Token, Action::Write).await?;
        let services = ctx.services()?;
        let user: UserId = arguments::id(&user)?;
        let known = services.accounts.user(scope.tenant(), user).await?;
        known.ok_or_else(|| ApiError::not_found("user"))?;
        let entry = ctx.audit(&scope, "session.end", format!("user:{user}"), "all".to_owned())?;
        let ended = services.accounts.end_sessions_of(&scope, user, &entry).await?;
        services.revocations.tell(scope.tenant());
        services.metrics.sessions_revoked.inc_by(ended);
        Ok(ended)
    }
}

async fn end_own(ctx: &Context<'_>, which: SomeSessions) -> Result<u64> {
    let (services, caller) = (ctx.services()?, ctx.caller()?);
    let detail = match which {
        SomeSessions::One(id) => format!("session:{id}"),
        _ => "all others".to_owned(),
    };
    let entry = ctx.own_audit("session.end", caller.actor(), detail)?;
    let ended = services.accounts.end_own_sessions(caller, which, &entry).await?;
    services.revocations.tell(caller.tenant);
    services.metrics.sessions_revoked.inc_by(ended);
    Ok(ended)
}
