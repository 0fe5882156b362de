//! Certificates that are one device's own, whoever has signed them: as IoT hubs take them by their thumbprint.
//!
//! Whoever has seen a certificate can add it, also to a device of a hospital that has nothing to do with it. So it lets its
//! device in where that names the hospital, and leads there only once the device has done so: it alone has the key.

use std::{fmt, str::FromStr};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{access::Scope, audit::AuditEntry, errors::StoreError, ids::DeviceId};

/// One of them. What it says otherwise is looked at when the device shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceCertificate {
    /// By which it is known again.
    pub fingerprint: Fingerprint,
    /// Until when it counts.
    pub not_after: Timestamp,
    /// When the device first showed it and named this hospital; `None` until then.
    pub proven_at: Option<Timestamp>,
}

impl DeviceCertificate {
    /// As many has a device at most: the one that it shows, and the next one.
    pub const MAX: usize = 2;
}

/// SHA-256 of a certificate (DER). As text it is as `openssl x509 -fingerprint -sha256` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// Of a certificate.
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02X}", if at == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

/// A text that is no fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a fingerprint: expected 32 bytes in hexadecimal with colons between them")]
pub struct NoFingerprint;

impl FromStr for Fingerprint {
    type Err = NoFingerprint;

    fn from_str(text: &str) -> Result<Self, NoFingerprint> {
        let is_byte = |text: &str| text.len() == 2 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        let byte = |text: &str| u8::from_str_radix(text, 16).ok().filter(|_| is_byte(text));
        let bytes: Option<Vec<u8>> = text.split(':').map(byte).collect();
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(NoFingerprint)
    }
}

impl From<Fingerprint> for String {
    fn from(of: Fingerprint) -> Self {
        of.to_string()
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = NoFingerprint;

    fn try_from(text: String) -> Result<Self, NoFingerprint> {
        text.parse()
    }
}

/// Where people look after them. `storage` implements it; with a device's login they are known in any case.
#[async_trait]
pub trait DeviceCertificates: Send + Sync {
    /// Those of a device that the scope covers; none where it does not.
    async fn device_certificates(
        &self,
        scope: &Scope,
        device: &DeviceId,
    ) -> Result<Vec<DeviceCertificate>, StoreError>;
    /// A device has this one, too. [`StoreError::Conflict`] when it has it already, or [`DeviceCertificate::MAX`] of them.
    async fn add_device_certificate(
        &self,
        scope: &Scope,
        device: &DeviceId,
        certificate: &DeviceCertificate,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
    /// A device has it no longer.
    async fn remove_device_certificate(
        &self,
        scope: &Scope,
        device: &DeviceId,
        fingerprint: Fingerprint,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_back_as_it_is_written() {
        let of = Fingerprint::of(b"a certificate");
        let text = of.to_string();
        assert_eq!((text.len(), text.parse()), (95, Ok(of)));
        assert_eq!(text.to_lowercase().parse(), Ok(of));
        let signed = format!("+A{}", &text[2..]);
        for other in ["", "AB", &text[1..], &format!("{text}:00"), &text.replace(':', ""), &signed] {
            assert_eq!(other.parse::<Fingerprint>(), Err(NoFingerprint), "{other}");
        }
    }
}
