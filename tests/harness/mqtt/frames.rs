//! MQTT 3.1.1 and 5 packets as bytes (OASIS standards of 2014 and 2019).
use bytes::{Buf, BytesMut};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    V311,
    V5,
}

/// Who connects.
#[derive(Debug, Clone)]
pub struct Login {
    pub client_id: String,
    pub user_name: String,
    pub password: String,
}

/// What a server sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet {
    Connack {
        code: u8,
    },
    Puback {
        id: u16,
        reason: u8,
    },
    Pubrec {
        id: u16,
        reason: u8,
    },
    Pubrel {
        id: u16,
    },
    Pubcomp {
        id: u16,
        reason: u8,
    },
    /// `id` is 0 with QoS 0.
    Publish {
        topic: String,
        payload: Vec<u8>,
        qos: u8,
        id: u16,
    },
    Suback {
        id: u16,
        codes: Vec<u8>,
    },
    Pingresp,
    Disconnect {
        reason: u8,
    },
    Other {
        kind: u8,
    },
}

/// CONNECT with a clean session; an empty user name sends none.
pub fn connect(login: &Login, version: Version, keep_alive_s: u16) -> Vec<u8> {
    connect_with(login, version, keep_alive_s, 0x02)
}

/// CONNECT that goes on with the session that there is; of MQTT 3.1.1.
pub(super) fn connect_again(login: &Login) -> Vec<u8> {
    connect_with(login, Version::V311, 60, 0)
}

fn connect_with(login: &Login, version: Version, keep_alive_s: u16, clean: u8) -> Vec<u8> {
    let mut body = Vec::new();
    text(&mut body, "MQTT");
    let named = !login.user_name.is_empty();
    let flags = clean | if named { 0xC0 } else { 0 };
    body.extend([if version == Version::V5 { 5 } else { 4 }, flags]);
    body.extend(keep_alive_s.to_be_bytes());
    if version == Version::V5 {
        body.push(0);
    }
    text(&mut body, &login.client_id);
    if named {
        text(&mut body, &login.user_name);
        text(&mut body, &login.password);
    }
    frame(0x10, &body)
}

/// A PUBLISH of QoS 1 whose identifier and payload can be overwritten, so that a load generator encodes it once.
#[derive(Debug, Clone)]
pub struct PublishFrame {
    pub bytes: Vec<u8>,
    pub id_at: usize,
    pub payload_at: usize,
}

pub fn publish(topic: &str, payload: &[u8], id: u16, version: Version) -> PublishFrame {
    let mut body = Vec::with_capacity(topic.len() + payload.len() + 8);
    text(&mut body, topic);
    body.extend(id.to_be_bytes());
    if version == Version::V5 {
        body.push(0);
    }
    body.extend_from_slice(payload);
    let bytes = frame(0x32, &body);
    let header = bytes.len() - body.len();
    PublishFrame { id_at: header + 2 + topic.len(), payload_at: bytes.len() - payload.len(), bytes }
}

/// A PUBLISH of MQTT 3.1.1 at QoS 1 or 2, which may be one that is sent again.
pub(super) fn publish_at(qos: u8, again: bool, topic: &str, payload: &[u8], id: u16) -> Vec<u8> {
    let mut bytes = publish(topic, payload, id, Version::V311).bytes;
    bytes[0] = 0x30 | qos << 1 | u8::from(again) << 3;
    bytes
}

/// First bytes of what acknowledges a message, or a step of its delivery.
pub(super) const PUBACK: u8 = 0x40;
pub(super) const PUBREC: u8 = 0x50;
pub(super) const PUBREL: u8 = 0x62;
pub(super) const PUBCOMP: u8 = 0x70;

/// One of those.
pub(super) fn acknowledge(first: u8, id: u16) -> [u8; 4] {
    let [high, low] = id.to_be_bytes();
    [first, 2, high, low]
}

/// SUBSCRIBE to one filter at QoS 1.
pub fn subscribe(filter: &str, id: u16, version: Version) -> Vec<u8> {
    subscribe_at(1, filter, id, version)
}

/// SUBSCRIBE to one filter.
pub(super) fn subscribe_at(qos: u8, filter: &str, id: u16, version: Version) -> Vec<u8> {
    let mut body = id.to_be_bytes().to_vec();
    if version == Version::V5 {
        body.push(0);
    }
    text(&mut body, filter);
    body.push(qos);
    frame(0x82, &body)
}

pub fn ping() -> [u8; 2] {
    [0xC0, 0]
}

/// Takes the next whole packet off the front of the buffer.
pub fn next_packet(buffer: &mut BytesMut, version: Version) -> Result<Option<Packet>, String> {
    let Some((header, length)) = remaining_length(buffer)? else { return Ok(None) };
    if buffer.len() < header + length {
        return Ok(None);
    }
    let first = buffer[0];
    buffer.advance(header);
    let mut body = buffer.split_to(length);
    decode(first, &mut body, version).map(Some).ok_or_else(|| format!("a packet {first:#x} is cut short"))
}

fn decode(first: u8, body: &mut BytesMut, version: Version) -> Option<Packet> {
    let v5 = version == Version::V5;
    Some(match first >> 4 {
        2 => Packet::Connack { code: *body.get(1)? },
        4 => Packet::Puback { id: number(body)?, reason: body.first().copied().unwrap_or(0) },
        5 => Packet::Pubrec { id: number(body)?, reason: body.first().copied().unwrap_or(0) },
        6 => Packet::Pubrel { id: number(body)? },
        7 => Packet::Pubcomp { id: number(body)?, reason: body.first().copied().unwrap_or(0) },
        3 => {
            let length = usize::from(number(body)?);
            let topic = String::from_utf8(body.get(..length)?.to_vec()).ok()?;
            body.advance(length);
            let qos = (first & 0x06) >> 1;
            let id = if qos > 0 { number(body)? } else { 0 };
            if v5 {
                skip_properties(body)?;
            }
            Packet::Publish { topic, payload: body.to_vec(), qos, id }
        }
        9 => {
            let id = number(body)?;
            if v5 {
                skip_properties(body)?;
            }
            Packet::Suback { id, codes: body.to_vec() }
        }
        13 => Packet::Pingresp,
        14 => Packet::Disconnect { reason: body.first().copied().unwrap_or(0) },
        kind => Packet::Other { kind },
    })
}

fn number(body: &mut BytesMut) -> Option<u16> {
    (body.len() >= 2).then(|| body.get_u16())
}

fn skip_properties(body: &mut BytesMut) -> Option<()> {
    let length = usize::from(*body.first()?);
    // Longer property blocks than 127 bytes are not sent to a client that asked for nothing.
    (length < 0x80 && body.len() > length).then(|| body.advance(length + 1))
}

/// The length of the fixed header and of what follows it, once enough bytes are there.
fn remaining_length(buffer: &[u8]) -> Result<Option<(usize, usize)>, String> {
    let mut length = 0;
    for (index, byte) in buffer.iter().skip(1).take(4).enumerate() {
        length |= usize::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(Some((index + 2, length)));
        }
    }
    if buffer.len() > 4 { Err("a remaining length of more than four bytes".into()) } else { Ok(None) }
}

fn frame(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    let mut left = body.len();
    loop {
        let byte = u8::try_from(left & 0x7F).unwrap_or(0x7F);
        left >>= 7;
        bytes.push(if left > 0 { byte | 0x80 } else { byte });
        if left == 0 {
            break;
        }
    }
    bytes.extend_from_slice(body);
    bytes
}

fn text(out: &mut Vec<u8>, value: &str) {
    out.extend(u16::try_from(value.len()).expect("texts of a test are short").to_be_bytes());
    out.extend_from_slice(value.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_those_of_the_standard() {
        let login = Login { client_id: "c".into(), user_name: "u".into(), password: "p".into() };
        let v311 =
            [&[0x10, 19, 0, 4][..], b"MQTT", &[4, 0xC2, 0, 60, 0, 1, b'c', 0, 1, b'u', 0, 1, b'p']].concat();
        assert_eq!(connect(&login, Version::V311, 60), v311);
        let published = publish("a/b", b"hi", 0x0102, Version::V5);
        assert_eq!(published.bytes, [&[0x32, 10, 0, 3][..], b"a/b", &[1, 2, 0], b"hi"].concat());
        assert_eq!((published.id_at, published.payload_at), (7, 10));
        let long = publish("t", &[0; 200], 1, Version::V311);
        assert_eq!(long.bytes[..3], [0x32, 0xCD, 0x01]);
        assert_eq!(subscribe("x", 7, Version::V311), [0x82, 6, 0, 7, 0, 1, b'x', 1]);
    }

    #[test]
    fn packets_are_read_whole_and_in_order() {
        let mut buffer = BytesMut::new();
        let stream = [0x20, 2, 0, 5, 0x40, 2, 0, 9, 0x40, 3, 0, 10, 0x87, 0xD0, 0];
        let mut seen = Vec::new();
        for byte in stream {
            buffer.extend_from_slice(&[byte]);
            seen.extend(next_packet(&mut buffer, Version::V5).unwrap());
        }
        let expected = [
            Packet::Connack { code: 5 },
            Packet::Puback { id: 9, reason: 0 },
            Packet::Puback { id: 10, reason: 0x87 },
            Packet::Pingresp,
        ];
        assert_eq!(seen, expected);
        assert!(
            next_packet(&mut BytesMut::from(&[0x30, 0xFF, 0xFF, 0xFF, 0xFF, 1][..]), Version::V311).is_err()
        );
    }
}
