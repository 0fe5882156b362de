//! Accepts connections and runs each in a task of its own.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use prometheus_client::metrics::gauge::Gauge;
use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
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
    session,
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
    tasks: TaskTracker,
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
        tasks.spawn(door.accept(plain, None));
        Ok(Self { local, tls, stop: stop.drop_guard(), tasks })
    }

    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.local
    }

    pub(crate) fn tls_addr(&self) -> Option<SocketAddr> {
        self.tls
    }

    /// Stops accepting, lets the sessions finish within `grace`, then closes what is left.
    pub(crate) async fn shutdown(self, hub: &Hub, grace: Duration) {
        self.stop.disarm().cancel();
        self.tasks.close();
        hub.registry.drain();
        if timeout(grace, self.tasks.wait()).await.is_ok() {
            return;
        }
        hub.registry.close_all();
        if timeout(CLOSE_TIMEOUT, self.tasks.wait()).await.is_err() {
            tracing::warn!(open = self.tasks.len(), "mqtt connections did not close in time");
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// What every accept loop needs; the places are shared.
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
                Ok((stream, peer)) => match Arc::clone(&self.places).try_acquire_owned() {
                    Ok(place) => {
                        let guard = Guard::new(place, self.hub.metrics.connections.clone());
                        let tls = tls.as_ref().map(|settings| settings.current());
                        self.tasks.spawn(self.clone().serve(stream, peer, tls, guard));
                    }
                    Err(_) => self.hub.metrics.refused("max_connections"),
                },
                Err(error) => {
                    tracing::warn!(%error, "accepting an mqtt connection failed");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// One connection, from its first byte to its last.
    async fn serve(self, stream: TcpStream, peer: SocketAddr, tls: Option<Arc<ServerConfig>>, _guard: Guard) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "mqtt connection was gone before it was greeted");
            return;
        }
        let opened = async {
            let mut stream = self.secured(stream, peer, tls).await?;
            let opened = connect::greet(&mut stream, peer, &self.hub).await?;
            Some((stream, opened))
        };
        let opened = tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            opened = opened => opened,
        };
        if let Some((stream, opened)) = opened {
            session::run(stream, opened, self.hub).await;
        }
    }

    /// The connection after its TLS handshake, where it has one; `None` where that failed, which is counted.
    async fn secured(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        tls: Option<Arc<ServerConfig>>,
    ) -> Option<Transport> {
        let Some(config) = tls else { return Some(Transport::Tcp(stream)) };
        let handshake = TlsAcceptor::from(config).accept(stream);
        match timeout(self.hub.config.connect_timeout, handshake).await {
            Ok(Ok(stream)) => Some(Transport::Tls(Box::new(stream))),
            Ok(Err(error)) => {
                self.hub.metrics.refused("tls");
                tracing::info!(%peer, %error, "mqtt connection refused: the TLS handshake failed");
                None
            }
            Err(_) => {
                self.hub.metrics.refused("tls_timeout");
                tracing::info!(%peer, "mqtt connection refused: no TLS handshake in time");
                None
            }
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
