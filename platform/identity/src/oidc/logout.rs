//! How a session ends that came through a provider: there first, or here first.

use openidconnect::{ClientId, EndSessionUrl, LogoutRequest, PostLogoutRedirectUrl};
use tenants::{
    ErrorKind, ProviderId, StoreError, TenantId, TenantSlug, audit::Channel, credentials::BearerToken,
    identity_provider::LogoutNotice,
};

use super::{
    Oidc,
    problem::Failure,
    sign_in::kind_of,
    token::{Expected, SKEW, numeric_date},
};
use crate::{
    Identity, IdentityError,
    audit::{Origin, Visitor},
    metrics::SessionEnd,
};

const ACTION: &str = "session.end";

impl Identity {
    /// Ends the sessions that a provider says are over (Back-Channel Logout 1.0). Returns how many.
    ///
    /// # Errors
    /// [`IdentityError::LogoutToken`] when the token does not count; a database's or provider's failure otherwise.
    pub async fn end_by_provider(
        &self,
        slug: &str,
        provider: &str,
        token: &str,
        visitor: &Visitor,
    ) -> Result<usize, IdentityError> {
        let none = || IdentityError::LogoutToken;
        let (Some(oidc), Ok(slug), Ok(id)) = (&self.oidc, TenantSlug::parse(slug), provider.parse()) else {
            return Err(none());
        };
        let tenant = self.tenant(&slug).await?.ok_or_else(none)?.id;
        let origin = Origin { channel: Channel::Rest, visitor };
        match self.end(oidc, tenant, id, token, origin).await {
            Ok(ended) => Ok(ended),
            Err(Failure { problem, reason }) => {
                let subject = format!("identity_provider:{id}");
                tracing::warn!(hospital = %slug, provider = %id, reason, correlation = %visitor.correlation, "a logout token was refused");
                self.audit.refusal(tenant, subject, ACTION, &reason, origin).await;
                Err(match kind_of(problem) {
                    ErrorKind::Unavailable => IdentityError::ProviderUnreachable,
                    _ => IdentityError::LogoutToken,
                })
            }
        }
    }

    async fn end(
        &self,
        oidc: &Oidc,
        tenant: TenantId,
        id: ProviderId,
        token: &str,
        origin: Origin<'_>,
    ) -> Result<usize, Failure> {
        let provider = oidc.enabled(tenant, id).await?;
        let provider = provider.ok_or_else(|| Failure::refused("the identity provider is not enrolled"))?;
        let known = oidc.discovery.provider(&provider.issuer).await?;
        let now = self.clock.now();
        let expected = Expected { issuer: &provider.issuer, client_id: &provider.client_id, now };
        let claims = oidc.signed(&provider, &known, token).await?.logout_token(&expected)?;
        let text = |name: &str| claims.get(name).and_then(|value| value.as_str()).map(str::to_owned);
        let ends = claims.get("exp").and_then(numeric_date).unwrap_or(now);
        let notice = LogoutNotice {
            provider: id,
            subject: text("sub"),
            sid: text("sid"),
            jti: text("jti").unwrap_or_default(),
            // For as long as the token could be accepted again.
            expires_at: ends.checked_add(SKEW + SKEW).unwrap_or(ends),
        };
        let (subject, detail) =
            (format!("identity_provider:{id}"), "a person has signed out at the provider");
        let entry = self.on_word_of(tenant, &provider, ACTION, subject, detail.to_owned(), origin);
        let ended =
            oidc.logins.end_sessions(tenant, &notice, now, &entry).await.map_err(|error| match error {
                StoreError::Conflict { .. } => Failure::refused("the logout token was used before (jti)"),
                other => other.into(),
            })?;
        self.revocations.tell(tenant);
        self.metrics.ended(SessionEnd::ByProvider, ended.len());
        Ok(ended.len())
    }

    /// Where a browser that signs out here can sign out at its provider as well. To be asked before the session is
    /// ended; `None` when it did not come through a provider, or the provider has no such place or is out of reach:
    /// signing out here must not depend on it.
    pub async fn provider_to_leave(&self, cookie: &str, back_to: &str) -> Option<String> {
        let (oidc, secret) = (self.oidc.as_ref()?, BearerToken::parse(cookie).ok()?);
        let origin = oidc.logins.origin(secret.tenant, &secret.hash()).await.ok().flatten()?;
        let provider = oidc.enabled(secret.tenant, origin.provider).await.ok().flatten()?;
        let known = oidc.discovery.provider(&provider.issuer).await.ok()?;
        let place = EndSessionUrl::new(known.extra().end_session_endpoint.clone()?).ok()?;
        let request = LogoutRequest::from(place)
            .set_client_id(ClientId::new(provider.client_id))
            .set_post_logout_redirect_uri(PostLogoutRedirectUrl::new(back_to.to_owned()).ok()?);
        Some(request.http_get_url().into())
    }
}
