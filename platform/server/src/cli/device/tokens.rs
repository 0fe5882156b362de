//! Where the tokens of new devices go: they are told once.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use tenants::DeviceId;

/// `id,token` lines, after a header.
pub(super) fn as_csv<'a>(tokens: impl IntoIterator<Item = (&'a DeviceId, &'a str)>) -> String {
    // Neither an id nor a token can hold what CSV would have to quote.
    let lines = tokens.into_iter().map(|(id, token)| format!("{id},{token}\n"));
    std::iter::once("id,token\n".to_owned()).chain(lines).collect()
}

/// A new file that only its owner can read. It is written before the devices are made, since nobody could
/// use them without, and taken away again when they are not.
pub(super) struct TokenFile {
    path: PathBuf,
    kept: bool,
}

impl TokenFile {
    /// Writes it to the disk.
    ///
    /// # Errors
    /// When there is a file of this name already, or it cannot be written.
    pub(super) fn write(path: &Path, text: &str) -> io::Result<Self> {
        let mut file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        let written = Self { path: path.to_owned(), kept: false };
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        Ok(written)
    }

    /// The devices are there.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for TokenFile {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = std::fs::remove_file(&self.path)
        {
            tracing::warn!(%error, "the file of tokens could not be taken away; they open nothing");
        }
    }
}
