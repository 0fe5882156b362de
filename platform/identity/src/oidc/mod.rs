//! Signing in through a hospital's own OpenID Connect provider.
//!
//! `sign_in.rs` is the way of a browser there and back, `logout.rs` how such a session ends, `bearer.rs` what programs
//! present. Everything that a provider or a browser sends is untrusted: `token.rs` decides which token counts,
//! `fetch.rs` whom we ask and for how long. Providers are enrolled by a hospital's administrators; see `enrol.rs`.

mod bearer;
mod discovery;
mod enrol;
mod exchange;
mod fetch;
mod logout;
mod person;
mod problem;
mod sign_in;
#[cfg(test)]
mod tests;
mod token;

use std::sync::Arc;

use tenants::{
    ProviderId, TenantId, TenantSlug,
    audit::AuditEntry,
    clock::Clock,
    identity_provider::IdentityProvider,
    keys::Keyring,
    stores::{ExternalLogins, IdentityProviders},
};

use self::{discovery::Discovery, fetch::Fetch};
use crate::{Identity, IdentityError, audit::Origin};

pub use problem::{FailedSignIn, SignInProblem};
pub use sign_in::{CameBack, Returned, Sent};

/// What signing in through providers needs.
pub struct Federation {
    /// Who is enrolled.
    pub providers: Arc<dyn IdentityProviders>,
    /// Who came through them.
    pub logins: Arc<dyn ExternalLogins>,
    /// Opens client secrets.
    pub keys: Arc<dyn Keyring>,
    /// Whether a provider on this machine may be asked over plain HTTP: for trying it out, never where the platform
    /// itself is reached over TLS.
    pub loopback_http: bool,
}

pub(crate) struct Oidc {
    providers: Arc<dyn IdentityProviders>,
    logins: Arc<dyn ExternalLogins>,
    keys: Arc<dyn Keyring>,
    fetch: Arc<Fetch>,
    discovery: Discovery,
}

/// A button of the sign-in page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entrance {
    /// Which provider.
    pub provider: ProviderId,
    /// What the button says.
    pub name: String,
}

impl Oidc {
    pub(crate) fn new(federation: Federation, clock: Arc<dyn Clock>) -> Self {
        let Federation { providers, logins, keys, loopback_http } = federation;
        let fetch = Arc::new(Fetch::new(loopback_http));
        Self { providers, logins, keys, discovery: Discovery::new(Arc::clone(&fetch), clock), fetch }
    }

    async fn enabled(
        &self,
        tenant: TenantId,
        id: ProviderId,
    ) -> Result<Option<IdentityProvider>, IdentityError> {
        let all = self.providers.enabled(tenant).await?;
        Ok(all.into_iter().find(|provider| provider.id == id))
    }
}

impl Identity {
    /// What is done because a provider says so is written down as done by it.
    fn on_word_of(
        &self,
        tenant: TenantId,
        provider: &IdentityProvider,
        action: &str,
        subject: String,
        detail: String,
        origin: Origin<'_>,
    ) -> AuditEntry {
        let actor = format!("identity_provider:{}", provider.id);
        AuditEntry {
            actor_name: provider.name.clone(),
            detail,
            origin: origin.noted(),
            correlation: origin.visitor.correlation,
            ..AuditEntry::new(tenant, self.clock.now(), actor, action, subject)
        }
    }

    /// The buttons of a hospital's sign-in page. A hospital that there is not has none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn entrances(&self, slug: &str) -> Result<Vec<Entrance>, IdentityError> {
        let (Some(oidc), Ok(slug)) = (&self.oidc, TenantSlug::parse(slug)) else { return Ok(Vec::new()) };
        let Some(tenant) = self.tenant(&slug).await? else { return Ok(Vec::new()) };
        let entrance = |provider: IdentityProvider| Entrance { provider: provider.id, name: provider.name };
        Ok(oidc.providers.enabled(tenant.id).await?.into_iter().map(entrance).collect())
    }
}
