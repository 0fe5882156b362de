//! Takes the frames of a read apart: messages for ingest, answers for the client.

use std::{collections::HashSet, sync::Arc};

use ahash::RandomState;
use bytes::{Bytes, BytesMut};
use rumqttd::protocol::{
    DisconnectReasonCode, Filter, Packet, RetainForwardRule, Subscribe, SubscribeProperties, Unsubscribe,
};

use super::{End, Session, acks::Due};
use tenants::DeviceId;

use crate::{
    codec,
    config::count,
    dialect::{Around, Errand, Heard, Unheard},
    encode,
    exchange::{Op, QUOTA_EXCEEDED, WantStored, Wanted, refusal},
    frame::{self, Frame, Publish, Scan},
    gate::{Channel, Happened, Inbound, UserProperties},
    message::{Message, Publication},
    metrics::Loss,
    protocol::{MAX_TOPIC_ALIASES, Qos, Reason, Version, packet},
    retained::Room,
    subscriptions::{Added, Held},
    topics::{FilterError, Rights, Route, SHARED, Space},
    tree::Options,
};

/// Topics of a session that are remembered with what they mean.
const MAX_ROUTES: usize = 8;

/// Reason of a SUBACK that says no more than that.
const UNSPECIFIED: u8 = 0x80;

/// Reason of a SUBACK or UNSUBACK: it is no topic filter.
const INVALID_FILTER: u8 = 0x8F;

/// A scratch buffer larger than this is not kept between reads.
const KEPT_BYTES: usize = 1_024;

pub(super) struct Inbox<'a> {
    session: &'a Session,
    /// A client publishes to very few topics, again and again: each is understood once.
    routes: Vec<(Box<[u8]>, Route)>,
    next_route: usize,
    /// What a v5 client calls its topics; `None` for a topic outside its rights.
    aliases: Vec<(u16, Option<Route>)>,
    /// Packet identifiers of QoS 2 messages that were taken and that the client has not released: with one of these, a
    /// message is one that was taken already.
    received: HashSet<u16, RandomState>,
    /// Whether something was denied to it.
    denied: bool,
    /// How many messages the last chunk had.
    expected: usize,
    scratch: Vec<u8>,
}

/// What a message amounts to.
enum Meaning {
    /// It is for the log as it is: of the device, or of one that is behind it.
    Log(Option<DeviceId>, Channel, UserProperties),
    /// A device asks or answers.
    Heard(Heard),
    /// A program says something.
    Said(Publication),
}

impl Harvest {
    fn add(&mut self, of: Option<DeviceId>, message: Inbound) {
        let Some(child) = of else { return self.messages.push(message) };
        match self.of_children.iter_mut().find(|(known, _)| *known == child) {
            Some((_, messages)) => messages.push(message),
            None => self.of_children.push((child, vec![message])),
        }
    }

    /// Messages for ingest.
    pub(super) fn count(&self) -> usize {
        self.messages.len() + self.of_children.iter().map(|(_, messages)| messages.len()).sum::<usize>()
    }
}

impl Inbound {
    /// Time and correlation are the same question for the whole chunk: see [`Inbox::stamp`].
    fn of(channel: Channel, user_properties: UserProperties, payload: Bytes) -> Self {
        let (received_at, correlation) = Default::default();
        Self { channel, user_properties, payload, received_at, correlation }
    }
}

/// What the frames of one read amount to.
#[derive(Default)]
pub(super) struct Harvest {
    /// What a device says.
    pub(super) messages: Vec<Inbound>,
    /// What it says for those that are behind it, each in its order.
    pub(super) of_children: Vec<(DeviceId, Vec<Inbound>)>,
    /// What the exchange is asked for, in the order in which it came.
    pub(super) ops: Vec<Op>,
    /// What a device asks or answers.
    pub(super) errands: Vec<Errand>,
    /// To be sent once the messages are committed.
    pub(super) due: Due,
}

impl<'a> Inbox<'a> {
    pub(super) fn new(session: &'a Session) -> Self {
        let received = session.standing.mailbox.as_ref().map(|mailbox| mailbox.received());
        Self {
            session,
            routes: Vec::new(),
            next_route: 0,
            aliases: Vec::new(),
            received: received.unwrap_or_default(),
            denied: false,
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
        let max = count(self.session.standing.quotas.packet_bytes);
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
        let due = Due { encoded: std::mem::take(&mut self.scratch), ..Due::default() };
        let mut harvest = Harvest { due, ..Harvest::default() };
        let outcome = self.read_all(&frames, &mut harvest).and(outcome);
        self.expected = harvest.messages.len();
        harvest.due.messages = harvest.count() + harvest.ops.len();
        if harvest.due.messages == 0 && harvest.due.encoded.is_empty() && harvest.errands.is_empty() {
            self.take_back(harvest.due.encoded);
            return (outcome, None);
        }
        self.stamp(&mut harvest.messages);
        for (_, messages) in &mut harvest.of_children {
            self.stamp(messages);
        }
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
            match frame.kind() {
                packet::PUBLISH => self.publish(&frame, frames, at, harvest).map_err(End::Broke)?,
                packet::PUBACK | packet::PUBREC | packet::PUBREL | packet::PUBCOMP => {
                    let body = rest.get(frame.body.clone()).unwrap_or_default();
                    self.acknowledgement(&frame, body, harvest).map_err(End::Broke)?;
                }
                _ => self.control(frames.get(start..end).unwrap_or_default(), harvest)?,
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
        if version == Version::V5 && found.retain && !self.session.rights.may_retain() {
            return Err(Reason::RetainNotSupported); // the CONNACK said so; v3.1.1 cannot know
        }
        if let Some(id) = found.packet_id
            && self.is_window_full(found.qos, id, harvest)
        {
            return Err(Reason::ReceiveMaximum);
        }
        let topic = body.get(found.topic.clone()).unwrap_or_default();
        let route = match found.properties.alias {
            None => self.route(topic),
            Some(alias) => self.aliased(alias, topic)?,
        };
        let Some(route) = route else {
            frame::topic_name(topic)?; // a name that cannot be is an error, one outside the rights is refused
            self.deny(Reason::TopicDenied.words());
            return self.refuse(&found, (Reason::TopicDenied, Loss::NotAuthorized), harvest);
        };
        let Some(meaning) = self.meaning(route, &found, body, harvest)? else { return Ok(()) };
        if let Some(id) = found.packet_id {
            if found.qos == Qos::ExactlyOnce && !self.received.insert(id) {
                harvest.due.acknowledge_again(id); // the first one is in the log, or on its way there
                return Ok(());
            }
            harvest.due.acknowledge(found.qos, id);
        }
        let is_kept = self.session.standing.mailbox.is_some();
        let received = found.packet_id.filter(|_| is_kept && found.qos == Qos::ExactlyOnce);
        harvest.due.received.extend(received);
        let payload = || frames.slice(body_at + found.payload.start..body_at + found.payload.end);
        match meaning {
            Meaning::Log(None, channel, about) => {
                if harvest.messages.is_empty() {
                    harvest.messages.reserve(self.expected.max(1));
                }
                harvest.messages.push(Inbound::of(channel, about, payload()));
            }
            Meaning::Log(child, channel, about) => {
                harvest.add(child, Inbound::of(channel, about, payload()));
            }
            Meaning::Heard(Heard { messages, user_properties, errand }) => {
                harvest.errands.extend(errand);
                if messages.is_empty() {
                    harvest.ops.extend(received.map(Op::Received));
                }
                for (of, channel, payload) in messages {
                    harvest.add(of, Inbound::of(channel, user_properties.clone(), payload));
                }
            }
            Meaning::Said(publication) => {
                harvest.ops.push(Op::Publish(publication));
                harvest.ops.extend(received.map(Op::Received));
            }
        }
        Ok(())
    }

    /// What a message to a topic amounts to; `None` where nothing becomes of it, which its sender is told.
    fn meaning(
        &mut self,
        route: Route,
        found: &Publish,
        body: &[u8],
        harvest: &mut Harvest,
    ) -> Result<Option<Meaning>, Reason> {
        Ok(Some(match route {
            Route::Ingest(channel, about) => {
                Meaning::Log(None, channel, found.properties.of_user(body, about))
            }
            Route::OfChild(child, channel) => {
                Meaning::Log(Some(child), channel, found.properties.of_user(body, None))
            }
            Route::Topic(topic) => {
                let publication = self.publication(topic, found, body);
                if self.is_too_much(&publication) {
                    let why = (Reason::TooManyRetained, Loss::TooManyRetained);
                    return self.refuse(found, why, harvest).map(|()| None);
                }
                Meaning::Said(publication)
            }
            Route::Request(topic) => {
                match self.hear(&topic, body.get(found.payload.clone()).unwrap_or_default()) {
                    Ok(heard) => {
                        let user_properties = found.properties.of_user(body, heard.user_properties);
                        Meaning::Heard(Heard { user_properties, ..heard })
                    }
                    Err(Unheard { code, why }) => {
                        self.deny(why);
                        self.pass_over(found, code, Loss::NotUnderstood, harvest);
                        return Ok(None);
                    }
                }
            }
        }))
    }

    /// Whether a message is to be retained that there is no room for.
    fn is_too_much(&self, publication: &Publication) -> bool {
        let Session { hub, rights, .. } = self.session;
        let room = Room { messages: hub.config.max_retained, bytes: hub.config.max_retained_bytes };
        publication.retain
            && !publication.message.payload.is_empty()
            && !hub.retained.has_room(rights.tenant(), publication, room)
    }

    /// What a program says. It may wait long for a subscriber, so it holds a copy, not the whole read buffer.
    fn publication(&self, topic: Arc<str>, found: &Publish, body: &[u8]) -> Publication {
        let payload = body.get(found.payload.clone()).unwrap_or_default();
        let message = Message {
            space: Space::Topics,
            topic,
            payload: Bytes::copy_from_slice(payload),
            properties: found.properties.passed_on(body).into(),
            expires_at: found.properties.expiry.map(|seconds| self.session.hub.expiry(seconds)),
        };
        Publication { message: Arc::new(message), qos: found.qos, retain: found.retain }
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

    /// Whether the client may send no further message of that QoS. Of QoS 1, a v3.1.1 client cannot know and is not read
    /// instead; QoS 2 must be read on, as only a PUBREL makes room.
    fn is_window_full(&self, qos: Qos, id: u16, harvest: &Harvest) -> bool {
        let most = self.session.standing.receive_maximum();
        let unacknowledged = self.session.acks.window() + harvest.due.window + self.received.len();
        match (self.session.version, qos) {
            (Version::V5, _) => unacknowledged >= most,
            (Version::V311, Qos::ExactlyOnce) => self.received.len() >= most && !self.received.contains(&id),
            (Version::V311, _) => false,
        }
    }

    fn route(&mut self, topic: &[u8]) -> Option<Route> {
        if let Some((_, route)) = self.routes.iter().find(|(known, _)| **known == *topic) {
            return Some(route.clone());
        }
        let route = self.session.rights.route(topic)?;
        if matches!(route, Route::Request(_)) {
            return Some(route); // one topic for each question
        }
        let known = (topic.into(), route.clone());
        match self.routes.get_mut(self.next_route) {
            Some(oldest) => *oldest = known,
            None => self.routes.push(known),
        }
        self.next_route = (self.next_route + 1) % MAX_ROUTES;
        Some(route)
    }

    /// What an alias stands for; from now on for `topic`, where there is one.
    fn aliased(&mut self, alias: u16, topic: &[u8]) -> Result<Option<Route>, Reason> {
        if !(1..=MAX_TOPIC_ALIASES).contains(&alias) {
            return Err(Reason::TopicAlias);
        }
        let known = self.aliases.iter().position(|(known, _)| *known == alias);
        if topic.is_empty() {
            let (_, route) = known.and_then(|at| self.aliases.get(at)).ok_or(Reason::Protocol)?;
            return Ok(route.clone());
        }
        let route = self.route(topic);
        match known.and_then(|at| self.aliases.get_mut(at)) {
            Some((_, before)) => before.clone_from(&route),
            None => self.aliases.push((alias, route.clone())),
        }
        Ok(route)
    }

    /// Tells whoever looks after the device what it may not, once.
    fn deny(&mut self, why: &'static str) {
        if !std::mem::replace(&mut self.denied, true) {
            self.session.tell(Happened::Denied, why);
        }
    }

    /// A message that is not taken. A v3.1.1 client can only be told so by the end of its connection.
    fn refuse(
        &self,
        found: &Publish,
        (why, loss): (Reason, Loss),
        harvest: &mut Harvest,
    ) -> Result<(), Reason> {
        if self.session.version == Version::V311 {
            return Err(why);
        }
        self.pass_over(found, why.code(), loss, harvest);
        Ok(())
    }

    /// A message of which nothing becomes; a v5 client is told why.
    fn pass_over(&self, found: &Publish, code: u8, loss: Loss, harvest: &mut Harvest) {
        match (self.session.version, found.packet_id) {
            (Version::V5, Some(id)) => harvest.due.refuse(found.qos, id, code),
            (Version::V311, Some(id)) => {
                harvest.due.acknowledge(found.qos, id);
                self.session.hub.metrics.dropped(self.session.rights.tenant(), loss, 1);
            }
            (_, None) => self.session.hub.metrics.dropped(self.session.rights.tenant(), loss, 1),
        }
    }

    /// What a device means by a question or an answer.
    fn hear(&self, topic: &str, payload: &[u8]) -> Result<Heard, Unheard> {
        let Session { hub, rights, host, standing, .. } = self.session;
        let around = Around {
            now: hub.clock.now(),
            max_packet_bytes: standing.quotas.packet_bytes,
            receive_maximum: standing.quotas.receive_maximum,
            host: host.as_deref().unwrap_or_default(),
        };
        rights.hear(topic, &Bytes::copy_from_slice(payload), &around)
    }

    /// A PUBACK, PUBREC, PUBREL or PUBCOMP.
    fn acknowledgement(&mut self, frame: &Frame, body: &[u8], harvest: &mut Harvest) -> Result<(), Reason> {
        let Session { version, outbox, correlation, .. } = self.session;
        let kind = frame.kind();
        if frame.first & 0x0F != if kind == packet::PUBREL { 0b0010 } else { 0 } {
            return Err(Reason::Malformed);
        }
        let (id, refused) = frame::acknowledgement(*version, body)?;
        let known = match kind {
            packet::PUBACK => outbox.acknowledged(id),
            packet::PUBREC => outbox.received(id, refused),
            packet::PUBREL => self.released(id, harvest),
            _ => outbox.completed(id),
        };
        if !known {
            tracing::debug!(%correlation, id, kind, "acknowledgement for nothing in flight");
        }
        Ok(())
    }

    /// A PUBREL came: its packet identifier may be used again, of a session that is kept once that is durable. False when it
    /// was not in use.
    fn released(&mut self, id: u16, harvest: &mut Harvest) -> bool {
        let known = self.received.remove(&id);
        if known && self.session.standing.mailbox.is_some() {
            harvest.ops.push(Op::Release(id));
            return true;
        }
        let mut answer = Vec::with_capacity(5);
        if known || self.session.version == Version::V311 {
            encode::acknowledge(encode::PUBCOMP, id, &mut answer);
        } else {
            encode::acknowledge_with(encode::PUBCOMP, id, encode::NOT_FOUND, &mut answer);
        }
        self.session.outbox.reply(&answer);
        known
    }

    /// Everything that is neither PUBLISH nor acknowledges one.
    fn control(&mut self, frame: &[u8], harvest: &mut Harvest) -> Result<(), End> {
        let broke = End::Broke;
        if *frame == [0xC0, 0] {
            self.session.outbox.reply(&encode::PINGRESP);
            return Ok(());
        }
        match codec::decode(self.session.version, frame).map_err(broke)? {
            Packet::Subscribe(subscribe, properties) => {
                self.subscribe(&subscribe, properties.as_ref(), harvest).map_err(broke)
            }
            Packet::Unsubscribe(unsubscribe, _) => self.unsubscribe(&unsubscribe, harvest).map_err(broke),
            Packet::Disconnect(disconnect, properties) => {
                let will = disconnect.reason_code != DisconnectReasonCode::NormalDisconnection;
                let expiry = properties.and_then(|of| of.session_expiry_interval);
                // MQTT-3.1.2-23: a session that was to end with its connection is not kept after all.
                if expiry.is_some_and(|seconds| seconds > 0) && self.session.standing.mailbox.is_none() {
                    return Err(broke(Reason::Protocol));
                }
                Err(End::Left { will, expiry })
            }
            _ => Err(broke(Reason::Protocol)), // a second CONNECT
        }
    }

    fn subscribe(
        &mut self,
        subscribe: &Subscribe,
        properties: Option<&SubscribeProperties>,
        harvest: &mut Harvest,
    ) -> Result<(), Reason> {
        if subscribe.pkid == 0 {
            return Err(Reason::Protocol);
        }
        // MQTT-3.8.3-4: whoever shares what it hears cannot leave out what it said.
        if subscribe.filters.iter().any(|wanted| wanted.nolocal && wanted.path.starts_with(SHARED)) {
            return Err(Reason::Protocol);
        }
        let id = properties.and_then(|of| of.id).map(u32::try_from).transpose();
        let id = id.map_err(|_| Reason::Protocol)?;
        if id == Some(0) {
            return Err(Reason::Protocol);
        }
        let Session { standing, version, rights, outbox, .. } = self.session;
        let wanted: Vec<Wanted> = subscribe.filters.iter().map(|filter| wanted(rights, filter, id)).collect();
        if wanted.iter().any(|one| one.filter == Err(encode::NOT_AUTHORIZED)) {
            self.deny("it subscribed to a topic outside its rights");
        }
        let of_own =
            |(one, asked): (&Wanted, &Filter)| one.filter.is_ok().then(|| rights.welcome(&asked.path));
        harvest.errands.extend(wanted.iter().zip(&subscribe.filters).filter_map(of_own).flatten());
        let packet_id = subscribe.pkid;
        if !self.is_direct() {
            harvest.ops.push(Op::Subscribe { packet_id, wanted });
            return Ok(());
        }
        let codes: Vec<u8> = wanted
            .into_iter()
            .map(|Wanted { filter, options, id, .. }| {
                let added = filter.map(|filter| standing.add(&Held { filter, options, id, since: 0 }));
                match added {
                    Ok(Added::Refused) => refusal(*version, QUOTA_EXCEEDED),
                    Ok(_) => options.qos as u8,
                    Err(code) => refusal(*version, code),
                }
            })
            .collect();
        outbox.reply(&encode::suback(*version, packet_id, &codes));
        Ok(())
    }

    fn unsubscribe(&self, unsubscribe: &Unsubscribe, harvest: &mut Harvest) -> Result<(), Reason> {
        if unsubscribe.pkid == 0 || unsubscribe.filters.is_empty() {
            return Err(Reason::Protocol);
        }
        let rights = &self.session.rights;
        let own = |filter: &String| {
            rights.filter(filter).map_err(|error| match error {
                FilterError::Invalid => INVALID_FILTER,
                FilterError::Denied | FilterError::Excluded => 0x11, // no subscription existed
            })
        };
        let filters: Vec<_> = unsubscribe.filters.iter().map(own).collect();
        let packet_id = unsubscribe.pkid;
        if self.is_direct() {
            let Session { standing, version, outbox, .. } = self.session;
            outbox.reply(&encode::unsuback(*version, packet_id, &standing.remove_all(filters)));
        } else {
            harvest.ops.push(Op::Unsubscribe { packet_id, filters });
        }
        Ok(())
    }

    /// Whether the session's subscriptions concern nobody but itself: nothing of them is kept, and nothing was retained for
    /// them. Fleets that come back do not queue for the exchange.
    fn is_direct(&self) -> bool {
        self.session.standing.mailbox.is_none() && !self.session.rights.use_topics()
    }
}

/// A filter that a client wants to subscribe to, or the v5 reason why it may not.
fn wanted(rights: &Rights, wanted: &Filter, id: Option<u32>) -> Wanted {
    let filter = rights.filter(&wanted.path).map_err(|error| match error {
        FilterError::Denied => encode::NOT_AUTHORIZED,
        FilterError::Excluded => UNSPECIFIED,
        FilterError::Invalid => INVALID_FILTER,
    });
    let stored = match wanted.retain_forward_rule {
        RetainForwardRule::OnEverySubscribe => WantStored::Always,
        RetainForwardRule::OnNewSubscribe => WantStored::OnNewSubscription,
        RetainForwardRule::Never => WantStored::Never,
    };
    let (qos, no_local) = (Qos::from(wanted.qos), wanted.nolocal);
    Wanted {
        filter,
        options: Options { qos, no_local, retain_as_published: wanted.preserve_retain },
        id,
        stored,
    }
}
