//! Messages on their way to one client, from the PUBLISH to the last acknowledgement (MQTT 5, 4.3 and 4.4).

use std::collections::VecDeque;

use crate::protocol::Qos;

/// How far a message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// QoS 1: the PUBACK is awaited.
    Published,
    /// QoS 2: the PUBREC is awaited.
    Announced,
    /// QoS 2: the PUBREL is sent, the PUBCOMP is awaited.
    Released,
}

/// What is to be done about a PUBREC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Send the PUBREL.
    Release,
    /// The client refused the message: it is done with.
    Refused,
    /// Nothing is known of it.
    Unknown,
}

/// The messages of one session that are not done with; they are few, so a list is searched.
#[derive(Default)]
pub(super) struct Flights {
    flying: VecDeque<(u16, Stage)>,
    last_id: u16,
}

impl Flights {
    pub(super) fn len(&self) -> usize {
        self.flying.len()
    }

    /// A packet identifier for a message that is sent now.
    pub(super) fn begin(&mut self, qos: Qos) -> u16 {
        let id = self.next_id();
        let stage = if qos == Qos::ExactlyOnce { Stage::Announced } else { Stage::Published };
        self.flying.push_back((id, stage));
        id
    }

    /// A PUBACK came; false when none was due for that identifier.
    pub(super) fn acknowledged(&mut self, id: u16) -> bool {
        self.end(id, Stage::Published)
    }

    /// A PUBREC came.
    pub(super) fn received(&mut self, id: u16, refused: bool) -> Next {
        if refused {
            return if self.end(id, Stage::Announced) { Next::Refused } else { Next::Unknown };
        }
        match self.flying.iter_mut().find(|(known, _)| *known == id) {
            Some((_, stage @ (Stage::Announced | Stage::Released))) => {
                *stage = Stage::Released;
                Next::Release
            }
            _ => Next::Unknown,
        }
    }

    /// A PUBCOMP came; false when none was due for that identifier.
    pub(super) fn completed(&mut self, id: u16) -> bool {
        self.end(id, Stage::Released)
    }

    /// Takes one back that was not sent after all.
    pub(super) fn take_back(&mut self, id: u16) {
        self.flying.retain(|(known, _)| *known != id);
    }

    fn end(&mut self, id: u16, at: Stage) -> bool {
        let found = self.flying.iter().position(|flight| *flight == (id, at));
        found.and_then(|position| self.flying.remove(position)).is_some()
    }

    /// The next packet identifier that is neither 0 nor in use. There is always one: fewer than 65,535 messages are in flight.
    fn next_id(&mut self) -> u16 {
        loop {
            self.last_id = self.last_id.wrapping_add(1);
            if self.last_id != 0 && !self.flying.iter().any(|(id, _)| *id == self.last_id) {
                return self.last_id;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_is_taken_once_and_in_its_order() {
        let mut flights = Flights::default();
        let (one, two) = (flights.begin(Qos::AtLeastOnce), flights.begin(Qos::ExactlyOnce));
        assert_eq!((one, two, flights.len()), (1, 2, 2));
        assert!(!flights.acknowledged(two), "a PUBACK does not answer QoS 2");
        assert_eq!(flights.received(one, false), Next::Unknown, "a PUBREC does not answer QoS 1");
        assert!(!flights.completed(two), "before it was received");
        assert!(flights.acknowledged(one) && !flights.acknowledged(one));
        assert_eq!(
            [flights.received(two, false), flights.received(two, false)],
            [Next::Release; 2],
            "said again"
        );
        assert_eq!(flights.received(two, true), Next::Unknown, "it was taken already");
        assert!(flights.completed(two) && !flights.completed(two));
        let three = flights.begin(Qos::ExactlyOnce);
        assert_eq!(flights.received(three, true), Next::Refused);
        assert_eq!(flights.received(9, false), Next::Unknown);
        assert_eq!(flights.len(), 0);
    }

    #[test]
    fn identifiers_wrap_around_over_zero_and_over_what_is_in_flight() {
        let mut flights = Flights::default();
        assert_eq!((0..2).map(|_| flights.begin(Qos::AtLeastOnce)).collect::<Vec<_>>(), [1, 2]);
        flights.last_id = u16::MAX;
        assert!(flights.acknowledged(2));
        assert_eq!(flights.begin(Qos::AtLeastOnce), 2);
        flights.take_back(1);
        flights.last_id = u16::MAX;
        assert_eq!(flights.begin(Qos::AtLeastOnce), 1);
    }
}
