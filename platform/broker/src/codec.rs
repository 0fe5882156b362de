//! The codec for everything but PUBLISH and what acknowledges it, fenced: it is only shown packets that a client may send.

use bytes::BytesMut;
use rumqttd::protocol::{Error, Packet, Protocol as _, v4::V4, v5::V5};

use crate::{
    frame::{self, Scan},
    protocol::{Reason, Version, packet},
};

/// Decodes one whole frame that came from a client.
///
/// The codec panics on some packets that only servers send, so the packet type is checked first.
pub(crate) fn decode(version: Version, frame: &[u8]) -> Result<Packet, Reason> {
    let first = frame.first().copied().ok_or(Reason::Malformed)?;
    let flags = first & 0x0F;
    let required_flags = match first >> 4 {
        packet::CONNECT | packet::PINGREQ | packet::DISCONNECT => 0,
        packet::SUBSCRIBE | packet::UNSUBSCRIBE => 0b0010,
        // Extended authentication is not spoken, so its packets are out of order; acknowledgements are read elsewhere; the
        // rest flows from server to client only.
        _ => return Err(Reason::Protocol),
    };
    if flags != required_flags {
        return Err(Reason::Malformed);
    }
    if let Scan::Whole(whole) = frame::scan(frame, usize::MAX)? {
        let body = frame.get(whole.body).unwrap_or_default();
        match first >> 4 {
            packet::CONNECT => frame::connect(version, body)?,
            packet::SUBSCRIBE => frame::subscribe(version, body)?,
            packet::UNSUBSCRIBE => frame::unsubscribe(version, body)?,
            _ => {}
        }
    }
    let mut copy = BytesMut::from(frame);
    let decoded = match version {
        Version::V311 => V4.read_mut(&mut copy, frame.len()),
        Version::V5 => V5.read_mut(&mut copy, frame.len()),
    };
    decoded.map_err(|error| match error {
        Error::EmptySubscription | Error::PacketIdZero | Error::SubscriptionIdZero => Reason::Protocol,
        _ => Reason::Malformed,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn no_frame_panics(first: u8, body in proptest::collection::vec(any::<u8>(), 0..120)) {
            let mut frame = vec![first];
            crate::encode::remaining_length(body.len(), &mut frame);
            frame.extend_from_slice(&body);
            for version in [Version::V311, Version::V5] {
                // Only that it returns matters here.
                drop(decode(version, &frame));
            }
        }
    }

    #[test]
    fn what_only_servers_send_is_refused() {
        for first in [0x20, 0x90, 0xB0, 0xD0, 0xF0, 0x00] {
            for version in [Version::V311, Version::V5] {
                assert_eq!(decode(version, &[first, 2, 0, 1]), Err(Reason::Protocol), "{first:#x}");
            }
        }
        assert_eq!(decode(Version::V5, &[0x80, 2, 0, 1]), Err(Reason::Malformed), "flags of SUBSCRIBE");
    }
}
