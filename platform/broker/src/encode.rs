//! Frames that the broker sends. They are few and small, so they are written byte by byte; only the
//! v5 CONNACK with its many properties goes through the codec.

use bytes::{BufMut, Bytes, BytesMut};
use rumqttd::protocol::{
    ConnAck, ConnAckProperties, ConnectReturnCode, LastWillProperties, Packet, Protocol as _, v5::V5,
};
use tenants::quotas::ClientQuotas;

use crate::{
    message::Outgoing,
    protocol::{MAX_TOPIC_ALIASES, Qos, Reason, Version},
};

/// Largest remaining length that four bytes can express.
const MAX_REMAINING_LENGTH: usize = 268_435_455;

/// Answer to a PINGREQ.
pub(crate) const PINGRESP: [u8; 2] = [0xD0, 0];

/// Reason of a PUBACK or PUBREC: the client may not publish to that topic.
pub(crate) const NOT_AUTHORIZED: u8 = 0x87;

/// Reason of an acknowledgement: the payload is not what the topic is for.
pub(crate) const PAYLOAD_FORMAT_INVALID: u8 = 0x99;

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

/// What an accepted client is told.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Welcome<'a> {
    /// Whether a session goes on.
    pub(crate) session_present: bool,
    /// What the client is called that did not call itself anything.
    pub(crate) assigned_id: Option<&'a str>,
    /// Seconds that its session is kept after its connection.
    pub(crate) session_expiry: u32,
    /// Seconds of the keep-alive, where it is another than the client's.
    pub(crate) keep_alive: Option<u16>,
    /// Whether it may have messages retained.
    pub(crate) may_retain: bool,
}

/// The CONNACK of an accepted client.
pub(crate) fn accepted(version: Version, welcome: Welcome<'_>, quotas: &ClientQuotas) -> Vec<u8> {
    let Welcome { session_present, assigned_id, session_expiry, keep_alive, may_retain } = welcome;
    if version == Version::V311 {
        return vec![0x20, 2, u8::from(session_present), 0];
    }
    let properties = ConnAckProperties {
        session_expiry_interval: Some(session_expiry),
        receive_max: Some(u16::try_from(quotas.receive_maximum).unwrap_or(u16::MAX).max(1)),
        retain_available: Some(u8::from(may_retain)),
        server_keep_alive: keep_alive,
        max_packet_size: Some(quotas.packet_bytes),
        topic_alias_max: Some(MAX_TOPIC_ALIASES),
        assigned_client_identifier: assigned_id.map(str::to_owned),
        subscription_identifiers_available: Some(1),
        shared_subscription_available: Some(1),
        ..ConnAckProperties::default()
    };
    let connack = ConnAck { session_present, code: ConnectReturnCode::Success };
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

/// First bytes of the packets that acknowledge a message, or a step of its delivery.
pub(crate) const PUBACK: u8 = 0x40;
pub(crate) const PUBREC: u8 = 0x50;
pub(crate) const PUBREL: u8 = 0x62;
pub(crate) const PUBCOMP: u8 = 0x70;

/// Reason of a PUBREL or PUBCOMP for a packet identifier that nothing is known of.
pub(crate) const NOT_FOUND: u8 = 0x92;

/// Appends an acknowledgement that says yes. Both versions write it alike.
pub(crate) fn acknowledge(first: u8, packet_id: u16, out: &mut Vec<u8>) {
    let [high, low] = packet_id.to_be_bytes();
    out.extend_from_slice(&[first, 2, high, low]);
}

/// Appends a v5 acknowledgement that says something else.
pub(crate) fn acknowledge_with(first: u8, packet_id: u16, reason: u8, out: &mut Vec<u8>) {
    let [high, low] = packet_id.to_be_bytes();
    out.extend_from_slice(&[first, 3, high, low, reason]);
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

/// How a PUBLISH names its topic to a v5 client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    /// In full.
    Whole,
    /// In full, and by this alias from now on.
    Introduced(u16),
    /// By its alias alone.
    Known(u16),
}

/// What a PUBLISH is sent with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Labels {
    /// Not used with QoS 0.
    pub(crate) packet_id: u16,
    pub(crate) named: Named,
    /// Whether it is sent again.
    pub(crate) again: bool,
    /// Seconds until it expires, where it does.
    pub(crate) expires_in: Option<u32>,
}

/// Appends a PUBLISH to `topic`, as the client sees it; nothing, and false, when it is longer than the client takes or the protocol can say.
pub(crate) fn publish(
    version: Version,
    topic: &str,
    message: &Outgoing,
    Labels { packet_id, named, again, expires_in }: Labels,
    max_bytes: usize,
    out: &mut Vec<u8>,
) -> bool {
    const EXPIRY_INTERVAL: u8 = 0x02;
    const SUBSCRIPTION_ID: u8 = 0x0B;
    const TOPIC_ALIAS: u8 = 0x23;
    let mut properties = Vec::new();
    if version == Version::V5 {
        properties.extend_from_slice(&message.message.properties);
        if let Some(seconds) = expires_in {
            properties.push(EXPIRY_INTERVAL);
            properties.extend_from_slice(&seconds.to_be_bytes());
        }
        for id in &message.subscription_ids {
            properties.push(SUBSCRIPTION_ID);
            remaining_length(usize::try_from(*id).unwrap_or_default(), &mut properties);
        }
        if let Named::Introduced(alias) | Named::Known(alias) = named {
            let [high, low] = alias.to_be_bytes();
            properties.extend_from_slice(&[TOPIC_ALIAS, high, low]);
        }
    }
    let topic = if matches!(named, Named::Known(_)) { "" } else { topic };
    let Ok(topic_length) = u16::try_from(topic.len()) else { return false };
    let mut head = Vec::with_capacity(16 + topic.len() + properties.len());
    head.put_u16(topic_length);
    head.put_slice(topic.as_bytes());
    if message.qos != Qos::AtMostOnce {
        head.put_u16(packet_id);
    }
    if version == Version::V5 {
        remaining_length(properties.len(), &mut head);
        head.put_slice(&properties);
    }
    let length = head.len() + message.message.payload.len();
    if length > MAX_REMAINING_LENGTH || length + length_bytes(length) + 1 > max_bytes {
        return false;
    }
    out.put_u8(0x30 | u8::from(again) << 3 | (message.qos as u8) << 1 | u8::from(message.retain));
    remaining_length(length, out);
    out.put_slice(&head);
    out.put_slice(&message.message.payload);
    true
}

/// The properties of a will that go on to subscribers when it is published (MQTT 5, 3.1.3.2).
pub(crate) fn will_properties(of: &LastWillProperties) -> Bytes {
    let mut out = BytesMut::new();
    let field = |bytes: &[u8], out: &mut BytesMut| {
        out.put_u16(u16::try_from(bytes.len()).unwrap_or_default()); // it was read from two bytes of length
        out.put_slice(bytes);
    };
    if let Some(format) = of.payload_format_indicator {
        out.put_slice(&[0x01, format]);
    }
    let text = |value: &Option<String>| value.clone().map(Bytes::from);
    let (content_type, response_topic) = (text(&of.content_type), text(&of.response_topic));
    for (property, value) in
        [(0x03, content_type), (0x08, response_topic), (0x09, of.correlation_data.clone())]
    {
        if let Some(value) = value {
            out.put_u8(property);
            field(&value, &mut out);
        }
    }
    for (name, value) in &of.user_properties {
        out.put_u8(0x26);
        field(name.as_bytes(), &mut out);
        field(value.as_bytes(), &mut out);
    }
    out.freeze()
}

/// How many bytes a variable byte integer takes.
const fn length_bytes(length: usize) -> usize {
    match length {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        0x4000..0x20_0000 => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rumqttd::protocol::v4::V4;

    use super::*;
    use crate::{
        frame::{self, Scan},
        message::Message,
        topics::Space,
    };

    #[test]
    fn the_codec_reads_what_we_write() {
        let quotas = ClientQuotas::default();
        let mut wire = BytesMut::from(&accepted(Version::V311, Welcome::default(), &quotas)[..]);
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

    fn outgoing(qos: Qos, topic: &str, payload: Vec<u8>, ids: &[u32]) -> Outgoing {
        let (space, properties) = (Space::Platform, Bytes::new());
        let message =
            Message { space, topic: topic.into(), payload: payload.into(), properties, expires_at: None };
        let (message, subscription_ids) = (Arc::new(message), ids.into());
        Outgoing { message, qos, retain: false, position: None, stored: false, subscription_ids }
    }

    #[test]
    fn a_publish_is_read_back_with_its_packet_identifier() {
        let labels = Labels { packet_id: 513, named: Named::Whole, again: false, expires_in: None };
        for version in [Version::V311, Version::V5] {
            for qos in [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce] {
                let message = outgoing(qos, "feed/alarms", vec![b'x'; 300], &[]);
                let mut wire = Vec::new();
                assert!(publish(version, "feed/alarms", &message, labels, usize::MAX, &mut wire));
                let Scan::Whole(found) = frame::scan(&wire, 1024).unwrap() else { panic!("not whole") };
                let body = &wire[found.body.clone()];
                let read = frame::publish(version, found.first, body).unwrap();
                assert_eq!(&body[read.topic], b"feed/alarms");
                assert_eq!(&body[read.payload], &[b'x'; 300]);
                assert_eq!(read.packet_id, (qos != Qos::AtMostOnce).then_some(513));
                let mut short = Vec::new();
                assert!(publish(version, "feed/alarms", &message, labels, wire.len(), &mut short));
                assert!(!publish(version, "feed/alarms", &message, labels, wire.len() - 1, &mut short));
                assert_eq!(short, wire, "what is too large leaves nothing behind");
            }
        }
    }

    #[test]
    fn aliases_and_subscription_identifiers_are_told_to_v5_only() {
        let message = outgoing(Qos::AtMostOnce, "t", b"X".to_vec(), &[200, 1]);
        let sent = |version, named| {
            let mut wire = Vec::new();
            publish(
                version,
                "t",
                &message,
                Labels { packet_id: 0, named, again: false, expires_in: None },
                usize::MAX,
                &mut wire,
            );
            wire
        };
        assert_eq!(sent(Version::V311, Named::Introduced(3)), b"\x30\x04\x00\x01tX");
        let ids = b"\x0B\xC8\x01\x0B\x01";
        assert_eq!(sent(Version::V5, Named::Whole), [b"\x30\x0A\x00\x01t\x05", &ids[..], b"X"].concat());
        let introduced = [b"\x30\x0D\x00\x01t\x08", &ids[..], b"\x23\x00\x03X"].concat();
        assert_eq!(sent(Version::V5, Named::Introduced(3)), introduced);
        let known = [b"\x30\x0C\x00\x00\x08", &ids[..], b"\x23\x00\x03X"].concat();
        assert_eq!(sent(Version::V5, Named::Known(3)), known);
    }

    #[test]
    fn what_the_sender_added_is_passed_on_with_the_time_that_is_left() {
        let mut message = outgoing(Qos::AtMostOnce, "t", b"X".to_vec(), &[9]);
        let content_type = Bytes::from_static(b"\x03\x00\x01j");
        Arc::get_mut(&mut message.message).unwrap().properties = content_type;
        message.retain = true;
        let labels = Labels { packet_id: 0, named: Named::Whole, again: true, expires_in: Some(258) };
        let mut wire = Vec::new();
        assert!(publish(Version::V5, "t", &message, labels, usize::MAX, &mut wire));
        assert_eq!(wire, b"\x39\x10\x00\x01t\x0B\x03\x00\x01j\x02\x00\x00\x01\x02\x0B\x09X");
        wire.clear();
        assert!(publish(Version::V311, "t", &message, labels, usize::MAX, &mut wire));
        assert_eq!(wire, b"\x39\x04\x00\x01tX");
    }

    #[test]
    fn a_topic_too_long_for_the_protocol_is_not_sent() {
        let message = outgoing(Qos::AtMostOnce, &"t".repeat(65_536), Vec::new(), &[]);
        let labels = Labels { packet_id: 0, named: Named::Whole, again: false, expires_in: None };
        assert!(!publish(Version::V5, &message.message.topic, &message, labels, usize::MAX, &mut Vec::new()));
    }

    #[test]
    fn the_steps_of_qos_2_are_written_as_the_codec_reads_them() {
        let mut wire = BytesMut::new();
        let mut out = Vec::new();
        for kind in [PUBREC, PUBREL, PUBCOMP] {
            acknowledge(kind, 9, &mut out);
        }
        wire.extend_from_slice(&out);
        for expected in ["PubRec", "PubRel", "PubComp"] {
            let packet = V4.read_mut(&mut wire, 1024).unwrap();
            assert!(format!("{packet:?}").starts_with(expected), "{packet:?}");
        }
        out.clear();
        acknowledge_with(PUBCOMP, 9, NOT_FOUND, &mut out);
        assert_eq!(out, [0x70, 3, 0, 9, 0x92]);
    }
}
