//! What stands before the HTTP port of a hospital's installation: it ends TLS, and passes on what it hears.

use std::{io, net::SocketAddr, sync::Arc};

use rustls::{
    ServerConfig,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tests::Server;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// Open until it is dropped.
pub(crate) struct TlsGate(JoinHandle<()>);

impl TlsGate {
    /// With the certificate of the server that it stands before; `None` where the port cannot be had.
    pub(crate) async fn open(port: u16, server: &Server) -> Option<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.ok()?;
        let folder = server.credentials.ca_pem.parent().expect("a folder");
        let chain =
            CertificateDer::from_pem_file(folder.join("server.pem")).expect("the demo has a certificate");
        let key = PrivateKeyDer::from_pem_file(folder.join("server-key.pem")).expect("and its key");
        let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_safe_default_protocol_versions().expect("both").with_no_client_auth();
        let config = builder.with_single_cert(vec![chain], key).expect("they belong together");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let http = server.credentials.http.trim_start_matches("http://").trim_end_matches('/');
        let http: SocketAddr = http.parse().expect("the demo listens on a numeric loopback address");
        Some(Self(tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(pass_on(acceptor.clone(), stream, http));
            }
        })))
    }
}

impl Drop for TlsGate {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn pass_on(acceptor: TlsAcceptor, stream: TcpStream, to: SocketAddr) -> io::Result<()> {
    let mut outside = acceptor.accept(stream).await?;
    let mut inside = TcpStream::connect(to).await?;
    copy_bidirectional(&mut outside, &mut inside).await.map(drop)
}
