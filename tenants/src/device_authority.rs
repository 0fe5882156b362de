//! Certificate authorities that a hospital has enrolled: whoever shows a certificate of one over MQTT is the device that the
//! certificate names (X.509, RFC 5280).
//!
//! An authority counts once somebody has proven to have its key, and for what its revocation list does not name.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    access::Scope,
    audit::AuditEntry,
    device_certificate::DeviceCertificate,
    errors::StoreError,
    ids::{AuthorityId, DeviceId, TenantId},
};

/// An authority as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceAuthority {
    /// Key within the tenant.
    pub id: AuthorityId,
    /// Its certificate, in DER.
    pub certificate: Vec<u8>,
    /// Who it is, as its certificate says (RFC 4514).
    pub subject: String,
    /// SHA-256 of its certificate, by which people compare.
    pub fingerprint: [u8; 32],
    /// When its certificate begins to count.
    pub not_before: Timestamp,
    /// After that neither it nor any certificate of it counts.
    pub not_after: Timestamp,
    /// The common name of the certificate by which it is proven that somebody has its key.
    pub challenge: String,
    /// When it was added.
    pub added_at: Timestamp,
    /// Since when its certificates are taken; `None` until it is proven.
    pub proven_at: Option<Timestamp>,
    /// What it has revoked; `None` where it never said.
    pub revocations: Option<RevocationList>,
}

/// A certificate revocation list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationList {
    /// As the authority signed it, in DER.
    pub der: Vec<u8>,
    /// How many certificates it names.
    pub entries: u32,
    /// When the authority made it.
    pub issued_at: Timestamp,
    /// When the authority wants to have made the next; `None` where it does not say.
    pub next_at: Option<Timestamp>,
}

impl DeviceAuthority {
    /// Authorities that one hospital may have.
    pub const MAX: u64 = 32;
    /// Longest certificate that is read, in bytes of PEM.
    pub const MAX_PEM_BYTES: usize = 16 * 1024;
    /// Longest revocation list that is read, in bytes of PEM: it names some 1,900 certificates.
    pub const MAX_LIST_BYTES: usize = 96 * 1024;
}

/// Knows them when a device shows a certificate, before there is a caller. `storage` implements it.
#[async_trait]
pub trait EnrolledAuthorities: Send + Sync {
    /// The hospital's, by name.
    async fn authorities_of(&self, tenant: TenantId) -> Result<Vec<DeviceAuthority>, StoreError>;
}

/// Where people look after them. `storage` implements it.
#[async_trait]
pub trait DeviceAuthorities: Send + Sync {
    /// The scope's, by name.
    async fn authorities(&self, scope: &Scope) -> Result<Vec<DeviceAuthority>, StoreError>;
    /// Adds one. [`StoreError::Conflict`] when it is there already, or [`DeviceAuthority::MAX`] of them are.
    async fn add_authority(
        &self,
        scope: &Scope,
        authority: &DeviceAuthority,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
    /// Its certificates are taken from now on.
    async fn prove_authority(
        &self,
        scope: &Scope,
        id: AuthorityId,
        at: Timestamp,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
    /// What the list names is refused from now on, and nothing that an earlier one named unless this one does.
    /// [`StoreError::Conflict`] when the list that there is is newer.
    async fn set_revocations(
        &self,
        scope: &Scope,
        id: AuthorityId,
        list: &RevocationList,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
    /// Removes one for good; its certificates are refused from now on.
    async fn remove_authority(
        &self,
        scope: &Scope,
        id: AuthorityId,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
}

/// Reads what hospitals upload. `identity` implements it; nothing of it waits or is stored.
pub trait Certificates: Send + Sync {
    /// An authority that is to be added, from its certificate in PEM.
    ///
    /// # Errors
    /// [`CertificateError`], in words for whoever uploads it.
    fn authority(&self, pem: &str) -> Result<DeviceAuthority, CertificateError>;
    /// Whether a certificate in PEM shows that somebody has the authority's key: it is signed with it, and its common name is
    /// the challenge.
    ///
    /// # Errors
    /// [`CertificateError`].
    fn proves(&self, authority: &DeviceAuthority, pem: &str) -> Result<(), CertificateError>;
    /// A certificate of a device's own, in PEM: its common name is the device's, and it has not expired.
    ///
    /// # Errors
    /// [`CertificateError`].
    fn device(&self, device: &DeviceId, pem: &str) -> Result<DeviceCertificate, CertificateError>;
    /// A revocation list of the authority, in PEM.
    ///
    /// # Errors
    /// [`CertificateError`].
    fn revocations(&self, authority: &DeviceAuthority, pem: &str)
    -> Result<RevocationList, CertificateError>;
}

/// What is wrong about something that was uploaded, and what it must be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CertificateError(pub String);

impl<T: Into<String>> From<T> for CertificateError {
    fn from(problem: T) -> Self {
        Self(problem.into())
    }
}
