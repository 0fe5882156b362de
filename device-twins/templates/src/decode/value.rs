//! One named value becomes one reading, or several.

use readings::{Path, Reading, Unit, Value};

use super::{
    Decoder, RawMessage, convert,
    node::{Fields, Node},
    shape::{Shape, shape},
};
use crate::{Defect, DefectReason, Schema, Telemetry};

impl<'a> Decoder<'a> {
    /// Takes a value by its name in the message.
    #[inline]
    pub(super) fn take(&mut self, name: &str, node: &Node<'_>) -> Result<(), Defect> {
        let Some(telemetry) = self.known(name) else { return self.take_unknown(name, node) };
        // Nearly every value there is. The number stays a bare f64 up to the push: moving enums costs more
        // than all else here.
        if let (Node::Number(number), Schema::Number) = (node, &telemetry.schema) {
            let number = telemetry.sent.apply(*number);
            if !convert::is_possible(telemetry, number) {
                return Err(convert::impossible(telemetry, number));
            }
            return self.push(
                telemetry.path.clone(),
                Value::Number(number),
                telemetry.unit.clone(),
                Some(telemetry),
            );
        }
        match convert::modeled(telemetry, node)? {
            Some(value) => self.push(telemetry.path.clone(), value, telemetry.unit.clone(), Some(telemetry)),
            None => Ok(()),
        }
    }

    #[inline]
    fn known(&self, name: &str) -> Option<&'a Telemetry> {
        self.names.get(name).and_then(|at| self.template.telemetry.get(*at))
    }

    #[inline]
    fn push(
        &mut self,
        path: Path,
        value: Value,
        unit: Option<Unit>,
        telemetry: Option<&Telemetry>,
    ) -> Result<(), Defect> {
        if self.out.len() - self.start >= RawMessage::MAX_VALUES {
            let detail = format!("more than {} values in one message", RawMessage::MAX_VALUES);
            return Err(DefectReason::TooManyValues.because(detail));
        }
        self.out.push(Reading {
            path,
            value,
            unit,
            sign: telemetry.and_then(Telemetry::sign),
            modeled: telemetry.is_some(),
            // A `ts` may still come; the end of the message sets it.
            measured_at: self.received_at,
            received_at: self.received_at,
        });
        Ok(())
    }

    /// A name that is no telemetry of the template: an object or a component of which it may know the parts,
    /// or something unmodeled.
    fn take_unknown(&mut self, name: &str, node: &Node<'_>) -> Result<(), Defect> {
        let Some(found) = shape(node) else {
            return match node {
                Node::Object(fields) => self.take_fields(name, fields),
                _ => Ok(()),
            };
        };
        let path = self.path(name)?;
        let (value, code) = match found {
            Shape::Plain(node) => (convert::unmodeled(&path, node)?, None),
            Shape::Quantity { value, unit } => (convert::unmodeled(&path, value)?, unit),
            Shape::Waveform { rate, samples, unit } => {
                (convert::waveform(&path, rate, samples, |sample| sample)?, unit)
            }
        };
        let unit = code.map(|code| convert::unit(&path, code)).transpose()?;
        self.push(path, value, unit, None)
    }

    fn take_fields(&mut self, name: &str, fields: &Fields<'_>) -> Result<(), Defect> {
        // Before a name is put together: a long one must not be copied for each of many fields.
        self.path(name)?;
        let is_component = self.component.is_none() && self.template.components.contains_key(name);
        let separator = if is_component { '/' } else { '.' };
        fields.iter().try_for_each(|(field, node)| self.take(&format!("{name}{separator}{field}"), node))
    }

    fn path(&self, name: &str) -> Result<Path, Defect> {
        let path = match self.component {
            Some(component) if name.len() <= Path::MAX_LENGTH => Path::parse(&format!("{component}/{name}")),
            _ => Path::parse(name),
        };
        path.map_err(|error| DefectReason::BadPath.because(error.to_string()))
    }
}
