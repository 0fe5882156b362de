//! What providers tell about themselves, kept for a while.

use std::{collections::HashMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use openidconnect::{
    AdditionalProviderMetadata, DiscoveryError, IssuerUrl, JsonWebKeySet, ProviderMetadata,
    core::{
        CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
        CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
        CoreSubjectIdentifierType,
    },
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tenants::clock::Clock;

use super::fetch::{Fetch, FetchError};

/// How long an answer is used before the provider is asked again.
const FRESH_FOR: SignedDuration = SignedDuration::from_mins(10);
/// A browser is only sent to a provider that answered within this time: a page of ours tells better than an error of
/// the browser that a provider is down.
const REACHED_WITHIN: SignedDuration = SignedDuration::from_secs(10);
/// How long it is used when the provider cannot be asked.
const USABLE_FOR: SignedDuration = SignedDuration::from_hours(1);
/// Tokens with keys that nobody has heard of must not make us ask more often than this.
const KEYS_EVERY: SignedDuration = SignedDuration::from_secs(20);
/// Providers kept in mind; a hospital has one or two.
const KEPT: usize = 1_000;

/// Members of the document that the crate does not know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Extra {
    /// RP-Initiated Logout 1.0.
    pub(crate) end_session_endpoint: Option<String>,
    /// RFC 9207: answers name the issuer, so that an answer of one provider cannot pass for another's.
    #[serde(default)]
    pub(crate) authorization_response_iss_parameter_supported: bool,
    /// Back-Channel Logout 1.0.
    #[serde(default)]
    pub(crate) backchannel_logout_supported: bool,
}

impl AdditionalProviderMetadata for Extra {}

pub(crate) type Metadata = ProviderMetadata<
    Extra,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// Why a provider is not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unknown {
    #[error("the issuer is no address")]
    Issuer(#[source] url::ParseError),
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("the discovery document or the keys are not as they must be: {0}")]
    Document(String),
}

/// A provider as it described itself.
pub(crate) struct Known {
    pub(crate) metadata: Metadata,
    asked_at: Timestamp,
    /// When it was last asked because a token had a key that was not known.
    asked_for_keys_at: Option<Timestamp>,
}

/// The keys of one moment, and whether others may be asked for.
pub(crate) struct Discovery {
    fetch: Arc<Fetch>,
    clock: Arc<dyn Clock>,
    known: Mutex<HashMap<String, Arc<Known>>>,
}

impl Discovery {
    pub(crate) fn new(fetch: Arc<Fetch>, clock: Arc<dyn Clock>) -> Self {
        Self { fetch, clock, known: Mutex::default() }
    }

    /// The provider of this issuer, asked lately.
    pub(crate) async fn provider(&self, issuer: &str) -> Result<Arc<Known>, Unknown> {
        let (now, known) = (self.clock.now(), self.known.lock().get(issuer).cloned());
        let age = known.as_ref().map(|known| now.duration_since(known.asked_at).abs());
        match (known, age) {
            (Some(known), Some(age)) if age < FRESH_FOR => Ok(known),
            (Some(known), Some(age)) if age < USABLE_FOR => match self.ask(issuer).await {
                Ok(new) => Ok(new),
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(
                        error,
                        issuer,
                        "an identity provider was not reached; what it said before is used"
                    );
                    Ok(known)
                }
            },
            _ => self.ask(issuer).await,
        }
    }

    /// The same, when it was reached a moment ago.
    pub(crate) async fn reached(&self, issuer: &str) -> Result<Arc<Known>, Unknown> {
        let known = self.known.lock().get(issuer).cloned();
        let lately =
            |known: &Arc<Known>| self.clock.now().duration_since(known.asked_at).abs() < REACHED_WITHIN;
        match known.filter(lately) {
            Some(known) => Ok(known),
            None => self.ask(issuer).await,
        }
    }

    /// The provider with its keys of now, after a token was signed with one that is not known; unless it was asked
    /// for that reason a moment ago.
    pub(crate) async fn rotated(&self, issuer: &str, known: &Arc<Known>) -> Result<Arc<Known>, Unknown> {
        let now = self.clock.now();
        if known.asked_for_keys_at.is_some_and(|at| now.duration_since(at).abs() < KEYS_EVERY) {
            return Ok(Arc::clone(known));
        }
        self.ask_and_keep(issuer, Some(now)).await
    }

    /// Asks now.
    pub(crate) async fn ask(&self, issuer: &str) -> Result<Arc<Known>, Unknown> {
        let for_keys = self.known.lock().get(issuer).and_then(|known| known.asked_for_keys_at);
        self.ask_and_keep(issuer, for_keys).await
    }

    async fn ask_and_keep(
        &self,
        issuer: &str,
        asked_for_keys_at: Option<Timestamp>,
    ) -> Result<Arc<Known>, Unknown> {
        self.fetch.checked(issuer)?;
        let url = IssuerUrl::new(issuer.to_owned()).map_err(Unknown::Issuer)?;
        let fetch = Arc::clone(&self.fetch);
        let client = move |request| {
            let fetch = Arc::clone(&fetch);
            async move { fetch.call(request).await }
        };
        let metadata = Metadata::discover_async(url, &client).await.map_err(unknown)?;
        let endpoints = [
            Some(metadata.authorization_endpoint().as_str()),
            metadata.token_endpoint().map(|url| url.as_str()),
            metadata.additional_metadata().end_session_endpoint.as_deref(),
        ];
        for endpoint in endpoints.into_iter().flatten() {
            self.fetch.checked(endpoint)?;
        }
        let known = Arc::new(Known { metadata, asked_at: self.clock.now(), asked_for_keys_at });
        let mut all = self.known.lock();
        if all.len() >= KEPT {
            all.clear();
        }
        all.insert(issuer.to_owned(), Arc::clone(&known));
        Ok(known)
    }
}

impl Known {
    pub(crate) fn keys(&self) -> &JsonWebKeySet<CoreJsonWebKey> {
        self.metadata.jwks()
    }

    pub(crate) fn extra(&self) -> &Extra {
        self.metadata.additional_metadata()
    }
}

/// Without what the answer held: it is somebody else's text.
fn unknown(error: DiscoveryError<FetchError>) -> Unknown {
    match error {
        DiscoveryError::Request(error) => Unknown::Fetch(error),
        DiscoveryError::Response(status, _, _) => {
            Unknown::Document(format!("HTTP status {}", status.as_u16()))
        }
        DiscoveryError::Parse(error) => Unknown::Document(format!("{} is missing or wrong", error.path())),
        DiscoveryError::UrlParse(error) => Unknown::Issuer(error),
        DiscoveryError::Validation(_) => Unknown::Document(
            "it calls itself by another issuer; copy the issuer from the document".to_owned(),
        ),
        _ => Unknown::Document("it cannot be read".to_owned()),
    }
}
