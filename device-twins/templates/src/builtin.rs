//! The platform's own models. Their context `dtmi:iomt:context;1` adds two annotations to DTDL: `ucum`, the
//! code of a unit that DTDL does not name, and `vitalSign`, the key of a [`readings::VitalSign`].

use std::sync::LazyLock;

use crate::Template;

/// All of them.
pub const ALL: [fn() -> &'static Template; 2] = [patient_monitor, vitals_sensor];

/// `dtmi:iomt:PatientMonitor;1`: a bedside monitor with all vital signs and an ECG.
pub fn patient_monitor() -> &'static Template {
    static TEMPLATE: LazyLock<Template> =
        LazyLock::new(|| parse(include_str!("../builtin/patient-monitor.json")));
    &TEMPLATE
}

/// `dtmi:iomt:VitalsSensor;1`: a wearable with pulse and temperature.
pub fn vitals_sensor() -> &'static Template {
    static TEMPLATE: LazyLock<Template> =
        LazyLock::new(|| parse(include_str!("../builtin/vitals-sensor.json")));
    &TEMPLATE
}

/// The built-in template with this DTMI.
pub fn find(id: &str) -> Option<&'static Template> {
    ALL.into_iter().map(|template| template()).find(|template| template.id() == id)
}

#[allow(clippy::expect_used, reason = "the files are compiled in, and the tests below parse each")]
fn parse(dtdl: &str) -> Template {
    Template::parse(dtdl).expect("a built-in template is valid")
}

#[cfg(test)]
mod tests {
    use super::*;
    use readings::VitalSign;

    #[test]
    fn the_monitor_has_every_vital_sign_in_its_own_unit() {
        let template = patient_monitor();
        for sign in VitalSign::ALL {
            let telemetry = template.telemetry().find(|telemetry| telemetry.sign() == Some(sign)).unwrap();
            assert_eq!(telemetry.unit(), sign.unit().as_ref(), "{sign}");
        }
        let names: Vec<_> = template.telemetry().map(|telemetry| telemetry.path().as_str()).collect();
        let expected = [
            "heartRate",
            "spo2",
            "respiratoryRate",
            "systolicPressure",
            "diastolicPressure",
            "temperature",
            "supplementalOxygen",
            "consciousness",
            "ecg",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn every_template_is_found_by_its_id_and_complete() {
        for template in ALL.map(|template| template()) {
            assert!(std::ptr::eq(find(template.id()).unwrap(), template));
            assert_eq!(template.unresolved().count(), 0);
        }
        assert_eq!(
            ALL.map(|template| template().id()),
            ["dtmi:iomt:PatientMonitor;1", "dtmi:iomt:VitalsSensor;1"]
        );
        assert!(find("dtmi:iomt:Unknown;1").is_none());
    }
}
