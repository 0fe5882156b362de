//! The key that seals secrets: from the configuration, or made at the first start beside the SQLite file.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use rand::{TryRngCore, rngs::OsRng};

use crate::config::{Config, master_key};

/// Why there is no key where one should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MasterKeyError {
    #[error("the master key file {} cannot be read or made", path.display())]
    File {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("{} must hold 32 bytes in base64; put the right file there, or set IOMT_MASTER_KEY", path.display())]
    Content { path: PathBuf },
    #[error("the operating system gave no randomness")]
    Randomness,
}

/// The installation's key. PostgreSQL has no place beside it that every node would see, so without a setting there is
/// none, and secrets cannot be kept.
pub(crate) fn find(config: &Config) -> Result<Option<[u8; 32]>, MasterKeyError> {
    match (config.keys.master, beside(&config.database.url)) {
        (Some(key), _) => Ok(Some(key)),
        (None, Some(path)) => read_or_make(&path).map(Some),
        (None, None) => {
            tracing::warn!(
                "IOMT_MASTER_KEY is not set: identity providers with a client secret cannot be used"
            );
            Ok(None)
        }
    }
}

/// Where the key of a SQLite database lies.
fn beside(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite://")?.split('?').next()?;
    (!path.is_empty() && !path.starts_with(':')).then(|| PathBuf::from(format!("{path}.master-key")))
}

fn read_or_make(path: &Path) -> Result<[u8; 32], MasterKeyError> {
    let failed = |cause| MasterKeyError::File { path: path.to_owned(), cause };
    match std::fs::read_to_string(path) {
        Ok(text) => master_key(&text).ok_or_else(|| MasterKeyError::Content { path: path.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut key = [0_u8; 32];
            OsRng.try_fill_bytes(&mut key).map_err(|_| MasterKeyError::Randomness)?;
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            match options.open(path) {
                Ok(mut file) => {
                    file.write_all(BASE64.encode(key).as_bytes())
                        .and_then(|()| file.sync_all())
                        .map_err(failed)?;
                    tracing::warn!(
                        file = %path.display(),
                        "IOMT_MASTER_KEY is not set: a master key was made and kept in a file beside the database; \
                         who has both reads every secret, and without it no secret can be read again"
                    );
                    Ok(key)
                }
                // Another process was a moment earlier.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => read_or_make(path),
                Err(error) => Err(failed(error)),
            }
        }
        Err(error) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("iomt.db").display());
        let path = beside(&url).unwrap();
        assert!(path.ends_with("iomt.db.master-key"));
        let key = read_or_make(&path).unwrap();
        assert_eq!(read_or_make(&path).unwrap(), key);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        std::fs::write(&path, "hunter2").unwrap();
        let error = read_or_make(&path).unwrap_err().to_string();
        assert!(error.contains("32 bytes") && !error.contains("hunter2"), "{error}");
        for none in ["postgres://db/iomt", "sqlite://:memory:", "sqlite://"] {
            assert_eq!(beside(none), None, "{none}");
        }
    }
}
