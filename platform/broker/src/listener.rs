//! Accepts connections and runs each in a task of its own.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use prometheus_client::metrics::gauge::Gauge;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use crate::{connect, hub::Hub, session};

/// Connections that the kernel holds until they are accepted: a whole hospital may come back at once.
const BACKLOG: u32 = 4_096;

/// Pause after a failed accept; without it, running out of file descriptors would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long sessions may take to close after they were told to, beyond the grace.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// The accept loop and the tasks it started.
pub(crate) struct Listener {
    local: SocketAddr,
    /// A broker that is dropped without a shutdown stops accepting all the same.
    stop: DropGuard,
    tasks: TaskTracker,
}

impl Listener {
    pub(crate) fn start(hub: &Arc<Hub>) -> io::Result<Self> {
        let address = hub.config.listen;
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?;
        let local = listener.local_addr()?;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(accept(listener, Arc::clone(hub), stop.clone(), tasks.clone()));
        Ok(Self { local, stop: stop.drop_guard(), tasks })
    }

    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.local
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

async fn accept(listener: TcpListener, hub: Arc<Hub>, stop: CancellationToken, tasks: TaskTracker) {
    let places = Arc::new(Semaphore::new(hub.config.max_connections.min(Semaphore::MAX_PERMITS)));
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => match Arc::clone(&places).try_acquire_owned() {
                Ok(place) => {
                    let guard = Guard::new(place, hub.metrics.connections.clone());
                    tasks.spawn(serve(stream, peer, Arc::clone(&hub), stop.clone(), guard));
                }
                Err(_) => hub.metrics.refused("max_connections"),
            },
            Err(error) => {
                tracing::warn!(%error, "accepting an mqtt connection failed");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// One connection, from its first byte to its last.
async fn serve(
    mut stream: TcpStream,
    peer: SocketAddr,
    hub: Arc<Hub>,
    stop: CancellationToken,
    _guard: Guard,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "mqtt connection was gone before it was greeted");
        return;
    }
    let opened = tokio::select! {
        biased;
        () = stop.cancelled() => None,
        opened = connect::greet(&mut stream, peer, &hub) => opened,
    };
    if let Some(opened) = opened {
        session::run(stream, opened, hub).await;
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
