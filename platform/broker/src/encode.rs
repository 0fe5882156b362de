//! Frames that the broker sends. They are few and small, so they are written byte by byte; only the
//! v5 CONNACK with its many properties goes through the codec.

use bytes::{BufMut, Bytes, BytesMut};
use rumqttd::protocol::{ConnAck, ConnAckProperties, ConnectReturnCode, Packet, Protocol as _, v5::V5};

use crate::{
    config::BrokerConfig,
    protocol::{MAX_TOPIC_ALIASES, Qos, Reason, Version},
};

/// Largest remaining length that four bytes can express.
const MAX_REMAINING_LENGTH: usize = 268_435_455;

/// Answer to a PINGREQ.
pub(crate) const PINGRESP: [u8; 2] = [0xD0, 0];

/// PUBACK reason: the client may not publish to that topic.
pub(crate) const PUBACK_NOT_AUTHORIZED: u8 = 0x87;

/// Appends a variable byte integer.
pub(crate) fn remaining_length(mut length: usize, out: &mut impl BufMut) {
    loop {
        let low = u8::try_from(length & 0x7F).unwrap_or_default();
        length >>= 7;
        if length == 0 {
            return out.put_u8(low);
        }
        out.put_u8(low | 0x80);
    }
}

/// The CONNACK of an accepted client.
pub(crate) fn accepted(version: Version, assigned_id: Option<&str>, config: &BrokerConfig) -> Vec<u8> {
    if version == Version::V311 {
        return vec![0x20, 2, 0, 0];
    }
    let properties = ConnAckProperties {
        session_expiry_interval: Some(0), // clean sessions only
        receive_max: Some(config.receive_maximum.max(1)),
        max_qos: Some(1),
        retain_available: Some(0),
        max_packet_size: Some(u32::try_from(config.max_packet_bytes).unwrap_or(u32::MAX)),
        topic_alias_max: Some(MAX_TOPIC_ALIASES),
        assigned_client_identifier: assigned_id.map(str::to_owned),
        subscription_identifiers_available: Some(0),
        shared_subscription_available: Some(1),
        ..ConnAckProperties::default()
    };
    let connack = ConnAck { session_present: false, code: ConnectReturnCode::Success };
    let mut frame = BytesMut::new();
    match V5.write(Packet::ConnAck(connack, Some(properties)), &mut frame) {
        Ok(_) => frame.to_vec(),
        Err(_) => vec![0x20, 3, 0, 0, 0], // cannot be: only a packet of more than 256 MB fails to encode
    }
}

/// The CONNACK of a refused client; with `words`, where it takes a packet that large.
pub(crate) fn refused(version: Version, code: u8, words: &str, max_bytes: usize) -> Vec<u8> {
    match version {
        Version::V311 => vec![0x20, 2, 0, code],
        Version::V5 => with_words(&[0x20], &[0, code], words, max_bytes),
    }
}

/// A v5 packet of a few bytes, with a reason string behind them (MQTT 5, 3.1.2.11.4: not where the packet would become
/// larger than the client takes).
fn with_words(first: &[u8], body: &[u8], words: &str, max_bytes: usize) -> Vec<u8> {
    const REASON_STRING: u8 = 0x1F;
    let packet = |properties: &[u8]| {
        let mut packet = first.to_vec();
        let mut length = Vec::new();
        remaining_length(properties.len(), &mut length);
        remaining_length(body.len() + length.len() + properties.len(), &mut packet);
        [&packet, body, &length, properties].concat()
    };
    let length = u16::try_from(words.len()).unwrap_or_default().to_be_bytes();
    let told = packet(&[&[REASON_STRING], &length[..], words.as_bytes()].concat());
    if told.len() <= max_bytes { told } else { packet(&[]) }
}

/// Appends a PUBACK that says yes. Both versions write it alike.
pub(crate) fn puback(packet_id: u16, out: &mut Vec<u8>) {
    let [high, low] = packet_id.to_be_bytes();
    out.extend_from_slice(&[0x40, 2, high, low]);
}

/// Appends a v5 PUBACK that says no.
pub(crate) fn puback_refused(packet_id: u16, reason: u8, out: &mut Vec<u8>) {
    let [high, low] = packet_id.to_be_bytes();
    out.extend_from_slice(&[0x40, 3, high, low, reason]);
}

/// A SUBACK with one code for each filter.
pub(crate) fn suback(version: Version, packet_id: u16, codes: &[u8]) -> Vec<u8> {
    acknowledgement(0x90, version, packet_id, codes)
}

/// An UNSUBACK; only v5 says how it went for each filter.
pub(crate) fn unsuback(version: Version, packet_id: u16, codes: &[u8]) -> Vec<u8> {
    acknowledgement(0xB0, version, packet_id, if version == Version::V5 { codes } else { &[] })
}

fn acknowledgement(first: u8, version: Version, packet_id: u16, codes: &[u8]) -> Vec<u8> {
    let properties: &[u8] = if version == Version::V5 { &[0] } else { &[] };
    let mut frame = vec![first];
    remaining_length(2 + properties.len() + codes.len(), &mut frame);
    frame.extend_from_slice(&packet_id.to_be_bytes());
    frame.extend_from_slice(properties);
    frame.extend_from_slice(codes);
    frame
}

/// The DISCONNECT that tells a client why, in words where it takes a packet that large; v3.1.1 has none from server to client.
pub(crate) fn disconnect(version: Version, reason: Reason, max_bytes: usize) -> Vec<u8> {
    match version {
        Version::V311 => Vec::new(),
        Version::V5 => with_words(&[0xE0], &[reason.code()], reason.words(), max_bytes),
    }
}

/// A PUBLISH, encoded once for all subscribers of one version and QoS.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    /// The frame; a QoS 1 frame has 0 where the packet identifier goes.
    pub(crate) frame: Bytes,
    /// Where the packet identifier goes; `None` is QoS 0.
    pub(crate) id_at: Option<usize>,
}

/// Encodes a PUBLISH; `None` when topic or payload are longer than the protocol can say.
pub(crate) fn publish(version: Version, qos: Qos, topic: &str, payload: &[u8]) -> Option<Outgoing> {
    let topic_length = u16::try_from(topic.len()).ok()?;
    let acknowledged = qos == Qos::AtLeastOnce;
    let id_bytes = if acknowledged { 2 } else { 0 };
    let property_bytes = if version == Version::V5 { 1 } else { 0 };
    let length = 2 + topic.len() + id_bytes + property_bytes + payload.len();
    if length > MAX_REMAINING_LENGTH {
        return None;
    }
    let mut frame = BytesMut::with_capacity(5 + length);
    frame.put_u8(if acknowledged { 0x32 } else { 0x30 });
    remaining_length(length, &mut frame);
    frame.put_u16(topic_length);
    frame.put_slice(topic.as_bytes());
    let id_at = acknowledged.then_some(frame.len());
    frame.put_bytes(0, id_bytes + property_bytes);
    frame.put_slice(payload);
    Some(Outgoing { frame: frame.freeze(), id_at })
}

#[cfg(test)]
mod tests {
    use rumqttd::protocol::v4::V4;

    use super::*;
    use crate::frame::{self, Scan};

    #[test]
    fn the_codec_reads_what_we_write() {
        let config = BrokerConfig::default();
        let mut wire = BytesMut::from(&accepted(Version::V311, None, &config)[..]);
        wire.extend_from_slice(&suback(Version::V311, 9, &[0, 1, 0x80]));
        wire.extend_from_slice(&unsuback(Version::V311, 9, &[0]));
        for expected in ["ConnAck", "SubAck", "UnsubAck"] {
            let packet = V4.read_mut(&mut wire, 1024).unwrap();
            assert!(format!("{packet:?}").starts_with(expected), "{packet:?}");
        }
        assert!(wire.is_empty());
        // The codec cannot read the v5 CONNACK and UNSUBACK, so those are covered by a real client.
        let mut wire = BytesMut::from(&suback(Version::V5, 9, &[0, 1, 0x87])[..]);
        wire.extend_from_slice(&disconnect(Version::V5, Reason::TakenOver, 1_024));
        for expected in ["SubAck", "Disconnect"] {
            let packet = V5.read_mut(&mut wire, 1024).unwrap();
            assert!(format!("{packet:?}").starts_with(expected), "{packet:?}");
        }
        assert!(wire.is_empty());
    }

    #[test]
    fn words_are_left_out_where_the_packet_would_be_too_large() {
        let told = disconnect(Version::V5, Reason::OverQuota, usize::MAX);
        let words = Reason::OverQuota.words();
        assert_eq!(told[..4], [0xE0, 5 + words.len() as u8, 0x97, 3 + words.len() as u8]);
        assert_eq!(told[4..7], [0x1F, 0, words.len() as u8]);
        assert!(told.ends_with(words.as_bytes()));
        assert_eq!(disconnect(Version::V5, Reason::OverQuota, told.len()), told);
        assert_eq!(disconnect(Version::V5, Reason::OverQuota, told.len() - 1), [0xE0, 2, 0x97, 0]);
        assert!(disconnect(Version::V311, Reason::OverQuota, usize::MAX).is_empty());
        assert_eq!(
            refused(Version::V5, 0x86, "no", usize::MAX),
            [0x20, 8, 0, 0x86, 5, 0x1F, 0, 2, b'n', b'o']
        );
        assert_eq!(refused(Version::V5, 0x86, "no", 9), [0x20, 3, 0, 0x86, 0]);
        assert_eq!(refused(Version::V311, 5, "no", usize::MAX), [0x20, 2, 0, 5]);
    }

    #[test]
    fn a_publish_is_read_back_with_its_packet_identifier() {
        for version in [Version::V311, Version::V5] {
            for qos in [Qos::AtMostOnce, Qos::AtLeastOnce] {
                let payload = vec![b'x'; 300];
                let out = publish(version, qos, "feed/alarms", &payload).unwrap();
                let mut wire = out.frame.to_vec();
                if let Some(at) = out.id_at {
                    wire[at..at + 2].copy_from_slice(&513_u16.to_be_bytes());
                }
                let Scan::Whole(found) = frame::scan(&wire, 1024).unwrap() else { panic!("not whole") };
                let body = &wire[found.body.clone()];
                let read = frame::publish(version, found.first, body).unwrap();
                assert_eq!(&body[read.topic], b"feed/alarms");
                assert_eq!(&body[read.payload], &payload[..]);
                assert_eq!(read.packet_id, (qos == Qos::AtLeastOnce).then_some(513));
            }
        }
    }

    #[test]
    fn a_topic_too_long_for_the_protocol_is_not_sent() {
        assert!(publish(Version::V5, Qos::AtMostOnce, &"t".repeat(65_536), b"").is_none());
    }
}
