//! Messages as they are written to a tenant's publication log, and retained.
//!
//! A version byte, then for each message three fields, each with four bytes of length before it: what is known of it as
//! JSON, the properties that go to v5 subscribers as they came, the payload.

use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tenants::MailboxId;

use crate::{
    message::{Message, Publication},
    protocol::Qos,
    topics::Space,
};

const VERSION: u8 = 1;

/// A message and for whom it is.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) publication: Publication,
    /// The session that is kept which said it.
    pub(crate) from: Option<MailboxId>,
    /// It was retained and is for a session that has just subscribed, for no other.
    pub(crate) only: Option<MailboxId>,
    /// Members of groups that share a subscription, whose turn it was.
    pub(crate) to: Vec<MailboxId>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    space: Space,
    topic: Arc<str>,
    qos: u8,
    retain: bool,
    expires_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<MailboxId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    only: Option<MailboxId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    to: Vec<MailboxId>,
}

/// What was read is not as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message of the publication log is damaged, or of a newer version")]
pub(crate) struct Damaged;

impl Entry {
    pub(crate) fn of(publication: Publication) -> Self {
        Self { publication, from: None, only: None, to: Vec::new() }
    }
}

/// Appends a message to those that are written together.
pub(crate) fn write(entry: &Entry, out: &mut Vec<u8>) {
    let Entry { publication: Publication { message, qos, retain }, from, only, to } = entry;
    let Message { space, topic, payload, properties, expires_at } = &**message;
    let head = Head {
        space: *space,
        topic: Arc::clone(topic),
        qos: *qos as u8,
        retain: *retain,
        expires_at: *expires_at,
        from: *from,
        only: *only,
        to: to.clone(),
    };
    if out.is_empty() {
        out.push(VERSION);
    }
    // Nothing in it can fail to become JSON.
    let head = serde_json::to_vec(&head).unwrap_or_default();
    for field in [&head[..], properties, payload] {
        out.put_u32(u32::try_from(field.len()).unwrap_or_default()); // a packet is far smaller
        out.put_slice(field);
    }
}

/// Reads messages that were written together.
pub(crate) fn read(bytes: Vec<u8>) -> Result<Vec<Entry>, Damaged> {
    let mut bytes = Bytes::from(bytes);
    if bytes.try_get_u8() != Ok(VERSION) {
        return Err(Damaged);
    }
    let mut entries = Vec::new();
    while bytes.has_remaining() {
        let [head, properties, payload] = [field(&mut bytes)?, field(&mut bytes)?, field(&mut bytes)?];
        let head: Head = serde_json::from_slice(&head).map_err(|_| Damaged)?;
        let Head { space, topic, qos, retain, expires_at, from, only, to } = head;
        let qos = Qos::from_bits(qos).ok_or(Damaged)?;
        let message = Arc::new(Message { space, topic, payload, properties, expires_at });
        entries.push(Entry { publication: Publication { message, qos, retain }, from, only, to });
    }
    Ok(entries)
}

fn field(bytes: &mut Bytes) -> Result<Bytes, Damaged> {
    let length = bytes.try_get_u32().map_err(|_| Damaged)?;
    let length = usize::try_from(length).map_err(|_| Damaged)?;
    if length > bytes.len() {
        return Err(Damaged);
    }
    // A copy: one message that waits does not hold all that were written with it.
    Ok(Bytes::copy_from_slice(&bytes.split_to(length)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn mailbox() -> impl Strategy<Value = MailboxId> {
        any::<u128>().prop_map(|id| MailboxId::from_uuid(Uuid::from_u128(id)))
    }

    prop_compose! {
        fn entry()(
            topic in "[a-z/é$]{1,20}",
            payload in proptest::collection::vec(any::<u8>(), 0..40),
            properties in proptest::collection::vec(any::<u8>(), 0..20),
            qos in 0_u8..3,
            retain: bool,
            seconds in proptest::option::of(0_i64..4_000_000_000),
            from in proptest::option::of(mailbox()),
            only in proptest::option::of(mailbox()),
            to in proptest::collection::vec(mailbox(), 0..3),
        ) -> Entry {
            let message = Message {
                space: if retain { Space::Topics } else { Space::Platform },
                topic: topic.into(),
                payload: payload.into(),
                properties: properties.into(),
                expires_at: seconds.map(|seconds| Timestamp::from_second(seconds).unwrap()),
            };
            let qos = Qos::from_bits(qos).unwrap();
            Entry { publication: Publication { message: Arc::new(message), qos, retain }, from, only, to }
        }
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(entries in proptest::collection::vec(entry(), 1..5)) {
            let mut bytes = Vec::new();
            for entry in &entries {
                write(entry, &mut bytes);
            }
            prop_assert_eq!(format!("{:?}", read(bytes.clone()).unwrap()), format!("{entries:?}"));
            for end in 0..bytes.len() {
                // Cut anywhere it is either fewer whole messages, or refused.
                if let Ok(fewer) = read(bytes[..end].to_vec()) {
                    prop_assert!(fewer.len() < entries.len());
                }
            }
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(read(bytes.clone()));
            drop(read([&[VERSION], &bytes[..]].concat()));
        }
    }
}
