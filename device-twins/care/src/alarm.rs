//! One occurrence of an alarm, from raised to cleared.

use jiff::Timestamp;
use readings::{Path, Unit};
use serde::{Deserialize, Serialize};
use tenants::{AlarmId, DeviceId, ErrorKind, PatientId, RuleId, UserId};

use crate::Priority;

/// Where an alarm stands.
///
/// ```text
///            acknowledge             clear
///   Raised ---------------> Acknowledged -----> Cleared
///      \__________________________________________^  |  acknowledge: noted, stays cleared
///                        clear                       '--'
/// ```
///
/// Alarms are non-latching (IEC 60601-1-8, clause 6.9): the condition's end clears one even if nobody has
/// acknowledged it; the record of it stays, and may still be acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmState {
    /// The condition holds and nobody has taken note.
    Raised,
    /// The condition holds and someone has taken note.
    Acknowledged,
    /// The condition is over.
    Cleared,
}

impl AlarmState {
    /// Whether the condition still holds.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Raised | Self::Acknowledged)
    }

    /// What programs call it: `raised`, `acknowledged`, `cleared`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Acknowledged => "acknowledged",
            Self::Cleared => "cleared",
        }
    }
}

/// One occurrence of an alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// From [`crate::alarm_id`]: the same fold gives the same id.
    pub id: AlarmId,
    /// The rule that raised it.
    pub rule: RuleId,
    /// The rule's name when it was raised.
    pub title: String,
    /// The device whose reading raised it.
    pub device: DeviceId,
    /// The patient to whom the device was assigned when it was raised.
    pub patient: Option<PatientId>,
    /// How urgent it is.
    pub priority: Priority,
    /// Where it stands.
    pub state: AlarmState,
    /// The path of the reading.
    pub path: Path,
    /// The value that raised it, in `unit`. It does not follow later readings.
    pub value: f64,
    /// The unit of `value`.
    pub unit: Option<Unit>,
    /// When the reading that raised it was measured.
    pub raised_at: Timestamp,
    /// The first acknowledgement; later ones change nothing.
    pub acknowledged: Option<Acknowledgement>,
    /// When the reading that cleared it was measured.
    pub cleared_at: Option<Timestamp>,
    /// 1 when raised, one more with every change.
    pub version: u32,
}

/// Someone took note of an alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Who.
    pub by: UserId,
    /// What they are called, kept because the account may be gone when the record is read.
    pub by_name: String,
    /// When, by the server's clock.
    pub at: Timestamp,
    /// What they wrote; at most [`Acknowledgement::MAX_NOTE`] characters.
    pub note: Option<String>,
}

impl Acknowledgement {
    /// The longest note, in characters.
    pub const MAX_NOTE: usize = 500;
}

/// What can be asked of an alarm.
#[derive(Debug, Clone, PartialEq)]
pub enum AlarmCommand {
    /// Take note of it.
    Acknowledge(Acknowledgement),
    /// Its condition is over.
    Clear {
        /// When the reading that ended it was measured.
        at: Timestamp,
        /// The value that ended it, in the alarm's unit.
        value: f64,
    },
}

/// What happened to an alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmEvent {
    /// It began.
    Raised(Alarm),
    /// Someone took note for the first time.
    Acknowledged(Acknowledgement),
    /// Its condition ended.
    Cleared {
        /// When the reading that ended it was measured.
        at: Timestamp,
        /// The value that ended it, in the alarm's unit.
        value: f64,
    },
}

/// Why a command was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AlarmError {
    /// The note is too long.
    #[error("the note has {length} characters; at most {} are kept", Acknowledgement::MAX_NOTE)]
    NoteTooLong {
        /// How many characters it has.
        length: usize,
    },
}

impl AlarmError {
    /// What the error means to a caller.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::NoteTooLong { .. } => ErrorKind::BadInput,
        }
    }
}

impl Alarm {
    /// The events that a command leads to. None when it changes nothing: what is acknowledged or cleared
    /// already stays as it is, so that commands may be sent again.
    ///
    /// # Errors
    /// [`AlarmError::NoteTooLong`] for an acknowledgement with a note of more than
    /// [`Acknowledgement::MAX_NOTE`] characters, even where another stands already.
    pub fn decide(&self, command: AlarmCommand) -> Result<Vec<AlarmEvent>, AlarmError> {
        match command {
            AlarmCommand::Acknowledge(acknowledgement) => {
                let length = acknowledgement.note.as_ref().map_or(0, |note| note.chars().count());
                if length > Acknowledgement::MAX_NOTE {
                    return Err(AlarmError::NoteTooLong { length });
                }
                let first = self.acknowledged.is_none();
                Ok(first.then_some(AlarmEvent::Acknowledged(acknowledgement)).into_iter().collect())
            }
            AlarmCommand::Clear { at, value } => {
                let open = self.state.is_open();
                Ok(open.then_some(AlarmEvent::Cleared { at, value }).into_iter().collect())
            }
        }
    }

    /// Folds one event in. Each counts the version up, except [`AlarmEvent::Raised`], which is the alarm itself.
    pub fn apply(&mut self, event: &AlarmEvent) {
        match event {
            AlarmEvent::Raised(alarm) => {
                self.clone_from(alarm);
                return;
            }
            AlarmEvent::Acknowledged(acknowledgement) => {
                self.acknowledged = Some(acknowledgement.clone());
                if self.state == AlarmState::Raised {
                    self.state = AlarmState::Acknowledged;
                }
            }
            AlarmEvent::Cleared { at, .. } => {
                self.state = AlarmState::Cleared;
                self.cleared_at = Some(*at);
            }
        }
        self.version = self.version.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_767_000_000 + second).unwrap()
    }

    fn raised() -> Alarm {
        Alarm {
            id: AlarmId::from_uuid(Uuid::from_u128(1)),
            rule: RuleId::from_uuid(Uuid::from_u128(2)),
            title: "Tachycardia".into(),
            device: DeviceId::parse("monitor-1").unwrap(),
            patient: None,
            priority: Priority::High,
            state: AlarmState::Raised,
            path: Path::parse("heartRate").unwrap(),
            value: 131.0,
            unit: Unit::parse("/min").ok(),
            raised_at: at(0),
            acknowledged: None,
            cleared_at: None,
            version: 1,
        }
    }

    fn acknowledge(by: u128, second: i64) -> AlarmCommand {
        AlarmCommand::Acknowledge(Acknowledgement {
            by: UserId::from_uuid(Uuid::from_u128(by)),
            by_name: format!("Nurse {by}"),
            at: at(second),
            note: Some("seen".into()),
        })
    }

    fn clear(second: i64) -> AlarmCommand {
        AlarmCommand::Clear { at: at(second), value: 90.0 }
    }

    fn run(commands: impl IntoIterator<Item = AlarmCommand>) -> Alarm {
        let mut alarm = raised();
        for command in commands {
            for event in alarm.decide(command).unwrap() {
                alarm.apply(&event);
            }
        }
        alarm
    }

    #[test]
    fn the_life_of_an_alarm() {
        use AlarmState::{Acknowledged, Cleared, Raised};
        // commands, state, acknowledged by, cleared at second, version
        type Row<'r> = (&'r [AlarmCommand], AlarmState, Option<u128>, Option<i64>, u32);
        let rows: [Row<'_>; 8] = [
            (&[], Raised, None, None, 1),
            (&[acknowledge(5, 1)], Acknowledged, Some(5), None, 2),
            (&[acknowledge(5, 1), acknowledge(6, 2)], Acknowledged, Some(5), None, 2),
            (&[clear(3)], Cleared, None, Some(3), 2),
            (&[clear(3), clear(4)], Cleared, None, Some(3), 2),
            (&[acknowledge(5, 1), clear(3)], Cleared, Some(5), Some(3), 3),
            (&[clear(3), acknowledge(5, 4)], Cleared, Some(5), Some(3), 3),
            (&[clear(3), acknowledge(5, 4), acknowledge(6, 5), clear(6)], Cleared, Some(5), Some(3), 3),
        ];
        for (commands, state, by, cleared, version) in rows {
            let alarm = run(commands.iter().cloned());
            assert_eq!(alarm.state, state, "{commands:?}");
            assert_eq!(alarm.acknowledged.as_ref().map(|a| a.by.as_uuid().as_u128()), by, "{commands:?}");
            assert_eq!(alarm.cleared_at, cleared.map(at), "{commands:?}");
            assert_eq!(alarm.version, version, "{commands:?}");
            assert_eq!((alarm.value, alarm.raised_at), (131.0, at(0)), "what raised it never changes");
        }
    }

    #[test]
    fn a_note_is_limited_in_characters_not_bytes() {
        let with_note = |length: usize| {
            let AlarmCommand::Acknowledge(acknowledgement) = acknowledge(5, 1) else { unreachable!() };
            AlarmCommand::Acknowledge(Acknowledgement { note: Some("ü".repeat(length)), ..acknowledgement })
        };
        assert_eq!(raised().decide(with_note(500)).unwrap().len(), 1);
        let error = raised().decide(with_note(501)).unwrap_err();
        assert_eq!(error, AlarmError::NoteTooLong { length: 501 });
        assert_eq!(error.kind(), ErrorKind::BadInput);
        assert!(run([acknowledge(5, 1)]).decide(with_note(501)).is_err());
    }

    fn any_command() -> impl Strategy<Value = AlarmCommand> {
        prop_oneof![
            (0_u128..9, 0_i64..1000).prop_map(|(by, second)| acknowledge(by, second)),
            (0_i64..1000).prop_map(clear),
        ]
    }

    proptest! {
        #[test]
        fn it_never_goes_back_and_counts_every_change(commands in prop::collection::vec(any_command(), 0..20)) {
            let mut alarm = raised();
            let mut events = 0;
            for command in commands {
                let before = alarm.clone();
                for event in alarm.decide(command.clone()).unwrap() {
                    alarm.apply(&event);
                    events += 1;
                }
                prop_assert!(alarm.state >= before.state);
                prop_assert!(before.acknowledged.is_none() || alarm.acknowledged == before.acknowledged);
                prop_assert!(before.cleared_at.is_none() || alarm.cleared_at == before.cleared_at);
                prop_assert_eq!(alarm.version, 1 + events);
                prop_assert_eq!(alarm == before, alarm.version == before.version);
                prop_assert!(alarm.decide(command).unwrap().is_empty(), "asked again, nothing changes");
            }
            let stored = serde_json::to_string(&alarm).unwrap();
            prop_assert_eq!(serde_json::from_str::<Alarm>(&stored).unwrap(), alarm);
        }
    }
}
