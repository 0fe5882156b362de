//! The tenants' shares: one small file each, `<tenant>.share`, of which copies of the database know nothing.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use tenants::{
    TenantId,
    keys::{KeyBytes, SealError},
};
use zeroize::Zeroizing;

use crate::cipher::random;

/// A folder of shares.
#[derive(Clone)]
pub(super) struct Shares(PathBuf);

impl Shares {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// The tenant's share.
    pub(super) async fn read(&self, tenant: TenantId) -> Result<KeyBytes, SealError> {
        self.run(tenant, read).await
    }

    /// The same, made where there is none.
    pub(super) async fn read_or_make(&self, tenant: TenantId) -> Result<KeyBytes, SealError> {
        self.run(tenant, |path| match read(path) {
            Err(SealError::Lost(_)) if !path.exists() => {
                make(path)?;
                read(path)
            }
            found => found,
        })
        .await
    }

    /// Removes it for good.
    pub(super) async fn remove(&self, tenant: TenantId) -> Result<(), SealError> {
        self.run(tenant, |path| match fs::remove_file(path) {
            Ok(()) => sync_folder(path).map_err(|error| failed(path, &error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failed(path, &error)),
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        tenant: TenantId,
        work: impl FnOnce(&Path) -> Result<T, SealError> + Send + 'static,
    ) -> Result<T, SealError> {
        let path = self.0.join(format!("{tenant}.share"));
        let done = tokio::task::spawn_blocking(move || work(&path)).await;
        done.map_err(|error| SealError::Unreachable(error.to_string()))?
    }
}

fn read(path: &Path) -> Result<KeyBytes, SealError> {
    let bytes = fs::read(path).map(Zeroizing::new).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            let what = "is missing: it was destroyed, or the folder is not the one in which it was made";
            SealError::Lost(format!("{} {what}", path.display()))
        }
        _ => failed(path, &error),
    })?;
    let damaged = |_| SealError::Lost(format!("{} is damaged: it must hold 32 bytes", path.display()));
    bytes.as_slice().try_into().map(Zeroizing::new).map_err(damaged)
}

/// Whole and on the disk, or not at all. Another process may be a moment earlier; then its share counts.
fn make(path: &Path) -> Result<(), SealError> {
    let share = Zeroizing::new(random::<32>()?);
    let write = || {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(share.as_slice())?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(path) {
            Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(error.error),
            _ => sync_folder(path),
        }
    };
    write().map_err(|error| failed(path, &error))
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

fn failed(path: &Path, error: &io::Error) -> SealError {
    SealError::Unreachable(format!("{}: {error}", path.display()))
}
