//! One connection that publishes at QoS 1 within a window and keeps account of every acknowledgement.
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::frames::{Login, Packet, Version, connect, next_packet, ping, publish, subscribe};
use crate::time::BOUND;

/// A connection that was accepted.
#[derive(Debug)]
pub struct Publisher<S = TcpStream> {
    stream: S,
    unread: BytesMut,
    version: Version,
    window: usize,
    next_id: u16,
    in_flight: VecDeque<(u16, u64)>,
    account: Account,
}

/// What one connection can say about the messages it was given, by the number the test gave to each.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// In the order in which they were acknowledged.
    pub acknowledged: Vec<u64>,
    /// Written to the socket, or begun to be.
    pub sent: u64,
}

/// Why there is no connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// CONNACK with this code.
    Code(u8),
    /// Closed without an answer, or unreachable.
    Closed,
}

impl Publisher {
    pub async fn connect(
        server: SocketAddr,
        login: &Login,
        version: Version,
        window: usize,
    ) -> Result<Publisher, Refused> {
        let stream = TcpStream::connect(server).await.map_err(|_| Refused::Closed)?;
        stream.set_nodelay(true).map_err(|_| Refused::Closed)?;
        Publisher::over(stream, login, version, window).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Publisher<S> {
    /// The same over a connection on which nothing was said.
    pub async fn over(
        stream: S,
        login: &Login,
        version: Version,
        window: usize,
    ) -> Result<Publisher<S>, Refused> {
        let mut publisher = Publisher {
            stream,
            unread: BytesMut::new(),
            version,
            window,
            next_id: 0,
            in_flight: VecDeque::new(),
            account: Account::default(),
        };
        publisher.stream.write_all(&connect(login, version, 60)).await.map_err(|_| Refused::Closed)?;
        match publisher.packet().await {
            Ok(Packet::Connack { code: 0 }) => Ok(publisher),
            Ok(Packet::Connack { code }) => Err(Refused::Code(code)),
            _ => Err(Refused::Closed),
        }
    }

    /// Sends a message as soon as the window has room.
    pub async fn publish(&mut self, topic: &str, payload: &[u8], number: u64) -> io::Result<()> {
        while self.in_flight.len() >= self.window {
            self.take_acknowledgement().await?;
        }
        self.next_id = self.next_id.checked_add(1).unwrap_or(1);
        self.in_flight.push_back((self.next_id, number));
        self.account.sent += 1;
        let frame = publish(topic, payload, self.next_id, self.version);
        self.stream.write_all(&frame.bytes).await
    }

    /// Waits until nothing is in flight.
    pub async fn settle(&mut self) -> io::Result<()> {
        while !self.in_flight.is_empty() {
            self.take_acknowledgement().await?;
        }
        Ok(())
    }

    /// Whether the next acknowledgement comes within the bound.
    pub async fn acknowledged_within(&mut self, bound: Duration) -> bool {
        matches!(timeout(bound, self.take_acknowledgement()).await, Ok(Ok(())))
    }

    pub fn account(&self) -> &Account {
        &self.account
    }

    /// What was sent and not acknowledged, oldest first.
    pub fn in_flight(&self) -> impl Iterator<Item = u64> {
        self.in_flight.iter().map(|(_, number)| *number)
    }

    /// Subscribes to one filter and returns the code of the SUBACK, or `None` when the server closed the connection.
    pub async fn subscribe(&mut self, filter: &str) -> Option<u8> {
        self.stream.write_all(&subscribe(filter, u16::MAX, self.version)).await.ok()?;
        loop {
            if let Packet::Suback { codes, .. } = self.packet().await.ok()? {
                return codes.first().copied();
            }
        }
    }

    /// Whether the server still answers.
    pub async fn ping(&mut self) -> bool {
        if self.stream.write_all(&ping()).await.is_err() {
            return false;
        }
        matches!(self.packet().await, Ok(Packet::Pingresp))
    }

    /// Acknowledgements come in the order of the messages; anything else is the server's mistake.
    async fn take_acknowledgement(&mut self) -> io::Result<()> {
        match self.packet().await? {
            Packet::Puback { id, reason } => {
                let (expected, number) =
                    self.in_flight.pop_front().ok_or_else(|| invalid("nothing is in flight"))?;
                assert_eq!(id, expected, "acknowledged out of order");
                // 0x10: no matching subscribers, which is a success.
                if reason != 0 && reason != 0x10 {
                    return Err(invalid(&format!("PUBACK with reason {reason:#x}")));
                }
                self.account.acknowledged.push(number);
                Ok(())
            }
            other => Err(invalid(&format!("{other:?} instead of a PUBACK"))),
        }
    }

    /// The next packet. Can be dropped and called again: what was read stays in the buffer.
    pub async fn packet(&mut self) -> io::Result<Packet> {
        loop {
            if let Some(packet) =
                next_packet(&mut self.unread, self.version).map_err(|reason| invalid(&reason))?
            {
                return Ok(packet);
            }
            let read = timeout(BOUND, self.stream.read_buf(&mut self.unread)).await;
            if read.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}
