//! The readings that are sent: 256 bytes of JSON in the native format, every value known to the monitor's template.
use tests::mqtt::{PublishFrame, Version, publish};

pub(crate) const BYTES: usize = 256;
pub(crate) const TOPIC: &str = "telemetry";
/// Where the thirteen digits of the time begin: behind `{"ts":`.
const TIME_AT: usize = 6;
const TIME_DIGITS: usize = 13;

/// Oxygen saturation of a reading that crosses the threshold, and of one that does not.
pub(crate) const LOW_SPO2: f64 = 80.0;
const NORMAL_SPO2: f64 = 96.0;

/// A PUBLISH, encoded once; identifier and time are written into it before each sending.
pub(crate) struct Reading(PublishFrame);

impl Reading {
    pub(crate) fn normal(variant: usize) -> Reading {
        Reading::new(variant, NORMAL_SPO2 + (variant % 30) as f64 / 10.0)
    }

    pub(crate) fn low() -> Reading {
        Reading::new(0, LOW_SPO2)
    }

    fn new(variant: usize, spo2: f64) -> Reading {
        Reading(publish(TOPIC, payload(variant, spo2).as_bytes(), 1, Version::V311))
    }

    /// Appends the frame with its identifier and time (milliseconds since 1970).
    pub(crate) fn write(&self, out: &mut Vec<u8>, id: u16, mut time_ms: u64) {
        let start = out.len();
        out.extend_from_slice(&self.0.bytes);
        let frame = &mut out[start..];
        frame[self.0.id_at..self.0.id_at + 2].copy_from_slice(&id.to_be_bytes());
        let digits = &mut frame[self.0.payload_at + TIME_AT..][..TIME_DIGITS];
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (time_ms % 10) as u8;
            time_ms /= 10;
        }
    }
}

fn payload(variant: usize, spo2: f64) -> String {
    let wobble = variant as f64 / 7.0;
    let text = format!(
        "{{\"ts\":1000000000000,\"values\":{{\"heartRate\":{:.8},\"spo2\":{spo2:.8},\"respiratoryRate\":{:.8},\
         \"systolicPressure\":{:.8},\"diastolicPressure\":{:.8},\"temperature\":{:.8},\
         \"supplementalOxygen\":false,\"consciousness\":\"A\"}}}}",
        70.0 + wobble,
        14.0 + wobble / 10.0,
        118.0 + wobble,
        74.0 + wobble,
        36.6 + wobble / 100.0,
    );
    assert!(text.len() <= BYTES, "{} bytes: {text}", text.len());
    // White space between tokens makes up the rest.
    format!("{}{}}}", &text[..text.len() - 1], " ".repeat(BYTES - text.len()))
}
