//! What is counted about requests, and the page that shows all metrics of the process.

use std::time::Duration;

use actix_web::{HttpResponse, http::Method, web::Data};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use super::problem::Problem;

/// Which requests. A route is a pattern such as `/auth/login`; nothing that a client writes becomes a label.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

/// Counts requests; cloning shares the counts.
#[derive(Debug, Clone)]
pub(crate) struct HttpMetrics {
    requests: Family<Answered, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
    pub(super) sockets: Gauge,
}

impl Default for HttpMetrics {
    fn default() -> Self {
        let seconds = || Histogram::new([0.001, 0.004, 0.016, 0.064, 0.25, 1.0, 4.0, 16.0]);
        Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(seconds),
            sockets: Gauge::default(),
        }
    }
}

impl HttpMetrics {
    /// Makes them visible, all named `http_...`.
    pub(crate) fn register(&self, registry: &mut Registry) {
        let http = registry.sub_registry_with_prefix("http");
        http.register("requests", "Requests answered", self.requests.clone());
        http.register("request_seconds", "Time until the answer began", self.seconds.clone());
        http.register("sockets", "Open WebSockets", self.sockets.clone());
    }

    pub(super) fn observe(&self, route: &str, method: &Method, status: u16, elapsed: Duration) {
        let answered = Answered { route: route.to_owned(), method: known(method), status };
        self.requests.get_or_create(&answered).inc();
        self.seconds.get_or_create(&Route { route: route.to_owned() }).observe(elapsed.as_secs_f64());
    }
}

/// Methods are free text; only a few become labels.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Everything in the registry, as OpenMetrics text.
pub(super) async fn page(registry: Data<Registry>) -> Result<HttpResponse, Problem> {
    let mut text = String::new();
    encode(&mut text, &registry).map_err(|error| Problem::internal(&error))?;
    Ok(HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(text))
}
