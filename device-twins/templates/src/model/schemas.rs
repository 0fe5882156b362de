//! DTDL schemas, as far as they decide what a message may say.

use ahash::AHashMap;
use serde_json::{Map, Value};

use super::{
    TemplateError,
    interface::{items, texts},
};
use crate::Schema;

/// The schemas that an interface defines for itself, by id.
pub(super) struct Schemas<'d>(AHashMap<&'d str, &'d Value>);

/// What a schema comes to.
pub(super) enum Shape<'d> {
    /// A value at this path.
    Leaf(Schema),
    /// Values below it: the fields of an object.
    Fields(Vec<(&'d str, Field<'d>)>),
}

/// One field of an object.
pub(super) enum Field<'d> {
    /// As the model describes it.
    Described(&'d Map<String, Value>),
    /// A number, by the definition of a schema that the model only names.
    Number,
}

impl<'d> Schemas<'d> {
    pub(super) fn of(interface: &'d Map<String, Value>) -> Self {
        let defined =
            items(interface.get("schemas")).filter_map(|schema| Some((schema.get("@id")?.as_str()?, schema)));
        Self(defined.collect())
    }

    pub(super) fn shape(&self, at: &str, schema: &'d Value) -> Result<Shape<'d>, TemplateError> {
        match schema {
            Value::String(name) => {
                match named(name.strip_prefix("dtmi:dtdl:instance:Schema:").map_or(name, unversioned)) {
                    Some(shape) => Ok(shape),
                    // A defined schema is an object, so this goes round once.
                    None => match self.0.get(name.as_str()).and_then(|schema| schema.as_object()) {
                        Some(defined) => complex(at, defined),
                        None => Err(TemplateError::invalid(
                            at,
                            format!("schema: {name:?} is not of DTDL 2 and not defined here"),
                        )),
                    },
                }
            }
            Value::Object(object) => complex(at, object),
            _ => Err(TemplateError::invalid(at, "schema: expected a name or an object")),
        }
    }
}

fn unversioned(name: &str) -> &str {
    name.split(';').next().unwrap_or(name)
}

fn named<'d>(name: &str) -> Option<Shape<'d>> {
    Some(Shape::Leaf(match name {
        "double" | "float" => Schema::Number,
        "integer" => Schema::Integer { bits: 32 },
        "long" => Schema::Integer { bits: 64 },
        "boolean" => Schema::Flag,
        "string" | "date" | "dateTime" | "time" | "duration" => Schema::Text,
        "point" | "lineString" | "polygon" | "multiPoint" | "multiLineString" | "multiPolygon" => {
            Schema::Json
        }
        // Two that IoT Central's context adds.
        "vector" => return Some(numbers(&["x", "y", "z"])),
        "geopoint" => return Some(numbers(&["lat", "lon", "alt"])),
        _ => return None,
    }))
}

fn numbers<'d>(fields: &[&'static str]) -> Shape<'d> {
    Shape::Fields(fields.iter().map(|name| (*name, Field::Number)).collect())
}

fn complex<'d>(at: &str, schema: &'d Map<String, Value>) -> Result<Shape<'d>, TemplateError> {
    let types = schema.get("@type").map(texts).unwrap_or_default();
    let is = |kind: &str| types.contains(&kind);
    if is("Object") {
        object(at, schema)
    } else if is("Enum") {
        enumeration(at, schema).map(Shape::Leaf)
    } else if is("Array") || is("Map") {
        Ok(Shape::Leaf(Schema::Json))
    } else {
        Err(TemplateError::invalid(at, "schema: expected @type Object, Enum, Array or Map"))
    }
}

fn object<'d>(at: &str, schema: &'d Map<String, Value>) -> Result<Shape<'d>, TemplateError> {
    let mut fields = Vec::new();
    for field in items(schema.get("fields")) {
        let field =
            field.as_object().ok_or_else(|| TemplateError::invalid(at, "fields: expected objects"))?;
        let name = field.get("name").and_then(Value::as_str).unwrap_or_default();
        fields.push((name, field));
    }
    if is_waveform(&fields) {
        return Ok(Shape::Leaf(Schema::Waveform));
    }
    Ok(Shape::Fields(fields.into_iter().map(|(name, field)| (name, Field::Described(field))).collect()))
}

/// Exactly `rate`, a number, and `samples`, an array of numbers.
fn is_waveform(fields: &[(&str, &Map<String, Value>)]) -> bool {
    let number = |schema: &Value| matches!(schema.as_str(), Some("double" | "float" | "integer" | "long"));
    let schema = |wanted: &str| {
        fields.iter().find(|(name, _)| *name == wanted).and_then(|(_, field)| field.get("schema"))
    };
    let samples_are_numbers = schema("samples").is_some_and(|samples| {
        samples.get("@type").is_some_and(|types| texts(types).contains(&"Array"))
            && samples.get("elementSchema").is_some_and(number)
    });
    fields.len() == 2 && schema("rate").is_some_and(number) && samples_are_numbers
}

fn enumeration(at: &str, schema: &Map<String, Value>) -> Result<Schema, TemplateError> {
    let values = || items(schema.get("enumValues")).map(|value| value.get("enumValue"));
    let wrong = |problem: &str| TemplateError::invalid(at, problem);
    if values().next().is_none() {
        return Err(wrong("enumValues: missing"));
    }
    match schema.get("valueSchema").and_then(Value::as_str) {
        Some("string") => values()
            .map(|value| value.and_then(Value::as_str).map(Into::into))
            .collect::<Option<Vec<_>>>()
            .map(|codes| Schema::Codes(codes.into()))
            .ok_or_else(|| wrong("enumValues: expected an enumValue that is a string in each")),
        Some("integer") => values()
            .map(|value| value.and_then(Value::as_i64))
            .collect::<Option<Vec<_>>>()
            .map(|numbers| Schema::Numbers(numbers.into()))
            .ok_or_else(|| wrong("enumValues: expected an enumValue that is an integer in each")),
        _ => Err(wrong("valueSchema: expected string or integer")),
    }
}
