//! Models that vendors published. They are not part of the repository; the tests skip aloud without them.

use super::*;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::RawMessage;

/// The published models, if they lie beside the repository.
fn published() -> Option<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/dtdl-models");
    if !folder.is_dir() {
        eprintln!("SKIPPED: no published device models at {}", folder.display());
        return None;
    }
    let mut files = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                files.push(path);
            }
        }
    }
    files.sort();
    assert!(!files.is_empty(), "the folder has no models");
    Some(files)
}

#[test]
fn every_published_model_is_read_or_refused_with_place_and_reason() {
    let Some(files) = published() else { return };
    let (mut read, mut telemetry) = (0, 0);
    let mut refused = BTreeMap::new();
    for file in &files {
        match Template::parse(&fs::read_to_string(file).unwrap()) {
            Ok(template) => {
                read += 1;
                telemetry += template.telemetry().count();
            }
            Err(error) => {
                let text = error.to_string();
                assert!(text.contains(": "), "{}: {text}: no place or no reason", file.display());
                refused.insert(file.clone(), text);
            }
        }
    }
    for (file, error) in &refused {
        eprintln!("refused {}: {error}", file.display());
    }
    eprintln!("{} models: {read} read with {telemetry} telemetries, {} refused", files.len(), refused.len());
    assert!(refused.len() * 10 < files.len(), "more than a tenth refused");
}

/// What a device of the model would send: something for every telemetry.
#[test]
fn every_model_that_is_read_decodes_a_message_of_its_own() {
    let Some(files) = published() else { return };
    let received_at = "2026-01-02T03:04:05Z".parse().unwrap();
    for file in files {
        let Ok(template) = Template::parse(&fs::read_to_string(&file).unwrap()) else { continue };
        for telemetry in template.telemetry() {
            let value = match telemetry.schema() {
                crate::Schema::Number | crate::Schema::Integer { .. } => "1".to_owned(),
                crate::Schema::Flag => "true".to_owned(),
                crate::Schema::Text => r#""text""#.to_owned(),
                crate::Schema::Codes(codes) => serde_json::to_string(&codes[0]).unwrap(),
                crate::Schema::Numbers(numbers) => numbers[0].to_string(),
                crate::Schema::Waveform => r#"{"rate":100,"samples":[1]}"#.to_owned(),
                crate::Schema::Json => "[1]".to_owned(),
            };
            let payload = format!(r#"{{"{}":{value}}}"#, telemetry.path());
            let mut out = Vec::new();
            let message = RawMessage { component: None, payload: payload.as_bytes(), received_at };
            template
                .decode(message, &mut out)
                .unwrap_or_else(|defect| panic!("{}: {payload}: {defect}", file.display()));
            assert!(out.len() == 1 && out[0].modeled && out[0].path == *telemetry.path(), "{payload}");
        }
    }
}
