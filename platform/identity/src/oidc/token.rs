//! Signed tokens. The signature is checked by the `openidconnect` crate; which token counts for what is checked
//! here, in one place for ID tokens, access tokens and logout tokens, with a reason for each refusal.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use openidconnect::{
    AccessToken, AccessTokenHash, JsonWebKey, JsonWebKeyAlgorithm, JsonWebKeySet,
    core::{CoreJsonWebKey, CoreJwsSigningAlgorithm as Alg},
};
use serde::Deserialize;
use serde_json::{Map, Value};

/// By how much the clocks of two machines may differ.
pub(crate) const SKEW: SignedDuration = SignedDuration::from_secs(60);
const MAX_TOKEN_BYTES: usize = 32 * 1024;
/// Keys that a signature is tried with when the token names none.
const MAX_TRIES: usize = 8;
const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Why a token does not count. Goes to the audit trail; browsers and programs are not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Flaw {
    #[error("the token is not a signed JWT")]
    Form,
    #[error("the token is of another type")]
    Type,
    #[error("the token is signed with an algorithm that is not allowed")]
    Algorithm,
    #[error("the token is signed with a key that the provider does not publish")]
    Key,
    #[error("the token's signature is wrong")]
    Signature,
    #[error("the token has no usable {0}")]
    Missing(&'static str),
    #[error("the token is of another issuer")]
    Issuer,
    #[error("the token is for another audience")]
    Audience,
    #[error("the token was given to another client (azp)")]
    Party,
    #[error("the token answers another sign-in (nonce)")]
    Nonce,
    #[error("the token is over for more than 60 s; if it is new, compare the clocks of both machines")]
    Expired,
    #[error("the token was made more than 60 s in the future (iat); compare the clocks of both machines")]
    Future,
    #[error("the token counts only in more than 60 s (nbf); compare the clocks of both machines")]
    NotYet,
    #[error("the token belongs to another access token (at_hash)")]
    AccessTokenHash,
    #[error("the token is no logout token (events)")]
    Event,
    #[error("the logout token has a nonce, as ID tokens have")]
    HasNonce,
}

#[derive(Deserialize)]
struct Header {
    alg: Alg,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

/// A token that was taken apart and not yet believed.
pub(crate) struct Presented {
    header: Header,
    claims: Map<String, Value>,
    signed: String,
    signature: Vec<u8>,
}

/// The claims of a token that the provider has signed.
pub(crate) struct Signed {
    claims: Map<String, Value>,
    typ: Option<String>,
    alg: Alg,
    key: CoreJsonWebKey,
}

impl Presented {
    pub(crate) fn parse(text: &str) -> Result<Self, Flaw> {
        let mut parts = text.split('.');
        let (Some(header), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Flaw::Form);
        };
        if text.len() > MAX_TOKEN_BYTES {
            return Err(Flaw::Form);
        }
        let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Flaw::Form);
        let raw: Map<String, Value> = serde_json::from_slice(&bytes(header)?).map_err(|_| Flaw::Form)?;
        let header_of = serde_json::from_value::<Header>(Value::Object(raw));
        Ok(Self {
            // What is left to be wrong is an algorithm that nobody knows.
            header: header_of.map_err(|_| Flaw::Algorithm)?,
            claims: serde_json::from_slice(&bytes(claims)?).map_err(|_| Flaw::Form)?,
            signed: format!("{header}.{claims}"),
            signature: bytes(signature)?,
        })
    }

    /// Who says to have made it, and for whom: to find out whom to ask.
    pub(crate) fn claimed(&self) -> (Option<&str>, Vec<&str>) {
        (self.claims.get("iss").and_then(Value::as_str), audiences(&self.claims))
    }

    /// Checks the signature. [`Flaw::Key`] when asking for the keys again may help.
    pub(crate) fn verify(&self, keys: &JsonWebKeySet<CoreJsonWebKey>) -> Result<Signed, Flaw> {
        let Header { alg, kid, typ, crit } = &self.header;
        // Symmetric keys are left out on purpose: the client secret, and even a public key, would be one.
        let allowed = matches!(
            alg,
            Alg::RsaSsaPkcs1V15Sha256
                | Alg::RsaSsaPkcs1V15Sha384
                | Alg::RsaSsaPkcs1V15Sha512
                | Alg::RsaSsaPssSha256
                | Alg::RsaSsaPssSha384
                | Alg::RsaSsaPssSha512
                | Alg::EcdsaP256Sha256
                | Alg::EcdsaP384Sha384
                | Alg::EdDsa
        );
        if !allowed || crit.is_some() {
            return Err(Flaw::Algorithm);
        }
        let named = |key: &&CoreJsonWebKey| match kid {
            Some(kid) => key.key_id().is_some_and(|id| id.as_str() == kid),
            None => true,
        };
        let fits = |key: &&CoreJsonWebKey| match key.signing_alg() {
            JsonWebKeyAlgorithm::Algorithm(only) => only == alg,
            JsonWebKeyAlgorithm::Unspecified => true,
            JsonWebKeyAlgorithm::Unsupported => false,
        };
        let mut candidates = keys.keys().iter().filter(named).filter(fits).take(MAX_TRIES).peekable();
        if candidates.peek().is_none() {
            return Err(Flaw::Key);
        }
        let valid = |key: &&CoreJsonWebKey| {
            key.verify_signature(alg, self.signed.as_bytes(), &self.signature).is_ok()
        };
        let key = candidates.find(valid).ok_or(Flaw::Signature)?.clone();
        Ok(Signed { claims: self.claims.clone(), typ: typ.clone(), alg: alg.clone(), key })
    }
}

/// What an ID token has to fit.
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) now: Timestamp,
}

impl Signed {
    /// As OpenID Connect Core 1.0, 3.1.3.7, asks of an ID token that came for a code.
    pub(crate) fn id_token(
        self,
        expected: &Expected<'_>,
        nonce: &str,
        access_token: &AccessToken,
    ) -> Result<Map<String, Value>, Flaw> {
        if self.is_of_type(&["at+jwt", "logout+jwt"]) {
            return Err(Flaw::Type);
        }
        self.check_origin(expected.issuer, expected.client_id)?;
        self.check_party(expected.client_id)?;
        self.check_times(expected.now, &["exp", "iat"])?;
        if self.text("nonce") != Some(nonce) {
            return Err(Flaw::Nonce);
        }
        if let Some(hash) = self.claims.get("at_hash") {
            let right = AccessTokenHash::from_token(access_token, &self.alg, &self.key);
            if right.ok().as_ref().map(|right| right.as_str()) != hash.as_str() {
                return Err(Flaw::AccessTokenHash);
            }
        }
        self.need(&["sub"])?;
        Ok(self.claims)
    }

    /// As RFC 9068 asks of an access token.
    pub(crate) fn access_token(
        self,
        issuer: &str,
        audience: &str,
        now: Timestamp,
    ) -> Result<Map<String, Value>, Flaw> {
        if !self.is_of_type(&["at+jwt"]) {
            return Err(Flaw::Type);
        }
        self.check_origin(issuer, audience)?;
        self.check_times(now, &["exp", "iat"])?;
        self.need(&["sub", "client_id", "jti"])?;
        Ok(self.claims)
    }

    /// As Back-Channel Logout 1.0, 2.6, asks of a logout token.
    pub(crate) fn logout_token(self, expected: &Expected<'_>) -> Result<Map<String, Value>, Flaw> {
        // Older providers do not say what it is; none may say that it is something else.
        if self.typ.is_some() && !self.is_of_type(&["logout+jwt", "jwt"]) {
            return Err(Flaw::Type);
        }
        self.check_origin(expected.issuer, expected.client_id)?;
        self.check_times(expected.now, &["exp", "iat"])?;
        let event = self.claims.get("events").and_then(|events| events.get(LOGOUT_EVENT));
        if !event.is_some_and(Value::is_object) {
            return Err(Flaw::Event);
        }
        if self.claims.contains_key("nonce") {
            return Err(Flaw::HasNonce);
        }
        self.need(&["jti"])?;
        if self.text("sub").is_none() && self.text("sid").is_none() {
            return Err(Flaw::Missing("sub or sid"));
        }
        Ok(self.claims)
    }

    fn is_of_type(&self, types: &[&str]) -> bool {
        let typ = self.typ.as_deref().unwrap_or_default().to_ascii_lowercase();
        let short = typ.strip_prefix("application/").unwrap_or(&typ);
        types.contains(&short)
    }

    fn check_origin(&self, issuer: &str, audience: &str) -> Result<(), Flaw> {
        if self.text("iss") != Some(issuer) {
            return Err(Flaw::Issuer);
        }
        if audiences(&self.claims).contains(&audience) { Ok(()) } else { Err(Flaw::Audience) }
    }

    /// A token for several must say to whom it was given.
    fn check_party(&self, client_id: &str) -> Result<(), Flaw> {
        match self.claims.get("azp") {
            Some(party) if party.as_str() == Some(client_id) => Ok(()),
            None if audiences(&self.claims).len() == 1 => Ok(()),
            _ => Err(Flaw::Party),
        }
    }

    fn check_times(&self, now: Timestamp, needed: &[&'static str]) -> Result<(), Flaw> {
        let (ends, made, begins) = (self.time("exp")?, self.time("iat")?, self.time("nbf")?);
        for (name, time) in [("exp", ends), ("iat", made)] {
            if time.is_none() && needed.contains(&name) {
                return Err(Flaw::Missing(name));
            }
        }
        let later = |time: Timestamp| time.checked_add(SKEW).unwrap_or(Timestamp::MAX);
        if ends.is_some_and(|ends| later(ends) < now) {
            return Err(Flaw::Expired);
        }
        if made.is_some_and(|made| made > later(now)) {
            return Err(Flaw::Future);
        }
        if begins.is_some_and(|begins| begins > later(now)) { Err(Flaw::NotYet) } else { Ok(()) }
    }

    fn time(&self, name: &'static str) -> Result<Option<Timestamp>, Flaw> {
        let Some(value) = self.claims.get(name) else { return Ok(None) };
        numeric_date(value).map(Some).ok_or(Flaw::Missing(name))
    }

    fn need(&self, names: &[&'static str]) -> Result<(), Flaw> {
        let missing = names.iter().find(|name| self.text(name).is_none_or(str::is_empty));
        missing.map_or(Ok(()), |name| Err(Flaw::Missing(name)))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }
}

/// Seconds since 1970; RFC 7519 allows fractions.
pub(crate) fn numeric_date(value: &Value) -> Option<Timestamp> {
    let seconds = value.as_f64().filter(|seconds| seconds.is_finite())?;
    #[allow(clippy::cast_possible_truncation, reason = "what is out of range is refused by the next line")]
    Timestamp::from_second(seconds.floor() as i64).ok()
}

fn audiences(claims: &Map<String, Value>) -> Vec<&str> {
    match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}
