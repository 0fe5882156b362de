//! What is asked of a provider when somebody comes back from it: tokens for the code, and who that is.

use std::sync::Arc;

use jiff::Timestamp;
use openidconnect::{
    AccessToken, AuthType, AuthorizationCode, ClientId, ClientSecret, HttpRequest, OAuth2TokenResponse,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, TokenResponse,
    core::{CoreClient, CoreClientAuthMethod, CoreErrorResponseType, CoreTokenResponse},
    http,
};
use serde_json::{Map, Value};
use tenants::{
    Tenant,
    identity_provider::{IdentityProvider, LoginAttempt},
};

use super::{
    Oidc, SignInProblem as Problem,
    discovery::Known,
    fetch::FetchError,
    person::Person,
    problem::{Failure, in_words, short},
    token::{Expected, Flaw, Presented, Signed},
};

impl Oidc {
    pub(super) async fn exchange(
        &self,
        tenant: &Tenant,
        provider: &IdentityProvider,
        known: &Known,
        code: &str,
        attempt: &LoginAttempt,
        redirect_uri: &str,
    ) -> Result<CoreTokenResponse, Failure> {
        let row = provider.id.to_string();
        let secret = match &provider.client_secret {
            None => None,
            Some(sealed) => {
                let keys = self.keys.of(tenant.id).await;
                let opened =
                    keys.and_then(|keys| keys.open(IdentityProvider::secret_of(tenant.id, &row), sealed));
                let opened = opened.map_err(|error| Failure::new(Problem::Unreachable, error.to_string()))?;
                Some(ClientSecret::new(String::from_utf8_lossy(&opened).into_owned()))
            }
        };
        let client = CoreClient::from_provider_metadata(
            known.metadata.clone(),
            ClientId::new(provider.client_id.clone()),
            secret,
        )
        .set_redirect_uri(redirect_to(redirect_uri)?)
        .set_auth_type(auth_type(known));
        let request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|_| Failure::new(Problem::Unreachable, "the provider names no token endpoint"))?
            .set_pkce_verifier(PkceCodeVerifier::new(attempt.pkce_verifier.clone()));
        let fetch = Arc::clone(&self.fetch);
        let http = move |request: HttpRequest| {
            let fetch = Arc::clone(&fetch);
            async move { fetch.call(request).await }
        };
        request.request_async(&http).await.map_err(|error| match error {
            RequestTokenError::Request(error) => Failure::new(Problem::Unreachable, in_words(&error)),
            RequestTokenError::ServerResponse(answer) => {
                let problem = match answer.error() {
                    // Ours to put right, not the person's.
                    CoreErrorResponseType::InvalidClient | CoreErrorResponseType::UnauthorizedClient => {
                        Problem::Unreachable
                    }
                    _ => Problem::Refused,
                };
                let code = short(answer.error().as_ref());
                Failure::new(problem, format!("the provider gave no tokens for the code ({code})"))
            }
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
                Failure::refused("the provider's answer to the code cannot be read")
            }
        })
    }

    /// Who it is, by the ID token, completed by the userinfo endpoint where the token leaves something out.
    pub(super) async fn person(
        &self,
        provider: &IdentityProvider,
        known: &Arc<Known>,
        tokens: &CoreTokenResponse,
        attempt: &LoginAttempt,
        now: Timestamp,
    ) -> Result<Person, Failure> {
        let token = tokens.id_token().ok_or_else(|| Failure::refused("the provider gave no ID token"))?;
        let signed = self.signed(provider, known, &token.to_string()).await?;
        let expected = Expected { issuer: &provider.issuer, client_id: &provider.client_id, now };
        let claims = signed.id_token(&expected, &attempt.nonce, tokens.access_token())?;
        let person = Person::new(&claims, &provider.group_claim);
        if person.is_complete() {
            return Ok(person);
        }
        let more = self.userinfo(known, tokens.access_token()).await?;
        Ok(match more {
            Some(more) => person.or(Person::new(&more, &provider.group_claim)),
            None => person,
        })
    }

    /// A token with a right signature. Keys that are not known are asked for, at most every few seconds.
    pub(super) async fn signed(
        &self,
        provider: &IdentityProvider,
        known: &Arc<Known>,
        token: &str,
    ) -> Result<Signed, Failure> {
        let presented = Presented::parse(token)?;
        match presented.verify(known.keys()) {
            Err(Flaw::Key) => {
                let rotated = self.discovery.rotated(&provider.issuer, known).await?;
                Ok(presented.verify(rotated.keys())?)
            }
            other => Ok(other?),
        }
    }

    async fn userinfo(
        &self,
        known: &Known,
        access_token: &AccessToken,
    ) -> Result<Option<Map<String, Value>>, Failure> {
        let Some(endpoint) = known.metadata.userinfo_endpoint() else { return Ok(None) };
        let request = http::Request::get(endpoint.as_str())
            .header(http::header::AUTHORIZATION, format!("Bearer {}", access_token.secret()))
            .header(http::header::ACCEPT, "application/json")
            .body(Vec::new())
            .map_err(|error| Failure::from_fetch(&FetchError::Form(error)))?;
        let answer = self.fetch.call(request).await.map_err(|error| Failure::from_fetch(&error))?;
        // A signed answer (application/jwt) is not asked for and not read.
        Ok(serde_json::from_slice(answer.body()).ok().filter(|_| answer.status().is_success()))
    }
}

impl Failure {
    fn from_fetch(error: &FetchError) -> Self {
        Self::new(Problem::Unreachable, in_words(error))
    }
}

pub(super) fn redirect_to(redirect_uri: &str) -> Result<RedirectUrl, Failure> {
    RedirectUrl::new(redirect_uri.to_owned()).map_err(|_| {
        Failure::new(Problem::Unreachable, "this server's own address is none; set http.public_url")
    })
}

/// In a header as RFC 6749 prefers it, unless the provider says that it takes it in the body only.
fn auth_type(known: &Known) -> AuthType {
    let methods = known.metadata.token_endpoint_auth_methods_supported();
    let takes = |method| methods.is_some_and(|methods| methods.contains(&method));
    let in_body =
        takes(CoreClientAuthMethod::ClientSecretPost) && !takes(CoreClientAuthMethod::ClientSecretBasic);
    if in_body { AuthType::RequestBody } else { AuthType::BasicAuth }
}
