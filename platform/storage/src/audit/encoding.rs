//! What of an audit row is hashed, and how.
//!
//! The encoding is part of what is stored: a version, once used, never changes. Every text is preceded by its
//! length and every optional one by whether it is there, so no two different rows encode alike.

use sha2::{Digest, Sha256};
use tenants::audit::AuditHash;

use crate::entities::audit::Model;

/// The version that new rows are written with.
pub(crate) const VERSION: i64 = 1;
/// What the first row of a chain follows.
pub(crate) const NOTHING: AuditHash = AuditHash([0; 32]);

const DOMAIN: &[u8] = b"iomt audit row";

/// SHA-256 of a row, its own hash apart; `None` when this version does not know the row's encoding.
pub(crate) fn hash(row: &Model) -> Option<AuditHash> {
    Some(AuditHash(Sha256::digest(encode(row)?).into()))
}

/// The bytes of a row that are hashed.
fn encode(row: &Model) -> Option<Vec<u8>> {
    // Taken apart, so that a new column cannot be forgotten.
    let Model {
        tenant_id,
        seq,
        id,
        at,
        actor,
        actor_name,
        action,
        subject,
        outcome,
        detail,
        channel,
        address,
        agent,
        policy,
        facts,
        correlation,
        version,
        previous,
        hash: _,
    } = row;
    if *version != VERSION {
        return None;
    }
    let mut bytes = Vec::with_capacity(512);
    text(&mut bytes, DOMAIN);
    number(&mut bytes, *version);
    bytes.extend_from_slice(tenant_id.as_bytes());
    number(&mut bytes, *seq);
    bytes.extend_from_slice(id.as_bytes());
    number(&mut bytes, *at);
    for column in [actor, actor_name, action, subject, outcome, detail, channel, address, agent] {
        text(&mut bytes, column.as_bytes());
    }
    bytes.push(u8::from(policy.is_some()));
    text(&mut bytes, policy.as_deref().unwrap_or_default().as_bytes());
    text(&mut bytes, facts.as_bytes());
    number(&mut bytes, *correlation);
    text(&mut bytes, previous);
    Some(bytes)
}

fn number(bytes: &mut Vec<u8>, number: i64) {
    bytes.extend_from_slice(&number.to_be_bytes());
}

fn text(bytes: &mut Vec<u8>, text: &[u8]) {
    bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
    bytes.extend_from_slice(text);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    /// Few and short values, so that different rows are often nearly the same.
    fn rows() -> impl Strategy<Value = Model> {
        let text = || proptest::string::string_regex("[ab]{0,2}").unwrap();
        let number = || -1_i64..2;
        let texts = proptest::collection::vec(text(), 10);
        let policy = proptest::option::of(text());
        let numbers = proptest::collection::vec(number(), 3);
        let ids = (0_u128..2, 0_u128..2);
        let previous = proptest::collection::vec(0_u8..2, 0..3);
        (texts, policy, numbers, ids, previous).prop_map(|(texts, policy, numbers, ids, previous)| {
            let mut texts = texts.into_iter();
            let mut next = || texts.next().unwrap();
            Model {
                tenant_id: Uuid::from_u128(ids.0),
                seq: numbers[0],
                id: Uuid::from_u128(ids.1),
                at: numbers[1],
                actor: next(),
                actor_name: next(),
                action: next(),
                subject: next(),
                outcome: next(),
                detail: next(),
                channel: next(),
                address: next(),
                agent: next(),
                policy,
                facts: next(),
                correlation: numbers[2],
                version: VERSION,
                previous,
                hash: Vec::new(),
            }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn no_two_different_rows_encode_alike(one in rows(), other in rows()) {
            prop_assert_eq!(one == other, encode(&one) == encode(&other));
        }

        /// Moving a letter from one column to the next must not go unnoticed.
        #[test]
        fn what_moves_to_a_neighbour_is_noticed(row in rows()) {
            let mut moved = row.clone();
            moved.actor_name.insert_str(0, &std::mem::take(&mut moved.actor));
            prop_assert_eq!(moved == row, encode(&moved) == encode(&row));
            let absent = Model { policy: None, ..row.clone() };
            let empty = Model { policy: Some(String::new()), ..row };
            prop_assert_ne!(encode(&absent), encode(&empty));
        }
    }

    #[test]
    fn the_encoding_never_changes() {
        let row = Model {
            tenant_id: Uuid::from_u128(1),
            seq: 1,
            id: Uuid::from_u128(2),
            at: 1_767_000_000_000_000,
            actor: "user:1".into(),
            actor_name: "Ada".into(),
            action: "patient.read".into(),
            subject: "patient:1".into(),
            outcome: "success".into(),
            detail: String::new(),
            channel: "ui".into(),
            address: "192.0.2.1".into(),
            agent: "Firefox".into(),
            policy: Some("nurse".into()),
            facts: "{}".into(),
            correlation: 7,
            version: VERSION,
            previous: NOTHING.0.to_vec(),
            hash: Vec::new(),
        };
        assert_eq!(hash(&row).unwrap().to_string(), WRITTEN_DOWN);
        assert!(hash(&Model { version: 2, ..row }).is_none());
    }
    /// Computed once: another value would break every chain that is stored.
    const WRITTEN_DOWN: &str = "60fb4afe1db192b51ce1a73910d385769aad1a45bacd08c36b71f93469f992eb";
}
