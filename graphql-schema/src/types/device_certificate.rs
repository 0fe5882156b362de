//! Certificates that are one device's own.

use async_graphql::SimpleObject;
use tenants::device_certificate as domain;

use crate::scalars::DateTime;

/// A certificate by which one device is let in, whoever has signed it.
#[derive(SimpleObject)]
pub(crate) struct DeviceCertificate {
    /// SHA-256 of it, as `openssl x509 -fingerprint -sha256` shows it.
    fingerprint: String,
    /// Until when it counts.
    not_after: DateTime,
    /// When the device first showed it and named this hospital; null until then. From then on it leads the device here also where it
    /// names none.
    proven_at: Option<DateTime>,
}

impl From<domain::DeviceCertificate> for DeviceCertificate {
    fn from(certificate: domain::DeviceCertificate) -> Self {
        Self {
            fingerprint: certificate.fingerprint.to_string(),
            not_after: certificate.not_after.into(),
            proven_at: certificate.proven_at.map(Into::into),
        }
    }
}
