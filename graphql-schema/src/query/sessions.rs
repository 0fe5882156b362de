//! Where people are signed in.

use async_graphql::{Context, ID, Object};
use tenants::{
    UserId,
    access::{Action, Object as Thing},
};

use crate::{arguments, context::RequestContext, errors::Result, types::Session};

#[derive(Default)]
pub(super) struct SessionQuery;

#[Object]
impl SessionQuery {
    /// One's own sessions, or with `user` somebody else's, the one that was used last first.
    #[graphql(complexity = "20 * child_complexity")]
    async fn sessions(&self, ctx: &Context<'_>, user: Option<ID>) -> Result<Vec<Session>> {
        let services = ctx.services()?;
        let (own, now) = (ctx.person()?, services.clock.now());
        let user = user.as_ref().map(arguments::id::<UserId>).transpose()?;
        let found = match user.filter(|user| *user != own) {
            None => services.accounts.own_sessions(ctx.caller()?, now).await?,
            Some(user) => {
                let scope = ctx.grant(Thing::Token, Action::Read).await?;
                services.accounts.sessions_of(&scope, user, now).await?
            }
        };
        let current = ctx.session().ok();
        Ok(found.into_iter().map(|session| Session::new(session, current)).collect())
    }
}
