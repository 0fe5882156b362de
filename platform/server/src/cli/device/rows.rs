//! The rows of a file of devices. Pure: what the hospital has already is for `import.rs` to compare.

use std::collections::HashMap;

use serde::Serialize;
use tenants::{DeviceId, PatientId, TenantId, UnitId};
use twins::store::directory::DeviceRecord;

const MAX_NAME_CHARACTERS: usize = 100;
const REQUIRED: [&str; 3] = ["id", "template", "name"];
const KNOWN: [&str; 4] = ["id", "template", "name", "patient"];

/// A row that cannot be imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Rejected {
    /// Where it begins; the header is line 1.
    pub(super) line: u64,
    /// Column and problem, and what to do. Never the name or the patient of a device.
    pub(super) problem: String,
}

/// A row that says what a device needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) device: DeviceRecord,
}

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) good: Vec<Row>,
    pub(super) bad: Vec<Rejected>,
}

impl Rows {
    /// Reads a file with a header line.
    ///
    /// # Errors
    /// When the header cannot be used; what is wrong with a row is in [`Rows::bad`].
    pub(super) fn read(text: &[u8]) -> Result<Self, String> {
        let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
        let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text);
        let header = reader.headers().map_err(|_| "line 1: the header is no UTF-8 text".to_owned())?;
        let columns: Vec<String> = header.iter().map(str::to_lowercase).collect();
        check_header(&columns)?;
        let (mut rows, mut lines) = (Self::default(), HashMap::new());
        for record in reader.records() {
            let line = match &record {
                Ok(record) => record.position().map_or(0, csv::Position::line),
                Err(error) => error.position().map_or(0, csv::Position::line),
            };
            let read = record.map_err(|_| "is no UTF-8 text; save the file as UTF-8".to_owned());
            match read.and_then(|record| device(&columns, &record)) {
                Ok(device) => match lines.insert(device.id.clone(), line) {
                    None => rows.good.push(Row { line, device }),
                    Some(first) => {
                        let problem = format!("id: {} stands in line {first} already", device.id);
                        lines.insert(device.id, first);
                        rows.bad.push(Rejected { line, problem });
                    }
                },
                Err(problem) => rows.bad.push(Rejected { line, problem }),
            }
        }
        Ok(rows)
    }

    /// Moves every row that `problem` has something against to the bad ones.
    pub(super) fn sift(&mut self, problem: impl Fn(&DeviceRecord) -> Option<String>) {
        let bad = &mut self.bad;
        self.good.retain(|row| match problem(&row.device) {
            Some(problem) => {
                bad.push(Rejected { line: row.line, problem });
                false
            }
            None => true,
        });
        bad.sort_by_key(|rejected| rejected.line);
    }
}

fn check_header(columns: &[String]) -> Result<(), String> {
    let expected = format!("the header must be {}, and may have patient", REQUIRED.join(","));
    for (n, column) in columns.iter().enumerate() {
        if !KNOWN.contains(&column.as_str()) {
            return Err(format!("line 1: column {column:?} is not known; {expected}, separated by commas"));
        }
        if columns.iter().take(n).any(|earlier| earlier == column) {
            return Err(format!("line 1: column {column:?} stands there twice; {expected}"));
        }
    }
    match REQUIRED.iter().find(|required| !columns.iter().any(|column| column == *required)) {
        Some(missing) => Err(format!("line 1: column {missing:?} is missing; {expected}")),
        None => Ok(()),
    }
}

fn device(columns: &[String], record: &csv::StringRecord) -> Result<DeviceRecord, String> {
    if record.len() != columns.len() {
        let (has, wanted) = (record.len(), columns.len());
        return Err(format!("has {has} fields where the header has {wanted}; a comma in a text needs \"\""));
    }
    let field = |name: &str| {
        let at = columns.iter().position(|column| column == name);
        at.and_then(|at| record.get(at)).unwrap_or_default()
    };
    let id = DeviceId::parse(field("id")).map_err(|error| format!("id: {error}"))?;
    let name = field("name");
    if !(1..=MAX_NAME_CHARACTERS).contains(&name.chars().count()) || name.contains(char::is_control) {
        return Err(format!("name: must have 1 to {MAX_NAME_CHARACTERS} characters, none of control"));
    }
    let template = field("template");
    if templates::builtin::find(template).is_none() {
        let known: Vec<_> = templates::builtin::ALL.iter().map(|template| template().id()).collect();
        let (given, known) = (template.chars().take(64).collect::<String>(), known.join(", "));
        return Err(format!("template: {given:?} is not known; the templates are {known}"));
    }
    let patient = match field("patient") {
        "" => None,
        id => Some(id.parse::<PatientId>().map_err(|_| "patient: must be a patient's id, a UUID")?),
    };
    // The file says nothing of units; `import.rs`, which knows the hospital, puts devices into it as a whole.
    let unit = UnitId::root(TenantId::PLATFORM);
    let (name, template) = (name.to_owned(), template.to_owned());
    Ok(DeviceRecord { id, name, template, patient, unit, blocked_since: None, gateway: None })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MONITOR: &str = "dtmi:iomt:PatientMonitor;1";

    #[test]
    fn rows_in_any_order_of_columns() {
        let text =
            format!("\u{feff}Name, id ,template\n\"Bed 1, window\",m-1,{MONITOR}\n Bed 2 ,m-2,{MONITOR}\n");
        let rows = Rows::read(text.as_bytes()).unwrap();
        assert!(rows.bad.is_empty(), "{:?}", rows.bad);
        let read: Vec<_> = rows
            .good
            .iter()
            .map(|row| (row.line, row.device.id.as_str(), row.device.name.as_str()))
            .collect();
        assert_eq!(read, [(2, "m-1", "Bed 1, window"), (3, "m-2", "Bed 2")]);
    }

    #[test]
    fn a_bad_row_is_named_by_its_line_and_column() {
        let secret = "Jane Doe\u{7}";
        let text = format!(
            "id,template,name,patient\nm-1,{MONITOR},One,\nm 2,{MONITOR},Two,\nm-3,dtmi:x;1,Three,\nm-4,{MONITOR},,\n\
             m-1,{MONITOR},Again,\nm-5,{MONITOR}\nm-6,{MONITOR},Six,MRN-77\nm-7,{MONITOR},{secret},\n"
        );
        let rows = Rows::read(text.as_bytes()).unwrap();
        assert_eq!(rows.good.len(), 1);
        let expected = [
            (3, "id: \"m 2\" is not a valid device id"),
            (4, "template: \"dtmi:x;1\" is not known; the templates are dtmi:iomt:PatientMonitor;1"),
            (5, "name: must have 1 to 100"),
            (6, "id: m-1 stands in line 2 already"),
            (7, "has 2 fields where the header has 4"),
            (8, "patient: must be a patient's id"),
            (9, "name: must have"),
        ];
        assert_eq!(rows.bad.len(), expected.len(), "{:?}", rows.bad);
        for (rejected, (line, problem)) in rows.bad.iter().zip(expected) {
            assert_eq!(rejected.line, line, "{rejected:?}");
            assert!(rejected.problem.starts_with(problem), "{rejected:?}");
            assert!(!rejected.problem.contains("Jane") && !rejected.problem.contains("MRN-77"));
        }
    }

    #[test]
    fn a_header_that_cannot_be_used_is_refused() {
        for (text, named) in [
            ("", "\"id\" is missing"),
            ("id;template;name", "separated by commas"),
            ("id,template", "\"name\" is missing"),
            ("id,template,name,id", "twice"),
            ("id,template,name,colour", "\"colour\" is not known"),
        ] {
            let refused = Rows::read(text.as_bytes()).unwrap_err();
            assert!(refused.contains(named) && refused.contains("line 1"), "{text:?}: {refused}");
        }
        let rows = Rows::read(b"id,template,name\nm-1,\xff\xfe,x\n").unwrap();
        assert!(rows.bad[0].problem.contains("UTF-8"), "{:?}", rows.bad);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            let with_header = [b"id,template,name\n".as_slice(), &text].concat();
            prop_assert!(Rows::read(&with_header).is_ok());
            let _either = Rows::read(&text).is_ok();
        }
    }
}
