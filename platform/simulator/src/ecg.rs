//! The electrocardiogram: one Gaussian for each of the waves P, Q, R, S and T around the cycle of a beat.
//!
//! After P. E. McSharry, G. D. Clifford, L. Tarassenko, L. A. Smith: A dynamical model for generating synthetic
//! electrocardiogram signals, IEEE Transactions on Biomedical Engineering 50(3), 2003. Angles and widths are those of
//! its table I, and stretch with the heart rate as in the authors' ECGSYN; heights are given in mV directly, which is
//! the model's limit cycle in closed form.
use std::f64::consts::{PI, TAU};

use crate::physiology::Physiology;
use crate::variation::noise;

/// Samples per second of the simulated lead.
pub const SAMPLE_RATE_HZ: u32 = 125;

struct Wave {
    /// Radians from the R peak.
    angle: f64,
    height_mv: f64,
    /// Radians.
    width: f64,
    /// How the angle stretches with the heart rate: as its power.
    stretch: f64,
}

const WAVES: [Wave; 5] = [
    Wave { angle: -PI / 3.0, height_mv: 0.12, width: 0.25, stretch: 0.5 },
    Wave { angle: -PI / 12.0, height_mv: -0.12, width: 0.1, stretch: 1.0 },
    Wave { angle: 0.0, height_mv: 1.1, width: 0.1, stretch: 0.0 },
    Wave { angle: PI / 12.0, height_mv: -0.22, width: 0.1, stretch: 1.0 },
    Wave { angle: PI / 2.0, height_mv: 0.28, width: 0.4, stretch: 0.5 },
];
/// The base line moves with the breath.
const BASELINE_MV: f64 = 0.05;
const NOISE_MV: f64 = 0.008;

/// The running electrocardiogram of one patient. It keeps the phase of the beat between chunks, so that chunks laid end
/// to end are one uninterrupted lead.
pub struct Ecg {
    /// Radians since the last R peak's opposite, in -pi..pi: 0 is the R peak.
    phase: f64,
    /// Of the next sample, counted from the start.
    next_sample: u64,
}

impl Default for Ecg {
    fn default() -> Ecg {
        Ecg::new()
    }
}

impl Ecg {
    /// Starts between two beats.
    pub fn new() -> Ecg {
        Ecg { phase: -PI, next_sample: 0 }
    }

    /// The second that begins at `second` since the start, in mV, rounded to a microvolt. Seconds are meant to be asked
    /// for one after the other; where some were left out, the beat simply goes on.
    pub fn second(&mut self, physiology: &Physiology, second: u64) -> Vec<f32> {
        self.next_sample = second * u64::from(SAMPLE_RATE_HZ);
        (0..SAMPLE_RATE_HZ).map(|_| self.sample(physiology)).collect()
    }

    fn sample(&mut self, physiology: &Physiology) -> f32 {
        let at = self.next_sample as f64 / f64::from(SAMPLE_RATE_HZ);
        let heart_rate = physiology.heart_rate(at);
        let squeeze = (heart_rate / 60.0).sqrt();
        let beat: f64 = WAVES.iter().map(|wave| wave.at(self.phase, squeeze)).sum();
        let baseline = BASELINE_MV * (TAU * physiology.breaths(at)).sin();
        let millivolts = beat + baseline + NOISE_MV * noise(physiology.seed(), 9, self.next_sample);
        self.phase += TAU * heart_rate / 60.0 / f64::from(SAMPLE_RATE_HZ);
        if self.phase >= PI {
            self.phase -= TAU;
        }
        self.next_sample += 1;
        ((millivolts * 1_000.0).round() / 1_000.0) as f32
    }
}

impl Wave {
    fn at(&self, phase: f64, squeeze: f64) -> f64 {
        let mut distance = phase - self.angle * squeeze.powf(self.stretch);
        // The shorter way round the circle.
        if distance > PI {
            distance -= TAU;
        } else if distance < -PI {
            distance += TAU;
        }
        let width = self.width * squeeze;
        self.height_mv * (-distance * distance / (2.0 * width * width)).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Course;
    use std::time::Duration;

    /// Rising crossings of half the height of an R peak.
    fn r_peaks(lead: &[f32]) -> usize {
        lead.windows(2).filter(|pair| pair[0] < 0.55 && pair[1] >= 0.55).count()
    }

    #[test]
    fn r_peaks_per_minute_equal_the_heart_rate() {
        for seed in 0..20 {
            let patient = Physiology::new(seed, Course::Deteriorating { onset: Duration::from_secs(60) });
            let mut ecg = Ecg::new();
            for minute in 0..6u64 {
                let lead: Vec<f32> =
                    (0..60).flat_map(|second| ecg.second(&patient, minute * 60 + second)).collect();
                let mean: f64 = (0..600)
                    .map(|tenth| patient.heart_rate(minute as f64 * 60.0 + f64::from(tenth) / 10.0))
                    .sum::<f64>()
                    / 600.0;
                let beats = r_peaks(&lead) as f64;
                assert!(
                    (beats - mean).abs() <= 1.0,
                    "seed {seed} minute {minute}: {beats} beats at {mean}/min"
                );
            }
        }
    }

    #[test]
    fn chunks_join_without_a_step() {
        let patient = Physiology::new(5, Course::Stable);
        let mut ecg = Ecg::new();
        let lead: Vec<f32> = (0..120).flat_map(|second| ecg.second(&patient, second)).collect();
        // The steepest slope of the lead is that of the R wave; a seam must not exceed it.
        let step = |pair: &[f32]| (pair[1] - pair[0]).abs();
        let steepest = lead.windows(2).map(step).fold(0.0, f32::max);
        assert!(steepest < 0.6, "steepest {steepest} mV a sample");
        let per_second = SAMPLE_RATE_HZ as usize;
        let quiet_seams = (1..120).filter(|second| step(&lead[second * per_second - 1..]) < 0.1).count();
        assert!(quiet_seams > 80, "only {quiet_seams} of 119 seams lie in a quiet part of the beat");
    }

    #[test]
    fn a_beat_has_the_form_of_one() {
        let patient = Physiology::new(11, Course::Stable);
        let mut ecg = Ecg::new();
        let lead: Vec<f32> = (0..30).flat_map(|second| ecg.second(&patient, second)).collect();
        let highest = lead.iter().copied().fold(f32::MIN, f32::max);
        let lowest = lead.iter().copied().fold(f32::MAX, f32::min);
        assert!((0.95..1.3).contains(&highest), "R {highest} mV");
        assert!((-0.4..-0.05).contains(&lowest), "S {lowest} mV");
        assert!(lead.iter().all(|sample| (sample * 1_000.0 - (sample * 1_000.0).round()).abs() < 1e-3));
    }
}
