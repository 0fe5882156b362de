//! Takes the frames of a read apart: messages for ingest, answers for the client.

use bytes::{Bytes, BytesMut};
use rumqttd::protocol::{DisconnectReasonCode, Filter, Packet, QoS, Subscribe, Unsubscribe};

use super::{End, Session, subscriptions::Subscriptions};
use crate::{
    codec, encode,
    frame::{self, Frame, Scan},
    gate::{Channel, Inbound},
    metrics::Loss,
    protocol::{MAX_TOPIC_ALIASES, Qos, Reason, Version, packet},
    topics::{FilterError, SHARED},
};

/// Topics of a session that are remembered with what they mean.
const MAX_ROUTES: usize = 8;

/// A scratch buffer larger than this is not kept between reads.
const KEPT_BYTES: usize = 1_024;

pub(super) struct Inbox<'a> {
    session: &'a Session,
    subscriptions: Subscriptions<'a>,
    /// A device publishes to very few topics, again and again: each is understood once.
    routes: Vec<(Box<[u8]>, Channel)>,
    next_route: usize,
    /// What a v5 client calls its topics; `None` for a topic outside its rights.
    aliases: Vec<(u16, Option<Channel>)>,
    /// How many messages the last chunk had.
    expected: usize,
    scratch: Vec<u8>,
}

/// What the frames of one read amount to.
pub(super) struct Harvest {
    pub(super) messages: Vec<Inbound>,
    /// Encoded PUBACKs, to be sent once the messages are committed.
    pub(super) pubacks: Vec<u8>,
    pub(super) acks: usize,
}

impl<'a> Inbox<'a> {
    pub(super) fn new(session: &'a Session) -> Self {
        let subscriptions = Subscriptions::new(session);
        Self {
            session,
            subscriptions,
            routes: Vec::new(),
            next_route: 0,
            aliases: Vec::new(),
            expected: 0,
            scratch: Vec::new(),
        }
    }

    /// Takes the whole frames out of `buffer`. What was understood before an error is harvested
    /// all the same: it was sent, so it is stored. `frame_bytes` becomes the size of the frame that is
    /// still incomplete.
    pub(super) fn open(
        &mut self,
        buffer: &mut BytesMut,
        frame_bytes: &mut usize,
    ) -> (Result<(), End>, Option<Harvest>) {
        let max = self.session.hub.config.max_packet_bytes;
        let (mut whole, mut outcome) = (0, Ok(()));
        loop {
            match frame::scan(buffer.get(whole..).unwrap_or_default(), max) {
                Ok(Scan::Whole(frame)) => whole += frame.body.end,
                Ok(Scan::Part { total }) => {
                    *frame_bytes = total.unwrap_or(0);
                    break;
                }
                Err(reason) => {
                    outcome = Err(End::Broke(reason));
                    break;
                }
            }
        }
        if whole == 0 {
            return (outcome, None);
        }
        let frames = buffer.split_to(whole).freeze();
        let pubacks = std::mem::take(&mut self.scratch);
        let mut harvest = Harvest { messages: Vec::new(), pubacks, acks: 0 };
        let outcome = self.read_all(&frames, &mut harvest).and(outcome);
        self.expected = harvest.messages.len();
        if harvest.messages.is_empty() && harvest.pubacks.is_empty() {
            self.take_back(harvest.pubacks);
            return (outcome, None);
        }
        self.stamp(&mut harvest.messages);
        (outcome, Some(harvest))
    }

    /// Keeps a buffer for the next read.
    pub(super) fn take_back(&mut self, mut scratch: Vec<u8>) {
        if scratch.capacity() <= KEPT_BYTES {
            scratch.clear();
            self.scratch = scratch;
        }
    }

    fn read_all(&mut self, frames: &Bytes, harvest: &mut Harvest) -> Result<(), End> {
        let mut at = 0;
        while let Some(rest) = frames.get(at..) {
            let Ok(Scan::Whole(frame)) = frame::scan(rest, usize::MAX) else { break };
            let (start, end) = (at, at + frame.body.end);
            if frame.kind() == packet::PUBLISH {
                self.publish(&frame, frames, at, harvest).map_err(End::Broke)?;
            } else {
                self.control(frames.get(start..end).unwrap_or_default())?;
            }
            at = end;
        }
        Ok(())
    }

    /// The hot path: no copy, no allocation beyond the list of messages.
    fn publish(
        &mut self,
        frame: &Frame,
        frames: &Bytes,
        at: usize,
        harvest: &mut Harvest,
    ) -> Result<(), Reason> {
        let version = self.session.version;
        let body_at = at + frame.body.start;
        let body = frames.get(body_at..at + frame.body.end).unwrap_or_default();
        let found = frame::publish(version, frame.first, body)?;
        if version == Version::V5 {
            if found.retain {
                return Err(Reason::RetainNotSupported); // the CONNACK said so; v3.1.1 cannot know
            }
            let unacknowledged = self.session.acks.acks() + harvest.acks;
            if found.packet_id.is_some() && unacknowledged >= self.receive_maximum() {
                return Err(Reason::ReceiveMaximum);
            }
        }
        let topic = body.get(found.topic).unwrap_or_default();
        let channel = match found.alias {
            None => self.channel(topic),
            Some(alias) => self.aliased(alias, topic)?,
        };
        let Some(channel) = channel else {
            return self.refuse(found.packet_id, harvest);
        };
        if let Some(id) = found.packet_id {
            encode::puback(id, &mut harvest.pubacks);
            harvest.acks += 1;
        }
        if harvest.messages.is_empty() {
            harvest.messages.reserve(self.expected.max(1));
        }
        let payload = frames.slice(body_at + found.payload.start..body_at + found.payload.end);
        // Time and correlation are the same question for the whole chunk: see `stamp`.
        let (received_at, correlation) = Default::default();
        harvest.messages.push(Inbound { channel, payload, received_at, correlation });
        Ok(())
    }

    /// One reading of the clock and one step of the counter for all messages of a chunk.
    fn stamp(&self, messages: &mut [Inbound]) {
        let hub = &self.session.hub;
        let now = hub.clock.now();
        let first = hub.correlations.take(messages.len()).0;
        for (offset, message) in (0..).zip(messages) {
            message.received_at = now;
            message.correlation.0 = first.wrapping_add(offset);
        }
    }

    fn receive_maximum(&self) -> usize {
        usize::from(self.session.hub.config.receive_maximum.max(1))
    }

    fn channel(&mut self, topic: &[u8]) -> Option<Channel> {
        if let Some((_, channel)) = self.routes.iter().find(|(known, _)| **known == *topic) {
            return Some(channel.clone());
        }
        let channel = self.session.rights.channel(topic)?;
        let route = (topic.into(), channel.clone());
        match self.routes.get_mut(self.next_route) {
            Some(oldest) => *oldest = route,
            None => self.routes.push(route),
        }
        self.next_route = (self.next_route + 1) % MAX_ROUTES;
        Some(channel)
    }

    /// What an alias stands for; from now on for `topic`, where there is one.
    fn aliased(&mut self, alias: u16, topic: &[u8]) -> Result<Option<Channel>, Reason> {
        if !(1..=MAX_TOPIC_ALIASES).contains(&alias) {
            return Err(Reason::TopicAlias);
        }
        let known = self.aliases.iter().position(|(known, _)| *known == alias);
        if topic.is_empty() {
            let (_, channel) = known.and_then(|at| self.aliases.get(at)).ok_or(Reason::Protocol)?;
            return Ok(channel.clone());
        }
        let channel = self.channel(topic);
        match known.and_then(|at| self.aliases.get_mut(at)) {
            Some((_, before)) => before.clone_from(&channel),
            None => self.aliases.push((alias, channel.clone())),
        }
        Ok(channel)
    }

    /// A message to a topic outside the client's rights.
    fn refuse(&self, packet_id: Option<u16>, harvest: &mut Harvest) -> Result<(), Reason> {
        if self.session.version == Version::V311 {
            return Err(Reason::NotAuthorized);
        }
        match packet_id {
            Some(id) => {
                encode::puback_refused(id, encode::PUBACK_NOT_AUTHORIZED, &mut harvest.pubacks);
                harvest.acks += 1;
            }
            None => self.session.hub.metrics.dropped(Loss::NotAuthorized, 1),
        }
        Ok(())
    }

    /// Everything that is no PUBLISH.
    fn control(&mut self, frame: &[u8]) -> Result<(), End> {
        let broke = End::Broke;
        match *frame {
            [0xC0, 0] => {
                self.session.outbox.reply(&encode::PINGRESP);
                return Ok(());
            }
            [0x40, 2, high, low] => {
                self.acknowledged(u16::from_be_bytes([high, low]));
                return Ok(());
            }
            _ => {} // rarer, or longer forms
        }
        match codec::decode(self.session.version, frame).map_err(broke)? {
            Packet::PubAck(ack, _) => {
                self.acknowledged(ack.pkid);
                Ok(())
            }
            Packet::Subscribe(_, Some(properties)) if properties.id.is_some() => {
                Err(broke(Reason::SubscriptionIds))
            }
            Packet::Subscribe(subscribe, _) => self.subscribe(&subscribe).map_err(broke),
            Packet::Unsubscribe(unsubscribe, _) => self.unsubscribe(&unsubscribe).map_err(broke),
            Packet::Disconnect(disconnect, _) => {
                Err(End::Left { will: disconnect.reason_code != DisconnectReasonCode::NormalDisconnection })
            }
            _ => Err(broke(Reason::Protocol)), // a second CONNECT
        }
    }

    fn acknowledged(&self, packet_id: u16) {
        if !self.session.outbox.acknowledged(packet_id) {
            tracing::debug!(correlation = %self.session.correlation, packet_id, "puback for nothing in flight");
        }
    }

    fn subscribe(&mut self, subscribe: &Subscribe) -> Result<(), Reason> {
        if subscribe.pkid == 0 {
            return Err(Reason::Protocol);
        }
        // MQTT-3.8.3-4: whoever shares what it hears cannot leave out what it said.
        if subscribe.filters.iter().any(|wanted| wanted.nolocal && wanted.path.starts_with(SHARED)) {
            return Err(Reason::Protocol);
        }
        let version = self.session.version;
        let codes: Vec<u8> = subscribe
            .filters
            .iter()
            .map(|wanted| match self.subscribe_one(wanted) {
                Err(_) if version == Version::V311 => 0x80,
                Ok(code) | Err(code) => code,
            })
            .collect();
        self.session.outbox.reply(&encode::suback(version, subscribe.pkid, &codes));
        Ok(())
    }

    /// The granted QoS, or the v5 reason why not.
    fn subscribe_one(&mut self, wanted: &Filter) -> Result<u8, u8> {
        let qos = if wanted.qos == QoS::AtMostOnce { Qos::AtMostOnce } else { Qos::AtLeastOnce };
        let filter = self.session.rights.filter(&wanted.path).map_err(|error| match error {
            FilterError::Denied => 0x87,
            FilterError::Invalid => 0x8F,
        })?;
        if self.subscriptions.add(filter, qos) { Ok(qos as u8) } else { Err(0x97) }
    }

    fn unsubscribe(&mut self, unsubscribe: &Unsubscribe) -> Result<(), Reason> {
        if unsubscribe.pkid == 0 || unsubscribe.filters.is_empty() {
            return Err(Reason::Protocol);
        }
        let codes: Vec<u8> = unsubscribe
            .filters
            .iter()
            .map(|filter| match self.session.rights.filter(filter) {
                Ok(filter) if self.subscriptions.remove(&filter) => 0x00,
                Err(FilterError::Invalid) => 0x8F,
                _ => 0x11, // no subscription existed
            })
            .collect();
        self.session.outbox.reply(&encode::unsuback(self.session.version, unsubscribe.pkid, &codes));
        Ok(())
    }
}
