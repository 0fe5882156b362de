//! The admin UI's packages and bundle: what is out of date, and the commands that renew it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use crate::process;

/// What the bundle is made from, beside the UI's own folder.
const SCHEMA: &str = "graphql-schema/schema.graphql";
/// Inside the UI's folder: results, and tests that do not end up in the bundle.
const NOT_BUNDLED: [&str; 5] = ["node_modules", "dist", "e2e", "test-results", "playwright-report"];

pub(crate) fn folder() -> PathBuf {
    process::root().join("admin-ui")
}

/// `npm` with these words, in the UI's folder.
pub(crate) fn npm(words: &[&str]) -> Command {
    // On Windows npm is a script, and a script is only found with its extension.
    let mut npm = process::command(if cfg!(windows) { "npm.cmd" } else { "npm" });
    npm.current_dir(folder()).args(words);
    npm
}

/// Installs exactly what the lock file names, and runs nobody's install scripts.
pub(crate) fn install() -> Command {
    npm(&["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
}

pub(crate) fn build() -> Command {
    npm(&["run", "build"])
}

/// True if the packages are not those of the lock file. npm writes the hidden copy as its last act.
pub(crate) fn packages_outdated() -> bool {
    outdated(&folder().join("node_modules/.package-lock.json"), &[folder().join("package-lock.json")])
}

/// True if a source is newer than the bundle.
pub(crate) fn bundle_outdated() -> bool {
    let mut sources = vec![process::root().join(SCHEMA)];
    let entries = fs::read_dir(folder()).into_iter().flatten().flatten().map(|entry| entry.path());
    sources.extend(entries.filter(|path| !NOT_BUNDLED.iter().any(|name| path.ends_with(name))));
    outdated(&folder().join("dist/index.html"), &sources)
}

/// True if `product` is missing, or if anything in `sources` changed after it was written.
fn outdated(product: &Path, sources: &[PathBuf]) -> bool {
    match changed(product) {
        None => true,
        Some(built) => sources.iter().filter_map(|source| newest(source)).any(|change| change > built),
    }
}

/// The last change of a file, or of anything in a folder; the folder's own time tells of deleted files.
fn newest(path: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let inside = entries.filter_map(|entry| newest(&entry.path())).max();
    changed(path).max(inside)
}

fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::time::Duration;

    fn write(path: &Path, age_minutes: u64) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let file = File::create(path).unwrap();
        file.set_modified(
            SystemTime::UNIX_EPOCH + Duration::from_hours(1_000) - Duration::from_mins(age_minutes),
        )
        .unwrap();
    }

    #[test]
    fn a_product_is_outdated_when_missing_or_older_than_a_source() {
        let folder = tempfile::tempdir().unwrap();
        let [product, old, new] =
            ["dist/index.html", "src/old.ts", "new.ts"].map(|name| folder.path().join(name));
        write(&old, 30);
        write(&new, 10);
        assert!(outdated(&product, std::slice::from_ref(&old)), "missing");
        write(&product, 20);
        assert!(!outdated(&product, std::slice::from_ref(&old)), "newer than its only source");
        assert!(outdated(&product, &[old, new]), "older than one of two");
        assert!(
            !outdated(&product, &[folder.path().join("none")]),
            "a source that is gone is no reason by itself"
        );
    }

    #[test]
    fn a_file_deep_in_a_folder_counts() {
        let folder = tempfile::tempdir().unwrap();
        let (product, source) = (folder.path().join("dist/index.html"), folder.path().join("src/a/b/c.ts"));
        write(&product, 20);
        write(&source, 10);
        assert!(outdated(&product, &[folder.path().join("src")]));
    }
}
