//! Compares the crates' real arrows, and a few invariants, with `platform/ARCHITECTURE.md`.
//!
//! The document holds the allowed arrows in one fenced block, the roof first and one crate a line. An arrow must
//! point to a crate that stands further down; what follows a `#` is for people:
//!
//! ````text
//! ```arrows
//! # 4 roof
//! server -> broker, storage, tenants
//! broker -> tenants
//! # 1 ground
//! tenants
//! ```
//! ````

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use crate::metadata::{Extent, Metadata, Package};
use crate::process;

const DOCUMENT: &str = "platform/ARCHITECTURE.md";

/// Crates that only one of ours may name, in any kind of dependency: the owner first.
const OWNED_CRATES: [(&str, &[&str]); 2] = [
    ("storage", &["sea-orm", "sea-orm-migration", "sqlx", "sqlx-core", "sqlx-sqlite", "sqlx-postgres"]),
    ("broker", &["rumqttd"]),
];
/// What reading the environment looks like in source.
const ENVIRONMENT_READS: [&str; 3] = ["env::var", "env = \"IOMT_", "env=\"IOMT_"];
/// `xtask` is no part of the product, and `tests` sets the environment for the servers that it starts.
const ENVIRONMENT_READERS: [&str; 2] = ["xtask", "tests"];

/// A crate as the document has it.
#[derive(Debug, PartialEq, Eq)]
struct Floor {
    name: String,
    arrows: BTreeSet<String>,
}

pub(crate) fn run() -> ExitCode {
    match check() {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(problems) => {
            eprintln!("{problems}");
            ExitCode::FAILURE
        }
    }
}

/// What was found to be in order, or each thing that is not on a line of its own.
pub(crate) fn check() -> Result<String, String> {
    let document = fs::read_to_string(process::root().join(DOCUMENT)).map_err(|error| {
        format!("{DOCUMENT} cannot be read, and it is what the crates are compared with: {error}")
    })?;
    let floors = parse(&document)?;
    let metadata = Metadata::load(Extent::Workspace)?;
    let members: Vec<&Package> = metadata.members().collect();
    let mut problems = compare(&floors, &arrows(&members, false));
    problems.extend(misplaced_crates(&members));
    for member in &members {
        problems.extend(environment_reads(member).map_err(|error| format!("{}: {error}", member.name))?);
    }
    if problems.is_empty() { Ok(report(&floors, &arrows(&members, true))) } else { Err(problems.join("\n")) }
}

fn report(floors: &[Floor], for_tests: &BTreeMap<String, BTreeSet<String>>) -> String {
    let arrows: usize = floors.iter().map(|floor| floor.arrows.len()).sum();
    let mut lines =
        vec![format!("{} crates, {arrows} arrows, all downwards and as documented", floors.len())];
    for (from, to) in for_tests.iter().filter(|(_, to)| !to.is_empty()) {
        lines.push(format!("  in tests only: {from} -> {}", join(to)));
    }
    lines.join("\n")
}

/// The one block of arrows in the document.
fn parse(document: &str) -> Result<Vec<Floor>, String> {
    let mut lines = document.lines().map(str::trim).skip_while(|line| *line != "```arrows");
    if lines.next().is_none() {
        return Err(format!("{DOCUMENT} has no block that begins with ```arrows"));
    }
    let mut floors: Vec<Floor> = Vec::new();
    for line in lines {
        if line == "```" {
            return Ok(floors);
        }
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let (name, targets) = line.split_once("->").unwrap_or((line, ""));
        let name = crate_name(name)?;
        if floors.iter().any(|floor| floor.name == name) {
            return Err(format!("{DOCUMENT}: {name} stands twice in the block of arrows"));
        }
        let arrows = targets.split(',').filter(|target| !target.trim().is_empty()).map(crate_name);
        floors.push(Floor { name, arrows: arrows.collect::<Result<_, _>>()? });
    }
    Err(format!("{DOCUMENT}: the block of arrows has no end"))
}

fn crate_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    let valid = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if valid && !name.is_empty() {
        Ok(name.to_owned())
    } else {
        Err(format!("{DOCUMENT}: {name:?} in the block of arrows is no name of a crate"))
    }
}

/// The arrows between our own crates, by the crate that they start from.
fn arrows(members: &[&Package], for_tests_only: bool) -> BTreeMap<String, BTreeSet<String>> {
    let names: BTreeSet<&str> = members.iter().map(|member| member.name.as_str()).collect();
    let of = |member: &Package| {
        let ours = member.dependencies.iter().filter(|to| to.for_tests_only == for_tests_only);
        ours.filter(|to| names.contains(to.name.as_str())).map(|to| to.name.clone()).collect()
    };
    members.iter().map(|member| (member.name.clone(), of(member))).collect()
}

fn compare(floors: &[Floor], actual: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let height: BTreeMap<&str, usize> =
        floors.iter().enumerate().map(|(at, floor)| (floor.name.as_str(), at)).collect();
    let mut problems = Vec::new();
    for name in actual.keys().filter(|name| !height.contains_key(name.as_str())) {
        problems.push(format!("{name} is a crate of the workspace and is not in {DOCUMENT}"));
    }
    for (at, floor) in floors.iter().enumerate() {
        let Some(real) = actual.get(&floor.name) else {
            problems.push(format!("{} is in {DOCUMENT} and is no crate of the workspace", floor.name));
            continue;
        };
        for to in real.difference(&floor.arrows) {
            problems.push(format!(
                "new arrow {} -> {to}: allow it in {DOCUMENT}, or turn it by a trait",
                floor.name
            ));
        }
        for to in floor.arrows.difference(real) {
            problems.push(format!("{DOCUMENT} has an arrow {} -> {to} that no Cargo.toml has", floor.name));
        }
        for to in
            real.union(&floor.arrows).filter(|to| height.get(to.as_str()).is_some_and(|there| *there <= at))
        {
            problems.push(format!("arrow {} -> {to} does not point down: {to} stands above it", floor.name));
        }
    }
    problems
}

fn misplaced_crates(members: &[&Package]) -> Vec<String> {
    let mut problems = Vec::new();
    for (owner, crates) in OWNED_CRATES {
        for member in members.iter().filter(|member| member.name != owner) {
            for dependency in member.dependencies.iter().filter(|to| crates.contains(&to.name.as_str())) {
                problems.push(format!("{} names {}: only {owner} may", member.name, dependency.name));
            }
        }
    }
    problems
}

/// Product code outside `server/config` that reads the environment.
fn environment_reads(member: &Package) -> Result<Vec<String>, std::io::Error> {
    if ENVIRONMENT_READERS.contains(&member.name.as_str()) {
        return Ok(Vec::new());
    }
    let mut problems = Vec::new();
    for file in sources(&member.folder.join("src"))? {
        let shown = file.strip_prefix(&member.folder).unwrap_or(&file).to_string_lossy().replace('\\', "/");
        if member.name == "server" && (shown.starts_with("src/config/") || shown == "src/config.rs") {
            continue;
        }
        for (number, line) in product_lines(&fs::read_to_string(&file)?) {
            if ENVIRONMENT_READS.iter().any(|read| line.contains(read)) {
                problems.push(format!(
                    "{} {shown}:{number} reads the environment: only server/config may",
                    member.name
                ));
            }
        }
    }
    Ok(problems)
}

/// Numbered lines of code: without comments, and without the tests at the end of the file, which may be all
/// of it (`#![cfg(test)]`).
fn product_lines(source: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = source.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    let product = numbered.take_while(|(_, line)| !matches!(*line, "#[cfg(test)]" | "#![cfg(test)]"));
    product.filter(|(_, line)| !line.starts_with("//"))
}

fn sources(folder: &Path) -> std::io::Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn join(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
