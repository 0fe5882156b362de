//! A client that says what a test tells it to, right or wrong, and hears every packet that the server sends.
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;
use tests::mqtt::Version;
use tests::time;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::packet::{
    self, Connect, MAXIMUM_PACKET_SIZE, PINGREQ, PUBACK, PUBCOMP, PUBREC, PUBREL, Properties, Publish, Said,
    Value, acknowledge, property,
};

/// What carries the bytes.
pub(crate) trait Carrier: AsyncRead + AsyncWrite + Unpin + Send {}

impl<C: AsyncRead + AsyncWrite + Unpin + Send> Carrier for C {}

pub(crate) struct Client {
    stream: Box<dyn Carrier>,
    unread: BytesMut,
    pub(crate) version: Version,
    /// Came while something else was waited for.
    put_aside: VecDeque<Publish>,
    last_id: u16,
    /// The Maximum Packet Size that it has asked for.
    limit: usize,
}

impl Client {
    /// A connection on which nothing was said.
    pub(crate) async fn open(server: SocketAddr, version: Version) -> Client {
        let stream = TcpStream::connect(server).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Client::over(stream, version)
    }

    pub(crate) fn over(carrier: impl Carrier + 'static, version: Version) -> Client {
        let (unread, put_aside) = (BytesMut::new(), VecDeque::new());
        Client { stream: Box::new(carrier), unread, version, put_aside, last_id: 0, limit: usize::MAX }
    }

    /// Says CONNECT; the flags and properties of the CONNACK that lets it in.
    pub(crate) async fn greet(&mut self, connect: &Connect) -> (u8, Properties) {
        if let Some(Value::Four(bytes)) = property(&connect.properties, MAXIMUM_PACKET_SIZE) {
            self.limit = usize::try_from(*bytes).unwrap();
        }
        self.send(&connect.frame()).await;
        match self.hear().await {
            Some(Said::Connack { flags, code: 0, properties }) => (flags, properties),
            other => panic!("{:?} was not let in: {other:?}", connect.login.client_id),
        }
    }

    /// A server that has hung up already is noticed when its answer is read.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.ok();
    }

    /// The next packet, or `None` when the server has closed the connection.
    pub(crate) async fn hear(&mut self) -> Option<Said> {
        timeout(time::BOUND, self.next()).await.expect("the server says something or hangs up")
    }

    async fn next(&mut self) -> Option<Said> {
        loop {
            let before = self.unread.len();
            if let Some(said) = packet::next(&mut self.unread, self.version).unwrap() {
                let size = before - self.unread.len();
                assert!(
                    size <= self.limit,
                    "a packet of {size} bytes for a client that takes {}",
                    self.limit
                );
                return Some(said);
            }
            // A connection that was reset is one that was hung up on.
            if self.stream.read_buf(&mut self.unread).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    /// What the server says until it hangs up, which it must.
    pub(crate) async fn last_words(&mut self) -> Vec<Said> {
        let mut words = Vec::new();
        loop {
            match timeout(time::BOUND, self.next()).await {
                Ok(Some(said)) => words.push(said),
                Ok(None) => return words,
                Err(_) => panic!("the server does not hang up; it said {words:?}"),
            }
        }
    }

    /// Sends what breaks the protocol: the connection ends, nothing was promised, and a client of 5.0 may be told why.
    pub(crate) async fn is_hung_up_on(&mut self, why: &str, bytes: &[u8]) {
        self.send(bytes).await;
        for said in self.last_words().await {
            match said {
                Said::Connack { code: 1.., .. } | Said::Disconnect { reason: 0x80.., .. } => {}
                Said::Ack { reason, .. } if reason >= 0x80 => {}
                other => panic!("{why}: {other:?}"),
            }
        }
    }

    /// How long it takes until the server hangs up.
    pub(crate) async fn time_to_hang_up(&mut self) -> Duration {
        let began = time::instant();
        self.last_words().await;
        began.elapsed()
    }

    /// The next packet that is no message; those are put aside.
    pub(crate) async fn answer(&mut self) -> Said {
        loop {
            match self.hear().await {
                Some(Said::Publish(message)) => self.put_aside.push_back(message),
                Some(said) => return said,
                None => panic!("the server has hung up"),
            }
        }
    }

    /// The next message; it is not acknowledged.
    pub(crate) async fn heard(&mut self) -> Publish {
        if let Some(message) = self.put_aside.pop_front() {
            return message;
        }
        match self.hear().await {
            Some(Said::Publish(message)) => message,
            other => panic!("{other:?} instead of a message"),
        }
    }

    /// The next message, acknowledged to the end of its delivery.
    pub(crate) async fn taken(&mut self) -> Publish {
        let message = self.heard().await;
        self.take(&message).await;
        message
    }

    pub(crate) async fn take(&mut self, message: &Publish) {
        match message.qos {
            0 => {}
            1 => self.send(&acknowledge(PUBACK, message.id)).await,
            _ => {
                self.send(&acknowledge(PUBREC, message.id)).await;
                self.expect_ack(PUBREL, message.id).await;
                self.send(&acknowledge(PUBCOMP, message.id)).await;
            }
        }
    }

    /// The next packet that is no message is this acknowledgement, and says yes.
    pub(crate) async fn expect_ack(&mut self, first: u8, id: u16) {
        match self.answer().await {
            Said::Ack { first: found, id: of, reason: 0, .. } => assert_eq!((found, of), (first, id)),
            other => panic!("{other:?} instead of {first:#04x} for {id}"),
        }
    }

    fn next_id(&mut self) -> u16 {
        self.last_id += 1;
        self.last_id
    }

    /// Subscribes at these options; the codes of the SUBACK.
    pub(crate) async fn subscribe(&mut self, filters: &[(&str, u8)]) -> Vec<u8> {
        self.subscribe_with(filters, &Vec::new()).await
    }

    pub(crate) async fn subscribe_with(&mut self, filters: &[(&str, u8)], of: &Properties) -> Vec<u8> {
        let id = self.next_id();
        self.send(&packet::subscribe(self.version, id, filters, of)).await;
        match self.answer().await {
            Said::Suback { id: of, codes, .. } if of == id => codes,
            other => panic!("{other:?} instead of a SUBACK for {id}"),
        }
    }

    pub(crate) async fn unsubscribe(&mut self, filters: &[&str]) -> Vec<u8> {
        let id = self.next_id();
        self.send(&packet::unsubscribe(self.version, id, filters)).await;
        match self.answer().await {
            Said::Unsuback { id: of, codes, .. } if of == id => codes,
            other => panic!("{other:?} instead of an UNSUBACK for {id}"),
        }
    }

    /// Sends a message and sees its delivery to the server through.
    pub(crate) async fn say(&mut self, message: Publish) {
        let (id, qos) = (self.next_id(), message.qos);
        self.send(&message.id(id).frame(self.version)).await;
        match qos {
            0 => {}
            1 => self.expect_ack(PUBACK, id).await,
            _ => {
                self.expect_ack(PUBREC, id).await;
                self.send(&acknowledge(PUBREL, id)).await;
                self.expect_ack(PUBCOMP, id).await;
            }
        }
    }

    /// A PINGREQ is answered, and before it nothing but messages came: what was sent before was handled.
    pub(crate) async fn is_served(&mut self) {
        self.send(&PINGREQ).await;
        assert_eq!(self.answer().await, Said::Pingresp);
    }

    /// Leaves in order, and waits until the server has seen it.
    pub(crate) async fn leave(mut self) {
        self.send(&packet::DISCONNECT).await;
        self.last_words().await;
    }

    /// Vanishes without a word.
    pub(crate) fn vanish(self) {}
}
