//! Signing in and out, the first account, and those of people who were invited.

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Payload, Query},
};
use identity::{Invited, SignedIn};
use serde::{Deserialize, Serialize};
use tenants::access::{Caller, Principal};

use super::{
    body,
    caller::{Presented, check_csrf, visitor},
    problem::Problem,
    site::Site,
};

/// Largest body here: an address, a name and a password.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// How long it is looked for where somebody's provider ends sessions.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
pub(super) struct Login {
    email: String,
    password: String,
    /// Of whoever has a second factor, once they are asked for it.
    code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FirstUser {
    token: String,
    email: String,
    display_name: String,
    password: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Newcomer {
    token: String,
    display_name: String,
    password: String,
}

#[derive(Deserialize)]
pub(super) struct Link {
    #[serde(default)]
    token: String,
}

/// What the UI is told about the session; the cookie itself is out of its reach.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionView<'a> {
    csrf: &'a str,
    email: &'a str,
    display_name: &'a str,
}

impl<'a> SessionView<'a> {
    fn new(csrf: &'a str, caller: &'a Caller) -> Self {
        let (email, display_name) = match &caller.principal {
            Principal::User { email, name, .. } => (email.as_ref(), name.as_ref()),
            // Neither devices nor operators within a hospital have sessions there.
            Principal::Device(_) | Principal::Client { .. } | Principal::Operator(_) => ("", ""),
        };
        Self { csrf, email, display_name }
    }
}

pub(super) async fn login(
    site: Data<Site>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    site.origins.refuse_foreign(&request)?;
    let Login { email, password, code } = body::json(&request, payload, MAX_BODY_BYTES).await?;
    let (identity, visitor) = (Arc::clone(&site.parts.identity), visitor(&request));
    let signed_in = site
        .run(async move { identity.sign_in(&email, &password, code.as_deref(), &visitor).await })
        .await??;
    Ok(welcome(&site, &signed_in))
}

pub(super) async fn session(site: Data<Site>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let secret = site.cookies.read(&request).unwrap_or_default();
    let identity = Arc::clone(&site.parts.identity);
    let session = site.run(async move { identity.session(&secret).await }).await??;
    Ok(HttpResponse::Ok().json(SessionView::new(session.csrf(), &session.caller)))
}

pub(super) async fn logout(site: Data<Site>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    site.origins.refuse_foreign(&request)?;
    let presented = Presented::Cookie(site.cookies.read(&request).unwrap_or_default());
    let (identity, shown, visitor) = (Arc::clone(&site.parts.identity), presented.clone(), visitor(&request));
    let from = visitor.address.clone();
    let identified = site.run(async move { shown.identify(&identity, &from).await }).await??;
    check_csrf(&request, identified.csrf())?;
    let mut elsewhere = None;
    if let Presented::Cookie(secret) = presented {
        let (identity, back_to) = (Arc::clone(&site.parts.identity), format!("{}/login", site.public));
        let ended = site.run(async move {
            // Signing out here does not wait for a provider that is out of reach.
            let asked = tokio::time::timeout(PROVIDER_TIMEOUT, identity.provider_to_leave(&secret, &back_to));
            let elsewhere = asked.await.ok().flatten();
            identity.sign_out(&secret, &visitor).await.map(|()| elsewhere)
        });
        elsewhere = ended.await??;
    }
    let gone = site.cookies.clear();
    Ok(match elsewhere {
        Some(url) => HttpResponse::Ok().cookie(gone).json(SignedOut { continue_at: &url }),
        None => HttpResponse::NoContent().cookie(gone).finish(),
    })
}

pub(super) async fn setup_is_open(site: Data<Site>, link: Query<Link>) -> Result<HttpResponse, Problem> {
    if site.parts.identity.setup_is_open(&link.token).await {
        return Ok(HttpResponse::NoContent().finish());
    }
    Err(identity::IdentityError::SetupClosed.into())
}

pub(super) async fn setup(
    site: Data<Site>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    site.origins.refuse_foreign(&request)?;
    let FirstUser { token, email, display_name, password } =
        body::json(&request, payload, MAX_BODY_BYTES).await?;
    let (identity, visitor) = (Arc::clone(&site.parts.identity), visitor(&request));
    let made = site
        .run(async move { identity.set_up(&token, &email, &display_name, &password, &visitor).await })
        .await??;
    Ok(welcome(&site, &made))
}

/// Where the session that led here ends as well.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SignedOut<'a> {
    continue_at: &'a str,
}

/// Whom a link invites.
#[derive(Serialize)]
struct InvitedView {
    email: String,
    hospital: String,
}

pub(super) async fn invited(site: Data<Site>, link: Query<Link>) -> Result<HttpResponse, Problem> {
    let (identity, token) = (Arc::clone(&site.parts.identity), link.into_inner().token);
    let invited = site.run(async move { identity.invited(&token).await }).await??;
    let Invited { email, hospital } = invited;
    Ok(HttpResponse::Ok().json(InvitedView { email, hospital }))
}

pub(super) async fn accept_invitation(
    site: Data<Site>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    site.origins.refuse_foreign(&request)?;
    let Newcomer { token, display_name, password } = body::json(&request, payload, MAX_BODY_BYTES).await?;
    let (identity, visitor) = (Arc::clone(&site.parts.identity), visitor(&request));
    let made = site
        .run(async move { identity.accept_invitation(&token, &display_name, &password, &visitor).await })
        .await??;
    Ok(welcome(&site, &made))
}

fn welcome(site: &Site, signed_in: &SignedIn) -> HttpResponse {
    HttpResponse::Ok()
        .cookie(site.cookies.set(&signed_in.cookie))
        .json(SessionView::new(&signed_in.csrf, &signed_in.caller))
}
