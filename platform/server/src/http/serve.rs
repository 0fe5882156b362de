//! Listening.

use std::{io, net::SocketAddr, net::TcpListener, sync::Arc, time::Duration};

use actix_web::{
    App, HttpServer,
    dev::ServerHandle,
    middleware::from_fn,
    web::{self, Data},
};
use prometheus_client::registry::Registry;
use tokio_util::sync::CancellationToken;

use super::{
    app, metrics,
    problem::Problem,
    site::{Parts, Site},
    wrap::wrap,
};
use crate::config::HttpConfig;

/// Time to send a request's head, and to say goodbye.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a quiet connection is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Open connections of one worker; further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 10_000;
const METRICS_MAX_CONNECTIONS: usize = 64;

/// Stops a server.
#[derive(Clone)]
pub(crate) struct Handle {
    server: ServerHandle,
    /// Tells WebSockets goodbye.
    closing: CancellationToken,
}

impl Handle {
    /// Accepts nothing more and ends; gracefully means that open requests are answered first.
    pub(crate) async fn stop(&self, graceful: bool) {
        self.closing.cancel();
        self.server.stop(graceful).await;
    }
}

/// Listens for browsers, programs and devices. Must be called within an actix system. `grace` is how long a
/// graceful stop waits for open requests.
///
/// # Errors
/// When the address cannot be listened on.
pub(crate) fn serve(config: &HttpConfig, grace: Duration, parts: Parts) -> io::Result<(SocketAddr, Handle)> {
    let (listener, addr) = listen(config.addr)?;
    let site = Data::new(Site::new(config, addr, parts));
    let closing = site.closing.clone();
    let server =
        HttpServer::new(move || App::new().app_data(site.clone()).wrap(from_fn(wrap)).configure(app::routes))
            .workers(config.workers)
            .max_connections(MAX_CONNECTIONS)
            .keep_alive(KEEP_ALIVE)
            .client_request_timeout(HEAD_TIMEOUT)
            .client_disconnect_timeout(DISCONNECT_TIMEOUT)
            .shutdown_timeout(grace.as_secs())
            .disable_signals()
            .listen(listener)?
            .run();
    let handle = Handle { server: server.handle(), closing };
    actix_web::rt::spawn(server);
    tracing::info!(address = %addr, "http listening");
    Ok((addr, handle))
}

/// Listens for whoever collects the metrics of `registry`.
///
/// # Errors
/// When the address cannot be listened on.
pub(crate) fn serve_metrics(addr: SocketAddr, registry: Arc<Registry>) -> io::Result<(SocketAddr, Handle)> {
    let (listener, addr) = listen(addr)?;
    let registry = Data::from(registry);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(registry.clone())
            .route("/metrics", web::get().to(metrics::page))
            .default_service(web::to(|| async { Problem::nothing_here() }))
    })
    .workers(1)
    .max_connections(METRICS_MAX_CONNECTIONS)
    .client_request_timeout(HEAD_TIMEOUT)
    .shutdown_timeout(1)
    .disable_signals()
    .listen(listener)?
    .run();
    let handle = Handle { server: server.handle(), closing: CancellationToken::new() };
    actix_web::rt::spawn(server);
    tracing::info!(address = %addr, "metrics listening");
    Ok((addr, handle))
}

fn listen(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let bound = listener.local_addr()?;
    Ok((listener, bound))
}
