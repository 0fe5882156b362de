//! Messages become readings.
//!
//! Three forms (a flat object, `ts` and `values`, an array of these) are read in one pass, borrowed from the
//! payload: a number at a path that the template knows costs no allocation. See [`Template::decode`].

mod classify;
mod convert;
mod forms;
mod node;
mod shape;
mod time;
mod value;

use jiff::Timestamp;
use readings::Reading;
use serde::de::DeserializeSeed;

use crate::{Defect, DefectReason, Template, template::Names};

/// A message as it came.
#[derive(Debug, Clone, Copy)]
pub struct RawMessage<'a> {
    /// The component of the device that it is about, if it says so: the last part of `telemetry/<component>`.
    pub component: Option<&'a str>,
    /// The bytes.
    pub payload: &'a [u8],
    /// When the server received it.
    pub received_at: Timestamp,
}

impl RawMessage<'_> {
    /// The largest payload, in bytes.
    pub const MAX_BYTES: usize = 256 * 1024;
    /// How deep objects and arrays may be nested, the outermost counted as 1.
    pub const MAX_DEPTH: u8 = 8;
    /// The most messages in one payload.
    pub const MAX_MESSAGES: usize = 1000;
    /// The most values in one message.
    pub const MAX_VALUES: usize = 256;
    /// The most samples in one waveform.
    pub const MAX_SAMPLES: usize = 5000;
    /// The longest text, in bytes; also of what is kept as JSON text. Twins keep the newest of every path in memory.
    pub const MAX_TEXT: usize = 4096;
    /// The highest sample rate, in Hz. The fastest that patients are measured with, the search for pacemaker
    /// pulses in an ECG, stays below.
    pub const MAX_SAMPLE_RATE_HZ: f64 = 100_000.0;
}

impl Template {
    /// Reads a message and appends its readings to `out`.
    ///
    /// - `{"heartRate": 72}`: values by name, measured when received.
    /// - `{"ts": "2026-01-02T03:04:05Z", "values": {"heartRate": 72}}`: measured at `ts`, RFC 3339 or
    ///   milliseconds since 1970. `ts` may also stand beside the values. A template that has a telemetry
    ///   called `ts` or `values` takes the name for itself.
    /// - An array of up to [`RawMessage::MAX_MESSAGES`] of these.
    ///
    /// A value is a number, a text, a flag; `{"value": 38.2, "unit": "Cel"}` with a UCUM unit, converted to the
    /// template's; or a waveform, `{"rate": 125, "samples": [0.1, 0.2]}`, with or without `unit`. The fields of
    /// any other object are readings of their own, `object.field`, or `component/field` if the template has such
    /// a component. An array is kept as JSON text. `null` says that there is no value now: no reading. What the
    /// template does not know becomes a reading that is not `modeled`.
    ///
    /// # Errors
    /// A [`Defect`]; then `out` is as it was: a message is never read by half.
    pub fn decode(&self, message: RawMessage<'_>, out: &mut Vec<Reading>) -> Result<(), Defect> {
        let before = out.len();
        let result = Decoder::new(self, message, out).run(message.payload);
        if result.is_err() {
            out.truncate(before);
        }
        result
    }
}

/// One payload on its way.
struct Decoder<'a> {
    template: &'a Template,
    /// The names of the message's component, or of the device.
    names: &'a Names,
    component: Option<&'a str>,
    received_at: Timestamp,
    out: &'a mut Vec<Reading>,
    /// Where the readings of the current message begin in `out`.
    start: usize,
    /// Why reading was stopped. A visitor can only return the error of the JSON library, so the defect waits here.
    defect: Option<Defect>,
}

impl<'a> Decoder<'a> {
    fn new(template: &'a Template, message: RawMessage<'a>, out: &'a mut Vec<Reading>) -> Self {
        static UNKNOWN: std::sync::LazyLock<Names> = std::sync::LazyLock::new(Names::new);
        let names = match message.component {
            None => &template.root,
            Some(component) => template.components.get(component).unwrap_or_else(|| &UNKNOWN),
        };
        let (component, received_at, start) = (message.component, message.received_at, out.len());
        Self { template, names, component, received_at, out, start, defect: None }
    }

    fn run(mut self, payload: &[u8]) -> Result<(), Defect> {
        if payload.len() > RawMessage::MAX_BYTES {
            let detail = format!("{} bytes; at most {} are read", payload.len(), RawMessage::MAX_BYTES);
            return Err(DefectReason::TooLarge.because(detail));
        }
        // Checked once for the whole payload: cheaper than for each of its many short texts.
        let text = std::str::from_utf8(payload).map_err(|error| {
            DefectReason::NotJson.because(format!("no UTF-8 from byte {}", error.valid_up_to()))
        })?;
        if text.trim_ascii().is_empty() {
            return Err(DefectReason::Empty.because("no payload"));
        }
        let mut json = serde_json::Deserializer::from_str(text);
        let read = forms::Payload(&mut self).deserialize(&mut json).and_then(|()| json.end());
        match (self.defect, read) {
            (Some(defect), _) => Err(defect),
            (None, Err(error)) => Err(classify::syntax(&error, payload)),
            (None, Ok(())) => Ok(()),
        }
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
