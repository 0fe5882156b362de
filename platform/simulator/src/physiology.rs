//! The body of one patient, as a function of time.
//!
//! Resting ranges are those of an adult on a general ward; the ranges that score 0 in the early-warning score (Royal
//! College of Physicians, NEWS2, 2017) guide them. Heart rate carries a respiratory sinus arrhythmia: it rises with
//! each breath in and falls with each breath out (Task Force of the ESC and NASPE, Heart rate variability, 1996).
use std::f64::consts::TAU;

use crate::course::Course;
use crate::variation::{Drift, Seeded, noise};

/// What the monitor and the nurse would see at one moment, in the units of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vitals {
    /// Per minute; instantaneous, with respiratory sinus arrhythmia.
    pub heart_rate: f64,
    /// Per cent.
    pub spo2: f64,
    /// Per minute.
    pub respiratory_rate: f64,
    /// mm[Hg].
    pub systolic_pressure: f64,
    /// mm[Hg].
    pub diastolic_pressure: f64,
    /// Degrees Celsius.
    pub temperature: f64,
    /// Whether the patient is given oxygen.
    pub supplemental_oxygen: bool,
    /// On the ACVPU scale.
    pub consciousness: Consciousness,
}

/// Level of consciousness on the ACVPU scale of NEWS2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consciousness {
    /// Alert.
    Alert,
    /// New confusion.
    Confusion,
    /// Responds to voice.
    Voice,
    /// Responds to pain.
    Pain,
    /// Unresponsive.
    Unresponsive,
}

impl Consciousness {
    /// The letter of the scale.
    pub fn letter(self) -> &'static str {
        match self {
            Consciousness::Alert => "A",
            Consciousness::Confusion => "C",
            Consciousness::Voice => "V",
            Consciousness::Pain => "P",
            Consciousness::Unresponsive => "U",
        }
    }
}

/// One patient: everything that `sample` says follows from the seed, the course and the time.
pub struct Physiology {
    seed: u64,
    course: Course,
    heart_rate: Sign,
    spo2: Sign,
    respiratory_rate: Sign,
    systolic: Sign,
    diastolic: Sign,
    temperature: Sign,
    /// Per minute; smaller in the old than in the young.
    sinus_arrhythmia: f64,
}

/// A sign at rest: the patient's own normal value and its wandering.
struct Sign {
    normal: f64,
    drift: Drift,
}

impl Sign {
    fn new(
        seeded: &mut Seeded,
        (low, high): (f64, f64),
        drift: f64,
        (fastest_s, slowest_s): (f64, f64),
    ) -> Sign {
        let normal = seeded.between(low, high);
        Sign { normal, drift: Drift::new(seeded, drift, fastest_s, slowest_s) }
    }

    fn at(&self, seconds: f64) -> f64 {
        self.normal + self.drift.at(seconds)
    }
}

/// Where hypoxia takes the saturation at its worst, per cent.
const WORST_SPO2: f64 = 84.0;
/// What strain adds to a sign at its worst.
const HEART_RATE_RISE: f64 = 38.0;
const RESPIRATORY_RATE_RISE: f64 = 13.0;
const SYSTOLIC_FALL: f64 = 28.0;
const DIASTOLIC_FALL: f64 = 15.0;
/// Strain beyond which a patient is newly confused.
const CONFUSED_FROM: f64 = 0.85;

impl Physiology {
    /// A patient. Neighbouring seeds give unrelated patients.
    pub fn new(seed: u64, course: Course) -> Physiology {
        let mut seeded = Seeded::new(seed);
        let minutes_to_hours = (45.0, 4.0 * 3_600.0);
        let systolic = Sign::new(&mut seeded, (110.0, 136.0), 7.0, (120.0, 6.0 * 3_600.0));
        // Pulse pressure of 40 to 52 mm[Hg].
        let diastolic_normal = systolic.normal - seeded.between(40.0, 52.0);
        Physiology {
            seed,
            course,
            heart_rate: Sign::new(&mut seeded, (62.0, 84.0), 6.0, minutes_to_hours),
            spo2: Sign::new(&mut seeded, (95.6, 97.9), 0.7, (90.0, 3.0 * 3_600.0)),
            respiratory_rate: Sign::new(&mut seeded, (13.5, 17.5), 1.8, minutes_to_hours),
            diastolic: Sign {
                normal: diastolic_normal,
                drift: Drift::new(&mut seeded, 4.0, 120.0, 6.0 * 3_600.0),
            },
            systolic,
            temperature: Sign::new(&mut seeded, (36.4, 37.2), 0.3, (1_800.0, 86_400.0)),
            sinus_arrhythmia: seeded.between(1.2, 3.5),
        }
    }

    /// The signs at a moment, `at` in seconds since the start (not negative).
    pub fn sample(&self, at: f64) -> Vitals {
        let hypoxia = self.course.hypoxia(at);
        let strain = self.course.strain(at);
        // A cuff, and a probe in the ear, never give the same figure twice.
        let tick = at.max(0.0) as u64;
        let reading_noise = |channel: u64, size: f64| size * noise(self.seed, channel, tick);
        let spo2 = self.spo2.at(at) * (1.0 - hypoxia) + WORST_SPO2 * hypoxia + reading_noise(1, 0.2);
        Vitals {
            heart_rate: self.heart_rate(at),
            spo2: spo2.min(100.0),
            respiratory_rate: self.respiratory_rate(at),
            systolic_pressure: self.systolic.at(at) - SYSTOLIC_FALL * strain + reading_noise(2, 2.0),
            diastolic_pressure: self.diastolic.at(at) - DIASTOLIC_FALL * strain + reading_noise(3, 2.0),
            temperature: self.temperature.at(at) + 0.2 * strain + reading_noise(4, 0.04),
            supplemental_oxygen: self.course.oxygen_given(at),
            consciousness: if strain > CONFUSED_FROM {
                Consciousness::Confusion
            } else {
                Consciousness::Alert
            },
        }
    }

    /// Beats per minute at a moment, with respiratory sinus arrhythmia; the electrocardiogram follows exactly this.
    pub fn heart_rate(&self, at: f64) -> f64 {
        let strain = self.course.strain(at);
        // Vagal tone, and with it the arrhythmia, goes as the sympathetic answer comes.
        let arrhythmia = self.sinus_arrhythmia * (1.0 - 0.7 * strain) * (TAU * self.breaths(at)).sin();
        self.heart_rate.at(at) + HEART_RATE_RISE * strain + arrhythmia
    }

    fn respiratory_rate(&self, at: f64) -> f64 {
        self.respiratory_rate.at(at) + RESPIRATORY_RATE_RISE * self.course.strain(at)
    }

    /// Breaths taken since the start: the integral of the respiratory rate, whose fraction is the phase of the breath.
    pub(crate) fn breaths(&self, at: f64) -> f64 {
        let rest = self.respiratory_rate.normal * at + self.respiratory_rate.drift.integral(at);
        (rest + RESPIRATORY_RATE_RISE * self.course.strain_integral(at)) / 60.0
    }

    /// For the noise of the electrodes.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }
}
