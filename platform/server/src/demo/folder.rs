//! The demo's folder: one demo at a time, and a reset that removes only what a demo has made.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

use super::certificates;

/// What a demo makes in its folder; a reset removes these and nothing else.
const FILES: [&str; 5] = ["iomt.db", "iomt.db-wal", "iomt.db-shm", "iomt.db.master-key", "credentials.json"];

/// And this folder.
const KEYS: &str = "iomt.db.keys";

/// The folder, held by this process for as long as the value lives.
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FolderError {
    #[error("the folder {path} cannot be used")]
    Io {
        path: String,
        #[source]
        cause: io::Error,
    },
    #[error("another demo is running on {path}; stop it first, or choose another folder with --data")]
    Busy { path: String },
    #[error(
        "{path} holds a database but no credentials.json, so nobody could sign in; start again with --reset"
    )]
    Incomplete { path: String },
}

impl Folder {
    /// Makes the folder if need be and locks it; with `reset`, removes what an earlier demo left.
    pub(super) fn open(path: &Path, reset: bool) -> Result<Self, FolderError> {
        let shown = || path.display().to_string();
        let failed = |cause| FolderError::Io { path: shown(), cause };
        std::fs::create_dir_all(path).map_err(failed)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path.join("lock"));
        let lock = lock.map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(FolderError::Busy { path: shown() }),
            Err(TryLockError::Error(cause)) => return Err(failed(cause)),
        }
        let folder = Self { path: path.to_owned(), _lock: lock };
        if reset {
            folder.clear().map_err(failed)?;
        }
        if folder.database().exists() && !folder.credentials().exists() {
            return Err(FolderError::Incomplete { path: shown() });
        }
        Ok(folder)
    }

    fn clear(&self) -> io::Result<()> {
        for name in FILES.iter().chain(&certificates::FILES) {
            match std::fs::remove_file(self.path.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        match std::fs::remove_dir_all(self.path.join(KEYS)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    pub(super) fn database(&self) -> PathBuf {
        self.path.join("iomt.db")
    }

    pub(super) fn credentials(&self) -> PathBuf {
        self.path.join("credentials.json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_removes_only_what_a_demo_has_made() {
        let home = tempfile::tempdir().unwrap();
        for name in ["iomt.db", "credentials.json", "thesis.txt"] {
            std::fs::write(home.path().join(name), "x").unwrap();
        }
        drop(Folder::open(home.path(), true).unwrap());
        let left = |name: &str| home.path().join(name).exists();
        assert!(left("thesis.txt") && !left("iomt.db") && !left("credentials.json"));
    }

    #[test]
    fn a_folder_is_used_by_one_demo_and_must_be_complete() {
        let home = tempfile::tempdir().unwrap();
        let first = Folder::open(home.path(), false).unwrap();
        assert!(matches!(Folder::open(home.path(), false), Err(FolderError::Busy { .. })));
        drop(first);
        std::fs::write(home.path().join("iomt.db"), "x").unwrap();
        assert!(matches!(Folder::open(home.path(), false), Err(FolderError::Incomplete { .. })));
        drop(Folder::open(home.path(), true).unwrap());
    }
}
