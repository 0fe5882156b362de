//! The newest value of a vital sign.

use async_graphql::{ID, SimpleObject};
use jiff::{SignedDuration, Timestamp};
use readings::Value;
use twins::patient::{self, PatientState};

use super::VitalSign;
use crate::scalars::DateTime;

/// The newest value of a vital sign.
#[derive(SimpleObject)]
pub(crate) struct Vital {
    sign: VitalSign,
    label: &'static str,
    /// Null for supplemental oxygen: LOINC codes its flow, not the yes or no.
    loinc: Option<&'static str>,
    /// Numeric value in unit; null for coded signs.
    value: Option<f64>,
    /// Coded value, e.g. A for alert; yes or no for supplemental oxygen; null for numeric signs.
    code: Option<String>,
    /// UCUM unit, e.g. /min, %, mm[Hg], Cel; empty for coded signs.
    unit: String,
    measured_at: DateTime,
    received_at: DateTime,
    /// Older than the sign's validity; to be shown greyed, never as current.
    stale: bool,
    stale_after_seconds: i64,
    device: ID,
}

/// All that is known of a patient, in the order in which it is shown.
pub(crate) fn vitals(state: &PatientState, now: Timestamp) -> Vec<Vital> {
    state.vitals.iter().map(|(sign, vital)| shown(*sign, vital, now)).collect()
}

fn shown(sign: readings::VitalSign, vital: &patient::Vital, now: Timestamp) -> Vital {
    let code = match &vital.value {
        Value::Number(_) | Value::Waveform(_) => None,
        coded => Some(coded.to_string()),
    };
    Vital {
        sign: sign.into(),
        label: sign.label(),
        loinc: sign.loinc(),
        value: vital.value.as_number(),
        code,
        unit: sign.unit().map(|unit| unit.to_string()).unwrap_or_default(),
        measured_at: vital.measured_at.into(),
        received_at: vital.received_at.into(),
        stale: age(vital, now) > sign.stale_after(),
        stale_after_seconds: sign.stale_after().as_secs(),
        device: ID(vital.device.to_string()),
    }
}

/// Counted from the earlier of its two times: a device whose clock runs ahead must not make an old value
/// look fresh.
fn age(vital: &patient::Vital, now: Timestamp) -> SignedDuration {
    now.duration_since(vital.measured_at.min(vital.received_at))
}

#[cfg(test)]
mod tests {
    use tenants::DeviceId;

    use super::*;

    const NOW: &str = "2026-01-02T03:04:05Z";

    fn vital(value: Value, measured: i64, received: i64) -> patient::Vital {
        let ago = |seconds| now() - SignedDuration::from_secs(seconds);
        let device = DeviceId::parse("monitor-1").unwrap();
        patient::Vital { value, measured_at: ago(measured), received_at: ago(received), device }
    }

    fn now() -> Timestamp {
        NOW.parse().unwrap()
    }

    #[test]
    fn a_value_is_stale_once_its_sign_says_so() {
        let sign = readings::VitalSign::HeartRate;
        let limit = sign.stale_after().as_secs();
        let stale =
            |measured, received| shown(sign, &vital(Value::Number(72.0), measured, received), now()).stale;
        assert!(!stale(limit, limit));
        assert!(stale(limit + 1, limit));
        assert!(stale(-86_400, limit + 1), "a clock that runs ahead hides nothing");
        assert!(!stale(-5, 0));
    }

    #[test]
    fn numbers_and_codes_have_their_own_fields() {
        use readings::VitalSign::{Consciousness, SupplementalOxygen, Temperature};
        let rows = [
            (Temperature, Value::Number(38.2), Some(38.2), None, "Cel"),
            (Consciousness, Value::Text("A".into()), None, Some("A"), ""),
            (SupplementalOxygen, Value::Flag(true), None, Some("yes"), ""),
        ];
        for (sign, value, number, code, unit) in rows {
            let shown = shown(sign, &vital(value, 1, 1), now());
            assert_eq!((shown.value, shown.code.as_deref(), shown.unit.as_str()), (number, code, unit));
            assert_eq!(shown.loinc.is_none(), sign == SupplementalOxygen, "a flag is no flow in L/min");
        }
    }
}
