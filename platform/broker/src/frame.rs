//! Finds the frames in a stream of bytes and reads PUBLISH without copying.
//!
//! PUBLISH is nearly all of the traffic, so it does not go through the codec: this reads positions,
//! and the session slices topic and payload out of the frozen read buffer.

use std::ops::Range;

use url::form_urlencoded::Serializer;

use crate::{
    gate::UserProperties,
    protocol::{Qos, Reason, Version},
};

/// The longest fixed header: type and flags, then four bytes of remaining length.
const MAX_FIXED_HEADER: usize = 5;

/// The one property that may come more than once.
const USER_PROPERTY: u8 = 0x26;

/// What is at the start of a buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scan {
    /// A whole frame.
    Whole(Frame),
    /// Part of a frame; `total` is its length, once the fixed header is there.
    Part { total: Option<usize> },
}

/// A whole frame, as positions in the buffer it was found in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Packet type and flags.
    pub(crate) first: u8,
    /// Where the variable header and the payload are.
    pub(crate) body: Range<usize>,
}

impl Frame {
    /// The packet type, 0 to 15.
    pub(crate) const fn kind(&self) -> u8 {
        self.first >> 4
    }
}

/// Looks for a frame at the start of `bytes`.
pub(crate) fn scan(bytes: &[u8], max_packet_bytes: usize) -> Result<Scan, Reason> {
    let Some((&first, rest)) = bytes.split_first() else { return Ok(Scan::Part { total: None }) };
    let Some((length, length_bytes)) = variable_integer(rest)? else { return Ok(Scan::Part { total: None }) };
    let start = 1 + length_bytes;
    let end = start + length;
    if end > max_packet_bytes {
        return Err(Reason::PacketTooLarge);
    }
    Ok(if bytes.len() < end {
        Scan::Part { total: Some(end) }
    } else {
        Scan::Whole(Frame { first, body: start..end })
    })
}

/// A variable byte integer and how many bytes it takes; `None` when it is cut off.
fn variable_integer(bytes: &[u8]) -> Result<Option<(usize, usize)>, Reason> {
    let mut value = 0;
    for (position, byte) in bytes.iter().take(MAX_FIXED_HEADER - 1).enumerate() {
        value |= usize::from(byte & 0x7F) << (7 * position);
        if byte & 0x80 == 0 {
            return Ok(Some((value, position + 1)));
        }
    }
    if bytes.len() < MAX_FIXED_HEADER - 1 { Ok(None) } else { Err(Reason::Malformed) }
}

/// A PUBLISH, as positions in its frame's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Publish {
    /// Empty where the alias stands for it.
    pub(crate) topic: Range<usize>,
    pub(crate) qos: Qos,
    /// `None` is QoS 0.
    pub(crate) packet_id: Option<u16>,
    pub(crate) retain: bool,
    pub(crate) properties: Properties,
    pub(crate) payload: Range<usize>,
}

/// The properties of a PUBLISH, of v5.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Properties {
    /// What the topic is called from now on, or was called before.
    pub(crate) alias: Option<u16>,
    /// Seconds after which nobody wants it any more.
    pub(crate) expiry: Option<u32>,
    /// All of them, those two included, without their length.
    pub(crate) all: Range<usize>,
    /// Where those two are among them.
    apart: [Range<usize>; 2],
    /// Whether users have put some there.
    has_users: bool,
}

impl Properties {
    /// Those that users have put there, behind what the topic says, out of the body that they were read from.
    pub(crate) fn of_user(&self, body: &[u8], of_topic: UserProperties) -> UserProperties {
        if !self.has_users {
            return of_topic;
        }
        user_properties(body.get(self.all.clone()).unwrap_or_default(), of_topic)
    }

    /// Those that go on to subscribers as they came, out of the body that they were read from.
    pub(crate) fn passed_on(&self, body: &[u8]) -> Vec<u8> {
        let mut passed_on = Vec::with_capacity(self.all.len());
        let mut from = self.all.start;
        let mut apart = self.apart.clone();
        apart.sort_by_key(|range| range.start);
        for range in apart.into_iter().filter(|range| !range.is_empty()) {
            passed_on.extend_from_slice(body.get(from..range.start).unwrap_or_default());
            from = range.end;
        }
        passed_on.extend_from_slice(body.get(from..self.all.end).unwrap_or_default());
        passed_on
    }
}

/// Those properties that users have put among those of a PUBLISH or a will, which were read before, behind what its topic says.
pub(crate) fn user_properties(properties: &[u8], of_topic: UserProperties) -> UserProperties {
    let pairs = Cursor { bytes: properties, at: 0 }.users().unwrap_or_default();
    if pairs.is_empty() {
        return of_topic;
    }
    let mut form = Serializer::new(of_topic.as_deref().unwrap_or_default().to_owned());
    Some(form.extend_pairs(pairs).finish().into())
}

/// Reads the PUBLISH with the given first byte and body.
pub(crate) fn publish(version: Version, first: u8, body: &[u8]) -> Result<Publish, Reason> {
    let qos = Qos::from_bits((first >> 1) & 0b11).ok_or(Reason::Malformed)?;
    let duplicate = first & 0b1000 != 0;
    if qos == Qos::AtMostOnce && duplicate {
        return Err(Reason::Malformed);
    }
    let mut cursor = Cursor { bytes: body, at: 0 };
    let topic = cursor.field()?;
    let packet_id = if qos == Qos::AtMostOnce { None } else { Some(cursor.u16()?) };
    if packet_id == Some(0) {
        return Err(Reason::Protocol);
    }
    let properties =
        if version == Version::V5 { cursor.publish_properties()? } else { Properties::default() };
    if topic.is_empty() && properties.alias.is_none() {
        return Err(Reason::Protocol);
    }
    let retain = first & 1 != 0;
    Ok(Publish { topic, qos, packet_id, retain, properties, payload: cursor.at..body.len() })
}

/// A PUBACK, PUBREC, PUBREL or PUBCOMP: whose packet identifier, and whether it says that the message was refused.
pub(crate) fn acknowledgement(version: Version, body: &[u8]) -> Result<(u16, bool), Reason> {
    let mut cursor = Cursor { bytes: body, at: 0 };
    let packet_id = cursor.u16()?;
    if packet_id == 0 {
        return Err(Reason::Protocol);
    }
    if cursor.at == body.len() {
        return Ok((packet_id, false));
    }
    if version == Version::V311 {
        return Err(Reason::Malformed);
    }
    let reason = cursor.u8()?;
    if cursor.at < body.len() {
        cursor.acknowledgement_properties()?;
    }
    if cursor.at == body.len() { Ok((packet_id, reason >= 0x80)) } else { Err(Reason::Malformed) }
}

/// Whether a CONNECT has the fields that its flags promise and nothing behind them, which the codec would not see.
pub(crate) fn connect(version: Version, body: &[u8]) -> Result<(), Reason> {
    let mut cursor = Cursor { bytes: body, at: 0 };
    cursor.field()?; // the protocol's name
    let [_level, flags] = [cursor.u8()?, cursor.u8()?];
    cursor.u16()?; // the keep-alive
    cursor.skip_properties(version)?;
    cursor.text()?; // the client identifier
    if flags & 0b100 != 0 {
        cursor.skip_properties(version)?;
        cursor.text()?; // the will's topic
        cursor.field()?; // its payload
    }
    if flags & 0x80 != 0 {
        cursor.text()?; // the user name
    }
    if flags & 0x40 != 0 {
        cursor.field()?; // the password
    }
    if cursor.at == body.len() { Ok(()) } else { Err(Reason::Malformed) }
}

/// Whether the filters of a SUBSCRIBE have options that there are, which the codec takes for others.
pub(crate) fn subscribe(version: Version, body: &[u8]) -> Result<(), Reason> {
    let mut cursor = Cursor { bytes: body, at: 0 };
    cursor.u16()?; // the packet identifier
    let (reserved, never) = match version {
        Version::V311 => (0b1111_1100, 0b0011),
        Version::V5 => (0b1100_0000, 0b0011_0000),
    };
    cursor.skip_properties(version)?;
    while cursor.at < body.len() {
        cursor.text()?;
        let options = cursor.u8()?;
        if options & reserved != 0 || options & 0b0011 == 0b0011 || options & never == never {
            return Err(Reason::Malformed);
        }
    }
    Ok(())
}

/// Whether the filters of an UNSUBSCRIBE are text.
pub(crate) fn unsubscribe(version: Version, body: &[u8]) -> Result<(), Reason> {
    let mut cursor = Cursor { bytes: body, at: 0 };
    cursor.u16()?; // the packet identifier
    cursor.skip_properties(version)?;
    while cursor.at < body.len() {
        cursor.text()?;
    }
    Ok(())
}

/// A topic name that no PUBLISH may have: not text, or with a wildcard.
pub(crate) fn topic_name(topic: &[u8]) -> Result<(), Reason> {
    let topic = std::str::from_utf8(topic).map_err(|_| Reason::Malformed)?;
    if topic.contains('\0') {
        return Err(Reason::Malformed);
    }
    if topic.contains(['+', '#']) { Err(Reason::TopicName) } else { Ok(()) }
}

/// Reads forward through a body; never past its end.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn skip(&mut self, count: usize) -> Result<Range<usize>, Reason> {
        let end = self.at + count;
        if end > self.bytes.len() {
            return Err(Reason::Malformed);
        }
        let range = self.at..end;
        self.at = end;
        Ok(range)
    }

    fn u8(&mut self) -> Result<u8, Reason> {
        let byte = self.bytes.get(self.at).copied().ok_or(Reason::Malformed)?;
        self.at += 1;
        Ok(byte)
    }

    fn u16(&mut self) -> Result<u16, Reason> {
        Ok(u16::from_be_bytes([self.u8()?, self.u8()?]))
    }

    /// A text or binary field with two bytes of length before it.
    fn field(&mut self) -> Result<Range<usize>, Reason> {
        let length = self.u16()?;
        self.skip(usize::from(length))
    }

    fn text(&mut self) -> Result<&'a str, Reason> {
        let range = self.field()?;
        let bytes = self.bytes.get(range).unwrap_or_default();
        let text = std::str::from_utf8(bytes).map_err(|_| Reason::Malformed)?;
        if text.contains('\0') { Err(Reason::Malformed) } else { Ok(text) }
    }

    /// The properties from here on, as a cursor of their own; this one stands behind them.
    fn properties(&mut self) -> Result<Self, Reason> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let (length, length_bytes) = variable_integer(rest)?.ok_or(Reason::Malformed)?;
        self.at += length_bytes;
        let range = self.skip(length)?;
        Ok(Self { bytes: self.bytes.get(..range.end).unwrap_or_default(), at: range.start })
    }

    /// Walks over properties (MQTT 5, 2.2.2.2), of which only those of users may come twice. Which of them a packet may have
    /// is the codec's to know.
    fn skip_properties(&mut self, version: Version) -> Result<(), Reason> {
        if version == Version::V311 {
            return Ok(());
        }
        let mut inside = self.properties()?;
        let mut once = 0_u64;
        while inside.at < inside.bytes.len() {
            let property = inside.u8()?;
            let bit = 1_u64.checked_shl(u32::from(property)).ok_or(Reason::Malformed)?;
            if property != USER_PROPERTY && once & bit != 0 {
                return Err(Reason::Protocol);
            }
            once |= bit;
            match property {
                0x01 | 0x17 | 0x19 | 0x24 | 0x25 | 0x28..=0x2A => {
                    inside.skip(1)?;
                }
                0x13 | 0x21..=0x23 => {
                    inside.skip(2)?;
                }
                0x02 | 0x11 | 0x18 | 0x27 => {
                    inside.skip(4)?;
                }
                0x0B => {
                    let rest = inside.bytes.get(inside.at..).unwrap_or_default();
                    let (_, length) = variable_integer(rest)?.ok_or(Reason::Malformed)?;
                    inside.skip(length)?;
                }
                0x03 | 0x08 | 0x12 | 0x15 | 0x1A | 0x1C | 0x1F => {
                    inside.text()?;
                }
                0x09 | 0x16 => {
                    inside.field()?;
                }
                USER_PROPERTY => inside.pair()?,
                _ => return Err(Reason::Malformed),
            }
        }
        Ok(())
    }

    /// Reads the properties of a PUBLISH (MQTT 5, 3.3.2.3). Most of them are for the receiver, so they are only checked.
    fn publish_properties(&mut self) -> Result<Properties, Reason> {
        let mut inside = self.properties()?;
        let mut found = Properties { all: inside.at..inside.bytes.len(), ..Properties::default() };
        let mut once = 0_u64;
        while inside.at < inside.bytes.len() {
            let start = inside.at;
            let property = inside.u8()?;
            if property != USER_PROPERTY {
                let bit = 1_u64.checked_shl(u32::from(property)).ok_or(Reason::Malformed)?;
                if once & bit != 0 {
                    return Err(Reason::Protocol);
                }
                once |= bit;
            }
            match property {
                0x01 if inside.u8()? > 1 => return Err(Reason::Protocol), // payload format indicator
                0x01 => {}
                // Message expiry interval.
                0x02 => {
                    let [high, low] = [inside.u16()?, inside.u16()?];
                    found.expiry = Some(u32::from(high) << 16 | u32::from(low));
                    found.apart[0] = start..inside.at;
                }
                // Content type.
                0x03 => {
                    inside.text()?;
                }
                // Response topic.
                0x08 => {
                    let response_topic = inside.text()?;
                    if response_topic.is_empty() || response_topic.contains(['+', '#']) {
                        return Err(Reason::Protocol);
                    }
                }
                // Correlation data.
                0x09 => {
                    inside.field()?;
                }
                0x23 => {
                    found.alias = Some(inside.u16()?);
                    found.apart[1] = start..inside.at;
                }
                USER_PROPERTY => {
                    inside.pair()?;
                    found.has_users = true;
                }
                0x0B => return Err(Reason::Protocol), // subscription identifier: server to client only
                _ => return Err(Reason::Malformed),
            }
        }
        Ok(found)
    }

    /// What users have put among the properties of a PUBLISH or a will.
    fn users(mut self) -> Result<Vec<(&'a str, &'a str)>, Reason> {
        let mut pairs = Vec::new();
        while self.at < self.bytes.len() {
            match self.u8()? {
                USER_PROPERTY => pairs.push((self.text()?, self.text()?)),
                0x01 => {
                    self.skip(1)?;
                }
                0x23 => {
                    self.skip(2)?;
                }
                0x02 => {
                    self.skip(4)?;
                }
                // Content type, response topic, correlation data.
                _ => {
                    self.field()?;
                }
            }
        }
        Ok(pairs)
    }

    /// Walks over the properties of an acknowledgement: a reason string, and what users add.
    fn acknowledgement_properties(&mut self) -> Result<(), Reason> {
        let mut inside = self.properties()?;
        let mut has_reason = false;
        while inside.at < inside.bytes.len() {
            match inside.u8()? {
                0x1F if !has_reason => {
                    has_reason = true;
                    inside.text()?;
                }
                0x1F => return Err(Reason::Protocol),
                USER_PROPERTY => inside.pair()?,
                _ => return Err(Reason::Malformed),
            }
        }
        Ok(())
    }

    /// A user property: a name and a value.
    fn pair(&mut self) -> Result<(), Reason> {
        self.text()?;
        self.text()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::packet;

    const MAX: usize = 1024;

    #[test]
    fn reads_publishes_of_both_versions() {
        let expected = Publish {
            topic: 2..3,
            qos: Qos::AtLeastOnce,
            packet_id: Some(7),
            retain: false,
            properties: Properties::default(),
            payload: 5..12,
        };
        assert_eq!(publish(Version::V311, 0x32, b"\x00\x01t\x00\x07payload"), Ok(expected.clone()));
        let none = Properties { all: 6..6, ..Properties::default() };
        let v5 = Publish { properties: none, payload: 6..13, ..expected.clone() };
        assert_eq!(publish(Version::V5, 0x32, b"\x00\x01t\x00\x07\x00payload"), Ok(v5));
        let twice = Publish { qos: Qos::ExactlyOnce, ..expected };
        assert_eq!(publish(Version::V311, 0x3C, b"\x00\x01t\x00\x07payload"), Ok(twice), "DUP set");
        // A user property, an expiry of 60 s, an alias, the payload format and another user property.
        let body = b"\x00\x00\x1A\x26\x00\x01a\x00\x01b\x02\x00\x00\x00\x3C\x23\x00\x09\x01\x01\x26\x00\x02cd\x00\x02efX";
        let found = publish(Version::V5, 0x31, body).unwrap();
        let Publish { properties, retain, payload, .. } = found;
        assert_eq!((properties.alias, properties.expiry, retain), (Some(9), Some(60), true));
        assert_eq!(&body[payload], b"X");
        let passed_on = b"\x26\x00\x01a\x00\x01b\x01\x01\x26\x00\x02cd\x00\x02ef";
        assert_eq!(properties.passed_on(body), passed_on, "in their order");
        let other_way_round = b"\x00\x01t\x0A\x23\x00\x09\x01\x01\x02\x00\x00\x00\x3C";
        let found = publish(Version::V5, 0x30, other_way_round).unwrap();
        assert_eq!(found.properties.passed_on(other_way_round), b"\x01\x01");
    }

    #[test]
    fn refuses_what_the_protocol_forbids() {
        let cases: [(u8, &[u8], Reason); 13] = [
            (0x36, b"\x00\x01t\x00\x01\x00", Reason::Malformed),
            (0x38, b"\x00\x01t\x00", Reason::Malformed), // DUP on QoS 0
            (0x32, b"\x00\x01t\x00\x00\x00", Reason::Protocol), // packet id 0
            (0x34, b"\x00\x01t\x00\x00\x00", Reason::Protocol),
            (0x32, b"\x00\x01t\x00", Reason::Malformed),
            (0x30, b"\x00\x05t\x00", Reason::Malformed), // topic longer than the frame
            (0x30, b"\x00\x00\x00", Reason::Protocol),   // no topic and no alias
            (0x30, b"\x00\x00\x06\x23\x00\x01\x23\x00\x02", Reason::Protocol), // two aliases
            (0x30, b"\x00\x01t\x02\x0B\x01", Reason::Protocol),
            (0x30, b"\x00\x01t\x02\x01\x02", Reason::Protocol), // payload format 2
            (0x30, b"\x00\x01t\x04\x08\x00\x01#", Reason::Protocol), // wildcard in the response topic
            (0x30, b"\x00\x01t\x04\x03\x00\x01\xFF", Reason::Malformed), // no UTF-8
            (0x30, b"\x00\x01t\x02\xFF\x01", Reason::Malformed), // no property
        ];
        for (first, body, reason) in cases {
            assert_eq!(publish(Version::V5, first, body), Err(reason), "{first:#x} {body:?}");
        }
    }

    #[test]
    fn acknowledgements_are_short_or_long() {
        let both = [Version::V311, Version::V5];
        for version in both {
            assert_eq!(acknowledgement(version, &[0, 7]), Ok((7, false)));
            assert_eq!(acknowledgement(version, &[0, 0]), Err(Reason::Protocol));
            assert_eq!(acknowledgement(version, &[7]), Err(Reason::Malformed));
        }
        assert_eq!(acknowledgement(Version::V311, &[0, 7, 0]), Err(Reason::Malformed));
        let long: [(&[u8], _); 7] = [
            (b"\x00\x07\x10", Ok((7, false))),
            (b"\x00\x07\x87\x00", Ok((7, true))),
            (b"\x00\x07\x87\x04\x1F\x00\x01x", Ok((7, true))),
            (b"\x00\x07\x00\x0B\x1F\x00\x01x\x26\x00\x01a\x00\x01b", Ok((7, false))),
            (b"\x00\x07\x00\x08\x1F\x00\x01x\x1F\x00\x01y", Err(Reason::Protocol)),
            (b"\x00\x07\x00\x02\x23\x01", Err(Reason::Malformed)),
            (b"\x00\x07\x00\x00\x00", Err(Reason::Malformed)),
        ];
        for (body, expected) in long {
            assert_eq!(acknowledgement(Version::V5, body), expected, "{body:02x?}");
        }
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused_before_it_arrives() {
        assert_eq!(scan(&[0x30, 0xFF, 0xFF, 0xFF, 0x7F], MAX), Err(Reason::PacketTooLarge));
        assert_eq!(scan(&[0x30, 0xFF, 0xFF, 0xFF, 0xFF], MAX), Err(Reason::Malformed));
        assert_eq!(scan(&[0x30, 0xFF, 0xFF], MAX), Ok(Scan::Part { total: None }));
        assert_eq!(scan(&[0x30, 10, 0], MAX), Ok(Scan::Part { total: Some(12) }));
    }

    type Frames = Vec<(u8, Vec<u8>)>;

    /// All frames from the start of `bytes`, and how many bytes they took.
    fn frames(bytes: &[u8]) -> Result<(Frames, usize), Reason> {
        let (mut found, mut at) = (Vec::new(), 0);
        while let Scan::Whole(frame) = scan(&bytes[at..], MAX)? {
            found.push((frame.first, bytes[at..][frame.body.clone()].to_vec()));
            at += frame.body.end;
        }
        Ok((found, at))
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), first: u8) {
            let scanned = scan(&bytes, MAX);
            if let Ok(Scan::Whole(frame)) = &scanned {
                prop_assert!(frame.body.end <= bytes.len());
            }
            for version in [Version::V311, Version::V5] {
                if let Ok(found) = publish(version, first, &bytes) {
                    prop_assert!(found.topic.end <= found.payload.start && found.payload.end == bytes.len());
                    prop_assert!(found.properties.passed_on(&bytes).len() <= found.properties.all.len());
                }
                if let Ok((packet_id, _)) = acknowledgement(version, &bytes) {
                    prop_assert_ne!(packet_id, 0);
                }
            }
        }

        #[test]
        fn split_reads_find_the_same_frames_as_one_read(
            bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..6),
            cuts in proptest::collection::vec(1_usize..40, 1..60),
        ) {
            let mut wire = Vec::new();
            for body in &bodies {
                wire.push(packet::PUBLISH << 4);
                crate::encode::remaining_length(body.len(), &mut wire);
                wire.extend_from_slice(body);
            }
            let (whole, consumed) = frames(&wire).unwrap();
            prop_assert_eq!(whole.len(), bodies.len());
            prop_assert_eq!(consumed, wire.len());

            let (mut pieces, mut buffer, mut rest) = (Vec::new(), Vec::new(), wire.as_slice());
            for cut in cuts.iter().cycle() {
                let (now, later) = rest.split_at((*cut).min(rest.len()));
                buffer.extend_from_slice(now);
                let (found, consumed) = frames(&buffer).unwrap();
                pieces.extend(found);
                buffer.drain(..consumed);
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(pieces, whole);
        }
    }
}
