//! Words of the domain, as the schema writes them.

use async_graphql::Enum;

/// How an audited attempt ended.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "tenants::audit::Outcome")]
pub(crate) enum AuditOutcome {
    /// It was done.
    Success,
    /// It was refused.
    Denied,
}

/// What somebody had to do with a patient's data.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PatientAccessKind {
    /// Saw who the patient is and where they lie.
    Identity,
    /// Saw their vital signs as they were at the time.
    Vitals,
    /// Saw their vital signs of an earlier time.
    Trend,
    /// Saw a curve, such as the ECG.
    Waveform,
    /// Saw their alarms.
    Alarm,
    /// Saw the devices that measure them, with the newest readings.
    Device,
    /// Saw what a device sent while it measured them, as it was sent.
    Message,
    /// Looked up who saw their data.
    AccessReport,
    /// Opened their record in an emergency, or closed it again; the reason says why.
    Emergency,
    /// Somebody looked at whether that was right.
    EmergencyReview,
    /// Changed where they lie, who treats them, or whom the record is for.
    Change,
    /// Something else; the action says what.
    Other,
}

impl PatientAccessKind {
    pub(crate) fn of(action: &str) -> Self {
        match action {
            "patient.read" => Self::Identity,
            "vitals.read" => Self::Vitals,
            "trend.read" => Self::Trend,
            "waveform.read" => Self::Waveform,
            "alarm.read" => Self::Alarm,
            "device.read" => Self::Device,
            "message.read" => Self::Message,
            "audit.read" => Self::AccessReport,
            "record.open" | "record.close" => Self::Emergency,
            "record.review" => Self::EmergencyReview,
            "patient.create" | "patient.place" | "patient.care_team" => Self::Change,
            _ => Self::Other,
        }
    }
}

/// How it stands with what an operator asked a hospital for.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "tenants::elevation::Standing")]
pub(crate) enum ElevationStanding {
    /// Nobody has answered yet.
    Waiting,
    /// Nobody has answered within 24 hours.
    Lapsed,
    /// The operator does not ask any more.
    Withdrawn,
    /// The hospital said no.
    Refused,
    /// The operator may act.
    InForce,
    /// The operator could act.
    Over,
}

/// What a unit is, for people; it changes nothing about rights.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "tenants::org::UnitKind")]
pub(crate) enum UnitKind {
    /// The hospital as a whole, or one of several under one roof.
    Hospital,
    /// E.g. cardiology.
    Department,
    /// Where patients lie.
    Ward,
}

/// Alarm priority after IEC 60601-1-8.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "care::Priority")]
pub(crate) enum AlarmPriority {
    /// Immediate response is required.
    High,
    /// Prompt response is required.
    Medium,
    /// Awareness is required.
    Low,
}

/// Where an alarm stands.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "care::AlarmState")]
pub(crate) enum AlarmState {
    /// The condition holds and nobody has taken note.
    Raised,
    /// The condition holds and someone has taken note.
    Acknowledged,
    /// The condition is over.
    Cleared,
}

/// What a ward looks at first.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "readings::VitalSign")]
pub(crate) enum VitalSign {
    /// In /min.
    HeartRate,
    /// By pulse oximetry (SpO2), in %.
    OxygenSaturation,
    /// In /min.
    RespiratoryRate,
    /// In mm[Hg].
    SystolicPressure,
    /// In mm[Hg].
    DiastolicPressure,
    /// In Cel.
    Temperature,
    /// Coded: yes or no.
    SupplementalOxygen,
    /// Coded by one letter of ACVPU.
    Consciousness,
}

/// Clinical risk after NEWS2 (Royal College of Physicians 2017).
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "care::news2::Risk")]
pub(crate) enum ClinicalRisk {
    /// 0 to 4.
    Low,
    /// 0 to 4, with 3 in one parameter.
    LowMedium,
    /// 5 or 6.
    Medium,
    /// 7 or more.
    High,
}

/// How a reading is compared with a number.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "rules::Comparison")]
pub(crate) enum Comparison {
    /// Greater.
    Above,
    /// Greater or equal.
    AtLeast,
    /// Less.
    Below,
    /// Less or equal.
    AtMost,
}
