//! Where a connection comes from when a load balancer stands before the broker: PROXY protocol, version 2.

use std::net::SocketAddr;

use ppp::v2::{Addresses, Command, Header, PROTOCOL_PREFIX};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Prefix, version, family and the length of what follows.
const FIXED_BYTES: usize = 16;
/// Most bytes that may follow: addresses, and what a load balancer adds to them.
const MAX_REST_BYTES: usize = 512;

/// Reads the header that has to stand before everything else, and nothing beyond it. `None` where there is none, or none
/// that can be read; else the client, or `balancer` where that speaks for itself, as to see whether we are there.
pub(crate) async fn client(
    stream: &mut (impl AsyncRead + Unpin),
    balancer: SocketAddr,
) -> Option<SocketAddr> {
    let mut header = vec![0; FIXED_BYTES];
    stream.read_exact(&mut header).await.ok()?;
    if !header.starts_with(PROTOCOL_PREFIX) {
        return None;
    }
    let rest = header.last_chunk().map(|length| usize::from(u16::from_be_bytes(*length)))?;
    if rest > MAX_REST_BYTES {
        return None;
    }
    header.resize(FIXED_BYTES + rest, 0);
    stream.read_exact(header.get_mut(FIXED_BYTES..)?).await.ok()?;
    let read = Header::try_from(header.as_slice()).ok()?;
    Some(match (read.command, read.addresses) {
        (Command::Local, _) | (Command::Proxy, Addresses::Unspecified | Addresses::Unix(_)) => balancer,
        (Command::Proxy, Addresses::IPv4(four)) => (four.source_address, four.source_port).into(),
        (Command::Proxy, Addresses::IPv6(six)) => (six.source_address, six.source_port).into(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    async fn read(mut bytes: &[u8]) -> (Option<SocketAddr>, usize) {
        let found = client(&mut bytes, "10.0.0.1:9".parse().unwrap()).await;
        (found, bytes.len())
    }

    fn header(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [PROTOCOL_PREFIX, &[command, family], &length, rest].concat()
    }

    #[tokio::test]
    async fn a_header_says_who_it_is_and_what_follows_is_left_alone() {
        let four = [192, 0, 2, 7, 198, 51, 100, 1, 0xC0, 0x01, 0x07, 0x5B];
        let mut six = [0; 36];
        (six[0], six[1], six[15], six[33]) = (0x20, 0x01, 9, 80);
        let with_more = [&four[..], &[4, 0, 1, 42]].concat();
        for (header, expected) in [
            (header(0x21, 0x11, &four), "192.0.2.7:49153"),
            (header(0x21, 0x11, &with_more), "192.0.2.7:49153"),
            (header(0x21, 0x21, &six), "[2001::9]:80"),
            (header(0x20, 0x00, &[]), "10.0.0.1:9"),
            (header(0x20, 0x11, &four), "10.0.0.1:9"),
            (header(0x21, 0x00, &[]), "10.0.0.1:9"),
        ] {
            let (found, left) = read(&[&header[..], b"\x10MQTT"].concat()).await;
            assert_eq!((found, left), (Some(expected.parse().unwrap()), 5), "{header:02x?}");
        }
    }

    #[tokio::test]
    async fn what_is_no_header_is_none() {
        let four = [192, 0, 2, 7, 198, 51, 100, 1, 0xC0, 0x01, 0x07, 0x5B];
        let long = [PROTOCOL_PREFIX, &[0x21, 0x11, 0x02, 0x01], &[0; 513]].concat();
        for bytes in [
            &b"PROXY TCP4 192.0.2.7 198.51.100.1 49153 1883\r\n"[..],
            b"\x10\x10\0\x04MQTT\x05\x02\0\0\0\0\x03abc",
            &header(0x21, 0x11, &four[..8]),
            &header(0x31, 0x11, &four),
            &header(0x21, 0x11, &four)[..20],
            &long,
            b"",
        ] {
            assert_eq!(read(bytes).await.0, None, "{bytes:02x?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(rest in proptest::collection::vec(any::<u8>(), 0..600), valid: bool) {
            let bytes = if valid { [PROTOCOL_PREFIX, &rest].concat() } else { rest };
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (_, left) = runtime.block_on(read(&bytes));
            prop_assert!(left <= bytes.len());
        }
    }
}
