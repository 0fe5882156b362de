//! Interfaces: what they contain, extend and are made of.

use ahash::AHashMap;
use serde_json::{Map, Value};

use super::{Found, MAX_TELEMETRY, TemplateError, schemas::Schemas, telemetry};

/// DTDL version 2, "Limits": how deep `extends` may go, how many contents an Interface may have, how long
/// names and ids may be.
const MAX_EXTENDS: usize = 10;
const MAX_CONTENTS: usize = 300;
const MAX_NAME: usize = 64;
const MAX_ID: usize = 128;
const CONTEXT: &str = "dtmi:dtdl:context;2";

/// What was found so far on the way through a document.
pub(super) struct Walk<'d> {
    interfaces: AHashMap<&'d str, &'d Map<String, Value>>,
    pub(super) found: Vec<Found>,
    pub(super) components: Vec<&'d str>,
    pub(super) unresolved: Vec<String>,
}

/// Where the walk stands.
#[derive(Clone, Copy)]
struct Place<'d> {
    /// In the document, for errors.
    at: &'d str,
    component: Option<&'d str>,
    /// How many `extends` led here.
    depth: usize,
}

impl<'d> Walk<'d> {
    pub(super) fn new(interfaces: &'d [Value]) -> Result<Self, TemplateError> {
        let mut by_id = AHashMap::with_capacity(interfaces.len());
        for (number, interface) in interfaces.iter().enumerate() {
            let at = format!("interface {number}");
            let object = interface_object(&at, interface)?;
            let id = id(&at, object)?;
            if by_id.insert(id, object).is_some() {
                return Err(TemplateError::invalid(&at, format!("there are two interfaces {id}")));
            }
        }
        Ok(Self { interfaces: by_id, found: Vec::new(), components: Vec::new(), unresolved: Vec::new() })
    }

    /// Walks through the device's own interface; its id and display name.
    pub(super) fn device(&mut self, interface: &'d Value) -> Result<(String, String), TemplateError> {
        let object = interface_object("", interface)?;
        let contexts = object.get("@context").map(texts).unwrap_or_default();
        if !contexts.contains(&CONTEXT) {
            return Err(TemplateError::invalid("@context", format!("expected {CONTEXT} (DTDL version 2)")));
        }
        let id = id("", object)?;
        self.interface(object, Place { at: "", component: None, depth: 0 })?;
        // The part after the last colon, without the version.
        let name = id.rsplit(':').next().and_then(|last| last.split(';').next()).unwrap_or(id);
        Ok((id.to_owned(), display_name(object).unwrap_or(name).to_owned()))
    }

    fn interface(
        &mut self,
        interface: &'d Map<String, Value>,
        place: Place<'d>,
    ) -> Result<(), TemplateError> {
        if place.depth > MAX_EXTENDS {
            let problem = format!("extends itself, or more than {MAX_EXTENDS} interfaces in a row");
            return Err(TemplateError::invalid(place.at, problem));
        }
        let schemas = Schemas::of(interface);
        for (number, content) in items(interface.get("contents")).enumerate() {
            if number == MAX_CONTENTS {
                return Err(TemplateError::invalid("contents", format!("more than {MAX_CONTENTS}")));
            }
            self.content(number, content, &schemas, place)?;
        }
        for base in items(interface.get("extends")) {
            let base = self.named("extends", base)?;
            if let Some(base) = base {
                self.interface(base, Place { depth: place.depth + 1, ..place })?;
            }
        }
        Ok(())
    }

    fn content(
        &mut self,
        number: usize,
        content: &'d Value,
        schemas: &Schemas<'d>,
        place: Place<'d>,
    ) -> Result<(), TemplateError> {
        let Some(content) = content.as_object() else {
            return Err(TemplateError::invalid(&format!("contents/{number}"), "expected an object"));
        };
        let types = content.get("@type").map(texts).unwrap_or_default();
        let (is_telemetry, is_component) = (types.contains(&"Telemetry"), types.contains(&"Component"));
        if !is_telemetry && !is_component {
            return Ok(());
        }
        let name = content.get("name").and_then(Value::as_str).unwrap_or_default();
        let at = match place.component {
            Some(component) => format!("{component}/contents/{number} ({name})"),
            None => format!("contents/{number} ({name})"),
        };
        if !is_name(name) {
            let problem =
                format!("name: expected a letter, then letters, digits and '_', at most {MAX_NAME}");
            return Err(TemplateError::invalid(&at, problem));
        }
        if is_telemetry {
            let path =
                place.component.map_or_else(|| name.to_owned(), |component| format!("{component}/{name}"));
            telemetry::read(&at, &path, content, schemas, &mut self.found)?;
            if self.found.len() > MAX_TELEMETRY {
                return Err(TemplateError::invalid(&at, format!("more than {MAX_TELEMETRY} telemetries")));
            }
            return Ok(());
        }
        if place.component.is_some() {
            return Err(TemplateError::invalid(&at, "a component cannot contain a component"));
        }
        self.components.push(name);
        let schema = content.get("schema").ok_or_else(|| TemplateError::invalid(&at, "schema: missing"))?;
        match self.named(&at, schema)? {
            Some(interface) => self.interface(interface, Place { at: name, component: Some(name), depth: 0 }),
            None => Ok(()),
        }
    }

    /// An interface that is given by its id or in place; none, and noted, if the document does not have it.
    fn named(
        &mut self,
        at: &str,
        schema: &'d Value,
    ) -> Result<Option<&'d Map<String, Value>>, TemplateError> {
        if let Some(id) = schema.as_str() {
            let interface = self.interfaces.get(id).copied();
            if interface.is_none() && !self.unresolved.iter().any(|noted| noted == id) {
                self.unresolved.push(id.to_owned());
            }
            return Ok(interface);
        }
        interface_object(at, schema).map(Some)
    }
}

fn interface_object<'d>(at: &str, interface: &'d Value) -> Result<&'d Map<String, Value>, TemplateError> {
    interface
        .as_object()
        .filter(|object| object.get("@type").is_some_and(|types| texts(types).contains(&"Interface")))
        .ok_or_else(|| TemplateError::invalid(at, "expected an object with @type Interface"))
}

fn id<'d>(at: &str, interface: &'d Map<String, Value>) -> Result<&'d str, TemplateError> {
    let id = interface.get("@id").and_then(Value::as_str).unwrap_or_default();
    if is_dtmi(id) {
        return Ok(id);
    }
    let problem =
        format!("@id: expected a DTMI of at most {MAX_ID} characters, for example dtmi:example:Monitor;1");
    Err(TemplateError::invalid(at, problem))
}

/// `dtmi:`, segments with colons between them, `;` and a version from 1.
fn is_dtmi(id: &str) -> bool {
    let Some((path, version)) = id.strip_prefix("dtmi:").and_then(|rest| rest.rsplit_once(';')) else {
        return false;
    };
    let is_version = (1..=9).contains(&version.len())
        && !version.starts_with('0')
        && version.bytes().all(|byte| byte.is_ascii_digit());
    id.len() <= MAX_ID && is_version && path.split(':').all(is_segment)
}

/// A letter, then letters, digits and underscores, the last of which is no underscore.
fn is_segment(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && !text.ends_with('_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

pub(super) fn is_name(text: &str) -> bool {
    text.len() <= MAX_NAME && is_segment(text)
}

/// What people call it: a text, or one for each language, of which English is preferred.
pub(super) fn display_name(object: &Map<String, Value>) -> Option<&str> {
    let name = match object.get("displayName")? {
        Value::String(name) => name,
        Value::Object(languages) => languages.get("en").or_else(|| languages.values().next())?.as_str()?,
        _ => return None,
    };
    let name = name.trim();
    (!name.is_empty()).then_some(name)
}

/// In JSON-LD one thing may stand without the array around it.
pub(super) fn items(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    let slice = match value {
        None | Some(Value::Null) => &[],
        Some(Value::Array(items)) => items.as_slice(),
        Some(single) => std::slice::from_ref(single),
    };
    slice.iter()
}

pub(super) fn texts(value: &Value) -> Vec<&str> {
    items(Some(value)).filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_names_follow_dtdl() {
        for good in ["dtmi:iomt:PatientMonitor;1", "dtmi:a;999999999", "dtmi:jp:co_x:Y1;2"] {
            assert!(is_dtmi(good), "{good}");
        }
        let long = format!("dtmi:{};1", "x".repeat(122));
        for bad in [
            "",
            "dtmi:a",
            "dtmi:;1",
            "dtmi:a;0",
            "dtmi:a;01",
            "dtmi:a;1.2",
            "dtmi:1a;1",
            "dtmi:a_;1",
            "dtmi::a;1",
            "urn:a;1",
            &long,
        ] {
            assert!(!is_dtmi(bad), "{bad}");
        }
        for (name, valid) in [
            ("heartRate", true),
            ("a", true),
            ("a_1", true),
            ("", false),
            ("1a", false),
            ("a_", false),
            ("a b", false),
        ] {
            assert_eq!(is_name(name), valid, "{name:?}");
        }
        assert!(is_name(&"x".repeat(64)) && !is_name(&"x".repeat(65)));
    }
}
