//! Messages on their way to one client, from the PUBLISH to the last acknowledgement (MQTT 5, 4.3 and 4.4).

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::{message::Outgoing, protocol::Qos};

/// How far a message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// QoS 1: the PUBACK is awaited.
    Published,
    /// QoS 2: the PUBREC is awaited.
    Announced,
    /// QoS 2: the PUBREC has come, the PUBCOMP is awaited.
    Released,
}

/// One message.
#[derive(Debug, Clone)]
pub(crate) struct Flight {
    pub(crate) id: u16,
    pub(crate) stage: Stage,
    /// Where it stands in the publication log, where it comes from there.
    pub(crate) position: Option<u64>,
    /// Of a session that is kept, until the client has it: it may have to be sent again.
    pub(crate) message: Option<Box<Outgoing>>,
    /// Whether its PUBLISH was sent before.
    pub(crate) again: bool,
    /// Its next packet has yet to be sent, once the change of this number is durable.
    due: Option<u64>,
}

impl Flight {
    /// One that was on its way when the client left, or the server did: its packet is sent again, of a PUBLISH once it has
    /// its message.
    pub(crate) fn resumed(id: u16, stage: Stage, position: Option<u64>) -> Self {
        Self { id, stage, position, message: None, again: true, due: Some(0) }
    }

    /// With the message that is sent again.
    pub(crate) fn with(self, message: Outgoing) -> Self {
        Self { message: Some(Box::new(message)), ..self }
    }
}

/// What is to be done about a PUBREC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Send the PUBREL.
    Release,
    /// Send it once the change is durable.
    ReleaseLater,
    /// The client refused the message: it is done with.
    Refused,
    /// Nothing is known of it.
    Unknown,
}

/// The messages of one session that are not done with; they are few, so a list is searched.
#[derive(Default)]
pub(super) struct Flights {
    flying: VecDeque<Flight>,
    last_id: u16,
}

impl Flights {
    /// Those of a session that goes on.
    pub(super) fn resumed(flying: Vec<Flight>) -> Self {
        let last_id = flying.last().map_or(0, |flight| flight.id);
        Self { flying: flying.into(), last_id }
    }

    pub(super) fn len(&self) -> usize {
        self.flying.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Flight> {
        self.flying.iter()
    }

    pub(super) fn take(&mut self) -> Vec<Flight> {
        std::mem::take(&mut self.flying).into()
    }

    /// A packet identifier for a message that is sent now.
    pub(super) fn begin(&mut self, qos: Qos) -> u16 {
        self.push(qos, None, None, None)
    }

    /// The same for a message of a session that is kept; `due` where it is sent only after that change is durable.
    pub(super) fn begin_kept(&mut self, message: Box<Outgoing>, due: Option<u64>) -> u16 {
        self.push(message.qos, message.position, Some(message), due)
    }

    fn push(
        &mut self,
        qos: Qos,
        position: Option<u64>,
        message: Option<Box<Outgoing>>,
        due: Option<u64>,
    ) -> u16 {
        let id = self.next_id();
        let stage = if qos == Qos::ExactlyOnce { Stage::Announced } else { Stage::Published };
        self.flying.push_back(Flight { id, stage, position, message, again: false, due });
        id
    }

    /// The first whose packet may be sent now, as `saved` changes are durable and fewer than `window` others are on their way.
    pub(super) fn next_due(&mut self, saved: u64, window: usize) -> Option<&mut Flight> {
        // One whose PUBREL is still to come is on its way all the same.
        let is_under_way = |flight: &&Flight| flight.due.is_none() || flight.stage == Stage::Released;
        let sent = self.flying.iter().filter(is_under_way).count();
        let found = self.flying.iter().position(|flight| match flight.due {
            Some(change) if flight.stage == Stage::Released => change <= saved,
            Some(change) => change <= saved && sent < window,
            None => false,
        });
        let flight = self.flying.get_mut(found?)?;
        flight.due = None;
        Some(flight)
    }

    /// A PUBACK came; false when none was due for that identifier.
    pub(super) fn acknowledged(&mut self, id: u16) -> bool {
        self.end(id, Stage::Published)
    }

    /// A PUBREC came; `due` where the PUBREL is sent only after that change is durable.
    pub(super) fn received(&mut self, id: u16, refused: bool, due: Option<u64>) -> Next {
        if refused {
            return if self.end(id, Stage::Announced) { Next::Refused } else { Next::Unknown };
        }
        match self.flying.iter_mut().find(|flight| flight.id == id) {
            Some(flight) if flight.stage == Stage::Released && flight.due.is_some() => Next::ReleaseLater,
            Some(flight) if matches!(flight.stage, Stage::Announced | Stage::Released) => {
                let first = flight.stage == Stage::Announced;
                flight.stage = Stage::Released;
                flight.message = None;
                flight.due = due.filter(|_| first);
                if flight.due.is_some() { Next::ReleaseLater } else { Next::Release }
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
        self.flying.retain(|flight| flight.id != id);
    }

    fn end(&mut self, id: u16, at: Stage) -> bool {
        let found = self.flying.iter().position(|flight| (flight.id, flight.stage) == (id, at));
        found.and_then(|position| self.flying.remove(position)).is_some()
    }

    /// The next packet identifier that is neither 0 nor in use. There is always one: fewer than 65,535 messages are in flight.
    fn next_id(&mut self) -> u16 {
        loop {
            self.last_id = self.last_id.wrapping_add(1);
            if self.last_id != 0 && !self.flying.iter().any(|flight| flight.id == self.last_id) {
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
        assert_eq!(flights.received(one, false, None), Next::Unknown, "a PUBREC does not answer QoS 1");
        assert!(!flights.completed(two), "before it was received");
        assert!(flights.acknowledged(one) && !flights.acknowledged(one));
        assert_eq!(
            [flights.received(two, false, None), flights.received(two, false, None)],
            [Next::Release; 2],
            "said again"
        );
        assert_eq!(flights.received(two, true, None), Next::Unknown, "it was taken already");
        assert!(flights.completed(two) && !flights.completed(two));
        let three = flights.begin(Qos::ExactlyOnce);
        assert_eq!(flights.received(three, true, None), Next::Refused);
        assert_eq!(flights.received(9, false, None), Next::Unknown);
        assert_eq!(flights.len(), 0);
    }

    #[test]
    fn a_step_that_has_to_be_durable_waits_for_its_change() {
        let mut flights = Flights::default();
        let id = flights.push(Qos::ExactlyOnce, Some(3), None, Some(1));
        assert!(flights.next_due(0, 9).is_none() && flights.next_due(1, 0).is_none(), "the window counts");
        assert_eq!(
            flights.next_due(1, 1).map(|flight| (flight.id, flight.stage)),
            Some((id, Stage::Announced))
        );
        assert!(flights.next_due(1, 9).is_none(), "once");
        assert_eq!(flights.received(id, false, Some(2)), Next::ReleaseLater);
        assert_eq!(flights.received(id, false, Some(3)), Next::ReleaseLater, "said again meanwhile");
        assert!(flights.next_due(1, 9).is_none());
        assert_eq!(flights.next_due(2, 0).map(|flight| flight.stage), Some(Stage::Released));
        assert_eq!(flights.received(id, false, Some(4)), Next::Release, "it is durable already");
        assert!(flights.completed(id));
    }

    #[test]
    fn one_that_waits_for_its_change_counts_against_the_window() {
        let mut flights = Flights::resumed(vec![
            Flight::resumed(1, Stage::Announced, None),
            Flight::resumed(2, Stage::Published, None),
        ]);
        assert_eq!(flights.next_due(0, 1).map(|flight| flight.id), Some(1));
        assert_eq!(flights.received(1, false, Some(1)), Next::ReleaseLater);
        assert!(flights.next_due(0, 1).is_none(), "its PUBCOMP has not come");
        assert_eq!(flights.next_due(1, 1).map(|flight| flight.id), Some(1), "its PUBREL needs no room");
        assert!(flights.next_due(1, 1).is_none() && flights.completed(1));
        assert_eq!(flights.next_due(1, 1).map(|flight| flight.id), Some(2));
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

    #[test]
    fn what_was_on_its_way_is_sent_again_in_its_order() {
        let resumed = |id, stage| Flight::resumed(id, stage, None);
        let mut flights = Flights::resumed(vec![
            resumed(9, Stage::Released),
            resumed(4, Stage::Published),
            resumed(5, Stage::Announced),
        ]);
        let mut due = |window| flights.next_due(0, window).map(|flight| flight.id);
        assert_eq!([due(1), due(1), due(2), due(3), due(3)], [Some(9), None, Some(4), Some(5), None]);
        assert_eq!(flights.begin(Qos::AtLeastOnce), 6);
    }
}
