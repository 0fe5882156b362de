//! The server's certificate, read anew when its files change.

mod any_certificate;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use broker::TlsSettings;
use parking_lot::RwLock;
use rustls::{
    ServerConfig,
    crypto::ring::{Ticketer, default_provider},
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
};
use tokio::time::MissedTickBehavior;

use self::any_certificate::AnyCertificate;
use crate::config::TlsConfig;

/// How often it is looked whether the files have changed.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What devices may offer to speak within TLS; the second is what devices offer that were made for AWS.
const PROTOCOLS: [&[u8]; 2] = [b"mqtt", b"x-amzn-mqtt-ca"];

/// Why TLS cannot be spoken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("{} cannot be read", path.display())]
    File {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("{} holds no {wanted} in PEM", path.display())]
    Pem {
        path: PathBuf,
        wanted: &'static str,
        #[source]
        cause: pem::Error,
    },
    #[error("the certificate in {} and the private key in {} cannot be used together", cert.display(), key.display())]
    Pair {
        cert: PathBuf,
        key: PathBuf,
        #[source]
        cause: rustls::Error,
    },
}

/// The certificate and its key, as they are used and as their files were when they were read.
pub(crate) struct Certificates {
    files: TlsConfig,
    current: RwLock<(Stamp, Arc<ServerConfig>)>,
}

/// By what a file is known to have changed.
type Stamp = [Option<(SystemTime, u64)>; 2];

impl Certificates {
    /// # Errors
    /// [`TlsError`], naming the file.
    pub(crate) fn open(files: TlsConfig) -> Result<Self, TlsError> {
        let current = RwLock::new((stamp(&files), Arc::new(read(&files)?)));
        Ok(Self { files, current })
    }

    /// Takes renewed certificates for connections that are opened from then on; those that are open stay. While the files
    /// cannot be used, the certificate that there is stays in use.
    pub(crate) async fn follow(self: Arc<Self>) {
        let mut due = tokio::time::interval(LOOK_EVERY);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            due.tick().await;
            self.look();
        }
    }

    fn look(&self) {
        let now = stamp(&self.files);
        if now == self.current.read().0 {
            return;
        }
        match read(&self.files) {
            Ok(config) => {
                *self.current.write() = (now, Arc::new(config));
                tracing::info!(cert = %self.files.cert.display(), "the renewed certificate is in use");
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the renewed certificate cannot be used; the earlier one stays");
            }
        }
    }
}

impl TlsSettings for Certificates {
    fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.read().1)
    }
}

fn stamp(files: &TlsConfig) -> Stamp {
    [&files.cert, &files.key].map(|path| {
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    })
}

fn read(files: &TlsConfig) -> Result<ServerConfig, TlsError> {
    let TlsConfig { cert, key } = files;
    let chain = pem_of(cert)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&chain).collect();
    let chain =
        chain.and_then(|chain| if chain.is_empty() { Err(pem::Error::NoItemsFound) } else { Ok(chain) });
    let chain = chain.map_err(|cause| TlsError::Pem { path: cert.clone(), wanted: "certificate", cause })?;
    let secret = PrivateKeyDer::from_pem_slice(&pem_of(key)?).map_err(|cause| TlsError::Pem {
        path: key.clone(),
        wanted: "private key",
        cause,
    })?;
    let pair = |cause| TlsError::Pair { cert: cert.clone(), key: key.clone(), cause };
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(pair)?;
    let builder = builder.with_client_cert_verifier(Arc::new(AnyCertificate::new()));
    let mut config = builder.with_single_cert(chain, secret).map_err(pair)?;
    config.alpn_protocols = PROTOCOLS.iter().map(|name| name.to_vec()).collect();
    // A fleet that comes back after a power cut resumes without the dear part of the handshake.
    config.ticketer = Ticketer::new().map_err(pair)?;
    Ok(config)
}

fn pem_of(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|cause| TlsError::File { path: path.to_owned(), cause })
}

#[cfg(test)]
mod tests {
    use rcgen::{CertifiedKey, generate_simple_self_signed};

    use super::*;

    fn write(folder: &Path, name: &str) -> TlsConfig {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed([name.to_owned()]).unwrap();
        let files = TlsConfig { cert: folder.join("cert.pem"), key: folder.join("key.pem") };
        fs::write(&files.cert, cert.pem()).unwrap();
        fs::write(&files.key, signing_key.serialize_pem()).unwrap();
        files
    }

    fn refused(files: &TlsConfig) -> String {
        match Certificates::open(files.clone()) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_renewed_certificate_is_taken_and_a_broken_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let certificates = Certificates::open(write(folder.path(), "one.example")).unwrap();
        let first = certificates.current();
        certificates.look();
        assert!(Arc::ptr_eq(&first, &certificates.current()), "nothing has changed");
        fs::write(folder.path().join("cert.pem"), "half a certifi").unwrap();
        certificates.look();
        assert!(Arc::ptr_eq(&first, &certificates.current()), "the earlier one stays");
        write(folder.path(), "a-longer-name.example");
        certificates.look();
        assert!(!Arc::ptr_eq(&first, &certificates.current()));
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let files = write(folder.path(), "one.example");
        let other = tempfile::tempdir().unwrap();
        let others = write(other.path(), "two.example");
        assert_eq!(refused(&files), "");
        let mixed = TlsConfig { cert: files.cert.clone(), key: others.key };
        assert!(refused(&mixed).contains("cannot be used together"), "{}", refused(&mixed));
        let swapped = TlsConfig { cert: files.key.clone(), key: files.cert.clone() };
        assert!(refused(&swapped).ends_with("key.pem holds no certificate in PEM"), "{}", refused(&swapped));
        let no_key = TlsConfig { key: files.cert.clone(), ..files.clone() };
        assert!(refused(&no_key).ends_with("cert.pem holds no private key in PEM"), "{}", refused(&no_key));
        let nowhere = TlsConfig { cert: folder.path().join("none.pem"), ..files };
        assert!(refused(&nowhere).ends_with("none.pem cannot be read"), "{}", refused(&nowhere));
    }
}
