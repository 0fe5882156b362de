//! Ids of alarms that do not depend on when, where or how often the log is folded.

use tenants::{AlarmId, DeviceId, RuleId, Sequence, TenantId};
use uuid::Uuid;

/// The name space of alarm ids (RFC 9562, UUID version 5). Changing it would give every alarm a second identity.
const ALARMS: Uuid = Uuid::from_u128(0x6f1d_5a0e_83c4_4b8e_9f57_2c7b_0d8a_41e6);

/// The id of the alarm that `rule` raises on the message at `sequence` of a device: the same fold gives the
/// same id, so that an alarm raised again while recovering from the log is the same row.
///
/// A message may hold many readings and so raise, clear and raise again: see [`nth_alarm_id`].
pub fn alarm_id(tenant: TenantId, device: &DeviceId, rule: RuleId, sequence: Sequence) -> AlarmId {
    nth_alarm_id(tenant, device, rule, sequence, 0)
}

/// The id of the alarm that `rule` raises after `earlier` others of its own on the same message.
pub fn nth_alarm_id(
    tenant: TenantId,
    device: &DeviceId,
    rule: RuleId,
    sequence: Sequence,
    earlier: u32,
) -> AlarmId {
    let mut name = Vec::with_capacity(16 + 16 + 8 + 4 + device.as_str().len());
    name.extend_from_slice(tenant.as_uuid().as_bytes());
    name.extend_from_slice(rule.as_uuid().as_bytes());
    name.extend_from_slice(&sequence.0.to_be_bytes());
    name.extend_from_slice(&earlier.to_be_bytes());
    // Last, because only its length varies.
    name.extend_from_slice(device.as_str().as_bytes());
    AlarmId::from_uuid(Uuid::new_v5(&ALARMS, &name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn ids() -> (TenantId, DeviceId, RuleId) {
        let tenant = TenantId::from_uuid(Uuid::from_u128(1));
        (tenant, DeviceId::parse("monitor-1").unwrap(), RuleId::from_uuid(Uuid::from_u128(2)))
    }

    #[test]
    fn the_same_fold_gives_the_same_id_for_ever() {
        let (tenant, device, rule) = ids();
        let id = alarm_id(tenant, &device, rule, Sequence(7));
        // Written down once: a different id would raise the alarms of a restored log a second time.
        assert_eq!(id.to_string(), "fe9b3efb-c0b3-5e71-b57b-dc6be9ef1a92");
    }

    #[test]
    fn whatever_differs_makes_another_alarm() {
        let (tenant, device, rule) = ids();
        let (other_tenant, other_rule) =
            (TenantId::from_uuid(*rule.as_uuid()), RuleId::from_uuid(*tenant.as_uuid()));
        let other_device = DeviceId::parse("monitor-2").unwrap();
        let all = [
            alarm_id(tenant, &device, rule, Sequence(7)),
            alarm_id(other_tenant, &device, rule, Sequence(7)),
            alarm_id(other_tenant, &device, other_rule, Sequence(7)),
            alarm_id(tenant, &other_device, rule, Sequence(7)),
            alarm_id(tenant, &device, other_rule, Sequence(7)),
            alarm_id(tenant, &device, rule, Sequence(8)),
            nth_alarm_id(tenant, &device, rule, Sequence(7), 1),
        ];
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }
}
