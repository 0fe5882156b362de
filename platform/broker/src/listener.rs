//! Accepts connections and runs each in a task of its own.

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use prometheus_client::metrics::gauge::Gauge;
use rustls::ServerConfig;
use tokio::{
    io::DuplexStream,
    net::{TcpListener, TcpSocket, TcpStream},
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use crate::{
    config::{TlsListen, TlsSettings},
    connect,
    hub::Hub,
    proxied, session,
    transport::Transport,
};

/// Connections that the kernel holds until they are accepted: a whole hospital may come back at once.
const BACKLOG: u32 = 4_096;

/// Pause after a failed accept; without it, running out of file descriptors would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long sessions may take to close after they were told to, beyond the grace.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// The accept loops and the tasks they started.
pub(crate) struct Listener {
    local: SocketAddr,
    tls: Option<SocketAddr>,
    /// A broker that is dropped without a shutdown stops accepting all the same.
    stop: DropGuard,
    door: Door,
}

impl Listener {
    pub(crate) fn start(hub: &Arc<Hub>) -> io::Result<Self> {
        let plain = listen(hub.config.listen)?;
        let local = plain.local_addr()?;
        let encrypted = match &hub.config.tls {
            Some(TlsListen { listen: address, settings }) => Some((listen(*address)?, Arc::clone(settings))),
            None => None,
        };
        let tls = encrypted.as_ref().map(|(listener, _)| listener.local_addr()).transpose()?;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let places = Arc::new(Semaphore::new(hub.config.max_connections.min(Semaphore::MAX_PERMITS)));
        let door = Door { hub: Arc::clone(hub), stop: stop.clone(), tasks: tasks.clone(), places };
        if let Some((listener, settings)) = encrypted {
            tasks.spawn(door.clone().accept(listener, Some(settings)));
        }
        tasks.spawn(door.clone().accept(plain, None));
        Ok(Self { local, tls, stop: stop.drop_guard(), door })
    }

    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.local
    }

    pub(crate) fn tls_addr(&self) -> Option<SocketAddr> {
        self.tls
    }

    pub(crate) fn entrance(&self) -> Entrance {
        Entrance { door: self.door.clone(), runtime: Handle::current() }
    }

    /// Stops accepting, lets the sessions finish within `grace`, then closes what is left.
    pub(crate) async fn shutdown(self, hub: &Hub, grace: Duration) {
        self.stop.disarm().cancel();
        let tasks = self.door.tasks;
        tasks.close();
        hub.registry.drain();
        if timeout(grace, tasks.wait()).await.is_ok() {
            return;
        }
        hub.registry.close_all();
        if timeout(CLOSE_TIMEOUT, tasks.wait()).await.is_err() {
            tracing::warn!(open = tasks.len(), "mqtt connections did not close in time");
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Lets connections in that came another way than through a listener of the broker's own.
#[derive(Clone)]
pub struct Entrance {
    door: Door,
    runtime: Handle,
}

impl Entrance {
    /// Serves a client whose bytes go through a pipe, until either side ends it. It has its place among the connections;
    /// where there is none left the pipe is dropped at once. `host`: by which name the client came here.
    pub fn enter(&self, pipe: DuplexStream, host: &str, peer: SocketAddr) {
        let Some(guard) = self.door.place() else { return };
        let transport = std::future::ready(Some((Transport::Pipe(pipe, host.into()), peer)));
        self.door.tasks.spawn_on(self.door.clone().serve(transport, guard), &self.runtime);
    }
}

/// What every way in needs; the places are shared.
#[derive(Clone)]
struct Door {
    hub: Arc<Hub>,
    stop: CancellationToken,
    tasks: TaskTracker,
    places: Arc<Semaphore>,
}

impl Door {
    async fn accept(self, listener: TcpListener, tls: Option<Arc<dyn TlsSettings>>) {
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let Some(guard) = self.place() else { continue };
                    let tls = tls.as_ref().map(|settings| settings.current());
                    let transport = secured(stream, peer, tls, Arc::clone(&self.hub));
                    self.tasks.spawn(self.clone().serve(transport, guard));
                }
                Err(error) => {
                    tracing::warn!(%error, "accepting an mqtt connection failed");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// A place among the connections; `None` where all are taken, which is counted.
    fn place(&self) -> Option<Guard> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        if place.is_err() {
            self.hub.metrics.refused("max_connections");
        }
        Some(Guard::new(place.ok()?, self.hub.metrics.connections.clone()))
    }

    /// One connection, from its first byte to its last.
    async fn serve(self, transport: impl Future<Output = Option<(Transport, SocketAddr)>>, _guard: Guard) {
        // Boxed: a greeting needs much for a moment, and would otherwise have its place in the task for as long as it lives.
        let opened = Box::pin(async {
            let (mut transport, peer) = transport.await?;
            let opened = connect::greet(&mut transport, peer, &self.hub).await?;
            Some((transport, opened))
        });
        let opened = tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            opened = opened => opened,
        };
        if let Some((transport, opened)) = opened {
            session::run(transport, opened, self.hub).await;
        }
    }
}

/// The connection and where it comes from, after its TLS handshake where it has one; `None` where it does not come so far,
/// which is counted.
async fn secured(
    mut stream: TcpStream,
    peer: SocketAddr,
    tls: Option<Arc<ServerConfig>>,
    hub: Arc<Hub>,
) -> Option<(Transport, SocketAddr)> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "mqtt connection was gone before it was greeted");
        return None;
    }
    let bound = hub.config.connect_timeout;
    let mut client = peer;
    if hub.config.proxied {
        let Ok(Some(found)) = timeout(bound, proxied::client(&mut stream, peer)).await else {
            hub.metrics.refused("proxy_protocol");
            tracing::info!(%peer, "mqtt connection refused: no PROXY protocol header of version 2 in time");
            return None;
        };
        client = found;
    }
    let Some(config) = tls else { return Some((Transport::Tcp(stream), client)) };
    match timeout(bound, TlsAcceptor::from(config).accept(stream)).await {
        Ok(Ok(stream)) => Some((Transport::Tls(Box::new(stream)), client)),
        Ok(Err(error)) => {
            hub.metrics.refused("tls");
            tracing::info!(peer = %client, %error, "mqtt connection refused: the TLS handshake failed");
            None
        }
        Err(_) => {
            hub.metrics.refused("tls_timeout");
            tracing::info!(peer = %client, "mqtt connection refused: no TLS handshake in time");
            None
        }
    }
}

/// Counts a connection for as long as its task lives, even if it panics.
struct Guard {
    _place: OwnedSemaphorePermit,
    connections: Gauge,
}

impl Guard {
    fn new(place: OwnedSemaphorePermit, connections: Gauge) -> Self {
        connections.inc();
        Self { _place: place, connections }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.connections.dec();
    }
}
