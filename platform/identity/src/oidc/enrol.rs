//! What enrolling a provider needs.

use async_trait::async_trait;
use tenants::{
    ProviderId, TenantId,
    identity_provider::{Discovered, Enrolment, IdentityProvider, ProviderError},
    keys::SealError,
};

use super::problem::in_words;
use crate::Identity;

#[async_trait]
impl Enrolment for Identity {
    async fn discover(&self, issuer: &str) -> Result<Discovered, ProviderError> {
        let oidc = self.oidc.as_ref().ok_or(ProviderError::Seal(SealError::NoKey))?;
        if let Err(error) = oidc.fetch.checked(issuer) {
            return Err(ProviderError::Field { field: "issuer", problem: error.to_string() });
        }
        let known = oidc.discovery.ask(issuer).await.map_err(|error| ProviderError::Answer {
            problem: format!(
                "the identity provider {issuer} does not answer as it should: {}",
                in_words(&error)
            ),
        })?;
        let extra = known.extra();
        Ok(Discovered {
            authorization_endpoint: known.metadata.authorization_endpoint().to_string(),
            keys: known.keys().keys().len(),
            ends_sessions: extra.end_session_endpoint.is_some(),
            tells_of_logout: extra.backchannel_logout_supported,
        })
    }

    async fn seal_secret(
        &self,
        tenant: TenantId,
        provider: ProviderId,
        secret: &str,
    ) -> Result<Vec<u8>, ProviderError> {
        let oidc = self.oidc.as_ref().ok_or(SealError::NoKey)?;
        let row = provider.to_string();
        let keys = oidc.keys.of(tenant).await?;
        Ok(keys.seal(IdentityProvider::secret_of(tenant, &row), secret.as_bytes())?)
    }
}
