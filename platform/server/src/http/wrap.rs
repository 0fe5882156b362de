//! What happens to every request: a correlation id, a bounded time, a span, a line in the log, the headers
//! that browsers need.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
    web::Data,
};
use rand::{TryRngCore, rngs::OsRng};
use tenants::{CorrelationId, clock::Stopwatch};
use tracing::Instrument;

use super::{headers, problem::Problem, site::Site};

/// Time to read a request and to answer it. Bodies that trickle in and queries that never end are cut off;
/// WebSockets answer at once and live on.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

const CORRELATION: HeaderName = HeaderName::from_static("x-correlation-id");

/// The route of whatever is not in the table of routes.
const PAGE: &str = "page";

/// Hands out the ids of requests.
pub(super) struct Correlations(AtomicU64);

impl Correlations {
    /// Starts anywhere, so that two processes do not count alike.
    pub(super) fn new() -> Self {
        let start = OsRng.try_next_u64();
        // Ids need not be secret: without randomness they begin at 0.
        Self(AtomicU64::new(start.unwrap_or_default()))
    }

    pub(super) fn take(&self) -> CorrelationId {
        CorrelationId(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// The middleware. A route's pattern goes into the log and never its address: addresses name patients.
pub(super) async fn wrap(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let Some(site) = request.app_data::<Data<Site>>().cloned() else {
        return next.call(request).await.map(ServiceResponse::map_into_left_body);
    };
    let correlation = site.correlations.take();
    request.extensions_mut().insert(correlation);
    let method = request.method().clone();
    let watch = Stopwatch::start();
    let span = tracing::info_span!("http", %method, %correlation);
    let answer = tokio::time::timeout(REQUEST_TIMEOUT, next.call(request)).instrument(span.clone()).await;
    let _entered = span.entered();
    let mut response = match answer {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return Err(dressed(&site, correlation, error.error_response())),
        Err(_) => {
            let problem = Problem::unavailable();
            tracing::warn!("a request took too long and was given up");
            return Err(dressed(&site, correlation, actix_web::ResponseError::error_response(&problem)));
        }
    };
    let route = response
        .request()
        .match_pattern()
        .filter(|pattern| pattern.len() > 1)
        .unwrap_or_else(|| PAGE.to_owned());
    let (status, elapsed) = (response.status().as_u16(), watch.elapsed());
    site.parts.metrics.observe(&route, &method, status, elapsed);
    tracing::debug!(route, status, elapsed_ms = elapsed.as_secs_f64() * 1_000.0, "answered");
    headers::dress(response.headers_mut(), site.https);
    response.headers_mut().insert(CORRELATION, text(correlation));
    Ok(response.map_into_right_body())
}

/// An error that carries a finished answer.
fn dressed(site: &Site, correlation: CorrelationId, mut response: HttpResponse) -> Error {
    headers::dress(response.headers_mut(), site.https);
    response.headers_mut().insert(CORRELATION, text(correlation));
    InternalError::from_response("the request was not answered by a handler", response).into()
}

fn text(correlation: CorrelationId) -> HeaderValue {
    HeaderValue::try_from(correlation.to_string()).unwrap_or(HeaderValue::from_static("0"))
}
