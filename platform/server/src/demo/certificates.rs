//! Certificates of the demo: an authority of its own, whose key nobody keeps, and what it has signed for this machine.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// As clients name this machine.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Where they are.
pub(super) struct DemoCertificates {
    /// What clients trust.
    pub(super) ca: PathBuf,
    pub(super) cert: PathBuf,
    pub(super) key: PathBuf,
}

/// Their names in the demo's folder.
pub(super) const FILES: [&str; 3] = ["ca.pem", "server.pem", "server-key.pem"];

impl DemoCertificates {
    /// Finds them in a folder, or makes them.
    ///
    /// # Errors
    /// When they cannot be made, or written.
    pub(super) fn find(folder: &Path) -> io::Result<Self> {
        let [ca, cert, key] = FILES.map(|name| folder.join(name));
        let found = Self { ca, cert, key };
        if ![&found.ca, &found.cert, &found.key].iter().all(|path| path.exists()) {
            found.make().map_err(io::Error::other)?;
        }
        Ok(found)
    }

    fn make(&self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let mut authority = CertificateParams::new([])?;
        authority.distinguished_name.push(DnType::CommonName, "IoMT demo authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority_key = KeyPair::generate()?;
        let ca = authority.self_signed(&authority_key)?;
        let issuer = Issuer::new(authority, authority_key);
        let mut server = CertificateParams::new(NAMES.map(str::to_owned))?;
        server.distinguished_name.push(DnType::CommonName, "IoMT demo");
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        server.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let cert = server.signed_by(&key, &issuer)?;
        write(&self.key, &key.serialize_pem())?;
        write(&self.cert, &cert.pem())?;
        write(&self.ca, &ca.pem())?;
        Ok(())
    }
}

/// Only its owner can read it.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
