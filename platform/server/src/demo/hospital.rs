//! The demo's two hospitals, as data. Every name is made up.

use std::time::Duration;

use care::{Priority, news2::Spo2Scale};
use jiff::civil::{Date, date};
use rules::Comparison;
use simulator::Course;

/// A hospital to be set up.
pub(super) struct Hospital {
    pub(super) slug: &'static str,
    pub(super) name: &'static str,
    /// Departments with their wards, each with eight beds; the last takes all others.
    pub(super) departments: &'static [(&'static str, &'static [&'static str])],
    /// Which of the patients deteriorates, if one does.
    pub(super) deteriorating: Option<usize>,
}

pub(super) const HOSPITALS: [Hospital; 2] = [
    Hospital {
        slug: "st-elsewhere",
        name: "St. Elsewhere Hospital",
        departments: &[("Medicine", &["4 West"]), ("Critical care", &["Intensive Care"])],
        deteriorating: Some(2),
    },
    Hospital {
        slug: "county-general",
        name: "County General Hospital",
        departments: &[("Heart centre", &["Cardiology"])],
        deteriorating: None,
    },
];

/// Beds in a ward before the next ward is used.
const BEDS: usize = 8;

/// A patient of the demo.
pub(super) struct DemoPatient {
    pub(super) name: String,
    pub(super) mrn: String,
    pub(super) birth_date: Date,
    pub(super) ward: &'static str,
    pub(super) bed: String,
    pub(super) spo2_scale: Spo2Scale,
}

const GIVEN: [&str; 16] = [
    "Ada", "Bruno", "Clara", "Dmitri", "Edith", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kenji", "Leila",
    "Marta", "Nils", "Olga", "Pedro",
];
const FAMILY: [&str; 13] = [
    "Abbott",
    "Brandt",
    "Castillo",
    "Dubois",
    "Eriksen",
    "Fontaine",
    "Grimaldi",
    "Hartmann",
    "Ivanova",
    "Jansen",
    "Kowalski",
    "Lindqvist",
    "Moreau",
];

/// The `n`-th patient of a hospital.
pub(super) fn patient(hospital: &Hospital, n: usize) -> DemoPatient {
    let pick = |list: &[&'static str], n: usize| list.get(n % list.len()).copied().unwrap_or_default();
    let wards: Vec<_> = hospital.departments.iter().flat_map(|(_, wards)| wards.iter().copied()).collect();
    let offset = hospital.slug.len();
    let scale_2 = n % 9 == 5;
    DemoPatient {
        name: format!("{} {}", pick(&GIVEN, n + offset), pick(&FAMILY, n * 5 + offset)),
        mrn: format!("{}-{:05}", hospital.slug.get(..2).unwrap_or("xx").to_uppercase(), 10_230 + n * 37),
        birth_date: born(n),
        ward: pick(&wards, n / BEDS),
        bed: format!("{:02}", n + 1),
        spo2_scale: if scale_2 { Spo2Scale::Two } else { Spo2Scale::One },
    }
}

fn born(n: usize) -> Date {
    let of = |base: usize, step: usize, span: usize| base + (n * step) % span;
    let (year, month, day) = (of(1934, 11, 60), of(1, 7, 12), of(1, 5, 28));
    let narrow = |part| i8::try_from(part).unwrap_or(1);
    date(i16::try_from(year).unwrap_or(1950), narrow(month), narrow(day))
}

/// How the `n`-th patient of a hospital fares.
pub(crate) fn course(slug: &str, n: usize) -> Course {
    let deteriorates = HOSPITALS.iter().any(|h| h.slug == slug && h.deteriorating == Some(n));
    if deteriorates { Course::Deteriorating { onset: Duration::from_secs(60) } } else { Course::Stable }
}

/// A rule of the demo: name, path, raise, hold, clear, clear hold, unit, priority.
pub(super) struct DemoRule {
    pub(super) name: &'static str,
    pub(super) path: &'static str,
    pub(super) raise: (Comparison, f64),
    pub(super) hold_s: i64,
    pub(super) clear: (Comparison, f64),
    pub(super) clear_hold_s: i64,
    pub(super) unit: &'static str,
    pub(super) priority: Priority,
}

/// Thresholds as wards commonly set them for adults; a hospital sets its own.
pub(super) const RULES: [DemoRule; 5] = [
    DemoRule {
        name: "Low oxygen saturation",
        path: "spo2",
        raise: (Comparison::Below, 90.0),
        hold_s: 10,
        clear: (Comparison::AtLeast, 92.0),
        clear_hold_s: 0,
        unit: "%",
        priority: Priority::High,
    },
    DemoRule {
        name: "Low systolic blood pressure",
        path: "systolicPressure",
        raise: (Comparison::AtMost, 90.0),
        hold_s: 0,
        clear: (Comparison::AtLeast, 100.0),
        clear_hold_s: 0,
        unit: "mm[Hg]",
        priority: Priority::High,
    },
    DemoRule {
        name: "Fast heart rate",
        path: "heartRate",
        raise: (Comparison::Above, 130.0),
        hold_s: 30,
        clear: (Comparison::Below, 120.0),
        clear_hold_s: 10,
        unit: "/min",
        priority: Priority::Medium,
    },
    DemoRule {
        name: "Fast breathing",
        path: "respiratoryRate",
        raise: (Comparison::AtLeast, 25.0),
        hold_s: 30,
        clear: (Comparison::AtMost, 22.0),
        clear_hold_s: 10,
        unit: "/min",
        priority: Priority::Medium,
    },
    DemoRule {
        name: "Fever",
        path: "temperature",
        raise: (Comparison::AtLeast, 39.1),
        hold_s: 60,
        clear: (Comparison::Below, 38.5),
        clear_hold_s: 60,
        unit: "Cel",
        priority: Priority::Low,
    },
];
