//! Access tokens of a provider as bearer tokens (RFC 9068).

use tenants::{
    ProviderId, TenantId, audit::Channel, credentials::SecretHash, identity_provider::IdentityProvider,
};

use super::{
    Oidc,
    problem::Failure,
    token::{Presented, numeric_date},
};
use crate::{
    Identity, IdentityError,
    audit::{Origin, Visitor},
    service::caller,
    tokens::{ActiveToken, Application},
};

/// Audiences of one token that are looked up.
const MAX_AUDIENCES: usize = 5;
const ACTION: &str = "token.use";

impl Identity {
    /// Whose rights an access token has: those of the account that is linked with its subject. It must have been
    /// made for an audience that a hospital has enrolled; the account must exist.
    pub(crate) async fn access_token(&self, text: &str) -> Result<Application, IdentityError> {
        let oidc = self.oidc.as_ref().ok_or(IdentityError::NotValid)?;
        let hash = SecretHash::of(text.as_bytes());
        if let Some((as_of, known)) = self.cache.tokens.get(hash.as_bytes())
            && as_of == self.revocations.generation(known.tenant())
        {
            return known.at(self.clock.now());
        }
        let presented = Presented::parse(text).map_err(|_| IdentityError::NotValid)?;
        let (issuer, audiences) = presented.claimed();
        let issuer = issuer.ok_or(IdentityError::NotValid)?;
        for audience in audiences.into_iter().take(MAX_AUDIENCES) {
            let Some((tenant, provider)) = oidc.providers.for_audience(issuer, audience).await? else {
                continue;
            };
            let generation = self.revocations.generation(tenant);
            let active = match self.active(oidc, tenant, &provider, audience, text).await {
                Ok(active) => active,
                Err(failure) => {
                    self.refused_token(tenant, provider.id, &failure).await;
                    return Err(match super::sign_in::kind_of(failure.problem) {
                        tenants::ErrorKind::Unavailable => IdentityError::ProviderUnreachable,
                        _ => IdentityError::NotValid,
                    });
                }
            };
            self.cache.tokens.insert(*hash.as_bytes(), (generation, active.clone()));
            return active.at(self.clock.now());
        }
        Err(IdentityError::NotValid)
    }

    async fn active(
        &self,
        oidc: &Oidc,
        tenant: TenantId,
        provider: &IdentityProvider,
        audience: &str,
        text: &str,
    ) -> Result<ActiveToken, Failure> {
        let known = oidc.discovery.provider(&provider.issuer).await?;
        let signed = oidc.signed(provider, &known, text).await?;
        let claims = signed.access_token(&provider.issuer, audience, self.clock.now())?;
        let subject = claims.get("sub").and_then(|sub| sub.as_str()).unwrap_or_default();
        let linked = oidc.logins.linked(tenant, provider.id, subject).await?;
        let nobody = || Failure::refused("the access token's subject has never signed in here");
        let linked = linked.ok_or_else(nobody)?;
        let user = self.accounts.user(tenant, linked.user).await?.ok_or_else(nobody)?;
        // To the second, without the tolerance: this only ends what is kept in mind, the next look allows for it.
        let expires_at = claims.get("exp").and_then(numeric_date);
        Ok(ActiveToken::new(
            caller(&user),
            expires_at.and_then(|end| end.checked_add(super::token::SKEW).ok()),
        ))
    }

    async fn refused_token(&self, tenant: TenantId, provider: ProviderId, failure: &Failure) {
        let subject = format!("identity_provider:{provider}");
        tracing::warn!(%tenant, subject, reason = failure.reason, "an access token was refused");
        // The address is in the log of the request, which has the same correlation.
        let origin = Origin { channel: Channel::Graphql, visitor: &Visitor::default() };
        self.audit.refusal(tenant, subject, ACTION, &failure.reason, origin).await;
    }
}
