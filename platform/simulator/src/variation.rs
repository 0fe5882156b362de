//! Seeded variation: the differences between patients, and the slow wandering of every sign.
use std::f64::consts::TAU;

/// SplitMix64 (Steele, Lea, Flood 2014). Written out here because the simulator promises the same patient for the same
/// seed for ever, which no library's default generator does.
pub(crate) struct Seeded(u64);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Seeded {
        Seeded(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        // 53 bits fill the mantissa exactly, so the quotient is uniform in 0..1.
        let unit = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        low + (high - low) * unit
    }
}

/// A value in -1..1 that belongs to one tick of one channel: noise that needs no memory, so that any moment of a
/// patient can be asked for on its own.
pub(crate) fn noise(seed: u64, channel: u64, tick: u64) -> f64 {
    let mut seeded = Seeded::new(seed ^ channel.wrapping_mul(0xA24B_AED4_963E_E407) ^ tick.rotate_left(24));
    seeded.next();
    seeded.between(-1.0, 1.0)
}

/// Slow wandering around zero, never further than its amplitude: a few sines of unrelated periods. The sum has a closed
/// integral, which is what lets a breath or a heart beat keep its phase without stepping through every second before it.
pub(crate) struct Drift {
    waves: [Wave; 4],
}

struct Wave {
    amplitude: f64,
    angular: f64,
    phase: f64,
}

impl Drift {
    /// Periods lie between the two given, evenly apart on a logarithmic scale; the slower a wave, the larger.
    pub(crate) fn new(seeded: &mut Seeded, amplitude: f64, fastest_s: f64, slowest_s: f64) -> Drift {
        const SHARES: [f64; 4] = [0.1, 0.2, 0.3, 0.4];
        let steps = (SHARES.len() - 1) as f64;
        let mut index = 0.0;
        let waves = SHARES.map(|share| {
            let period = fastest_s * (slowest_s / fastest_s).powf(index / steps) * seeded.between(0.85, 1.15);
            index += 1.0;
            Wave { amplitude: amplitude * share, angular: TAU / period, phase: seeded.between(0.0, TAU) }
        });
        Drift { waves }
    }

    pub(crate) fn at(&self, seconds: f64) -> f64 {
        self.waves.iter().map(|wave| wave.amplitude * (wave.angular * seconds + wave.phase).sin()).sum()
    }

    /// From zero to the given second.
    pub(crate) fn integral(&self, seconds: f64) -> f64 {
        let antiderivative =
            |wave: &Wave, at: f64| -wave.amplitude / wave.angular * (wave.angular * at + wave.phase).cos();
        self.waves.iter().map(|wave| antiderivative(wave, seconds) - antiderivative(wave, 0.0)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_stays_within_its_amplitude_and_moves() {
        let drift = Drift::new(&mut Seeded::new(7), 5.0, 60.0, 3_600.0);
        let values: Vec<f64> = (0..86_400).map(|second| drift.at(f64::from(second))).collect();
        assert!(values.iter().all(|value| value.abs() <= 5.0));
        let spread = values.iter().fold(0.0f64, |most, value| most.max(*value))
            - values.iter().fold(0.0f64, |least, value| least.min(*value));
        assert!(spread > 5.0, "spread {spread}");
    }

    #[test]
    fn the_integral_is_that_of_the_drift() {
        let drift = Drift::new(&mut Seeded::new(3), 2.0, 30.0, 900.0);
        let mut sum = 0.0;
        for step in 0..100_000 {
            sum += drift.at((f64::from(step) + 0.5) * 0.01) * 0.01;
        }
        assert!((sum - drift.integral(1_000.0)).abs() < 1e-3);
    }

    #[test]
    fn noise_is_bounded_and_centred() {
        let values: Vec<f64> = (0..10_000).map(|tick| noise(1, 2, tick)).collect();
        assert!(values.iter().all(|value| value.abs() <= 1.0));
        assert!((values.iter().sum::<f64>() / 10_000.0).abs() < 0.03);
    }
}
