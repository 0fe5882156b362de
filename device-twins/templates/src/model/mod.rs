//! Reads a DTDL model (version 2, <https://github.com/Azure/opendigitaltwins-dtdl>) into a [`Template`].
//!
//! A document is one Interface, or an array of them of which the first is the device and the others are what
//! it names. Of an Interface this reads Telemetry, Components and what it extends; Properties, Commands and
//! Relationships are no business of readings. Names of fields follow DTDL; so do the limits.

mod error;
mod interface;
mod schemas;
mod telemetry;

use ahash::AHashMap;
use serde_json::Value;

pub use error::TemplateError;
use interface::Walk;

use crate::{Telemetry, Template, template::Names};

/// The largest document. DTDL allows an Interface 512 KiB (version 2, "Limits"); a document may hold several.
const MAX_BYTES: usize = 2 * 1024 * 1024;
/// The most telemetries, with components and the fields of objects counted singly.
const MAX_TELEMETRY: usize = 1000;

impl Template {
    /// Reads a DTDL document.
    ///
    /// # Errors
    /// [`TemplateError`], which names the place and says what is wrong there.
    pub fn parse(dtdl_json: &str) -> Result<Self, TemplateError> {
        if dtdl_json.len() > MAX_BYTES {
            return Err(TemplateError::TooLarge { bytes: dtdl_json.len() });
        }
        // Editors on some systems begin a file with a byte order mark.
        let document: Value = serde_json::from_str(dtdl_json.trim_start_matches('\u{feff}'))
            .map_err(|error| TemplateError::NotJson { line: error.line(), column: error.column() })?;
        let interfaces = match &document {
            Value::Array(interfaces) => interfaces.as_slice(),
            single => std::slice::from_ref(single),
        };
        let Some(device) = interfaces.first() else {
            return Err(TemplateError::invalid("", "expected an Interface, found an empty array"));
        };
        let mut walk = Walk::new(interfaces)?;
        let (id, display_name) = walk.device(device)?;
        index(id, display_name, walk)
    }
}

fn index(id: String, display_name: String, walk: Walk<'_>) -> Result<Template, TemplateError> {
    let Walk { found, components, unresolved, .. } = walk;
    let mut template = Template {
        id,
        display_name,
        telemetry: Vec::with_capacity(found.len()),
        root: Names::new(),
        components: components
            .into_iter()
            .map(|name| (name.into(), Names::new()))
            .collect::<AHashMap<_, _>>(),
        unresolved,
    };
    for found in found {
        let at = template.telemetry.len();
        let path = found.telemetry.path.as_str();
        if template.root.insert(path.into(), at).is_some() {
            return Err(TemplateError::invalid(&found.at, format!("there are two telemetries {path}")));
        }
        if let Some((component, name)) = path.split_once('/') {
            template.components.entry(component.into()).or_default().insert(name.into(), at);
        }
        template.telemetry.push(found.telemetry);
    }
    Ok(template)
}

/// A telemetry and where in the document it stands.
struct Found {
    at: String,
    telemetry: Telemetry,
}

#[cfg(test)]
mod device_models;
#[cfg(test)]
mod tests;
