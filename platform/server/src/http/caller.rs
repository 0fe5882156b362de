//! How a request proves who sends it: a bearer token, or the cookie of a signed-in browser.

use std::sync::Arc;

use actix_web::{
    HttpMessage, HttpRequest,
    http::header::{self, HeaderName},
};
use async_graphql::Request;
use identity::{ActiveSession, Identity, IdentityError, Visitor};
use tenants::{
    CorrelationId, ErrorKind, SessionId, TenantId,
    access::{Access, AccessError, Caller},
    audit::{Channel, Origin},
    credentials::SecretHash,
};

use super::{problem::Problem, site::Site};

pub(super) const CSRF: HeaderName = HeaderName::from_static("x-csrf-token");
/// The id of the hospital in which an operator acts who was let in.
const ACT_IN: HeaderName = HeaderName::from_static("x-act-in");

/// What a request presents.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Presented {
    Bearer(String),
    Cookie(String),
    Nothing,
}

/// Whether the request only reads; what changes something needs more than a cookie, which browsers send
/// for any page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intent {
    Read,
    Change,
}

impl Presented {
    /// A header is deliberate, so it goes before the cookie that a browser adds by itself.
    pub(super) fn of(site: &Site, request: &HttpRequest) -> Self {
        if let Some(value) = request.headers().get(header::AUTHORIZATION) {
            // What is not a bearer token proves nothing, and is no reason to fall back to the cookie.
            return Self::Bearer(value.to_str().ok().and_then(bearer).unwrap_or_default().to_owned());
        }
        site.cookies.read(request).map_or(Self::Nothing, Self::Cookie)
    }

    /// Who that is; `from`: the network address, empty when an open connection is looked at again.
    pub(super) async fn identify(
        &self,
        identity: &Identity,
        from: &str,
    ) -> Result<Identified, IdentityError> {
        match self {
            Self::Bearer(token) => {
                Ok(Identified { caller: identity.bearer(token, from).await?, session: None })
            }
            Self::Cookie(secret) => {
                let session = identity.session(secret).await?;
                Ok(Identified { caller: session.caller.clone(), session: Some(session) })
            }
            Self::Nothing => Err(IdentityError::NotValid),
        }
    }
}

/// Who sent a request, and in which session when not a program.
#[derive(Debug, Clone)]
pub(super) struct Identified {
    pub(super) caller: Caller,
    session: Option<Arc<ActiveSession>>,
}

impl Identified {
    pub(super) fn csrf(&self) -> Option<&str> {
        self.session.as_ref().map(|session| session.csrf())
    }

    pub(super) fn session(&self) -> Option<SessionId> {
        self.session.as_ref().map(|session| session.id())
    }

    /// The session, where what is done is the session's own: an operator who acts in a hospital has none there.
    pub(super) fn own_session(&self) -> Option<SessionId> {
        self.session().filter(|_| self.caller.elevated().is_none())
    }

    /// Tells a GraphQL request who sent it.
    pub(super) fn attach(self, request: Request) -> Request {
        let request = match self.own_session() {
            Some(session) => request.data(session),
            None => request,
        };
        request.data(self.caller)
    }

    /// The same as an operator who acts in a hospital. Only somebody who has signed in does: a program would go on by
    /// itself.
    pub(super) async fn acting(self, access: &Access, hospital: TenantId) -> Result<Self, AccessError> {
        if self.session.is_none() {
            return Err(AccessError::NotElevated);
        }
        Ok(Self { caller: access.acting(&self.caller, hospital).await?, ..self })
    }
}

/// The caller of a request, or why there is none.
pub(super) async fn caller(
    site: &Site,
    request: &HttpRequest,
    intent: Intent,
) -> Result<Identified, Problem> {
    let presented = Presented::of(site, request);
    if presented == Presented::Nothing {
        let detail = "sign in, or send an API token as a bearer token";
        return Err(Problem::new(ErrorKind::Unauthenticated, detail).challenge("Bearer"));
    }
    let guarded = matches!(presented, Presented::Cookie(_)) && intent == Intent::Change;
    if guarded {
        site.origins.refuse_foreign(request)?;
    }
    let (identity, from) = (Arc::clone(&site.parts.identity), peer(request));
    let identified = site.run(async move { presented.identify(&identity, &from).await }).await?;
    let identified = identified.map_err(|error| Problem::from(error).challenge("Bearer"))?;
    if guarded {
        check_csrf(request, identified.csrf())?;
    }
    let Some(hospital) = request.headers().get(ACT_IN) else { return Ok(identified) };
    let hospital = hospital.to_str().ok().and_then(|id| id.parse().ok());
    let hospital = hospital.ok_or_else(|| Problem::bad_input("X-Act-In: expected the id of a hospital"))?;
    let access = Arc::clone(&site.parts.access);
    Ok(site.run(async move { identified.acting(&access, hospital).await }).await??)
}

/// A page of ours knows the session's token; a page of somebody else cannot read it.
pub(super) fn check_csrf(request: &HttpRequest, expected: Option<&str>) -> Result<(), Problem> {
    let sent = request.headers().get(CSRF).map(|value| SecretHash::of(value.as_bytes()));
    let expected = expected.map(|expected| SecretHash::of(expected.as_bytes()));
    match (sent, expected) {
        (Some(sent), Some(expected)) if sent == expected => Ok(()),
        _ => Err(Problem::new(
            ErrorKind::Forbidden,
            "the X-CSRF-Token header is missing or wrong; load the page again",
        )),
    }
}

/// The token of an `Authorization` header, also of one that holds nothing but the scheme.
pub(super) fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Leads from a request to its traces.
pub(super) fn correlation(request: &HttpRequest) -> CorrelationId {
    request.extensions().get::<CorrelationId>().copied().unwrap_or_default()
}

/// Where a request comes from, for the audit trail. What proxies add is not believed: anybody can add it.
pub(super) fn peer(request: &HttpRequest) -> String {
    request.peer_addr().map_or_else(|| "unknown".to_owned(), |peer| peer.ip().to_string())
}

/// Where a request comes from, before it is known who sends it.
pub(super) fn visitor(request: &HttpRequest) -> Visitor {
    Visitor::new(peer(request), agent(request), correlation(request))
}

fn agent(request: &HttpRequest) -> &str {
    let agent = request.headers().get(header::USER_AGENT);
    agent.and_then(|agent| agent.to_str().ok()).unwrap_or_default()
}

/// A browser with a session is the user interface.
pub(super) const fn channel(presented: &Presented) -> Channel {
    match presented {
        Presented::Cookie(_) => Channel::Ui,
        Presented::Bearer(_) | Presented::Nothing => Channel::Graphql,
    }
}

/// Where a request comes from, with all that is known of it.
pub(super) fn origin(request: &HttpRequest, presented: &Presented) -> Origin {
    Origin::new(channel(presented), &peer(request), agent(request))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_of_a_header() {
        for (header, expected) in [
            ("Bearer abc", Some("abc")),
            ("bearer  abc ", Some("abc")),
            ("Bearer", Some("")),
            ("Bearer ", Some("")),
            ("Basic abc", None),
            ("", None),
            ("abc", None),
        ] {
            assert_eq!(bearer(header), expected, "{header:?}");
        }
    }
}
