//! `iomt template check`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use templates::{Template, TemplateError};

use super::{CliError, arguments::TemplateCheckArguments, output::say};

/// Directories below one another that are looked through.
const DEEPEST: usize = 32;

/// Why a file is no template.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    #[error(transparent)]
    Template(#[from] TemplateError),
}

pub(super) fn run(arguments: &TemplateCheckArguments) -> Result<(), CliError> {
    let mut files = Vec::new();
    for path in &arguments.paths {
        collect(path, DEEPEST, &mut files)
            .map_err(|source| CliError::Template { path: path.clone(), source })?;
    }
    if files.is_empty() {
        return Err(CliError::NoTemplates);
    }
    let checked: Vec<_> = files.iter().map(|path| (path, check(path))).collect();
    if arguments.json {
        say(Value::from_iter(checked.iter().map(|(path, found)| as_json(path, found))))?;
    } else {
        for (path, found) in &checked {
            say(in_words(path, found))?;
        }
    }
    match checked.iter().filter(|(_, found)| found.is_err()).count() {
        0 => Ok(()),
        failed => Err(CliError::Templates { failed, of: checked.len() }),
    }
}

/// The file itself, or all JSON files of a directory and below, in the order of their names.
fn collect(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !fs::metadata(path)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    if depth == 0 {
        return Err(io::Error::other(format!("directories are more than {DEEPEST} deep")));
    }
    let mut entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            collect(&path, depth - 1, files)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    Ok(())
}

fn check(path: &Path) -> Result<Template, Problem> {
    Ok(Template::parse(&fs::read_to_string(path)?)?)
}

fn in_words(path: &Path, found: &Result<Template, Problem>) -> String {
    let path = path.display();
    match found {
        Err(problem) => format!("{path}: {problem}"),
        Ok(template) => {
            let unresolved: Vec<_> = template.unresolved().collect();
            let missing = match unresolved.as_slice() {
                [] => String::new(),
                names => format!("; not contained, so kept as unmodeled: {}", names.join(", ")),
            };
            format!("{path}: {} is valid, {} telemetry{missing}", template.id(), template.telemetry().count())
        }
    }
}

fn as_json(path: &Path, found: &Result<Template, Problem>) -> Value {
    let path = path.display().to_string();
    match found {
        Err(problem) => json!({ "path": path, "valid": false, "problem": problem.to_string() }),
        Ok(template) => json!({
            "path": path,
            "valid": true,
            "id": template.id(),
            "telemetry": template.telemetry().map(|one| one.path().as_str()).collect::<Vec<_>>(),
            "unresolved": template.unresolved().collect::<Vec<_>>(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_looked_through_and_each_mistake_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let monitor = r#"{ "@context": "dtmi:dtdl:context;2", "@type": "Interface", "@id": "dtmi:a:M;1",
            "contents": [{ "@type": "Telemetry", "name": "pulse", "schema": "double" }] }"#;
        fs::create_dir(folder.path().join("sub")).unwrap();
        for (name, text) in
            [("b.json", "{"), ("sub/a.json", monitor), ("c.txt", "no model"), ("d.json", "{}")]
        {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let mut files = Vec::new();
        collect(folder.path(), DEEPEST, &mut files).unwrap();
        let said: Vec<_> = files.iter().map(|path| in_words(path, &check(path))).collect();
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(said[0].contains("b.json: not JSON: the mistake is at line 1"), "{said:?}");
        assert!(said[1].contains("d.json: interface 0: expected an object"), "{said:?}");
        assert!(said[2].ends_with("a.json: dtmi:a:M;1 is valid, 1 telemetry"), "{said:?}");
        assert!(collect(&folder.path().join("nowhere"), DEEPEST, &mut files).is_err());
    }
}
