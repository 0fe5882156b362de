//! Service clients: a secret is exchanged for an access token that counts for minutes.

use std::sync::Arc;

use tenants::{
    ClientId, TenantId,
    access::{Caller, Principal},
    audit::{AuditEntry, Channel},
    credentials::BearerToken,
    service_client::ServiceClient,
};

use crate::{
    Identity, IdentityError,
    audit::{Origin, Visitor},
};

const ACTION: &str = "client.token";

/// An access token that was given out.
pub struct IssuedToken {
    /// The token, told only now.
    pub token: BearerToken,
    /// How long it counts.
    pub seconds: u64,
}

impl Identity {
    /// Gives a service client an access token for its secret.
    ///
    /// # Errors
    /// [`IdentityError::NotValid`] when there is no such client, the secret is wrong, or it may not act;
    /// [`IdentityError::Suspended`]; [`IdentityError::HeldBack`] after very many wrong ones from an address.
    pub async fn client_token(
        &self,
        id: &str,
        secret: &str,
        visitor: &Visitor,
    ) -> Result<IssuedToken, IdentityError> {
        let now = self.clock.now();
        let held_back = |retry_after| IdentityError::HeldBack { retry_after };
        self.limits.of_tokens(&visitor.address, now).map_err(held_back)?;
        let issued = self.exchange_secret(id, secret, visitor).await;
        match &issued {
            Ok(_) => self.limits.token_succeeded(&visitor.address),
            Err(IdentityError::NotValid) => self.limits.token_failed(&visitor.address, now),
            Err(_) => {}
        }
        issued
    }

    async fn exchange_secret(
        &self,
        id: &str,
        secret: &str,
        visitor: &Visitor,
    ) -> Result<IssuedToken, IdentityError> {
        let (now, origin) = (self.clock.now(), Origin { channel: Channel::Rest, visitor });
        let (Some(clients), Ok(id), Ok(secret)) =
            (&self.clients, id.parse::<ClientId>(), BearerToken::parse(secret))
        else {
            return self.refused_client(TenantId::PLATFORM, None, "no client of this name", origin).await;
        };
        let tenant = secret.tenant;
        let Some(client) = clients.client(tenant, id).await? else {
            return self.refused_client(TenantId::PLATFORM, None, "no client of this name", origin).await;
        };
        if client.hash != secret.hash() {
            return self.refused_client(tenant, Some(id), "wrong secret", origin).await;
        }
        if !client.counts(now) {
            return self.refused_client(tenant, Some(id), "disabled, or expired", origin).await;
        }
        if self.tenants.by_id(tenant).await?.is_some_and(|tenant| tenant.suspended_since.is_some()) {
            let refused = self.refused_client(tenant, Some(id), "the hospital is suspended", origin).await;
            return refused.map_err(|_: IdentityError| IdentityError::Suspended);
        }
        let (token, bearer) = client.token(tenant, now)?;
        let actor = caller(tenant, &client).actor();
        let entry = AuditEntry {
            actor_name: client.name.clone(),
            origin: origin.noted(),
            correlation: visitor.correlation,
            ..AuditEntry::new(tenant, now, actor.as_str(), ACTION, actor.as_str())
        };
        clients.issue(tenant, &token, now, &entry).await.map_err(|error| match error {
            // It was disabled a moment ago.
            tenants::StoreError::NotFound { .. } => IdentityError::NotValid,
            other => other.into(),
        })?;
        let lasts = token.expires_at.duration_since(now).as_secs();
        Ok(IssuedToken { token: bearer, seconds: u64::try_from(lasts).unwrap_or_default() })
    }

    /// Names of clients that are none are not kept.
    async fn refused_client<T>(
        &self,
        tenant: TenantId,
        client: Option<ClientId>,
        reason: &str,
        origin: Origin<'_>,
    ) -> Result<T, IdentityError> {
        let subject = client.map_or_else(|| "client:unknown".to_owned(), |id| format!("client:{id}"));
        self.audit.refusal(tenant, subject, ACTION, reason, origin).await;
        Err(IdentityError::NotValid)
    }
}

/// The caller that a client is.
pub(crate) fn caller(tenant: TenantId, client: &ServiceClient) -> Caller {
    let name: Arc<str> = client.name.as_str().into();
    Caller { tenant, principal: Principal::Client { id: client.id, name } }
}
