//! Setting up and taking away second factors.

use async_graphql::{Context, ID, Object};
use tenants::{
    UserId,
    access::{Action, Object as Thing},
    audit::AuditEntry,
};

use crate::{
    arguments,
    context::RequestContext,
    errors::Result,
    types::{AuthenticatorPairing, SecondFactor},
};

#[derive(Default)]
pub(super) struct SecondFactorMutation;

#[Object]
impl SecondFactorMutation {
    /// A new secret for an authenticator app. Nothing is asked for before enrolAuthenticator.
    async fn pair_authenticator(&self, ctx: &Context<'_>) -> Result<AuthenticatorPairing> {
        ctx.session()?;
        Ok(ctx.services()?.authenticators.pair(ctx.caller()?).await?.into())
    }

    /// Asks the caller for a code at every sign-in from now on. Returns the recovery codes, each of which works once in
    /// place of a code; they are told only now.
    async fn enrol_authenticator(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of the app that was paired last.")] code: String,
    ) -> Result<Vec<String>> {
        let entry = own(ctx, "second_factor.enrol")?;
        Ok(ctx.services()?.authenticators.enrol(ctx.caller()?, &code, &entry).await?)
    }

    /// New recovery codes in place of all earlier ones; they are told only now.
    async fn renew_recovery_codes(&self, ctx: &Context<'_>, code: String) -> Result<Vec<String>> {
        let entry = own(ctx, "second_factor.renew_recovery_codes")?;
        Ok(ctx.services()?.authenticators.renew_recovery_codes(ctx.caller()?, &code, &entry).await?)
    }

    /// No code is asked of the caller any more.
    async fn remove_second_factor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of the app, or a recovery code.")] code: String,
    ) -> Result<SecondFactor> {
        let entry = own(ctx, "second_factor.remove")?;
        let (authenticators, caller) = (&ctx.services()?.authenticators, ctx.caller()?);
        authenticators.remove(caller, &code, &entry).await?;
        Ok(authenticators.standing(caller).await?.into())
    }

    /// Takes away the second factor of somebody who has lost their app and their recovery codes. Make sure who asks for
    /// it: afterwards their password alone lets them in.
    async fn reset_second_factor(&self, ctx: &Context<'_>, user: ID) -> Result<ID> {
        let scope = ctx.grant(Thing::User, Action::Write).await?;
        let id: UserId = arguments::id(&user)?;
        let entry = ctx.audit(&scope, "second_factor.reset", format!("user:{id}"), String::new())?;
        ctx.services()?.authenticators.reset(&scope, id, &entry).await?;
        Ok(user)
    }
}

/// What is written down of what somebody does to their own account: in a session, so that nothing that was given to a
/// program changes how its owner signs in.
fn own(ctx: &Context<'_>, action: &str) -> Result<AuditEntry> {
    ctx.session()?;
    ctx.own_audit(action, ctx.caller()?.actor(), String::new())
}
