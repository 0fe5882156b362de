//! How devices are enrolled by a key that their hospital has for all of them, and its id scope, as the Azure Device
//! Provisioning Service calls the name by which a device that knows nothing else finds its hospital.

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

use crate::{
    audit::AuditEntry,
    credentials::CredentialError,
    errors::{ErrorKind, StoreError},
    ids::{DeviceId, TenantId},
    keys::{SealError, SealedFor},
};

/// What an id scope begins with.
const SCOPE: &str = "0ne";
/// What is sealed.
pub const PURPOSE: &str = "enrolment_key.secret";

/// The id scope of a hospital.
pub fn id_scope(tenant: TenantId) -> String {
    format!("{SCOPE}{}", URL_SAFE_NO_PAD.encode(tenant.as_uuid().as_bytes()))
}

/// The hospital of an id scope, if it is one.
pub fn of_id_scope(text: &str) -> Option<TenantId> {
    let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(SCOPE)?).ok()?;
    Uuid::from_slice(&bytes).ok().map(TenantId::from_uuid)
}

/// The key from which those of a hospital's devices are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolmentKey {
    /// Its row.
    pub id: Uuid,
    /// 32 bytes, sealed.
    pub secret: Vec<u8>,
}

impl EnrolmentKey {
    /// What its secret is sealed for; `row`: its id as text.
    pub const fn sealed_for(tenant: TenantId, row: &str) -> SealedFor<'_> {
        SealedFor { tenant, purpose: PURPOSE, row }
    }
}

/// Where enrolment keys are kept. `storage` implements it.
#[async_trait]
pub trait EnrolmentKeys: Send + Sync {
    /// The hospital's, if it has one.
    async fn enrolment_key(&self, tenant: TenantId) -> Result<Option<EnrolmentKey>, StoreError>;
    /// Gives a hospital that has none its key. [`StoreError::Conflict`] where it has one.
    async fn add_enrolment_key(
        &self,
        tenant: TenantId,
        key: &EnrolmentKey,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
}

/// Makes the keys of devices. `identity` implements it. With the first one that is asked for, the hospital's own is made,
/// which `audit` tells of.
#[async_trait]
pub trait DeviceKeys: Send + Sync {
    /// The hospital's own, in base64: that of a device is the HMAC-SHA256 of its id with it.
    ///
    /// # Errors
    /// [`DeviceKeyError`].
    async fn enrolment_key(&self, tenant: TenantId, audit: &AuditEntry) -> Result<String, DeviceKeyError>;
    /// What a device shows that nobody knows yet, so that it is given a token: made of the hospital's own key, which it does
    /// not tell; always the same.
    ///
    /// # Errors
    /// [`DeviceKeyError`].
    async fn newcomer_secret(&self, tenant: TenantId, audit: &AuditEntry) -> Result<String, DeviceKeyError>;
    /// The symmetric key of a device, in base64: always the same.
    ///
    /// # Errors
    /// [`DeviceKeyError`].
    async fn symmetric_key(
        &self,
        tenant: TenantId,
        device: &DeviceId,
        audit: &AuditEntry,
    ) -> Result<String, DeviceKeyError>;
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum DeviceKeyError {
    /// What is sealed cannot be opened, or sealed.
    #[error(transparent)]
    Keys(#[from] SealError),
    /// No secret could be made.
    #[error(transparent)]
    Randomness(#[from] CredentialError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DeviceKeyError {
    /// What the error means to a caller.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Keys(error) => error.kind(),
            Self::Randomness(_) => ErrorKind::Internal,
            Self::Store(error) => error.kind(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_scope_names_its_hospital() {
        let tenant = TenantId::from_uuid(Uuid::from_u128(0x0123_4567_89ab_cdef));
        assert_eq!(of_id_scope(&id_scope(tenant)), Some(tenant));
        for other in
            ["", "0ne", "0ne000A1B2C", "1neAAAAAAAAAAAAAAAAAAAAAA", &format!("{}A", id_scope(tenant))]
        {
            assert_eq!(of_id_scope(other), None, "{other}");
        }
    }
}
