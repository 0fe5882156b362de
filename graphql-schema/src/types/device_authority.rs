//! Certificate authorities whose devices a hospital lets in.

use async_graphql::{ID, SimpleObject};
use tenants::{device_authority as domain, device_certificate::Fingerprint};

use crate::scalars::DateTime;

/// A certificate authority that the hospital has enrolled: a device that shows a certificate of it over MQTT is the one whose
/// id is the certificate's common name.
#[derive(SimpleObject)]
pub(crate) struct DeviceAuthority {
    id: ID,
    /// Who it is, as its certificate says.
    subject: String,
    /// SHA-256 of its certificate, as `openssl x509 -fingerprint -sha256` shows it.
    fingerprint: String,
    /// When its certificate begins to count.
    not_before: DateTime,
    /// After that neither it nor any certificate of it counts.
    not_after: DateTime,
    /// What the common name of the certificate has to be by which it is proven that somebody has its key.
    challenge: String,
    added_at: DateTime,
    /// Since when its certificates are taken; null until it is proven.
    proven_at: Option<DateTime>,
    /// What it has taken back; null where no list was ever uploaded.
    revocation_list: Option<RevocationList>,
}

/// The newest certificate revocation list of an authority that was uploaded.
#[derive(SimpleObject)]
struct RevocationList {
    /// How many certificates it names.
    entries: u32,
    /// When the authority made it.
    issued_at: DateTime,
    /// When the authority wants to have made the next; null where it does not say. What the list names is refused after that,
    /// too.
    next_at: Option<DateTime>,
}

impl From<domain::DeviceAuthority> for DeviceAuthority {
    fn from(authority: domain::DeviceAuthority) -> Self {
        Self {
            id: ID(authority.id.to_string()),
            subject: authority.subject,
            fingerprint: Fingerprint(authority.fingerprint).to_string(),
            not_before: authority.not_before.into(),
            not_after: authority.not_after.into(),
            challenge: authority.challenge,
            added_at: authority.added_at.into(),
            proven_at: authority.proven_at.map(Into::into),
            revocation_list: authority.revocations.map(|list| RevocationList {
                entries: list.entries,
                issued_at: list.issued_at.into(),
                next_at: list.next_at.map(Into::into),
            }),
        }
    }
}
