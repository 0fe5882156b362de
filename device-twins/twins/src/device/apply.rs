//! How an event changes the state. No choices are made here; `decide` made them.

use super::{event::DeviceEvent, state::DeviceState};

impl DeviceState {
    /// Takes one event in.
    pub fn apply(&mut self, event: DeviceEvent) {
        match event {
            DeviceEvent::Measured(reading) => match self.latest.get_mut(&reading.path) {
                Some(known) => *known = reading,
                None => {
                    self.latest.insert(reading.path.clone(), reading);
                }
            },
            DeviceEvent::Judged { rule, phase } => {
                self.phases.insert(rule, phase);
            }
            DeviceEvent::AlarmRaised { alarm, sequence } => {
                let (on, raises) = self.raises.entry(alarm.rule).or_default();
                *raises = if *on == sequence { raises.saturating_add(1) } else { 1 };
                *on = sequence;
                self.alarms.insert(alarm.rule, *alarm);
            }
            DeviceEvent::AlarmChanged { rule, alarm, event } => {
                if let Some(known) = self.alarms.get_mut(&rule).filter(|known| known.id == alarm) {
                    known.apply(&event);
                }
            }
            DeviceEvent::Reported(properties) => {
                self.reported = properties;
                self.reported_version += 1;
            }
            DeviceEvent::Confirmed(version) => self.confirmed_version = version,
            DeviceEvent::Desired(properties) => {
                self.desired = properties;
                self.desired_version += 1;
            }
            DeviceEvent::SetAside => self.set_aside += 1,
            DeviceEvent::Folded { sequence, heard_at } => {
                self.cursor = sequence;
                self.messages += 1;
                self.last_seen = self.last_seen.max(heard_at);
            }
        }
    }
}
