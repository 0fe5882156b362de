//! A socket, and the bytes that go over it.
use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;
use tests::mqtt::{Login, Packet, Version, connect, next_packet, publish};
use tests::time;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

pub(crate) struct Wire {
    stream: TcpStream,
    unread: BytesMut,
    version: Version,
}

impl Wire {
    pub(crate) async fn open(server: SocketAddr, version: Version) -> Wire {
        Wire { stream: TcpStream::connect(server).await.unwrap(), unread: BytesMut::new(), version }
    }

    /// Open and logged in.
    pub(crate) async fn greeted(server: SocketAddr, version: Version, login: &Login) -> Wire {
        let mut wire = Wire::open(server, version).await;
        wire.send(&connect(login, version, 60)).await;
        assert_eq!(wire.answer().await, Some(Packet::Connack { code: 0 }));
        wire
    }

    /// A server that has hung up already is noticed when its answer is read.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.ok();
    }

    /// The next packet, or `None` when the server closed the connection.
    pub(crate) async fn answer(&mut self) -> Option<Packet> {
        timeout(time::BOUND, self.next()).await.expect("the server answers or hangs up")
    }

    async fn next(&mut self) -> Option<Packet> {
        loop {
            if let Some(packet) = next_packet(&mut self.unread, self.version).unwrap() {
                return Some(packet);
            }
            // A connection that was reset is one that was hung up on.
            if self.stream.read_buf(&mut self.unread).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    /// What the server says until it hangs up, which `why` it must.
    pub(crate) async fn last_words(&mut self, why: &str) -> Vec<Packet> {
        let mut words = Vec::new();
        loop {
            match timeout(time::BOUND, self.next()).await {
                Ok(Some(packet)) => words.push(packet),
                Ok(None) => return words,
                Err(_) => panic!("{why}: the server does not hang up; it said {words:?}"),
            }
        }
    }

    /// How long it takes until the server hangs up.
    pub(crate) async fn time_to_hang_up(&mut self) -> Duration {
        let began = time::instant();
        self.last_words("silence").await;
        began.elapsed()
    }
}

/// A PUBLISH to `telemetry`, whole.
pub(crate) fn reading(id: u16, version: Version) -> Vec<u8> {
    publish("telemetry", b"{\"heartRate\":72}", id, version).bytes
}
