//! What every handler can reach.

use std::{future::Future, net::SocketAddr, sync::Arc};

use broker::Entrance;
use graphql_schema::Schema;
use identity::Identity;
use tenants::{access::Access, clock::Clock, quotas::Meter};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::Instrument;
use twins::Twins;
use url::Url;

use super::{
    cookie::Cookies, health::Health, metrics::HttpMetrics, origin::Origins, problem::Problem,
    wrap::Correlations,
};
use crate::config::HttpConfig;

/// What the platform hands over.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) schema: Schema,
    pub(crate) identity: Arc<Identity>,
    pub(crate) access: Arc<Access>,
    pub(crate) twins: Twins,
    pub(crate) meter: Arc<Meter>,
    /// Where MQTT over WebSockets goes.
    pub(crate) mqtt: Entrance,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) health: Arc<Health>,
    pub(crate) metrics: HttpMetrics,
    /// Where stores are used.
    pub(crate) runtime: tokio::runtime::Handle,
}

/// The platform, and what follows from where the server listens.
pub(super) struct Site {
    pub(super) parts: Parts,
    pub(super) cookies: Cookies,
    pub(super) origins: Origins,
    /// How the outside reaches this server, without a slash at the end.
    pub(super) public: String,
    /// Whether browsers come over TLS.
    pub(super) https: bool,
    pub(super) correlations: Correlations,
    /// Ends the WebSockets, which would otherwise last as long as their clients.
    pub(super) closing: CancellationToken,
}

impl Site {
    /// The platform as it is seen at `addr`.
    pub(super) fn new(config: &HttpConfig, addr: SocketAddr, parts: Parts) -> Self {
        let https = config.is_https();
        let public_url = config.public_url.clone().or_else(|| Url::parse(&format!("http://{addr}")).ok());
        Self {
            parts,
            cookies: Cookies { secure: https },
            origins: Origins::new(public_url.as_ref()),
            public: public_url.map_or_else(String::new, |url| url.origin().ascii_serialization()),
            https,
            correlations: Correlations::new(),
            closing: CancellationToken::new(),
        }
    }

    /// Runs a task on the platform's runtime; a client that goes away ends it.
    pub(super) async fn run<T, F>(&self, task: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let task = self.parts.runtime.spawn(task.in_current_span());
        AbortOnDropHandle::new(task).await.map_err(|error| Problem::internal(&error))
    }
}
