//! Access tokens for service clients: OAuth 2 client credentials (RFC 6749 sections 2.3.1, 4.4 and 5).

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{Data, Payload},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use identity::IdentityError;
use serde::Deserialize;
use serde_json::json;

use super::{body, caller::visitor, problem::Problem, site::Site};

const MAX_BODY_BYTES: usize = 8 * 1024;

#[derive(Deserialize)]
struct TokenRequest {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    scope: Option<String>,
}

/// How a client proves who it is.
struct ClientSecret {
    id: String,
    secret: String,
}

pub(super) async fn token(
    site: Data<Site>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let form: TokenRequest = match body::form(&request, payload, MAX_BODY_BYTES).await {
        Ok(form) => form,
        Err(_) => return Ok(refusal("invalid_request", "send a form, application/x-www-form-urlencoded")),
    };
    let presented = match presented(&request, &form) {
        Ok(presented) => presented,
        Err(description) => return Ok(refusal("invalid_request", description)),
    };
    let Some(ClientSecret { id, secret }) = presented else {
        return Ok(not_known("send client_id and client_secret, by HTTP Basic or in the form"));
    };
    match form.grant_type.as_deref() {
        Some("client_credentials") => {}
        Some(_) => return Ok(refusal("unsupported_grant_type", "grant_type must be client_credentials")),
        None => return Ok(refusal("invalid_request", "grant_type is missing")),
    }
    if form.scope.is_some_and(|scope| !scope.trim().is_empty()) {
        let description = "a client has the role that its hospital gave it; leave scope out";
        return Ok(refusal("invalid_scope", description));
    }
    let (identity, visitor) = (Arc::clone(&site.parts.identity), visitor(&request));
    let issued = site.run(async move { identity.client_token(&id, &secret, &visitor).await }).await?;
    match issued {
        Ok(issued) => Ok(answer(StatusCode::OK).json(json!({
            "access_token": issued.token.reveal(),
            "token_type": "Bearer",
            "expires_in": issued.seconds,
        }))),
        Err(IdentityError::NotValid) => {
            Ok(not_known("no such client, a wrong secret, or it may not act any more"))
        }
        Err(IdentityError::Suspended) => Ok(not_known("the hospital is suspended")),
        Err(error) => Err(error.into()),
    }
}

/// By header or in the form, not both; `None` when neither.
fn presented(request: &HttpRequest, form: &TokenRequest) -> Result<Option<ClientSecret>, &'static str> {
    let in_form = form.client_secret.as_ref();
    let Some(value) = request.headers().get(header::AUTHORIZATION) else {
        let both = form.client_id.clone().zip(in_form.cloned());
        return Ok(both.map(|(id, secret)| ClientSecret { id, secret }));
    };
    if in_form.is_some() {
        return Err("prove who the client is in one way: by HTTP Basic, or in the form");
    }
    Ok(value.to_str().ok().and_then(basic).map(|(id, secret)| ClientSecret { id, secret }))
}

/// Each part is form-encoded before both are put together (RFC 6749 section 2.3.1).
fn basic(value: &str) -> Option<(String, String)> {
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((form_decoded(id), form_decoded(secret)))
}

fn form_decoded(text: &str) -> String {
    let decoded = url::form_urlencoded::parse(text.as_bytes());
    decoded.map(|(name, _)| name.into_owned()).next().unwrap_or_default()
}

fn refusal(error: &str, description: &str) -> HttpResponse {
    answer(StatusCode::BAD_REQUEST).json(json!({ "error": error, "error_description": description }))
}

/// Whichever way it tried: an answer of 401 always says how to prove who one is (RFC 9110 section 15.5.2).
fn not_known(description: &str) -> HttpResponse {
    let mut answer = answer(StatusCode::UNAUTHORIZED);
    answer.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"iomt\""));
    answer.json(json!({ "error": "invalid_client", "error_description": description }))
}

/// Nothing of it may be kept on the way.
fn answer(status: StatusCode) -> actix_web::HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    answer.insert_header((header::CACHE_CONTROL, "no-store")).insert_header((header::PRAGMA, "no-cache"));
    answer
}
