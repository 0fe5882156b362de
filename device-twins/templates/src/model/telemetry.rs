//! One telemetry of a model, or several if it is an object.

use readings::{Conversion, Path, Unit, VitalSign};
use serde_json::{Map, Value};

use super::{
    Found, TemplateError,
    interface::{display_name, is_name},
    schemas::{Field, Schemas, Shape},
};
use crate::{Schema, Telemetry, units::ucum_of};

/// DTDL version 2, "Limits": how deep complex schemas may be nested.
const MAX_DEPTH: usize = 5;

/// Adds what `described`, a Telemetry, says at `path`.
pub(super) fn read<'d>(
    at: &str,
    path: &str,
    described: &'d Map<String, Value>,
    schemas: &Schemas<'d>,
    found: &mut Vec<Found>,
) -> Result<(), TemplateError> {
    below(at, path, described, schemas, 0, found)
}

fn below<'d>(
    at: &str,
    path: &str,
    described: &'d Map<String, Value>,
    schemas: &Schemas<'d>,
    depth: usize,
    found: &mut Vec<Found>,
) -> Result<(), TemplateError> {
    if depth > MAX_DEPTH {
        return Err(TemplateError::invalid(at, format!("schema: nested deeper than {MAX_DEPTH}")));
    }
    let schema = described.get("schema").ok_or_else(|| TemplateError::invalid(at, "schema: missing"))?;
    let fields = match schemas.shape(at, schema)? {
        Shape::Leaf(schema) => {
            found.push(Found { at: at.to_owned(), telemetry: telemetry(at, path, described, schema)? });
            return Ok(());
        }
        Shape::Fields(fields) => fields,
    };
    if described.contains_key("vitalSign") {
        return Err(TemplateError::invalid(at, "vitalSign: an object is none; one of its fields may be"));
    }
    // Described fields have units of their own: they may measure different things, so that the unit of the
    // whole would only be a guess. Fields that DTDL itself describes are all of one kind and share it.
    for (name, field) in fields {
        if !is_name(name) {
            return Err(TemplateError::invalid(at, format!("field {name:?}: not a name of DTDL")));
        }
        let path = format!("{path}.{name}");
        match field {
            Field::Described(field) => {
                below(&format!("{at}.{name}"), &path, field, schemas, depth + 1, found)?;
            }
            Field::Number => {
                let mut telemetry = telemetry(at, &path, described, Schema::Number)?;
                if let Some(whole) = display_name(described) {
                    telemetry.display_name = format!("{whole} {name}");
                }
                found.push(Found { at: at.to_owned(), telemetry });
            }
        }
    }
    Ok(())
}

fn telemetry(
    at: &str,
    path: &str,
    described: &Map<String, Value>,
    schema: Schema,
) -> Result<Telemetry, TemplateError> {
    let wrong = |problem: String| TemplateError::invalid(at, problem);
    let sent_in = unit(at, described)?;
    if sent_in.is_some() && !schema.is_numeric() && schema != Schema::Waveform {
        return Err(wrong("unit: only numbers and waveforms have one".to_owned()));
    }
    let sign = match described.get("vitalSign") {
        None => None,
        Some(key) => {
            let key = key.as_str().ok_or_else(|| wrong("vitalSign: expected a string".to_owned()))?;
            let sign: VitalSign = key.parse().map_err(|error| wrong(format!("vitalSign: {error}")))?;
            fits(sign, &schema).map_err(|problem| wrong(format!("vitalSign: {problem}")))?;
            Some(sign)
        }
    };
    // A vital sign is always read in its own unit, so that it is scored and shown without a second thought.
    let unit = sign.and_then(VitalSign::unit).or_else(|| sent_in.clone());
    let sent = match (&sent_in, &unit) {
        (Some(from), Some(to)) => from.converter_to(to).map_err(|error| wrong(format!("unit: {error}")))?,
        (None, Some(to)) => {
            return Err(wrong(format!("unit: missing; {path} must have one that converts to {to}")));
        }
        (_, None) => Conversion::IDENTITY,
    };
    let name = path.rsplit(['/', '.']).next().unwrap_or(path);
    Ok(Telemetry {
        path: Path::parse(path).map_err(|error| wrong(error.to_string()))?,
        display_name: display_name(described).unwrap_or(name).to_owned(),
        schema,
        unit,
        sign,
        sent,
    })
}

/// The unit in which the device sends: the `ucum` annotation, or the unit that DTDL names.
fn unit(at: &str, described: &Map<String, Value>) -> Result<Option<Unit>, TemplateError> {
    let wrong = |problem: String| TemplateError::invalid(at, problem);
    let text = |field: &str| match described.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(wrong(format!("{field}: expected a string"))),
    };
    let annotated =
        text("ucum")?.map(Unit::parse).transpose().map_err(|error| wrong(format!("ucum: {error}")))?;
    let Some(name) = text("unit")? else { return Ok(annotated) };
    let standard =
        name.strip_prefix("dtmi:standard:unit:").map_or(name, |rest| rest.split(';').next().unwrap_or(rest));
    let named =
        ucum_of(standard).map(Unit::parse).transpose().map_err(|error| wrong(format!("unit: {error}")))?;
    match (named, annotated) {
        (Some(named), Some(annotated)) if named != annotated => {
            Err(wrong(format!("unit: {name} is {named}, but ucum says {annotated}")))
        }
        (_, Some(annotated)) => Ok(Some(annotated)),
        (Some(named), None) => Ok(Some(named)),
        (None, None) => {
            Err(wrong(format!("unit: {name:?} is not a unit of DTDL 2; add its UCUM code as \"ucum\"")))
        }
    }
}

/// Whether values of the schema can be the vital sign.
fn fits(sign: VitalSign, schema: &Schema) -> Result<(), String> {
    let fits = match sign {
        VitalSign::SupplementalOxygen => *schema == Schema::Flag,
        VitalSign::Consciousness => {
            matches!(schema, Schema::Codes(codes) if codes.iter().all(|code| matches!(&**code, "A" | "C" | "V" | "P" | "U")))
        }
        _ => schema.is_numeric(),
    };
    let expected = match sign {
        VitalSign::SupplementalOxygen => "a boolean",
        VitalSign::Consciousness => "an Enum of A, C, V, P and U",
        _ => "a number",
    };
    if fits { Ok(()) } else { Err(format!("{} must be {expected}", sign.key())) }
}
