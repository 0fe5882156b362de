//! The columns that a policy may name: what it may test of a row, what it may hide.

use std::fmt;

use super::Object;

/// What kind of value a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// Text.
    Text,
    /// A whole number.
    Number,
    /// Yes or no.
    Flag,
    /// The key of a patient.
    Patient,
    /// A place in the tree of units.
    Unit,
    /// Users.
    Users,
}

impl ColumnType {
    /// For messages to people.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Number => "a number",
            Self::Flag => "yes or no",
            Self::Patient => "a patient's id",
            Self::Unit => "a unit",
            Self::Users => "a list of users",
        }
    }
}

macro_rules! columns {
    ($($(#[$doc:meta])* $variant:ident $name:literal $kind:ident),+ $(,)?) => {
        /// A column that a policy may test or mask.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Column { $($(#[$doc])* $variant),+ }

        impl Column {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// As written in policies.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
            /// What it holds.
            pub const fn kind(self) -> ColumnType {
                match self { $(Self::$variant => ColumnType::$kind),+ }
            }
        }
    };
}

columns!(
    /// The device's id.
    DeviceId "device.id" Text,
    /// What kind of device, from its template, e.g. `PatientMonitor`.
    DeviceKind "device.kind" Text,
    /// The id of its template.
    DeviceTemplate "device.template" Text,
    /// Where the device belongs.
    DeviceUnit "device.unit" Unit,
    /// The patient, or the patient whom the device or alarm is about.
    PatientId "patient.id" Patient,
    /// Where the patient lies.
    PatientUnit "patient.unit" Unit,
    /// The name of that unit.
    PatientWard "patient.ward" Text,
    /// Year of birth.
    PatientBirthYear "patient.birth_year" Number,
    /// Date of birth; who may not see it sees the year.
    PatientBirthDate "patient.birth_date" Text,
    /// The patient's name.
    PatientName "patient.name" Text,
    /// Medical record number.
    PatientMrn "patient.mrn" Text,
    /// Whether the record is kept to the care team.
    PatientRestricted "patient.restricted" Flag,
    /// Who treats the patient.
    PatientCareTeam "patient.care_team" Users,
    /// Where the device was when the alarm was raised.
    AlarmUnit "alarm.unit" Unit,
    /// `high`, `medium` or `low`.
    AlarmPriority "alarm.priority" Text,
);

impl Column {
    /// Reads a column's name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|column| column.as_str() == text)
    }

    /// The columns that a policy on an object may test.
    pub const fn testable(object: Object) -> &'static [Self] {
        use Column as C;
        match object {
            Object::Device => &[
                C::DeviceId,
                C::DeviceKind,
                C::DeviceTemplate,
                C::DeviceUnit,
                C::PatientId,
                C::PatientRestricted,
                C::PatientCareTeam,
            ],
            Object::Patient => &[
                C::PatientId,
                C::PatientUnit,
                C::PatientWard,
                C::PatientBirthYear,
                C::PatientRestricted,
                C::PatientCareTeam,
            ],
            Object::Alarm => &[
                C::AlarmUnit,
                C::AlarmPriority,
                C::DeviceId,
                C::PatientId,
                C::PatientRestricted,
                C::PatientCareTeam,
            ],
            _ => &[],
        }
    }

    /// The columns that a policy on an object may hide.
    pub const fn maskable(object: Object) -> &'static [Self] {
        match object {
            Object::Patient => {
                &[Self::PatientName, Self::PatientMrn, Self::PatientBirthDate, Self::PatientWard]
            }
            _ => &[],
        }
    }

    /// The column that says where a row of the object belongs, for roles that are held in one unit only.
    pub const fn place(object: Object) -> Option<Self> {
        match object {
            Object::Device => Some(Self::DeviceUnit),
            Object::Patient => Some(Self::PatientUnit),
            Object::Alarm => Some(Self::AlarmUnit),
            _ => None,
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
