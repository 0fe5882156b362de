//! `iomt tenant export`: a folder of JSON Lines, and a manifest that tells whether it is complete.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use storage::ExportSink;
use tenants::{Tenant, audit::AuditEntry, offboarding::Departures};

use super::{
    CliError,
    arguments::TenantExportArguments,
    hospital::{hospital, initiator},
    output::{remark, say},
    runtime::block_on,
};
use crate::{logging, wiring::Foundation};

/// Grows when a reader has to know of a change.
const FORMAT: u32 = 1;
/// The last file to be written: without it an export is not complete.
const MANIFEST: &str = "manifest.json";

pub(super) fn run(arguments: &TenantExportArguments) -> Result<(), CliError> {
    let config = arguments.config.load()?;
    logging::start(&config.log).map_err(CliError::Logging)?;
    block_on(async {
        let foundation = Foundation::lay(&config).await?;
        let done = export(&foundation, arguments).await;
        foundation.database.close().await.map_err(CliError::Database)?;
        done
    })
}

async fn export(foundation: &Foundation, arguments: &TenantExportArguments) -> Result<(), CliError> {
    let tenant = hospital(foundation, &arguments.slug).await?;
    if tenant.departure.is_some() {
        return Err(CliError::Departed { slug: tenant.slug });
    }
    let failed = |source| CliError::Export { path: arguments.to.clone(), source };
    let begun = foundation.clock.now();
    let mut folder = Folder::make(&arguments.to).map_err(failed)?;
    let exported = foundation.database.export(tenant.id, &mut folder).await;
    let exported = exported.map_err(|error| match error {
        storage::ExportError::Write(source) => failed(source),
        storage::ExportError::Storage(error) => CliError::Database(error),
        storage::ExportError::Log(error) => CliError::Store(error),
    })?;
    let files = folder.close().map_err(failed)?;
    let manifest = json!({
        "format": FORMAT,
        "hospital": { "id": tenant.id.to_string(), "slug": tenant.slug.as_str(), "name": tenant.name },
        "begunAt": begun.to_string(),
        "suspended": tenant.suspended_since.is_some(),
        "unreadablePatients": exported.unreadable,
        "files": files,
    });
    write_manifest(&arguments.to, &manifest).map_err(failed)?;
    let entry = initiator().entry(
        tenant.id,
        foundation.clock.now(),
        "tenant.export",
        format!("tenant:{}", tenant.id),
    );
    let entry: AuditEntry = entry.with("lines", lines(&files));
    foundation.database.note_export(tenant.id, begun, &entry).await.map_err(CliError::Store)?;
    tell(&tenant, &manifest, &files, exported.unreadable, arguments)
}

fn tell(
    tenant: &Tenant,
    manifest: &Value,
    files: &BTreeMap<String, Value>,
    unreadable: u64,
    arguments: &TenantExportArguments,
) -> Result<(), CliError> {
    if unreadable > 0 {
        remark(format_args!(
            "{unreadable} patients cannot be read with this installation's keys; their lines say so"
        ));
    }
    if tenant.suspended_since.is_none() {
        remark("the hospital is served: what comes in from now on is not in it");
    }
    if arguments.json {
        return say(manifest);
    }
    let (name, to) = (&tenant.name, arguments.to.display());
    say(format!(
        "{name} is exported to {to}: {} lines in {} files, listed with their SHA-256 in {MANIFEST}.\n\
         It holds what identifies patients, and nothing in it is sealed: keep it safe.",
        lines(files),
        files.len()
    ))
}

fn lines(files: &BTreeMap<String, Value>) -> u64 {
    files.values().filter_map(|file| file["lines"].as_u64()).sum()
}

/// A new folder that only its owner can read.
struct Folder {
    path: PathBuf,
    files: BTreeMap<&'static str, Lines>,
}

/// A file on its way.
struct Lines {
    file: BufWriter<File>,
    count: u64,
    digest: Sha256,
}

impl Folder {
    /// Refuses one that is there already, so that nothing of another export is left in it.
    fn make(path: &Path) -> io::Result<Self> {
        DirBuilder::new().mode(0o700).create(path)?;
        Ok(Self { path: path.to_owned(), files: BTreeMap::new() })
    }

    /// Makes all of it durable; how many lines each file has, and its digest.
    fn close(self) -> io::Result<BTreeMap<String, Value>> {
        let close = |(name, lines): (&str, Lines)| {
            let Lines { file, count, digest } = lines;
            file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
            let sha256: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            Ok((format!("{name}.jsonl"), json!({ "lines": count, "sha256": sha256 })))
        };
        self.files.into_iter().map(close).collect()
    }
}

impl ExportSink for Folder {
    fn line(&mut self, file: &'static str, line: &Value) -> io::Result<()> {
        if !self.files.contains_key(file) {
            let path = self.path.join(format!("{file}.jsonl"));
            let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            let lines = Lines { file: BufWriter::new(made), count: 0, digest: Sha256::new() };
            self.files.insert(file, lines);
        }
        let Some(lines) = self.files.get_mut(file) else { return Ok(()) };
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        lines.count += 1;
        lines.digest.update(&text);
        lines.file.write_all(&text)
    }
}

fn write_manifest(folder: &Path, manifest: &Value) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.join(MANIFEST))?;
    file.write_all(&serde_json::to_vec_pretty(manifest)?)?;
    file.sync_all()?;
    fs::File::open(folder)?.sync_all()
}
