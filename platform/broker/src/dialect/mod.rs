//! How devices name things. A dialect translates between a family of devices and what the platform means; the session knows
//! nothing but this trait. Topics are relative to the device.

mod azure;
pub(crate) mod native;
pub(crate) mod newcomer;
pub(crate) mod thingsboard;

use std::{collections::HashSet, sync::Arc};

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;
use tenants::{DeviceId, topics::covers};

use self::{
    azure::{IotHub, Provisioning},
    native::Native,
    thingsboard::ThingsBoard,
};
use crate::{
    encode,
    gate::{Channel, CommandAnswer, Newcomer, Saying, Speech, TwinView, Unregistered, UserProperties},
};

/// The topics and payloads of one family of devices.
pub(crate) trait Dialect: Send + Sync {
    /// What a message to `topic` is; `None` when the device may not publish there.
    fn uplink(&self, who: &Speaker, topic: &str) -> Option<Uplink>;

    /// What a device means that published to a topic which is [`Uplink::Request`].
    fn hear(
        &self,
        who: &Speaker,
        topic: &str,
        payload: &Bytes,
        around: &Around<'_>,
    ) -> Result<Heard, Unheard>;

    /// Filters that together cover everything the device may subscribe to.
    fn audible(&self) -> &'static [&'static str];

    /// Whether the device may subscribe to a filter.
    fn hears(&self, _: &Speaker, filter: &str) -> bool {
        covers_any(self.audible(), filter)
    }

    /// What is to be done when the device has subscribed to a filter that is audible.
    fn welcome(&self, _: &Speaker, _: &str) -> Vec<Errand> {
        Vec::new()
    }

    /// What the platform says, as the device hears it; `None` where it has no words for that.
    fn frame(&self, device: &DeviceId, saying: &Saying) -> Option<Frame>;

    /// The same as the gateway hears it through which the device speaks.
    fn frame_behind(&self, _: &DeviceId, _: &Saying) -> Option<Frame> {
        None
    }
}

/// Who speaks: a device, for itself and for those that are behind it.
#[derive(Debug, Clone)]
pub(crate) struct Speaker {
    pub(crate) device: DeviceId,
    pub(crate) behind: Arc<HashSet<DeviceId>>,
}

impl Speaker {
    /// A device that speaks for nobody else.
    pub(crate) fn alone(device: DeviceId) -> Self {
        Self { device, behind: Arc::default() }
    }
}

/// The dialect that a device speaks.
pub(crate) const fn of(speech: Speech) -> &'static dyn Dialect {
    match speech {
        Speech::Native => &Native,
        Speech::ThingsBoard => &ThingsBoard,
        Speech::IotHub => &IotHub,
        Speech::Provisioning => &Provisioning,
    }
}

fn covers_any(audible: &[&str], filter: &str) -> bool {
    audible.iter().any(|own| covers(own, filter))
}

/// What a topic of a device is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Uplink {
    /// A message for the log, as it is.
    Message(Channel),
    /// The same, and what its topic says about it besides.
    Annotated(Channel, Arc<str>),
    /// A message of a device that is behind this one.
    OfChild(DeviceId, Channel),
    /// A question or an answer: its payload has to be read.
    Request,
}

/// What is sent to a device.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Frame {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    pub(crate) const fn empty(topic: String) -> Self {
        Self { topic, payload: Vec::new() }
    }

    pub(crate) fn json(topic: String, payload: &Value) -> Self {
        Self { topic, payload: payload.to_string().into_bytes() }
    }
}

/// What a device said, understood.
#[derive(Default)]
pub(crate) struct Heard {
    /// What of it is for the log, of the device itself or of one that is behind it.
    pub(crate) messages: Vec<(Option<DeviceId>, Channel, Bytes)>,
    /// What its topic says about these besides.
    pub(crate) user_properties: UserProperties,
    pub(crate) errand: Option<Errand>,
}

impl Heard {
    pub(crate) fn message(channel: Channel, payload: Bytes) -> Self {
        Self { messages: vec![(None, channel, payload)], ..Self::default() }
    }

    pub(crate) fn errand(errand: Errand) -> Self {
        Self { errand: Some(errand), ..Self::default() }
    }

    /// A device that is behind the speaker said it; `below` puts what is answered among the speaker's topics.
    fn of(self, child: &DeviceId, below: fn(&DeviceId, Frame) -> Frame) -> Self {
        let messages =
            self.messages.into_iter().map(|(_, channel, payload)| (Some(child.clone()), channel, payload));
        let errand = self.errand.map(|errand| errand.of(child, below));
        Self { messages: messages.collect(), errand, ..self }
    }
}

/// What is sent to a device of its twin, or of there being nobody to ask.
type FromTwin = Box<dyn FnOnce(Option<&TwinView>) -> Option<Frame> + Send>;

/// What is sent to a device that wanted to be registered: the error is why it is not, in words.
type OfRegistration = Box<dyn FnOnce(Result<(), String>) -> Frame + Send>;

/// What is sent to a device that nobody knew: its token, or why it has none.
type OfEnrolment = fn(Result<String, Unregistered>) -> Frame;

/// What has to be done for a device that asks or answers.
pub(crate) enum Errand {
    /// Answer it with what this makes of its twin, or of there being nobody to ask.
    Twin { of: Option<DeviceId>, answer: FromTwin },
    /// Answer it.
    Say(Frame),
    /// Register it, as a device of that model, and say what came of it.
    Register { model: Option<String>, answer: OfRegistration },
    /// Register one that nobody knows yet, and say what came of it.
    Enrol { newcomer: Newcomer, answer: OfEnrolment },
    /// Tell whoever gave it a command how it answered: with `None` what cannot be read.
    Answered { of: Option<DeviceId>, id: u32, answer: Option<CommandAnswer> },
}

impl Errand {
    pub(crate) fn twin(answer: impl FnOnce(Option<&TwinView>) -> Option<Frame> + Send + 'static) -> Self {
        Self::Twin { of: None, answer: Box::new(answer) }
    }

    fn of(self, child: &DeviceId, below: fn(&DeviceId, Frame) -> Frame) -> Self {
        let of = Some(child.clone());
        match self {
            Self::Twin { answer, .. } => {
                let child = child.clone();
                let answer = move |twin: Option<&TwinView>| answer(twin).map(|frame| below(&child, frame));
                Self::Twin { of, answer: Box::new(answer) }
            }
            Self::Answered { id, answer, .. } => Self::Answered { of, id, answer },
            Self::Say(frame) => Self::Say(below(child, frame)),
            Self::Register { .. } | Self::Enrol { .. } => self,
        }
    }
}

/// What is true around a question.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around<'a> {
    pub(crate) now: Timestamp,
    /// What a device may send at once, and on the way.
    pub(crate) max_packet_bytes: u32,
    pub(crate) receive_maximum: u32,
    /// By which name the device came here.
    pub(crate) host: &'a str,
}

/// Nothing is done about what a device asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unheard {
    /// Reason code of its acknowledgement (v5).
    pub(crate) code: u8,
    /// For whoever looks after the device.
    pub(crate) why: &'static str,
}

impl Unheard {
    /// The payload is not what the topic is for.
    pub(crate) const UNREADABLE: Self =
        Self { code: encode::PAYLOAD_FORMAT_INVALID, why: "it asked in a way that cannot be read" };

    pub(crate) const fn not_authorized(why: &'static str) -> Self {
        Self { code: encode::NOT_AUTHORIZED, why }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    /// A twin of which everything can be told apart.
    pub(crate) fn twin() -> TwinView {
        let object = |value: Value| value.as_object().cloned().unwrap();
        TwinView {
            desired: object(json!({ "rate": 5, "on": true })),
            desired_version: 4,
            confirmed_version: 3,
            reported: object(json!({ "firmware": "1.2", "serial": "x" })),
            reported_version: 9,
        }
    }

    pub(crate) fn around() -> Around<'static> {
        Around {
            now: Timestamp::UNIX_EPOCH,
            max_packet_bytes: 1_024,
            receive_maximum: 20,
            host: "hub.example.org",
        }
    }

    pub(crate) fn device() -> DeviceId {
        DeviceId::parse("monitor-1").unwrap()
    }

    pub(crate) fn alone() -> Speaker {
        Speaker::alone(device())
    }

    /// It speaks for `pump-1` and `pump-2`, too.
    pub(crate) fn gateway() -> Speaker {
        let behind = ["pump-1", "pump-2"].map(|id| DeviceId::parse(id).unwrap());
        Speaker { device: device(), behind: Arc::new(behind.into()) }
    }

    /// What has to be done where nothing is for the log.
    pub(crate) fn errand(heard: Result<Heard, Unheard>) -> Errand {
        let Heard { messages, errand, .. } = heard.unwrap();
        assert!(messages.is_empty());
        errand.unwrap()
    }

    /// What an errand answers, as topic and payload.
    pub(crate) fn answer(errand: Errand, view: Option<&TwinView>) -> Option<(String, Value)> {
        let frame = match errand {
            Errand::Twin { answer, .. } => answer(view)?,
            Errand::Say(frame) => frame,
            Errand::Register { answer, .. } => answer(Ok(())),
            Errand::Enrol { answer, .. } => answer(Ok("iomt_token".into())),
            Errand::Answered { .. } => return None,
        };
        Some((frame.topic, serde_json::from_slice(&frame.payload).unwrap()))
    }
}
