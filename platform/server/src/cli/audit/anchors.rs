//! Heads of chains, kept outside the database: whoever can write the database can forge a chain, but not
//! make it end in a hash that somebody else has seen.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use serde::{Deserialize, Serialize};
use tenants::{
    TenantId,
    audit::{AuditHash, Head},
};

use crate::cli::CliError;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Anchors {
    heads: BTreeMap<TenantId, Anchor>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Anchor {
    seq: u64,
    /// In hexadecimal.
    hash: String,
}

impl Anchors {
    /// Those of a file; none when there is no file yet.
    pub(super) fn read(path: &Path) -> Result<Self, CliError> {
        let failed = |source| CliError::File { path: path.to_owned(), source };
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(failed(error)),
        };
        let anchors: Self = serde_json::from_slice(&text).map_err(|error| failed(error.into()))?;
        // A hash that cannot be read would protect nothing.
        match anchors.heads.values().find(|anchor| anchor.hash.parse::<AuditHash>().is_err()) {
            Some(_) => Err(failed(io::Error::new(io::ErrorKind::InvalidData, "a hash in it is none"))),
            None => Ok(anchors),
        }
    }

    pub(super) fn tenants(&self) -> impl Iterator<Item = TenantId> {
        self.heads.keys().copied()
    }

    pub(super) fn head(&self, tenant: TenantId) -> Option<Head> {
        let anchor = self.heads.get(&tenant)?;
        Some(Head { tenant, seq: anchor.seq, hash: anchor.hash.parse().ok()? })
    }

    /// Remembers newer heads.
    pub(super) fn keep(&mut self, heads: impl Iterator<Item = Head>) {
        let anchor = |head: Head| (head.tenant, Anchor { seq: head.seq, hash: head.hash.to_string() });
        self.heads.extend(heads.map(anchor));
    }

    /// Replaces the file in one step.
    pub(super) fn write(&self, path: &Path) -> Result<(), CliError> {
        let written = || {
            let partial = path.with_extension("partial");
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
            file.write_all(&serde_json::to_vec_pretty(self)?)?;
            file.sync_all()?;
            std::fs::rename(&partial, path)
        };
        written().map_err(|source| CliError::Anchors { path: path.to_owned(), source })
    }
}
