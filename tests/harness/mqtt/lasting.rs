//! Clients whose sessions outlive their connections: they keep their own half of the state, as the standard asks.
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::frames::{
    Login, PUBACK, PUBCOMP, PUBREC, PUBREL, Packet, Version, acknowledge, connect_again, next_packet,
    publish_at, subscribe_at,
};
use crate::time::BOUND;

/// A connection of such a client.
struct Connection {
    stream: TcpStream,
    unread: BytesMut,
}

impl Connection {
    async fn open(server: SocketAddr, login: &Login) -> io::Result<Connection> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        let mut connection = Connection { stream, unread: BytesMut::new() };
        connection.send(&connect_again(login)).await?;
        match connection.packet().await? {
            Packet::Connack { code: 0 } => Ok(connection),
            other => Err(io::Error::other(format!("{other:?} instead of a welcome"))),
        }
    }

    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    async fn packet(&mut self) -> io::Result<Packet> {
        loop {
            if let Some(packet) = next_packet(&mut self.unread, Version::V311).map_err(io::Error::other)? {
                return Ok(packet);
            }
            let read = timeout(BOUND, self.stream.read_buf(&mut self.unread)).await;
            if read.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// A message that a speaker has sent and is not done with.
struct Flying {
    number: u64,
    qos: u8,
    /// QoS 2: the server has it.
    received: bool,
}

/// Says numbers, those of QoS 1 on one topic and those of QoS 2 on another, each until it is acknowledged.
pub struct Speaker {
    login: Login,
    window: usize,
    /// In the order in which they were first sent.
    flying: Vec<(u16, Flying)>,
    last_id: u16,
    /// The last number of each QoS that was said.
    pub said: BTreeMap<u8, u64>,
    /// How many were acknowledged.
    pub acknowledged: u64,
}

impl Speaker {
    pub fn new(login: Login, window: usize) -> Speaker {
        Speaker { login, window, flying: Vec::new(), last_id: 0, said: BTreeMap::new(), acknowledged: 0 }
    }

    /// The topic of its messages of a QoS.
    pub fn topic(&self, qos: u8) -> String {
        format!("said/{}/{qos}", self.login.client_id)
    }

    /// Says one number after another until the connection breaks.
    pub async fn speak_until_it_breaks(&mut self, server: SocketAddr) -> io::Result<()> {
        let mut connection = self.resume(server).await?;
        loop {
            while self.flying.len() < self.window {
                self.say_next(&mut connection).await?;
            }
            self.take_answer(&mut connection).await?;
        }
    }

    /// Waits until everything that it said is acknowledged.
    pub async fn finish(&mut self, server: SocketAddr) -> io::Result<()> {
        let mut connection = self.resume(server).await?;
        while !self.flying.is_empty() {
            self.take_answer(&mut connection).await?;
        }
        Ok(())
    }

    /// Connects again and repeats what was not answered, in its order.
    async fn resume(&mut self, server: SocketAddr) -> io::Result<Connection> {
        let mut connection = Connection::open(server, &self.login).await?;
        for (id, flying) in &self.flying {
            if flying.received {
                connection.send(&acknowledge(PUBREL, *id)).await?;
            } else {
                let topic = self.topic(flying.qos);
                let payload = flying.number.to_string();
                connection.send(&publish_at(flying.qos, true, &topic, payload.as_bytes(), *id)).await?;
            }
        }
        Ok(connection)
    }

    async fn say_next(&mut self, connection: &mut Connection) -> io::Result<()> {
        let qos = if self.said.get(&1) > self.said.get(&2) { 2 } else { 1 };
        loop {
            self.last_id = self.last_id.checked_add(1).unwrap_or(1);
            if self.flying.iter().all(|(id, _)| *id != self.last_id) {
                break;
            }
        }
        let number = self.said.entry(qos).or_default();
        *number += 1;
        let (number, id) = (*number, self.last_id);
        self.flying.push((id, Flying { number, qos, received: false }));
        connection.send(&publish_at(qos, false, &self.topic(qos), number.to_string().as_bytes(), id)).await
    }

    async fn take_answer(&mut self, connection: &mut Connection) -> io::Result<()> {
        match connection.packet().await? {
            Packet::Puback { id, .. } => self.done(id),
            Packet::Pubcomp { id, .. } => self.done(id),
            Packet::Pubrec { id, .. } => {
                if let Some((_, flying)) = self.flying.iter_mut().find(|(known, _)| *known == id) {
                    flying.received = true;
                }
                connection.send(&acknowledge(PUBREL, id)).await?;
            }
            other => return Err(io::Error::other(format!("{other:?} is no answer"))),
        }
        Ok(())
    }

    fn done(&mut self, id: u16) {
        let before = self.flying.len();
        self.flying.retain(|(known, _)| *known != id);
        self.acknowledged += (before - self.flying.len()) as u64;
    }
}

/// Hears what its filter matches, at QoS 2 at most, and keeps account of it.
pub struct Listener {
    login: Login,
    filter: String,
    subscribed: bool,
    /// QoS 2 messages that it has and that the server has not released.
    received: BTreeSet<u16>,
    /// Numbers by topic, in the order in which they came.
    pub heard: BTreeMap<String, Vec<u64>>,
}

impl Listener {
    pub fn new(login: Login, filter: &str) -> Listener {
        let (received, heard) = (BTreeSet::new(), BTreeMap::new());
        Listener { login, filter: filter.to_owned(), subscribed: false, received, heard }
    }

    /// Subscribes, and goes again.
    pub async fn subscribe(&mut self, server: SocketAddr) -> io::Result<()> {
        let mut connection = Connection::open(server, &self.login).await?;
        connection.send(&subscribe_at(2, &self.filter, 1, Version::V311)).await?;
        match connection.packet().await? {
            Packet::Suback { codes, .. } if codes == [2] => self.subscribed = true,
            other => return Err(io::Error::other(format!("{other:?} instead of the subscription"))),
        }
        Ok(())
    }

    /// Hears until the connection breaks, or `enough` of what it has heard.
    pub async fn listen(
        &mut self,
        server: SocketAddr,
        enough: impl Fn(&BTreeMap<String, Vec<u64>>) -> bool,
    ) -> io::Result<()> {
        assert!(self.subscribed, "a listener subscribes first");
        let mut connection = Connection::open(server, &self.login).await?;
        while !enough(&self.heard) || !self.received.is_empty() {
            match connection.packet().await? {
                Packet::Publish { topic, payload, qos, id } => {
                    if qos == 1 || self.received.insert(id) {
                        let number = String::from_utf8_lossy(&payload).parse().map_err(io::Error::other)?;
                        self.heard.entry(topic).or_default().push(number);
                    }
                    let answer = if qos == 1 { PUBACK } else { PUBREC };
                    connection.send(&acknowledge(answer, id)).await?;
                }
                Packet::Pubrel { id } => {
                    self.received.remove(&id);
                    connection.send(&acknowledge(PUBCOMP, id)).await?;
                }
                other => return Err(io::Error::other(format!("{other:?} is nothing to be heard"))),
            }
        }
        Ok(())
    }
}
