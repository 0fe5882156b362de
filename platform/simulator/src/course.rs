//! What happens to a patient: nothing, or respiratory failure that is noticed, treated and overcome, again and again.
use std::time::Duration;

/// The course of a patient's illness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Course {
    /// Wanders around the patient's own normal values.
    #[default]
    Stable,
    /// Acute hypoxaemia from `onset` on. Oxygen saturation is below 90 % for certain 35 s after the onset (and not
    /// before 15 s), heart and breath follow over two minutes, oxygen is given two minutes in, all is well again five
    /// and a half minutes in, and after a long calm it repeats.
    Deteriorating {
        /// Time from the start of the simulation to the first episode.
        onset: Duration,
    },
}

/// From one onset to the next.
const EPISODE_EVERY_S: f64 = 1_500.0;
/// Saturation falls within 45 s, and rises once oxygen is given.
const HYPOXIA: Pulse = Pulse { rise: (0.0, 45.0), fall: (130.0, 230.0) };
/// The body's answer (heart, breath, pressure) builds up and settles more slowly than the saturation.
const STRAIN: Pulse = Pulse { rise: (0.0, 120.0), fall: (150.0, 330.0) };
/// Oxygen is left on for a while after recovery.
const OXYGEN_S: (f64, f64) = (120.0, 480.0);

impl Course {
    /// 0 = none, 1 = at its worst.
    pub(crate) fn hypoxia(self, at: f64) -> f64 {
        self.since_onset(at).map_or(0.0, |since| HYPOXIA.at(since % EPISODE_EVERY_S))
    }

    /// 0 = none, 1 = at its worst.
    pub(crate) fn strain(self, at: f64) -> f64 {
        self.since_onset(at).map_or(0.0, |since| STRAIN.at(since % EPISODE_EVERY_S))
    }

    /// From the start to `at`.
    pub(crate) fn strain_integral(self, at: f64) -> f64 {
        self.since_onset(at).map_or(0.0, |since| {
            (since / EPISODE_EVERY_S).floor() * STRAIN.integral(EPISODE_EVERY_S)
                + STRAIN.integral(since % EPISODE_EVERY_S)
        })
    }

    pub(crate) fn oxygen_given(self, at: f64) -> bool {
        self.since_onset(at).is_some_and(|since| {
            let since = since % EPISODE_EVERY_S;
            OXYGEN_S.0 <= since && since < OXYGEN_S.1
        })
    }

    fn since_onset(self, at: f64) -> Option<f64> {
        match self {
            Course::Stable => None,
            Course::Deteriorating { onset } => Some(at - onset.as_secs_f64()).filter(|since| *since > 0.0),
        }
    }
}

/// Rises smoothly from 0 to 1, stays, and falls back to 0.
struct Pulse {
    rise: (f64, f64),
    fall: (f64, f64),
}

impl Pulse {
    fn at(&self, since: f64) -> f64 {
        smoothstep(progress(self.rise, since)) - smoothstep(progress(self.fall, since))
    }

    fn integral(&self, since: f64) -> f64 {
        ramp_integral(self.rise, since) - ramp_integral(self.fall, since)
    }
}

fn progress((from, to): (f64, f64), since: f64) -> f64 {
    ((since - from) / (to - from)).clamp(0.0, 1.0)
}

fn smoothstep(x: f64) -> f64 {
    x * x * (3.0 - 2.0 * x)
}

fn ramp_integral(ramp: (f64, f64), since: f64) -> f64 {
    let x = progress(ramp, since);
    (ramp.1 - ramp.0) * x * x * x * (1.0 - x / 2.0) + (since - ramp.1).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COURSE: Course = Course::Deteriorating { onset: Duration::from_secs(60) };

    #[test]
    fn an_episode_comes_goes_and_comes_again() {
        // (seconds since the start, hypoxia, strain, oxygen)
        for (at, hypoxia, strain, oxygen) in [
            (0.0, 0.0, 0.0, false),
            (60.0, 0.0, 0.0, false),
            (120.0, 1.0, 0.5, false),
            (180.0, 1.0, 1.0, true),
            (400.0, 0.0, 0.0, true),
            (600.0, 0.0, 0.0, false),
            (1_560.0, 0.0, 0.0, false),
            (1_620.0, 1.0, 0.5, false),
        ] {
            assert!((COURSE.hypoxia(at) - hypoxia).abs() < 1e-9, "hypoxia at {at}: {}", COURSE.hypoxia(at));
            assert!((COURSE.strain(at) - strain).abs() < 1e-9, "strain at {at}: {}", COURSE.strain(at));
            assert_eq!(COURSE.oxygen_given(at), oxygen, "oxygen at {at}");
            assert_eq!(Course::Stable.hypoxia(at), 0.0);
        }
    }

    #[test]
    fn the_integral_is_that_of_the_strain() {
        let mut sum = 0.0;
        for step in 0..400_000 {
            let middle = (f64::from(step) + 0.5) * 0.01;
            sum += COURSE.strain(middle) * 0.01;
            if step % 20_000 == 19_999 {
                let exact = COURSE.strain_integral(middle + 0.005);
                assert!((sum - exact).abs() < 0.02, "after {middle} s: {sum} and {exact}");
            }
        }
    }
}
