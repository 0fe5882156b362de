//! What hospitals upload of their authorities: certificates, proofs, revocation lists.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rand::{TryRngCore, rngs::OsRng};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, pem, pem::PemObject};
use sha2::{Digest, Sha256};
use tenants::{
    AuthorityId, DeviceId,
    clock::Clock,
    device_authority::{CertificateError, Certificates, DeviceAuthority, RevocationList},
    device_certificate::{DeviceCertificate, Fingerprint},
};
use x509_parser::{
    certificate::X509Certificate, extensions::X509Extension, time::ASN1Time, x509::X509Version,
};

use super::{
    authority,
    chain::{common_name, is_for_clients, parse, time},
};

/// Bytes of the challenge: as many as a key would have that cannot be guessed.
const CHALLENGE_BYTES: usize = 20;
/// How far clocks of authorities may be ahead of ours.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// Reads them.
pub struct CertificateReader {
    clock: Arc<dyn Clock>,
}

impl CertificateReader {
    /// By this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }

    fn has_begun(&self, at: Timestamp) -> bool {
        self.clock.now().checked_add(AHEAD).is_ok_and(|now| at <= now)
    }
}

impl Certificates for CertificateReader {
    fn authority(&self, pem: &str) -> Result<DeviceAuthority, CertificateError> {
        let der = only_certificate(pem)?;
        let certificate = read(&der)?;
        let now = self.clock.now();
        let (not_before, not_after) = validity(&certificate);
        if not_after <= now {
            return Err(format!("the certificate has expired at {not_after:.0}").into());
        }
        signs(&certificate)?;
        if authority::verifier(&der).is_none() {
            return Err("the certificate has a key or a name that cannot be used here".into());
        }
        let mut challenge = [0; CHALLENGE_BYTES];
        OsRng.try_fill_bytes(&mut challenge).map_err(|_| "no challenge could be made; try again")?;
        Ok(DeviceAuthority {
            id: AuthorityId::new(&*self.clock),
            subject: certificate.subject().to_string(),
            fingerprint: Sha256::digest(&der).into(),
            not_before,
            not_after,
            challenge: challenge.iter().map(|byte| format!("{byte:02x}")).collect(),
            added_at: now,
            proven_at: None,
            revocations: None,
            certificate: der.to_vec(),
        })
    }

    fn proves(&self, authority: &DeviceAuthority, pem: &str) -> Result<(), CertificateError> {
        let der = only_certificate(pem)?;
        let (proof, issuer) = (read(&der)?, read(&authority.certificate)?);
        let now = self.clock.now();
        if common_name(proof.subject()) != Some(authority.challenge.as_str()) {
            let asked = &authority.challenge;
            return Err(format!("the certificate's common name has to be {asked}, and nothing else").into());
        }
        let (from, until) = validity(&proof);
        if until < now || !self.has_begun(from) {
            return Err("the certificate does not count now; make one that does".into());
        }
        let by = proof.issuer().as_raw() == issuer.subject().as_raw();
        if !by || proof.verify_signature(Some(issuer.public_key())).is_err() {
            return Err("the certificate is not signed with the authority's key".into());
        }
        Ok(())
    }

    fn device(&self, device: &DeviceId, pem: &str) -> Result<DeviceCertificate, CertificateError> {
        let der = only_certificate(pem)?;
        let certificate = read(&der)?;
        if common_name(certificate.subject()) != Some(device.as_str()) {
            return Err(format!("the certificate's common name has to be {device}, and nothing else").into());
        }
        let (_, not_after) = validity(&certificate);
        if not_after <= self.clock.now() {
            return Err(format!("the certificate has expired at {not_after:.0}").into());
        }
        if certificate.version() != X509Version::V3 {
            return Err("the certificate is of version 1, which TLS does not take; make one of version 3 \
                 (OpenSSL does where it has extensions)"
                .into());
        }
        if !is_for_clients(&certificate) {
            return Err("the certificate is not made for TLS clients (extended key usage)".into());
        }
        Ok(DeviceCertificate { fingerprint: Fingerprint::of(&der), not_after, proven_at: None })
    }

    fn revocations(
        &self,
        authority: &DeviceAuthority,
        pem: &str,
    ) -> Result<RevocationList, CertificateError> {
        within(pem, DeviceAuthority::MAX_LIST_BYTES)?;
        let der = CertificateRevocationListDer::from_pem_slice(pem.as_bytes());
        let der = der.map_err(|_| "expected a revocation list in PEM: -----BEGIN X509 CRL-----")?;
        let unreadable = "the revocation list cannot be read; it is damaged, or in a form that is not known";
        let (rest, list) = x509_parser::parse_x509_crl(&der).map_err(|_| unreadable)?;
        let issuer = read(&authority.certificate)?;
        if !rest.is_empty() {
            return Err(unreadable.into());
        }
        let by = list.issuer().as_raw() == issuer.subject().as_raw();
        if !by || list.verify_signature(issuer.public_key()).is_err() {
            return Err("the revocation list is not signed by this authority".into());
        }
        let usage = issuer.key_usage().map_err(|_| unreadable)?;
        if usage.is_some_and(|usage| !usage.value.crl_sign()) {
            return Err("the authority's certificate does not allow it to sign revocation lists".into());
        }
        let critical = |of: &[X509Extension<'_>]| of.iter().any(|extension| extension.critical);
        let in_part = list.iter_revoked_certificates().any(|entry| critical(entry.extensions()));
        if critical(list.extensions()) || in_part {
            return Err("the revocation list covers a part only, or changes to another one; \
                 expected one that names all certificates that the authority has revoked"
                .into());
        }
        let issued_at = time(list.last_update());
        if !self.has_begun(issued_at) {
            return Err(format!("the revocation list is of {issued_at:.0}, which is yet to come").into());
        }
        let entries = list.iter_revoked_certificates().count();
        Ok(RevocationList {
            entries: u32::try_from(entries).map_err(|_| unreadable)?,
            issued_at,
            next_at: list.next_update().map(time),
            der: der.to_vec(),
        })
    }
}

/// Whether it is a certificate of an authority, which may sign others.
fn signs(certificate: &X509Certificate<'_>) -> Result<(), CertificateError> {
    let unreadable = "the certificate's extensions cannot be read";
    let constraints = certificate.basic_constraints().map_err(|_| unreadable)?;
    if !constraints.is_some_and(|constraints| constraints.value.ca) {
        return Err(
            "the certificate is no authority's (basic constraints: CA); expected the one that signs \
             the devices' certificates"
                .into(),
        );
    }
    let usage = certificate.key_usage().map_err(|_| unreadable)?;
    if usage.is_some_and(|usage| !usage.value.key_cert_sign()) {
        return Err("the certificate does not allow its authority to sign certificates (key usage)".into());
    }
    Ok(())
}

fn only_certificate(pem: &str) -> Result<CertificateDer<'static>, CertificateError> {
    within(pem, DeviceAuthority::MAX_PEM_BYTES)?;
    let found: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let expected = "expected one certificate in PEM: -----BEGIN CERTIFICATE-----";
    match <[_; 1]>::try_from(found.map_err(|_| expected)?) {
        Ok([only]) => Ok(only),
        Err(found) if found.is_empty() => Err(expected.into()),
        Err(found) => Err(format!("expected one certificate, found {}", found.len()).into()),
    }
}

fn within(pem: &str, most: usize) -> Result<(), CertificateError> {
    if pem.contains("PRIVATE KEY-----") {
        return Err(
            "this holds a private key, which has to stay where it is: upload nothing but certificates \
             and revocation lists, and consider the key as known to others"
                .into(),
        );
    }
    if pem.len() > most { Err(format!("expected at most {most} bytes").into()) } else { Ok(()) }
}

fn read(der: &[u8]) -> Result<X509Certificate<'_>, CertificateError> {
    parse(der).ok_or_else(|| "the certificate cannot be read; it is damaged".into())
}

fn validity(certificate: &X509Certificate<'_>) -> (Timestamp, Timestamp) {
    let [from, until]: [ASN1Time; 2] = [certificate.validity().not_before, certificate.validity().not_after];
    (time(from), time(until))
}
