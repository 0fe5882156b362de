//! MQTT over TLS.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on must stop")]

mod support;

use std::{
    io::ErrorKind,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use broker::{Qos, TlsListen, TlsSettings};
use bytes::Bytes;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName},
    version::{TLS12, TLS13},
};
use support::{
    PATIENCE, World, tenant,
    wire::{Connect, V4, V5, Wire, field, publish, subscribe},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// The server's certificate, which can be renewed.
struct Renewable(Mutex<(Arc<ServerConfig>, CertificateDer<'static>)>);

impl TlsSettings for Renewable {
    fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.lock().unwrap().0)
    }
}

impl Renewable {
    fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(certificate())))
    }

    fn renew(&self) {
        *self.0.lock().unwrap() = certificate();
    }

    /// A client that trusts the certificate that is in use now.
    fn client(&self, versions: &[&'static SupportedProtocolVersion], alpn: &[&str]) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.lock().unwrap().1.clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_protocol_versions(versions).unwrap();
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        TlsConnector::from(Arc::new(config))
    }
}

fn certificate() -> (Arc<ServerConfig>, CertificateDer<'static>) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let mut config = builder.with_single_cert(vec![cert.der().clone()], key).unwrap();
    config.alpn_protocols = vec![b"mqtt".to_vec()];
    (Arc::new(config), cert.der().clone())
}

async fn world(certificate: &Arc<Renewable>, commit_at_once: bool, handshake: Duration) -> World {
    let settings = certificate.clone();
    World::with(commit_at_once, |config| {
        config.tls = Some(TlsListen { listen: ([127, 0, 0, 1], 0).into(), settings });
        config.connect_timeout = handshake;
    })
    .await
}

async fn secured(address: SocketAddr, client: &TlsConnector) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    timeout(PATIENCE, client.connect(name, stream)).await.expect("a handshake in time")
}

#[tokio::test]
async fn both_versions_of_mqtt_are_spoken_over_both_of_tls() {
    let certificate = Renewable::new();
    let world = world(&certificate, true, PATIENCE).await;
    let address = world.broker.tls_addr().unwrap();
    for (tls, level) in [(&TLS12, V4), (&TLS12, V5), (&TLS13, V4), (&TLS13, V5)] {
        let stream = secured(address, &certificate.client(&[tls], &["mqtt"])).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"mqtt"[..]));
        let mut wire = Wire::over(stream).greeted(&Connect::new(level, "1/d1")).await;
        wire.send(&publish(level, "telemetry", 1, b"{}")).await;
        assert_eq!(world.next_message().await.payload, "{}");
        wire.expect(&[0x40, 2, 0, 1]).await;
        wire.expect_nothing_more().await;
    }
    let without = secured(address, &certificate.client(&[&TLS13], &[])).await.unwrap();
    Wire::over(without).greeted(&Connect::new(V5, "1/d1")).await.expect_nothing_more().await;
    secured(address, &certificate.client(&[&TLS13], &["h2"])).await.unwrap_err();
    world.until_metric("mqtt_refusals_total{reason=\"tls\"}", 1).await;
}

#[tokio::test]
async fn much_passes_both_ways_whatever_the_socket_takes_at_a_time() {
    let certificate = Renewable::new();
    let world = world(&certificate, true, PATIENCE).await;
    let address = world.broker.tls_addr().unwrap();
    let stream = secured(address, &certificate.client(&[&TLS13], &[])).await.unwrap();
    let mut app = Wire::over(stream).greeted(&Connect::new(V5, "1/app")).await;
    app.send(&subscribe(V5, 1, &[("feed/#", 1)])).await;
    app.expect(&[0x90, 4, 0, 1, 0, 1]).await;
    let stream = secured(address, &certificate.client(&[&TLS13], &[])).await.unwrap();
    let mut device = Wire::over(stream).greeted(&Connect::new(V5, "1/d1")).await;
    let payload: Vec<u8> = (0..200 * 1024_u32).map(|n| n.to_le_bytes()[0]).collect();
    for id in 1..=20 {
        device.send(&publish(V5, "telemetry", id, &payload)).await;
        assert!(world.next_message().await.payload == payload);
        // Nobody reads it yet: it waits in TLS, in the kernel and in the outbox.
        let delivery = world.broker.handle().publish(
            tenant(1),
            "feed/x",
            Bytes::from(payload.clone()),
            Qos::AtLeastOnce,
        );
        assert_eq!(delivery.queued, 1);
        device.expect(&[0x40, 2, (id >> 8) as u8, id as u8]).await;
    }
    for id in 1..=20_u8 {
        let packet = app.packet().await;
        let topic = field(b"feed/x");
        assert!(packet.ends_with(&payload), "message {id} is whole");
        assert!(packet.windows(topic.len()).any(|part| part == topic));
        app.send(&[0x40, 2, 0, id]).await;
    }
    app.expect_nothing_more().await;
}

#[tokio::test]
async fn handshakes_that_go_nowhere_hinder_nobody_and_end() {
    let certificate = Renewable::new();
    let world = world(&certificate, true, Duration::from_secs(2)).await;
    let address = world.broker.tls_addr().unwrap();
    let mut silent = Vec::new();
    for n in 0..2_000 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        if n % 2 == 0 {
            stream.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]).await.unwrap(); // a ClientHello begins
        }
        silent.push(stream);
    }
    let stream = secured(address, &certificate.client(&[&TLS13], &[])).await.unwrap();
    let mut wire = Wire::over(stream).greeted(&Connect::new(V5, "1/d1")).await;
    wire.expect_nothing_more().await;
    for mut stream in silent {
        let end = timeout(PATIENCE, stream.read(&mut [0; 16])).await.expect("closed in time");
        assert!(matches!(&end, Ok(0)) || matches!(&end, Err(e) if e.kind() == ErrorKind::ConnectionReset));
    }
    world.until_metric("mqtt_refusals_total{reason=\"tls_timeout\"}", 2_000).await;
    world.until_metric("mqtt_connections ", 1).await;
    // Who speaks without TLS is refused as well.
    let mut plain = Wire::open(address).await;
    plain.send_unheard(&Connect::new(V5, "1/d1").frame()).await;
    plain.packet_or_end().await;
    world.until_metric("mqtt_refusals_total{reason=\"tls\"}", 1).await;
    wire.expect_nothing_more().await;
}

#[tokio::test]
async fn a_renewed_certificate_counts_for_new_connections_and_ends_none() {
    let certificate = Renewable::new();
    let world = world(&certificate, true, PATIENCE).await;
    let address = world.broker.tls_addr().unwrap();
    let (before, stranger) = (certificate.client(&[&TLS13], &[]), certificate.client(&[&TLS12], &[]));
    let stream = secured(address, &before).await.unwrap();
    let mut wire = Wire::over(stream).greeted(&Connect::new(V5, "1/d1")).await;
    certificate.renew();
    secured(address, &certificate.client(&[&TLS13], &[])).await.unwrap();
    secured(address, &stranger).await.expect_err("it trusts the earlier one only");
    wire.expect_nothing_more().await;
}
