//! Where keys come from: the service that the configuration names, or a master key made at the first start beside the
//! SQLite file.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use keys::{Keys, MasterKms, VaultKms};
use rand::{TryRngCore, rngs::OsRng};
use tenants::{
    clock::Clock,
    keys::{DataKeys, KeyBytes, Kms, SealError},
};
use zeroize::Zeroizing;

use crate::config::{Config, KeysConfig, VaultConfig, master_key};

/// Why there is no key where one should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeysError {
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
    #[error(transparent)]
    Service(#[from] SealError),
}

/// The installation's keys. PostgreSQL has no place beside it that every node would see, so without a setting there are
/// none: secrets cannot be kept, and what identifies patients stands in the database as it is.
pub(crate) fn find(
    config: &Config,
    store: Arc<dyn DataKeys>,
    clock: Arc<dyn Clock>,
) -> Result<Option<Arc<Keys>>, KeysError> {
    let KeysConfig { master, previous, folder, vault } = &config.keys;
    let beside = config.database.sqlite_file().filter(|path| !path.as_os_str().is_empty());
    let beside = beside.filter(|path| !path.to_string_lossy().starts_with(':'));
    let extended = |ending: &str| beside.map(|path| PathBuf::from(format!("{}.{ending}", path.display())));
    let master = match (master, extended("master-key")) {
        (Some(key), _) => Some(key.clone()),
        // Whoever has a Vault needs no key of their own, but one may be left from before.
        (None, Some(path)) if vault.is_none() || path.exists() => Some(read_or_make(&path)?),
        (None, _) => None,
    };
    let folder = folder.clone().or_else(|| extended("keys"));
    let by_master = master.as_ref().map(|key| MasterKms::new(key, previous, folder)).transpose()?;
    let masters: Vec<_> = master.iter().chain(previous).cloned().collect();
    let kms: Arc<dyn Kms> = match (vault, by_master) {
        (Some(VaultConfig { address, mount, token }), by_master) => {
            Arc::new(VaultKms::new(address, mount, token.clone(), by_master)?)
        }
        (None, Some(by_master)) => Arc::new(by_master),
        (None, None) => {
            tracing::warn!(
                "neither IOMT_MASTER_KEY nor IOMT_VAULT_ADDR is set: names of patients stand in the database as they \
                 are, and second factors and identity providers with a client secret cannot be used"
            );
            return Ok(None);
        }
    };
    Ok(Some(Arc::new(Keys::new(store, kms, clock, &masters))))
}

fn read_or_make(path: &Path) -> Result<KeyBytes, KeysError> {
    let failed = |cause| KeysError::File { path: path.to_owned(), cause };
    match std::fs::read_to_string(path) {
        Ok(text) => master_key(&text).ok_or_else(|| KeysError::Content { path: path.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut key = Zeroizing::new([0_u8; 32]);
            OsRng.try_fill_bytes(key.as_mut_slice()).map_err(|_| KeysError::Randomness)?;
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            match options.open(path) {
                Ok(mut file) => {
                    file.write_all(BASE64.encode(key.as_slice()).as_bytes())
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
        let path = folder.path().join("iomt.db.master-key");
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
    }
}
