//! Taking a device's readings into a patient's state.

use readings::VitalSign;
use tenants::{DeviceId, Sequence};

use super::state::{PatientState, Vital};

/// Merges the newest vitals of one device, which stood in the log up to `sequence`. True when anything
/// changed that a clinician would see.
///
/// A sign keeps its newest value by [`Vital::credible_at`], the later received where two were measured at the
/// same time, so the order in which devices' readings arrive makes no difference, and neither does repetition.
pub fn merge(
    state: &mut PatientState,
    device: &DeviceId,
    sequence: Sequence,
    vitals: impl IntoIterator<Item = (VitalSign, Vital)>,
) -> bool {
    let cursor = state.cursors.entry(device.clone()).or_default();
    *cursor = sequence.max(*cursor);
    let mut changed = false;
    for (sign, vital) in vitals {
        let newness = |vital: &Vital| (vital.credible_at(), vital.received_at);
        let known = state.vitals.get(&sign);
        if known.is_none_or(|known| newness(known) < newness(&vital)) {
            state.vitals.insert(sign, vital);
            changed = true;
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use proptest::prelude::*;
    use readings::Value;

    use super::*;

    fn vital(device: &DeviceId, second: i64, value: u8) -> Vital {
        let at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second);
        Vital {
            value: Value::Number(value.into()),
            measured_at: at,
            received_at: at + SignedDuration::from_millis(i64::from(value)),
            device: device.clone(),
        }
    }

    proptest! {
        /// Two devices, each in its own order, interleaved in any way and with repetitions.
        #[test]
        fn the_order_of_arrival_makes_no_difference(
            readings in prop::collection::vec((0_usize..8, 0_i64..20, any::<u8>(), 0_u8..2), 1..40),
            order in any::<prop::sample::Index>(),
        ) {
            let devices = ["a", "b"].map(|name| DeviceId::parse(name).unwrap());
            let fold = |order: &[usize]| {
                let mut state = PatientState::default();
                for &n in order {
                    let (sign, second, value, device) = readings[n];
                    let device = &devices[usize::from(device)];
                    let sequence = Sequence(n as u64 + 1);
                    merge(&mut state, device, sequence, [(VitalSign::ALL[sign], vital(device, second, value))]);
                }
                state
            };
            let straight: Vec<usize> = (0..readings.len()).collect();
            let mut turned = straight.clone();
            turned.rotate_left(order.index(readings.len()));
            let repeated: Vec<usize> = straight.iter().chain(&turned).copied().collect();
            let value_of = |state: &PatientState| {
                state.vitals.iter().map(|(s, v)| (*s, v.value.clone(), v.measured_at)).collect::<Vec<_>>()
            };
            prop_assert_eq!(value_of(&fold(&straight)), value_of(&fold(&turned)));
            prop_assert_eq!(fold(&straight), fold(&repeated));
        }
    }
}
