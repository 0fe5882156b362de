//! One publishing connection, stripped to what a load generator needs.
use std::net::SocketAddr;

use tests::mqtt::{Login, Version, connect};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// Connections from one source address before the next is taken: far fewer than the kernel has ports for.
const CONNECTIONS_OF_AN_ADDRESS: usize = 4_000;

/// Connects. `index` chooses the source address.
pub(crate) async fn socket(server: SocketAddr, index: usize) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    let source =
        u8::try_from(1 + index / CONNECTIONS_OF_AN_ADDRESS).expect("fewer than a million connections");
    if source > 1 {
        choose_port_later(&socket);
        socket.bind(SocketAddr::from(([127, 0, 0, source], 0))).expect("all of 127.0.0.0/8 is this machine");
    }
    let stream = socket.connect(server).await.expect("the server listens");
    stream.set_nodelay(true).expect("a TCP socket");
    stream
}

/// Has the kernel look for a port when it knows the other end. Before that it compares with every socket of the port, also those
/// of clients that are gone, which takes longer than the server needs to let a client in.
fn choose_port_later(_socket: &TcpSocket) {
    #[cfg(target_os = "linux")]
    nix::sys::socket::setsockopt(_socket, nix::sys::socket::sockopt::IpBindAddressNoPort, &true)
        .expect("an option of Linux since 4.2");
}

/// Connects and logs in; fails loudly when refused.
pub(crate) async fn open(server: SocketAddr, login: &Login, index: usize) -> TcpStream {
    let mut stream = socket(server, index).await;
    stream.write_all(&connect(login, Version::V311, 3_600)).await.expect("the server reads");
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await.expect("CONNECT is answered");
    assert_eq!(answer, [0x20, 2, 0, 0], "{} is refused", login.user_name);
    stream
}

/// The identifier of the n-th message of a connection; 0 is none.
pub(crate) fn identifier(number: u64) -> u16 {
    (number % 65_535) as u16 + 1
}

/// Counts acknowledgements and verifies that each is the next one expected.
#[derive(Default)]
pub(crate) struct Acknowledgements {
    pub(crate) count: u64,
    /// A frame that was cut by the end of a read.
    partial: Vec<u8>,
}

impl Acknowledgements {
    /// Takes what was read and returns how many it acknowledged.
    pub(crate) fn take(&mut self, mut read: &[u8]) -> u64 {
        let before = self.count;
        if !self.partial.is_empty() {
            let missing = (4 - self.partial.len()).min(read.len());
            self.partial.extend_from_slice(&read[..missing]);
            read = &read[missing..];
            if self.partial.len() < 4 {
                return 0;
            }
            let frame = std::mem::take(&mut self.partial);
            self.verify(&frame);
        }
        let frames = read.chunks_exact(4);
        self.partial.extend_from_slice(frames.remainder());
        for frame in frames {
            self.verify(frame);
        }
        self.count - before
    }

    fn verify(&mut self, frame: &[u8]) {
        let [high, low] = identifier(self.count).to_be_bytes();
        assert_eq!(frame, [0x40, 2, high, low], "not the PUBACK of message {}", self.count);
        self.count += 1;
    }
}
