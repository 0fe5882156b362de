//! Signing in through a hospital's own identity provider: the browser's way there and back, and the provider's word
//! that somebody has signed out.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Data, Path, Payload, Query},
};
use identity::{CameBack, Entrance, FailedSignIn, Returned, Sent};
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use super::{body, caller::visitor, problem::Problem, site::Site};

/// Largest logout token, as a form.
const MAX_BODY_BYTES: usize = 48 * 1024;
/// Longest address of ours that somebody is brought back to.
const MAX_NEXT_BYTES: usize = 1_024;

#[derive(Deserialize)]
pub(super) struct Hospital {
    #[serde(default)]
    hospital: String,
}

#[derive(Deserialize)]
pub(super) struct Wish {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    state: String,
    code: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

#[derive(Deserialize)]
struct LogoutForm {
    logout_token: String,
}

#[derive(Serialize)]
struct EntranceView {
    name: String,
    /// Where the button leads.
    start: String,
}

/// The buttons of a hospital's sign-in page. Whether there is a hospital of this name cannot be told from it.
pub(super) async fn entrances(site: Data<Site>, of: Query<Hospital>) -> Result<HttpResponse, Problem> {
    let (identity, slug) = (Arc::clone(&site.parts.identity), of.into_inner().hospital);
    let asked = slug.clone();
    let found = site.run(async move { identity.entrances(&asked).await }).await??;
    let view = |Entrance { provider, name }: Entrance| EntranceView {
        name,
        start: format!("/auth/oidc/{slug}/{provider}/start"),
    };
    Ok(HttpResponse::Ok().json(found.into_iter().map(view).collect::<Vec<_>>()))
}

/// Sends the browser away.
pub(super) async fn start(
    site: Data<Site>,
    to: Path<(String, String)>,
    wish: Query<Wish>,
) -> Result<HttpResponse, Problem> {
    let (identity, redirect_uri) = (Arc::clone(&site.parts.identity), redirect_uri(&site));
    let ((hospital, provider), next) = (to.into_inner(), own_path(&wish.next).to_owned());
    let sent =
        site.run(async move { identity.send_to_provider(&hospital, &provider, &next, &redirect_uri).await });
    Ok(match sent.await? {
        Ok(Sent { url, cookie }) => see_other(&url).cookie(site.cookies.attempt(&cookie)).finish(),
        Err(failed) => see_other(&sign_in_page(&failed)).finish(),
    })
}

/// Takes the browser in that comes back.
pub(super) async fn callback(
    site: Data<Site>,
    request: HttpRequest,
    answer: Query<Answer>,
) -> Result<HttpResponse, Problem> {
    let Answer { state, code, error, iss } = answer.into_inner();
    let came = CameBack { state, code, error, iss, cookie: site.cookies.read_attempt(&request) };
    let (identity, redirect_uri) = (Arc::clone(&site.parts.identity), redirect_uri(&site));
    let visitor = visitor(&request);
    let arrived = site.run(async move { identity.take_in(&came, &redirect_uri, &visitor).await });
    Ok(match arrived.await? {
        Ok(Returned { signed_in, next }) => see_other(own_path(&next))
            .cookie(site.cookies.clear_attempt())
            .cookie(site.cookies.set(&signed_in.cookie))
            .finish(),
        Err(failed) => see_other(&sign_in_page(&failed)).cookie(site.cookies.clear_attempt()).finish(),
    })
}

/// Ends sessions on a provider's word. No browser sends this, and the token speaks for itself.
pub(super) async fn backchannel_logout(
    site: Data<Site>,
    request: HttpRequest,
    of: Path<(String, String)>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let LogoutForm { logout_token } = body::form(&request, payload, MAX_BODY_BYTES).await?;
    let (identity, (hospital, provider)) = (Arc::clone(&site.parts.identity), of.into_inner());
    let visitor = visitor(&request);
    let ended = site
        .run(async move { identity.end_by_provider(&hospital, &provider, &logout_token, &visitor).await });
    ended.await??;
    Ok(HttpResponse::Ok().finish())
}

/// What is registered at a provider: exactly this, for every hospital.
fn redirect_uri(site: &Site) -> String {
    format!("{}/auth/oidc/callback", site.public)
}

fn see_other(to: &str) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::SeeOther();
    response.insert_header((header::LOCATION, to));
    response
}

/// The sign-in page, which says what was wrong in its own words.
fn sign_in_page(failed: &FailedSignIn) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(hospital) = &failed.hospital {
        query.append_pair("hospital", hospital.as_str());
    }
    query.append_pair("problem", failed.problem.code());
    format!("/login?{}", query.finish())
}

/// A path of ours; the start page for whatever a browser could take for another place.
fn own_path(next: &str) -> &str {
    let plain = next.len() <= MAX_NEXT_BYTES
        && next.starts_with('/')
        && !next.starts_with("//")
        && !next.starts_with("/auth/")
        && next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if plain { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_brought_to_another_place() {
        for ours in ["/", "/patients/0190?tab=trend#x", "/login?next=%2F%2Fevil.example"] {
            assert_eq!(own_path(ours), ours);
        }
        let long = format!("/{}", "x".repeat(2_000));
        for other in [
            "",
            "patients",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/\tx",
            "/ /evil.example",
            "/x\r\nSet-Cookie: a=b",
            "/auth/logout",
            &long,
        ] {
            assert_eq!(own_path(other), "/", "{other}");
        }
    }
}
