//! A client that sends and sees raw bytes, written independently of the broker's own encoder.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use super::{PATIENCE, World};

pub(crate) const V4: u8 = 4;
pub(crate) const V5: u8 = 5;

/// A CONNECT to be changed and sent.
#[derive(Clone)]
pub(crate) struct Connect {
    pub(crate) level: u8,
    pub(crate) clean: bool,
    pub(crate) keep_alive: u16,
    pub(crate) client_id: String,
    pub(crate) user_name: Option<String>,
    pub(crate) password: Option<Vec<u8>>,
    /// v5 properties without their length.
    pub(crate) properties: Vec<u8>,
    /// Topic, payload, and the QoS and retain bits of the connect flags.
    pub(crate) will: Option<(String, Vec<u8>, u8)>,
}

impl Connect {
    pub(crate) fn new(level: u8, user_name: &str) -> Self {
        Self {
            level,
            clean: true,
            keep_alive: 0,
            client_id: "c".into(),
            user_name: Some(user_name.into()),
            password: Some(b"secret".to_vec()),
            properties: Vec::new(),
            will: None,
        }
    }

    pub(crate) fn frame(&self) -> Vec<u8> {
        let mut flags = if self.clean { 2 } else { 0 };
        let mut payload = field(self.client_id.as_bytes());
        if let Some((topic, message, bits)) = &self.will {
            flags |= 4 | bits;
            if self.level == V5 {
                payload.push(0);
            }
            payload.extend(field(topic.as_bytes()));
            payload.extend(field(message));
        }
        if let Some(user_name) = &self.user_name {
            flags |= 0x80;
            payload.extend(field(user_name.as_bytes()));
        }
        if let Some(password) = &self.password {
            flags |= 0x40;
            payload.extend(field(password));
        }
        let mut body = field(b"MQTT");
        body.extend([self.level, flags]);
        body.extend(self.keep_alive.to_be_bytes());
        if self.level == V5 {
            body.push(u8::try_from(self.properties.len()).unwrap());
            body.extend(&self.properties);
        }
        body.extend(payload);
        frame(0x10, &body)
    }
}

pub(crate) fn field(bytes: &[u8]) -> Vec<u8> {
    let mut field = u16::try_from(bytes.len()).unwrap().to_be_bytes().to_vec();
    field.extend(bytes);
    field
}

pub(crate) fn frame(first: u8, body: &[u8]) -> Vec<u8> {
    let (mut frame, mut length) = (vec![first], body.len());
    loop {
        let digit = u8::try_from(length % 128).unwrap();
        length /= 128;
        frame.push(if length > 0 { digit | 0x80 } else { digit });
        if length == 0 {
            break;
        }
    }
    frame.extend(body);
    frame
}

/// A PUBLISH; packet id 0 is QoS 0.
pub(crate) fn publish(level: u8, topic: &str, id: u16, payload: &[u8]) -> Vec<u8> {
    let mut body = field(topic.as_bytes());
    if id > 0 {
        body.extend(id.to_be_bytes());
    }
    if level == V5 {
        body.push(0);
    }
    body.extend(payload);
    frame(if id > 0 { 0x32 } else { 0x30 }, &body)
}

pub(crate) fn subscribe(level: u8, id: u16, filters: &[(&str, u8)]) -> Vec<u8> {
    let mut body = id.to_be_bytes().to_vec();
    if level == V5 {
        body.push(0);
    }
    for (filter, options) in filters {
        body.extend(field(filter.as_bytes()));
        body.push(*options);
    }
    frame(0x82, &body)
}

/// The reason string, where it is the only property.
pub(crate) fn in_words(properties: &[u8]) -> &str {
    match properties {
        [_, 0x1F, _, _, words @ ..] => std::str::from_utf8(words).unwrap(),
        _ => "",
    }
}

pub(crate) fn unsubscribe(level: u8, id: u16, filter: &str) -> Vec<u8> {
    let mut body = id.to_be_bytes().to_vec();
    if level == V5 {
        body.push(0);
    }
    body.extend(field(filter.as_bytes()));
    frame(0xA2, &body)
}

/// What carries a client's bytes.
pub(crate) trait Carrier: AsyncRead + AsyncWrite + Unpin + Send {}

impl<C: AsyncRead + AsyncWrite + Unpin + Send> Carrier for C {}

pub(crate) struct Wire {
    stream: Box<dyn Carrier>,
}

impl Wire {
    pub(crate) fn over(carrier: impl Carrier + 'static) -> Self {
        Self { stream: Box::new(carrier) }
    }

    pub(crate) async fn open(address: SocketAddr) -> Self {
        let stream = timeout(PATIENCE, TcpStream::connect(address)).await.unwrap().unwrap();
        stream.set_nodelay(true).unwrap();
        Self::over(stream)
    }

    /// From an address of one's own.
    pub(crate) async fn open_from(from: Ipv4Addr, address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        Self::over(timeout(PATIENCE, socket.connect(address)).await.unwrap().unwrap())
    }

    /// Connects and is let in.
    pub(crate) async fn login(world: &World, connect: &Connect) -> Self {
        Self::open(world.broker.local_addr()).await.greeted(connect).await
    }

    /// The same over a connection that is open.
    pub(crate) async fn greeted(mut self, connect: &Connect) -> Self {
        self.send(&connect.frame()).await;
        let connack = self.packet().await;
        assert_eq!((connack[0], connack[3]), (0x20, 0), "let in: {connack:02x?}");
        self
    }

    /// Logs in as a device of tenant 1.
    pub(crate) async fn device(world: &World, level: u8, device: &str) -> Self {
        Self::login(world, &Connect::new(level, &format!("1/{device}"))).await
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        timeout(PATIENCE, self.stream.write_all(bytes)).await.expect("sent in time").unwrap();
    }

    /// Sends what the broker may refuse to read to the end.
    pub(crate) async fn send_unheard(&mut self, bytes: &[u8]) {
        timeout(PATIENCE, self.stream.write_all(bytes)).await.expect("sent in time").ok();
    }

    /// The next packet, whole.
    pub(crate) async fn packet(&mut self) -> Vec<u8> {
        timeout(PATIENCE, self.read_packet()).await.expect("a packet in time").expect("a packet, not the end")
    }

    async fn read_packet(&mut self) -> std::io::Result<Vec<u8>> {
        let mut packet = vec![self.stream.read_u8().await?];
        let (mut length, mut shift) = (0, 0);
        loop {
            let digit = self.stream.read_u8().await?;
            packet.push(digit);
            length |= usize::from(digit & 0x7F) << shift;
            shift += 7;
            if digit & 0x80 == 0 {
                break;
            }
        }
        let start = packet.len();
        packet.resize(start + length, 0);
        self.stream.read_exact(&mut packet[start..]).await?;
        Ok(packet)
    }

    /// Waits for the next packet or the end, whichever the version at hand gives.
    pub(crate) async fn packet_or_end(&mut self) {
        timeout(PATIENCE, self.read_packet()).await.expect("an answer in time").ok();
    }

    pub(crate) async fn expect(&mut self, packet: &[u8]) {
        let found = self.packet().await;
        assert_eq!(found, packet, "{found:02x?} is not {packet:02x?}");
    }

    /// A PINGREQ is answered: everything sent before it was handled, and nothing else was sent back.
    pub(crate) async fn expect_nothing_more(&mut self) {
        self.send(&[0xC0, 0]).await;
        self.expect(&[0xD0, 0]).await;
    }

    /// The broker closes without another byte.
    pub(crate) async fn expect_closed(&mut self) {
        let mut rest = Vec::new();
        let end = timeout(PATIENCE, self.stream.read_to_end(&mut rest)).await.expect("closed in time");
        assert!(rest.is_empty(), "{end:?} after {rest:02x?}");
    }

    /// A v5 DISCONNECT with the reason, then the end.
    pub(crate) async fn expect_disconnect(&mut self, reason: u8) {
        let packet = self.packet().await;
        assert_eq!((packet[0], packet[2]), (0xE0, reason), "{packet:02x?}");
        assert!(in_words(&packet[3..]).len() > 10, "{packet:02x?}");
        self.expect_closed().await;
    }
}
