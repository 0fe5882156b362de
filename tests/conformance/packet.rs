//! MQTT packets as the two standards write them, by hand: a codec shared with the server would agree with its mistakes.
use bytes::{Buf, BytesMut};
use tests::mqtt::{Login, Version};

/// The value of a property (MQTT 5.0, 2.2.2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Byte(u8),
    Two(u16),
    Four(u32),
    Variable(u32),
    Text(String),
    Binary(Vec<u8>),
    Pair(String, String),
}

/// Properties in the order in which they stand.
pub(crate) type Properties = Vec<(u8, Value)>;

pub(crate) const PAYLOAD_FORMAT: u8 = 0x01;
pub(crate) const MESSAGE_EXPIRY: u8 = 0x02;
pub(crate) const CONTENT_TYPE: u8 = 0x03;
pub(crate) const RESPONSE_TOPIC: u8 = 0x08;
pub(crate) const CORRELATION_DATA: u8 = 0x09;
pub(crate) const SUBSCRIPTION_ID: u8 = 0x0B;
pub(crate) const SESSION_EXPIRY: u8 = 0x11;
pub(crate) const ASSIGNED_ID: u8 = 0x12;
pub(crate) const SERVER_KEEP_ALIVE: u8 = 0x13;
pub(crate) const AUTH_METHOD: u8 = 0x15;
pub(crate) const REQUEST_PROBLEMS: u8 = 0x17;
pub(crate) const WILL_DELAY: u8 = 0x18;
pub(crate) const REQUEST_RESPONSE: u8 = 0x19;
pub(crate) const RESPONSE_INFORMATION: u8 = 0x1A;
pub(crate) const SERVER_REFERENCE: u8 = 0x1C;
pub(crate) const REASON_STRING: u8 = 0x1F;
pub(crate) const RECEIVE_MAXIMUM: u8 = 0x21;
pub(crate) const ALIAS_MAXIMUM: u8 = 0x22;
pub(crate) const TOPIC_ALIAS: u8 = 0x23;
pub(crate) const MAXIMUM_QOS: u8 = 0x24;
pub(crate) const RETAIN_AVAILABLE: u8 = 0x25;
pub(crate) const USER_PROPERTY: u8 = 0x26;
pub(crate) const MAXIMUM_PACKET_SIZE: u8 = 0x27;

pub(crate) fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

/// A user property.
pub(crate) fn pair(name: &str, value: &str) -> (u8, Value) {
    (USER_PROPERTY, Value::Pair(name.to_owned(), value.to_owned()))
}

/// The value of a property, where the packet has it.
pub(crate) fn property(properties: &Properties, id: u8) -> Option<&Value> {
    properties.iter().find(|(known, _)| *known == id).map(|(_, value)| value)
}

/// All values of a property that may be there more than once.
pub(crate) fn all_of(properties: &Properties, id: u8) -> Vec<&Value> {
    properties.iter().filter(|(known, _)| *known == id).map(|(_, value)| value).collect()
}

pub(crate) fn variable(mut value: usize, out: &mut Vec<u8>) {
    loop {
        let byte = u8::try_from(value & 0x7F).unwrap();
        value >>= 7;
        out.push(if value > 0 { byte | 0x80 } else { byte });
        if value == 0 {
            return;
        }
    }
}

/// Bytes with their length in front of them.
pub(crate) fn field(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
}

/// A whole packet.
pub(crate) fn frame(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    variable(body.len(), &mut bytes);
    bytes.extend_from_slice(body);
    bytes
}

/// Properties with their length; nothing in MQTT 3.1.1.
pub(crate) fn properties(version: Version, properties: &Properties) -> Vec<u8> {
    let mut body = Vec::new();
    for (id, value) in properties {
        body.push(*id);
        match value {
            Value::Byte(value) => body.push(*value),
            Value::Two(value) => body.extend(value.to_be_bytes()),
            Value::Four(value) => body.extend(value.to_be_bytes()),
            Value::Variable(value) => variable(usize::try_from(*value).unwrap(), &mut body),
            Value::Text(value) => body.extend(field(value.as_bytes())),
            Value::Binary(value) => body.extend(field(value)),
            Value::Pair(name, value) => {
                body.extend([field(name.as_bytes()), field(value.as_bytes())].concat());
            }
        }
    }
    let mut bytes = Vec::new();
    if version == Version::V5 {
        variable(body.len(), &mut bytes);
        bytes.extend(body);
    }
    bytes
}

/// A CONNECT to be changed and sent.
#[derive(Debug, Clone)]
pub(crate) struct Connect {
    pub(crate) version: Version,
    pub(crate) login: Login,
    pub(crate) clean: bool,
    pub(crate) keep_alive_s: u16,
    pub(crate) properties: Properties,
    pub(crate) will: Option<Publish>,
}

impl Connect {
    pub(crate) fn new(version: Version, login: Login) -> Connect {
        Connect { version, login, clean: true, keep_alive_s: 60, properties: Vec::new(), will: None }
    }

    pub(crate) fn named(mut self, client_id: &str) -> Connect {
        client_id.clone_into(&mut self.login.client_id);
        self
    }

    pub(crate) fn with(mut self, id: u8, value: Value) -> Connect {
        self.properties.push((id, value));
        self
    }

    pub(crate) fn keep_alive(mut self, seconds: u16) -> Connect {
        self.keep_alive_s = seconds;
        self
    }

    pub(crate) fn will(mut self, will: Publish) -> Connect {
        self.will = Some(will);
        self
    }

    /// Goes on with the session that there is, and has it kept after the connection.
    pub(crate) fn kept(mut self) -> Connect {
        self.clean = false;
        if self.version == Version::V5 && property(&self.properties, SESSION_EXPIRY).is_none() {
            self.properties.push((SESSION_EXPIRY, Value::Four(600)));
        }
        self
    }

    /// The same client with a new session that ends with its connection.
    pub(crate) fn afresh(mut self) -> Connect {
        self.clean = true;
        self.properties.retain(|(id, _)| *id != SESSION_EXPIRY);
        self
    }

    pub(crate) fn flags(&self) -> u8 {
        let will = self.will.as_ref();
        let of_will = will.map_or(0, |will| 0x04 | will.qos << 3 | u8::from(will.retain) << 5);
        let credentials = if self.login.user_name.is_empty() { 0 } else { 0xC0 };
        u8::from(self.clean) << 1 | of_will | credentials
    }

    /// What follows the variable header, field by field: they are sent in this order.
    pub(crate) fn payload(&self) -> Vec<Vec<u8>> {
        let mut fields = vec![field(self.login.client_id.as_bytes())];
        if let Some(will) = &self.will {
            if self.version == Version::V5 {
                fields.push(properties(self.version, &will.properties));
            }
            fields.extend([field(will.topic.as_bytes()), field(&will.payload)]);
        }
        if !self.login.user_name.is_empty() {
            fields.extend([field(self.login.user_name.as_bytes()), field(self.login.password.as_bytes())]);
        }
        fields
    }

    pub(crate) fn frame(&self) -> Vec<u8> {
        self.frame_of(self.flags(), &self.payload())
    }

    /// The same with other flags or fields.
    pub(crate) fn frame_of(&self, flags: u8, payload: &[Vec<u8>]) -> Vec<u8> {
        let level = if self.version == Version::V5 { 5 } else { 4 };
        self.frame_from("MQTT", level, flags, payload)
    }

    /// The same of another protocol.
    pub(crate) fn frame_from(&self, protocol: &str, level: u8, flags: u8, payload: &[Vec<u8>]) -> Vec<u8> {
        let mut body = field(protocol.as_bytes());
        body.extend([level, flags]);
        body.extend(self.keep_alive_s.to_be_bytes());
        body.extend(properties(self.version, &self.properties));
        body.extend(payload.concat());
        frame(0x10, &body)
    }
}

/// An application message, on its way to the server or from it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Publish {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
    pub(crate) dup: bool,
    /// Not sent at QoS 0.
    pub(crate) id: u16,
    pub(crate) properties: Properties,
}

impl Publish {
    pub(crate) fn new(topic: &str, payload: &str) -> Publish {
        Publish { topic: topic.to_owned(), payload: payload.into(), ..Publish::default() }
    }

    pub(crate) fn qos(mut self, qos: u8) -> Publish {
        self.qos = qos;
        self
    }

    pub(crate) fn id(mut self, id: u16) -> Publish {
        self.id = id;
        self
    }

    pub(crate) fn retained(mut self) -> Publish {
        self.retain = true;
        self
    }

    pub(crate) fn again(mut self) -> Publish {
        self.dup = true;
        self
    }

    pub(crate) fn with(mut self, id: u8, value: Value) -> Publish {
        self.properties.push((id, value));
        self
    }

    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }

    pub(crate) fn frame(&self, version: Version) -> Vec<u8> {
        self.frame_to(version, self.topic.as_bytes())
    }

    /// The same with a topic that need not be text.
    pub(crate) fn frame_to(&self, version: Version, topic: &[u8]) -> Vec<u8> {
        let mut body = field(topic);
        if self.qos > 0 {
            body.extend(self.id.to_be_bytes());
        }
        body.extend(properties(version, &self.properties));
        body.extend(&self.payload);
        frame(0x30 | u8::from(self.dup) << 3 | self.qos << 1 | u8::from(self.retain), &body)
    }
}

/// First bytes of packets that acknowledge a message, or a step of its delivery.
pub(crate) const PUBACK: u8 = 0x40;
pub(crate) const PUBREC: u8 = 0x50;
pub(crate) const PUBREL: u8 = 0x62;
pub(crate) const PUBCOMP: u8 = 0x70;

pub(crate) fn acknowledge(first: u8, id: u16) -> Vec<u8> {
    frame(first, &id.to_be_bytes())
}

/// MQTT 5.0 only.
pub(crate) fn acknowledge_with(first: u8, id: u16, reason: u8) -> Vec<u8> {
    frame(first, &[&id.to_be_bytes()[..], &[reason]].concat())
}

/// SUBSCRIBE to filters with their options.
pub(crate) fn subscribe(version: Version, id: u16, filters: &[(&str, u8)], of: &Properties) -> Vec<u8> {
    let mut body = [&id.to_be_bytes()[..], &properties(version, of)].concat();
    for (filter, options) in filters {
        body.extend(field(filter.as_bytes()));
        body.push(*options);
    }
    frame(0x82, &body)
}

pub(crate) fn unsubscribe(version: Version, id: u16, filters: &[&str]) -> Vec<u8> {
    let mut body = [&id.to_be_bytes()[..], &properties(version, &Vec::new())].concat();
    for filter in filters {
        body.extend(field(filter.as_bytes()));
    }
    frame(0xA2, &body)
}

pub(crate) const PINGREQ: [u8; 2] = [0xC0, 0];
/// A client that leaves in order.
pub(crate) const DISCONNECT: [u8; 2] = [0xE0, 0];

/// What a server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    Connack {
        flags: u8,
        code: u8,
        properties: Properties,
    },
    Publish(Publish),
    /// PUBACK, PUBREC, PUBREL or PUBCOMP, by its first byte.
    Ack {
        first: u8,
        id: u16,
        reason: u8,
        properties: Properties,
    },
    Suback {
        id: u16,
        codes: Vec<u8>,
        properties: Properties,
    },
    Unsuback {
        id: u16,
        codes: Vec<u8>,
        properties: Properties,
    },
    Pingresp,
    Disconnect {
        reason: u8,
        properties: Properties,
    },
}

/// Takes the next whole packet off the front of the buffer. What the standard forbids a server to write is an error.
pub(crate) fn next(buffer: &mut BytesMut, version: Version) -> Result<Option<Said>, String> {
    let mut rest = buffer.get(1..).unwrap_or_default();
    let before = rest.len();
    let Some(length) = variable_of(&mut rest)? else { return Ok(None) };
    let header = 1 + before - rest.len();
    if rest.len() < length {
        return Ok(None);
    }
    let first = buffer[0];
    buffer.advance(header);
    let body = buffer.split_to(length);
    decode(first, &body, version)
        .map(Some)
        .map_err(|problem| format!("{problem} in {first:#04x} {:02x?}", &body[..]))
}

/// A variable byte integer (MQTT-1.5.5-1: in as few bytes as can be).
fn variable_of(bytes: &mut &[u8]) -> Result<Option<usize>, String> {
    let mut value = 0;
    for at in 0..4 {
        let Some(byte) = bytes.get(at) else { return Ok(None) };
        value |= usize::from(byte & 0x7F) << (7 * at);
        if byte & 0x80 == 0 {
            if at > 0 && *byte == 0 {
                return Err("a variable byte integer longer than it need be".into());
            }
            bytes.advance(at + 1);
            return Ok(Some(value));
        }
    }
    Err("a variable byte integer of more than four bytes".into())
}

fn decode(first: u8, mut body: &[u8], version: Version) -> Result<Said, String> {
    let (v5, body) = (version == Version::V5, &mut body);
    let said = match first {
        0x20 => {
            let [flags, code] = take(body)?;
            Said::Connack { flags, code, properties: properties_of(body, v5)? }
        }
        0x30..=0x3F => Said::Publish(publish_of(first, body, v5)?),
        PUBACK | PUBREC | PUBREL | PUBCOMP => {
            let id = u16::from_be_bytes(take(body)?);
            // MQTT 5.0 leaves out what says nothing; 3.1.1 has nothing to leave out.
            let reason = if v5 && !body.is_empty() { take::<1>(body)?[0] } else { 0 };
            let properties = properties_of(body, v5 && !body.is_empty())?;
            Said::Ack { first, id, reason, properties }
        }
        0x90 | 0xB0 => {
            let id = u16::from_be_bytes(take(body)?);
            let properties = properties_of(body, v5)?;
            let codes = std::mem::take(body).to_vec();
            if first == 0x90 {
                Said::Suback { id, codes, properties }
            } else {
                Said::Unsuback { id, codes, properties }
            }
        }
        0xD0 => Said::Pingresp,
        0xE0 if v5 => {
            let reason = if body.is_empty() { 0 } else { take::<1>(body)?[0] };
            Said::Disconnect { reason, properties: properties_of(body, !body.is_empty())? }
        }
        _ => return Err("a first byte that no server sends".into()),
    };
    if body.is_empty() { Ok(said) } else { Err(format!("{} bytes too many", body.len())) }
}

fn publish_of(first: u8, body: &mut &[u8], v5: bool) -> Result<Publish, String> {
    let qos = (first & 0x06) >> 1;
    let topic = text_of(body)?;
    let id = if qos > 0 { u16::from_be_bytes(take(body)?) } else { 0 };
    if qos == 3 || (qos == 0 && first & 0x08 != 0) || (qos > 0 && id == 0) {
        return Err("flags or an identifier that cannot be".into());
    }
    let properties = properties_of(body, v5)?;
    let payload = std::mem::take(body).to_vec();
    Ok(Publish { topic, payload, qos, retain: first & 0x01 != 0, dup: first & 0x08 != 0, id, properties })
}

fn take<const N: usize>(body: &mut &[u8]) -> Result<[u8; N], String> {
    let (taken, rest) = body.split_first_chunk::<N>().ok_or("the packet is cut short")?;
    *body = rest;
    Ok(*taken)
}

fn field_of(body: &mut &[u8]) -> Result<Vec<u8>, String> {
    let length = usize::from(u16::from_be_bytes(take(body)?));
    let (taken, rest) = body.split_at_checked(length).ok_or("the packet is cut short")?;
    *body = rest;
    Ok(taken.to_vec())
}

fn text_of(body: &mut &[u8]) -> Result<String, String> {
    String::from_utf8(field_of(body)?).map_err(|error| error.to_string())
}

fn properties_of(body: &mut &[u8], are_there: bool) -> Result<Properties, String> {
    if !are_there {
        return Ok(Vec::new());
    }
    let length = variable_of(body)?.ok_or("the packet is cut short")?;
    let (mut own, rest) = body.split_at_checked(length).ok_or("the packet is cut short")?;
    *body = rest;
    let (own, mut found) = (&mut own, Vec::new());
    while !own.is_empty() {
        let [id] = take(own)?;
        let value = match id {
            0x01 | 0x17 | 0x19 | 0x24 | 0x25 | 0x28..=0x2A => Value::Byte(take::<1>(own)?[0]),
            0x13 | 0x21..=0x23 => Value::Two(u16::from_be_bytes(take(own)?)),
            0x02 | 0x11 | 0x18 | 0x27 => Value::Four(u32::from_be_bytes(take(own)?)),
            0x0B => {
                let value = variable_of(own)?.ok_or("the packet is cut short")?;
                Value::Variable(u32::try_from(value).map_err(|error| error.to_string())?)
            }
            0x03 | 0x08 | 0x12 | 0x15 | 0x1A | 0x1C | 0x1F => Value::Text(text_of(own)?),
            0x09 | 0x16 => Value::Binary(field_of(own)?),
            0x26 => Value::Pair(text_of(own)?, text_of(own)?),
            _ => return Err(format!("a property {id:#04x} that there is none of")),
        };
        found.push((id, value));
    }
    Ok(found)
}
