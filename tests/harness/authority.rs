//! A certificate authority as a hospital or a maker of devices has one.
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer, KeyIdMethod,
    KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::json;

use crate::GraphQl;

/// It counts from 2025 until 2040, as all that it signs.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub pem: String,
}

/// What it signs for a device.
pub struct Signed {
    pub pem: String,
    pub key_pem: String,
    /// As TLS takes both.
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
}

impl Authority {
    pub fn new(name: &str) -> Authority {
        let mut params = params(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Authority { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate with this common name and serial number.
    pub fn sign(&self, name: &str, serial: u64) -> Signed {
        self.sign_until(name, serial, 2040)
    }

    /// The same that counts until the first day of a year.
    pub fn sign_until(&self, name: &str, serial: u64, year: i32) -> Signed {
        let mut params = params(name);
        (params.serial_number, params.not_after) = (Some(serial.into()), rcgen::date_time_ymd(year, 1, 1));
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Signed {
            pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            chain: vec![certificate.der().clone()],
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        }
    }

    /// A list that takes one certificate back.
    pub fn takes_back(&self, serial: u64) -> String {
        let day = |day| rcgen::date_time_ymd(2026, 1, day);
        let revoked = RevokedCertParams {
            serial_number: serial.into(),
            revocation_time: day(1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: day(2),
            next_update: rcgen::date_time_ymd(2040, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: vec![revoked],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).and_then(|list| list.pem()).expect("a list")
    }

    /// Has a hospital add it and proves to have its key; its id there.
    pub async fn enrolled(&self, admin: &GraphQl) -> String {
        const ADD: &str =
            "mutation ($pem: String!) { addDeviceAuthority(certificate: $pem) { id challenge } }";
        const PROVE: &str = "mutation ($id: ID!, $pem: String!) {
            proveDeviceAuthority(id: $id, certificate: $pem) { provenAt } }";
        let added = admin.data(ADD, json!({ "pem": self.pem })).await["addDeviceAuthority"].take();
        let text = |name: &str| added[name].as_str().expect("a text").to_owned();
        let proof = self.sign(&text("challenge"), 1).pem;
        admin.data(PROVE, json!({ "id": added["id"], "pem": proof })).await;
        text("id")
    }
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new([]).expect("no names");
    params.distinguished_name.push(DnType::CommonName, name);
    let day = |year| rcgen::date_time_ymd(year, 1, 1);
    (params.not_before, params.not_after) = (day(2025), day(2040));
    params
}
