//! What carries a connection: TCP, TLS over it, or a pipe to somebody who speaks WebSocket.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use parking_lot::Mutex;
use rustls::pki_types::CertificateDer;
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;

/// What carries a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// TCP alone.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// A WebSocket.
    WebSocket,
}

/// A connection, whichever way it came.
pub(crate) enum Transport {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// With the name by which the client came.
    Pipe(DuplexStream, Box<str>),
}

impl Transport {
    pub(crate) const fn carrier(&self) -> Carrier {
        match self {
            Self::Tcp(_) => Carrier::Tcp,
            Self::Tls(_) => Carrier::Tls,
            Self::Pipe(..) => Carrier::WebSocket,
        }
    }

    /// What the client has shown over TLS, its own certificate first; nothing where it has shown none.
    pub(crate) fn certificates(&self) -> &[CertificateDer<'_>] {
        match self {
            Self::Tls(stream) => stream.get_ref().1.peer_certificates().unwrap_or_default(),
            Self::Tcp(_) | Self::Pipe(..) => &[],
        }
    }

    /// By which name or address the client came here, as far as it is known.
    pub(crate) fn host(&self) -> String {
        let of = |tcp: &TcpStream| tcp.local_addr().map(|address| address.ip().to_string());
        match self {
            Self::Tcp(tcp) => of(tcp).unwrap_or_default(),
            Self::Tls(stream) => {
                let (tcp, tls) = stream.get_ref();
                tls.server_name().map_or_else(|| of(tcp).unwrap_or_default(), str::to_owned)
            }
            Self::Pipe(_, host) => host.to_string(),
        }
    }

    /// Whether there may be something to read: until then nobody needs a buffer for it.
    pub(crate) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(tcp) => tcp.poll_read_ready(cx),
            Self::Tls(stream) => {
                let (tcp, tls) = stream.get_ref();
                // What is decrypted already, the end included, waits nowhere else.
                if tls.wants_read() { tcp.poll_read_ready(cx) } else { Poll::Ready(Ok(())) }
            }
            // It cannot say; who reads from it finds out.
            Self::Pipe(..) => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Self::Tls(tls) => Pin::new(tls).poll_read(cx, buffer),
            Self::Pipe(pipe, _) => Pin::new(pipe).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Self::Tls(tls) => Pin::new(tls).poll_write(cx, bytes),
            Self::Pipe(pipe, _) => Pin::new(pipe).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Tls(tls) => Pin::new(tls).poll_flush(cx),
            Self::Pipe(pipe, _) => Pin::new(pipe).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
            Self::Pipe(pipe, _) => Pin::new(pipe).poll_shutdown(cx),
        }
    }
}

/// One end of a connection whose other end is used by the same task: TLS reads and writes through one state, so neither
/// can own it. The lock is never waited for.
pub(crate) struct Half<'a>(pub(crate) &'a Mutex<Transport>);

impl Half<'_> {
    pub(crate) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.lock().poll_read_ready(cx)
    }
}

impl AsyncRead for Half<'_> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.lock()).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Half<'_> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0.lock()).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.lock()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.lock()).poll_shutdown(cx)
    }
}
