//! Values of a message become values of readings: of the right type, in the right unit, finite and plausible.
//!
//! No error says what was measured: defects are shown and logged where patients' data must not be.

use std::sync::Arc;

use readings::{Conversion, Path, Unit, Value, Waveform};

use super::{
    RawMessage,
    node::Node,
    shape::{Shape, shape},
};
use crate::{Defect, DefectReason, Schema, Telemetry};

/// Whether a number in the reading's unit may be one: finite, and within what an instrument can show.
#[inline]
pub(super) fn is_possible(telemetry: &Telemetry, number: f64) -> bool {
    number.is_finite() && telemetry.sign.is_none_or(|sign| sign.plausible().contains(&number))
}

/// Why a number is not possible.
#[cold]
pub(super) fn impossible(telemetry: &Telemetry, number: f64) -> Defect {
    let Some(sign) = telemetry.sign.filter(|_| number.is_finite()) else {
        return not_finite(&telemetry.path);
    };
    let (range, unit) = (sign.plausible(), telemetry.unit.as_ref().map_or("", Unit::code));
    let (path, lowest, highest) = (&telemetry.path, range.start(), range.end());
    DefectReason::WrongType
        .because(format!("{path}: no instrument shows it outside {lowest} to {highest} {unit}"))
}

fn possible(telemetry: &Telemetry, number: f64) -> Result<Value, Defect> {
    if is_possible(telemetry, number) {
        Ok(Value::Number(number))
    } else {
        Err(impossible(telemetry, number))
    }
}

/// The value of a path that the template knows; none for null.
pub(super) fn modeled(telemetry: &Telemetry, node: &Node<'_>) -> Result<Option<Value>, Defect> {
    if *node == Node::Null {
        return Ok(None);
    }
    if telemetry.schema == Schema::Json {
        return match node {
            Node::Numbers(_) | Node::List(_) | Node::Object(_) => json(&telemetry.path, node).map(Some),
            _ => Err(wrong_type(telemetry)),
        };
    }
    match shape(node) {
        Some(Shape::Plain(value) | Shape::Quantity { value, unit: None }) => by_schema(telemetry, value),
        Some(Shape::Quantity { value, unit: Some(code) }) => quantity(telemetry, value, code),
        Some(Shape::Waveform { rate, samples, unit }) if telemetry.schema == Schema::Waveform => {
            let sent = match unit {
                Some(code) => conversion(telemetry, code)?,
                None => telemetry.sent,
            };
            waveform(&telemetry.path, rate, samples, |sample| sent.apply(sample))
        }
        _ => Err(wrong_type(telemetry)),
    }
    .map(Some)
}

fn by_schema(telemetry: &Telemetry, node: &Node<'_>) -> Result<Value, Defect> {
    match (&telemetry.schema, node) {
        (Schema::Number, Node::Number(number)) => possible(telemetry, telemetry.sent.apply(*number)),
        (Schema::Integer { bits }, Node::Number(number)) if is_integer(*number, *bits) => {
            possible(telemetry, telemetry.sent.apply(*number))
        }
        (Schema::Number | Schema::Integer { .. }, Node::Text(text)) if names_no_number(text) => {
            Err(not_finite(&telemetry.path))
        }
        (Schema::Flag, Node::Flag(flag)) => Ok(Value::Flag(*flag)),
        (Schema::Text, Node::Text(text)) => kept_text(&telemetry.path, text),
        (Schema::Codes(codes), Node::Text(text)) => {
            // The template's own copy of the code, so that nothing is allocated.
            let code = codes.iter().find(|code| ***code == **text).ok_or_else(|| wrong_type(telemetry))?;
            Ok(Value::Text(code.clone()))
        }
        #[allow(clippy::cast_precision_loss, reason = "codes of an Enum are small")]
        (Schema::Numbers(numbers), Node::Number(number))
            if numbers.iter().any(|known| *known as f64 == *number) =>
        {
            Ok(Value::Number(*number))
        }
        _ => Err(wrong_type(telemetry)),
    }
}

/// A number with a unit of the device's choice.
fn quantity(telemetry: &Telemetry, node: &Node<'_>, code: &str) -> Result<Value, Defect> {
    let conversion = conversion(telemetry, code)?;
    match node {
        Node::Number(number) if telemetry.schema.is_numeric() => {
            possible(telemetry, conversion.apply(*number))
        }
        Node::Text(text) if names_no_number(text) => Err(not_finite(&telemetry.path)),
        _ => Err(wrong_type(telemetry)),
    }
}

fn conversion(telemetry: &Telemetry, code: &str) -> Result<Conversion, Defect> {
    let from = unit(&telemetry.path, code)?;
    let Some(to) = &telemetry.unit else {
        let detail =
            format!("{}: the template gives no unit to which {from} could be converted", telemetry.path);
        return Err(DefectReason::UnknownUnit.because(detail));
    };
    from.converter_to(to)
        .map_err(|error| DefectReason::UnknownUnit.because(format!("{}: {error}", telemetry.path)))
}

/// The value of a path that the template does not know: whatever it is.
pub(super) fn unmodeled(path: &Path, node: &Node<'_>) -> Result<Value, Defect> {
    match node {
        Node::Flag(flag) => Ok(Value::Flag(*flag)),
        Node::Number(number) => Value::number(*number).ok_or_else(|| not_finite(path)),
        Node::Text(text) => kept_text(path, text),
        other => json(path, other),
    }
}

/// A waveform whose samples `convert` brings into the right unit.
pub(super) fn waveform(
    path: &Path,
    rate: f64,
    samples: &[f64],
    convert: impl Fn(f64) -> f64,
) -> Result<Value, Defect> {
    if samples.len() > RawMessage::MAX_SAMPLES {
        let detail = format!("{path}: more than {} samples in one waveform", RawMessage::MAX_SAMPLES);
        return Err(DefectReason::TooManyValues.because(detail));
    }
    if samples.is_empty() {
        return Err(DefectReason::Empty.because(format!("{path}: a waveform without samples")));
    }
    if rate <= 0.0 || rate > RawMessage::MAX_SAMPLE_RATE_HZ {
        let detail = format!("{path}: rate: expected above 0, to {} Hz", RawMessage::MAX_SAMPLE_RATE_HZ);
        return Err(DefectReason::WrongType.because(detail));
    }
    #[allow(clippy::cast_possible_truncation, reason = "samples are kept in single precision")]
    let single = |sample: &f64| Some(convert(*sample) as f32).filter(|sample| sample.is_finite());
    let samples = samples.iter().map(single).collect::<Option<Vec<f32>>>().ok_or_else(|| not_finite(path))?;
    Ok(Value::Waveform(Arc::new(Waveform { sample_rate_hz: rate, samples })))
}

/// A unit that the device named.
pub(super) fn unit(path: &Path, code: &str) -> Result<Unit, Defect> {
    Unit::parse(code).map_err(|error| DefectReason::UnknownUnit.because(format!("{path}: {error}")))
}

fn json(path: &Path, node: &Node<'_>) -> Result<Value, Defect> {
    match serde_json::to_string(node) {
        Ok(text) => kept_text(path, &text),
        Err(_) => Err(not_finite(path)),
    }
}

fn kept_text(path: &Path, text: &str) -> Result<Value, Defect> {
    if text.len() > RawMessage::MAX_TEXT {
        let detail = format!("{path}: longer than {} bytes", RawMessage::MAX_TEXT);
        return Err(DefectReason::TooLarge.because(detail));
    }
    Ok(Value::Text(text.into()))
}

/// Whole, and within a signed integer of 32 or 64 bits.
fn is_integer(number: f64, bits: u8) -> bool {
    let bound = 2_f64.powi(i32::from(bits) - 1);
    number.fract() == 0.0 && (-bound..bound).contains(&number)
}

/// How programs write a number that is none where they must write a string.
fn names_no_number(text: &str) -> bool {
    let word = text.trim().trim_start_matches(['-', '+']);
    ["nan", "inf", "infinity"].iter().any(|known| word.eq_ignore_ascii_case(known))
}

fn not_finite(path: &Path) -> Defect {
    DefectReason::NotFinite.because(format!("{path}: infinite, or not a number"))
}

fn wrong_type(telemetry: &Telemetry) -> Defect {
    DefectReason::WrongType.because(format!("{}: expected {}", telemetry.path, telemetry.schema.expected()))
}
