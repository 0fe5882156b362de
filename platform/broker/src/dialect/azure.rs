//! Devices made for Azure IoT Hub, and for the Device Provisioning Service that tells them where their hub is.
//!
//! A twin is a twin, a direct method is a command, and a cloud-to-device message is one. What a device says about a message
//! in its topic (the property bag) counts as far as it says which component measured, and when; the rest is kept beside the message.

use bytes::Bytes;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value, json};
use tenants::DeviceId;
use url::form_urlencoded::Serializer;

use super::{Around, Dialect, Errand, Frame, Heard, Speaker, Unheard, Uplink};
use crate::gate::{Channel, CommandAnswer, Saying, TwinView, UserProperties};

/// Longest text by which a device knows an answer again.
const MAX_RID_BYTES: usize = 64;
/// Longest name of a component.
const MAX_COMPONENT_BYTES: usize = 64;

const GET: &str = "$iothub/twin/GET/";
const PATCH: &str = "$iothub/twin/PATCH/properties/reported/";
const ANSWER: &str = "$iothub/methods/res/";

pub(crate) struct IotHub;

impl Dialect for IotHub {
    fn uplink(&self, Speaker { device, .. }: &Speaker, topic: &str) -> Option<Uplink> {
        if let Some(bag) = event(device, topic) {
            let Bag { component, created_at, others } = Bag::of(bag)?;
            let channel = Channel::Telemetry { component: component.map(Into::into) };
            return Some(match (created_at, others) {
                (Some(_), _) => Uplink::Request, // the time belongs into the payload
                (None, Some(others)) => Uplink::Annotated(channel, others),
                (None, None) => Uplink::Message(channel),
            });
        }
        let asks = rid(topic, GET).or_else(|| rid(topic, PATCH)).is_some() || answered(topic).is_some();
        asks.then_some(Uplink::Request)
    }

    fn hear(
        &self,
        Speaker { device, .. }: &Speaker,
        topic: &str,
        payload: &Bytes,
        _: &Around<'_>,
    ) -> Result<Heard, Unheard> {
        if let Some(Bag { component, created_at: Some(at), others }) = event(device, topic).and_then(Bag::of)
        {
            let values: Value = serde_json::from_slice(payload).map_err(|_| Unheard::UNREADABLE)?;
            let stamped = json!({ "ts": at.to_string(), "values": values }).to_string();
            let channel = Channel::Telemetry { component: component.map(Into::into) };
            return Ok(Heard { user_properties: others, ..Heard::message(channel, stamped.into()) });
        }
        if let Some((id, status)) = answered(topic) {
            let body = if payload.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(payload) };
            let answer = body.ok().map(|body| CommandAnswer { status, body });
            return Ok(Heard::errand(Errand::Answered { of: None, id, answer }));
        }
        if let Some(rid) = rid(topic, PATCH) {
            if serde_json::from_slice::<Map<String, Value>>(payload).is_err() {
                let refused = json!({ "message": "reported properties must be a JSON object" });
                let frame = Frame::json(format!("$iothub/twin/res/400/?$rid={rid}"), &refused);
                return Ok(Heard::errand(Errand::Say(frame)));
            }
            let topic = rid.to_owned();
            let accepted = Errand::twin(move |twin| {
                Some(match twin {
                    Some(twin) => {
                        let version = twin.reported_version;
                        Frame::empty(format!("$iothub/twin/res/204/?$rid={topic}&$version={version}"))
                    }
                    None => Frame::empty(format!("$iothub/twin/res/503/?$rid={topic}")),
                })
            });
            return Ok(Heard {
                errand: Some(accepted),
                ..Heard::message(Channel::Reported, payload.clone())
            });
        }
        let rid = rid(topic, GET).ok_or(Unheard::UNREADABLE)?.to_owned();
        Ok(Heard::errand(Errand::twin(move |twin| {
            Some(match twin {
                Some(twin) => Frame::json(format!("$iothub/twin/res/200/?$rid={rid}"), &whole(twin)),
                None => Frame::empty(format!("$iothub/twin/res/503/?$rid={rid}")),
            })
        })))
    }

    fn audible(&self) -> &'static [&'static str] {
        &["$iothub/twin/res/#", "$iothub/twin/PATCH/properties/desired/#", "$iothub/methods/POST/#"]
    }

    fn hears(&self, Speaker { device, .. }: &Speaker, filter: &str) -> bool {
        let own = filter.strip_prefix("devices/").and_then(|rest| rest.strip_prefix(device.as_str()));
        own == Some("/messages/devicebound/#") || super::covers_any(self.audible(), filter)
    }

    fn frame(&self, device: &DeviceId, saying: &Saying) -> Option<Frame> {
        Some(match saying {
            Saying::Desired { patch, version, .. } => Frame::json(
                format!("$iothub/twin/PATCH/properties/desired/?$version={version}"),
                &versioned(patch, *version).into(),
            ),
            Saying::Command { id, name, body, .. } => {
                Frame::json(format!("$iothub/methods/POST/{name}/?$rid={id}"), body)
            }
            Saying::Message { id, payload, properties } => {
                let to = format!("/devices/{device}/messages/devicebound");
                let named = [("$.mid", id.as_str()), ("$.to", to.as_str())].into_iter();
                let own = properties.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                let field = |(name, value)| format!("{}={}", encoded(name), encoded(value));
                let bag = named.chain(own).map(field).collect::<Vec<_>>().join("&");
                let topic = format!("devices/{device}/messages/devicebound/{bag}");
                Frame { topic, payload: payload.clone().into_bytes() }
            }
        })
    }
}

/// The Device Provisioning Service.
pub(crate) struct Provisioning;

const REGISTER: &str = "$dps/registrations/PUT/iotdps-register/";
const STATUS: &str = "$dps/registrations/GET/iotdps-get-operationstatus/";
const REGISTERED: &str = "$dps/registrations/res/";

impl Dialect for Provisioning {
    fn uplink(&self, _: &Speaker, topic: &str) -> Option<Uplink> {
        rid(topic, REGISTER).or_else(|| rid(topic, STATUS)).map(|_| Uplink::Request)
    }

    fn hear(
        &self,
        Speaker { device, .. }: &Speaker,
        topic: &str,
        payload: &Bytes,
        around: &Around<'_>,
    ) -> Result<Heard, Unheard> {
        let rid = rid(topic, REGISTER).or_else(|| rid(topic, STATUS)).ok_or(Unheard::UNREADABLE)?.to_owned();
        let asked: Value = serde_json::from_slice(payload).unwrap_or_default();
        let model = asked.pointer("/payload/modelId").and_then(Value::as_str).map(str::to_owned);
        let (device, host, now) = (device.clone(), around.host.to_owned(), around.now);
        let answer = Box::new(move |registered: Result<(), String>| {
            let state = |status: &str| json!({ "registrationId": device, "status": status, "lastUpdatedDateTimeUtc": now.to_string() });
            match registered {
                Ok(()) => {
                    let mut state = state("assigned");
                    state["assignedHub"] = host.into();
                    state["deviceId"] = device.as_str().into();
                    state["substatus"] = "initialAssignment".into();
                    let assigned =
                        json!({ "operationId": device, "status": "assigned", "registrationState": state });
                    Frame::json(format!("{REGISTERED}200/?$rid={rid}"), &assigned)
                }
                Err(why) => {
                    let mut state = state("failed");
                    state["errorMessage"] = why.into();
                    let failed =
                        json!({ "operationId": device, "status": "failed", "registrationState": state });
                    Frame::json(format!("{REGISTERED}200/?$rid={rid}"), &failed)
                }
            }
        });
        Ok(Heard::errand(Errand::Register { model, answer }))
    }

    fn audible(&self) -> &'static [&'static str] {
        &["$dps/registrations/res/#"]
    }

    fn frame(&self, _: &DeviceId, _: &Saying) -> Option<Frame> {
        None
    }
}

/// The property bag of a telemetry topic of the device.
fn event<'a>(device: &DeviceId, topic: &'a str) -> Option<&'a str> {
    let rest =
        topic.strip_prefix("devices/")?.strip_prefix(device.as_str())?.strip_prefix("/messages/events")?;
    if rest.is_empty() { Some("") } else { rest.strip_prefix('/').filter(|bag| !bag.contains('/')) }
}

/// What counts of a property bag.
struct Bag {
    component: Option<String>,
    created_at: Option<Timestamp>,
    /// What is kept beside the message.
    others: UserProperties,
}

impl Bag {
    /// `None` where it names something that cannot be.
    fn of(bag: &str) -> Option<Self> {
        let (mut component, mut created_at) = (None, None);
        let mut others = Serializer::new(String::new());
        for field in bag.split('&').filter(|field| !field.is_empty()) {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            let (name, value) = (decoded(name)?, decoded(value)?);
            match name.as_str() {
                "$.sub" => component = Some(value),
                "$.ctime" | "iothub-creation-time-utc" => created_at = Some(value.parse().ok()?),
                _ => {
                    others.append_pair(&name, &value);
                }
            }
        }
        let others = Some(others.finish()).filter(|others| !others.is_empty()).map(Into::into);
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
        let known =
            |name: &String| (1..=MAX_COMPONENT_BYTES).contains(&name.len()) && name.bytes().all(plain);
        component.as_ref().is_none_or(known).then_some(Self { component, created_at, others })
    }
}

/// The `$rid` behind a prefix.
fn rid<'a>(topic: &'a str, prefix: &str) -> Option<&'a str> {
    let fields = topic.strip_prefix(prefix)?.strip_prefix('?')?;
    let rid = fields.split('&').find_map(|field| field.strip_prefix("$rid="))?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    ((1..=MAX_RID_BYTES).contains(&rid.len()) && rid.bytes().all(plain)).then_some(rid)
}

/// Which command is answered, and how.
fn answered(topic: &str) -> Option<(u32, i32)> {
    let (status, _) = topic.strip_prefix(ANSWER)?.split_once('/')?;
    let prefix = format!("{ANSWER}{status}/");
    Some((rid(topic, &prefix)?.parse().ok()?, status.parse().ok()?))
}

fn whole(twin: &TwinView) -> Value {
    json!({
        "desired": versioned(&twin.desired, twin.desired_version),
        "reported": versioned(&twin.reported, twin.reported_version),
    })
}

fn versioned(properties: &Map<String, Value>, version: u64) -> Map<String, Value> {
    let mut properties = properties.clone();
    properties.insert("$version".into(), version.into());
    properties
}

/// Percent-encoding undone; `None` where that is no text.
fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Into::into)
}

/// What stands for itself in a property bag.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// As a part of a property bag.
fn encoded(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, PLAIN)
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{alone, answer, around, device, errand, twin},
        *,
    };

    fn uplink(topic: &str) -> Option<Uplink> {
        IotHub.uplink(&alone(), topic)
    }

    fn hear(topic: &str, payload: &'static str) -> Result<Heard, Unheard> {
        IotHub.hear(&alone(), topic, &payload.into(), &around())
    }

    #[test]
    fn topics_of_a_device() {
        let telemetry = |component: Option<&str>| {
            Some(Uplink::Message(Channel::Telemetry { component: component.map(Into::into) }))
        };
        let annotated = |component: Option<&str>, others: &str| {
            let channel = Channel::Telemetry { component: component.map(Into::into) };
            Some(Uplink::Annotated(channel, others.into()))
        };
        let cases = [
            ("devices/monitor-1/messages/events", telemetry(None)),
            ("devices/monitor-1/messages/events/", telemetry(None)),
            (
                "devices/monitor-1/messages/events/%24.ct=application%2Fjson&ward=4%20West",
                annotated(None, "%24.ct=application%2Fjson&ward=4+West"),
            ),
            ("devices/monitor-1/messages/events/$.sub=ecg", telemetry(Some("ecg"))),
            ("devices/monitor-1/messages/events/%24.sub=ecg&x", annotated(Some("ecg"), "x=")),
            ("devices/monitor-1/messages/events/x=%FF", None),
            ("devices/monitor-1/messages/events/%24.ctime=2026-01-02T03:04:05Z", Some(Uplink::Request)),
            ("$iothub/twin/GET/?$rid=1", Some(Uplink::Request)),
            ("$iothub/twin/PATCH/properties/reported/?$rid=a-1", Some(Uplink::Request)),
            ("$iothub/methods/res/200/?$rid=7", Some(Uplink::Request)),
            ("devices/monitor-1/messages/events/%24.sub=a%2Fb", None),
            ("devices/monitor-1/messages/events/%24.ctime=yesterday", None),
            ("devices/monitor-1/messages/events/a/b", None),
            ("devices/monitor-1/messages/eventsx", None),
            ("devices/monitor-10/messages/events/", None),
            ("devices/monitor-2/messages/events/", None),
            ("$iothub/twin/GET/", None),
            ("$iothub/twin/GET/?$rid=", None),
            ("$iothub/twin/GET/?$rid=a/b", None),
            ("$iothub/methods/res/200/?$rid=x", None),
            ("$iothub/methods/res/ok/?$rid=7", None),
            ("telemetry", None),
        ];
        for (topic, expected) in cases {
            assert_eq!(uplink(topic), expected, "{topic}");
        }
    }

    #[test]
    fn a_device_hears_its_own() {
        let hears = |filter: &str| IotHub.hears(&alone(), filter);
        for own in [
            "$iothub/twin/res/#",
            "$iothub/twin/PATCH/properties/desired/#",
            "$iothub/methods/POST/#",
            "devices/monitor-1/messages/devicebound/#",
        ] {
            assert!(hears(own), "{own}");
        }
        for other in [
            "#",
            "$iothub/#",
            "devices/#",
            "devices/+/messages/devicebound/#",
            "devices/monitor-2/messages/devicebound/#",
            "devices/monitor-1/#",
        ] {
            assert!(!hears(other), "{other}");
        }
    }

    #[test]
    fn a_time_that_the_device_gives_counts() {
        let topic =
            "devices/monitor-1/messages/events/%24.sub=ecg&alert=yes&%24.ctime=2026-01-02T03%3A04%3A05Z";
        let Heard { mut messages, user_properties, errand: None } =
            hear(topic, r#"{"heartRate":72}"#).unwrap()
        else {
            panic!("no message alone")
        };
        let (_, channel, payload) = messages.pop().unwrap();
        assert_eq!(user_properties.as_deref(), Some("alert=yes"));
        assert_eq!(channel, Channel::Telemetry { component: Some("ecg".into()) });
        let stamped: Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(stamped, json!({ "ts": "2026-01-02T03:04:05Z", "values": { "heartRate": 72 } }));
        assert!(hear(topic, "x").is_err());
    }

    #[test]
    fn a_device_asks_for_its_twin_and_reports() {
        let ask = || errand(hear("$iothub/twin/GET/?$rid=r1", ""));
        let whole = json!({
            "desired": { "rate": 5, "on": true, "$version": 4 },
            "reported": { "firmware": "1.2", "serial": "x", "$version": 9 },
        });
        assert_eq!(answer(ask(), Some(&twin())), Some(("$iothub/twin/res/200/?$rid=r1".into(), whole)));
        let topic = "$iothub/twin/PATCH/properties/reported/?$rid=r2";
        let heard = hear(topic, r#"{"a":1}"#).unwrap();
        assert_eq!(heard.messages, [(None, Channel::Reported, r#"{"a":1}"#.into())]);
        let Some(Errand::Twin { answer: accepted, .. }) = heard.errand else { panic!("not answered") };
        let expected = Frame::empty("$iothub/twin/res/204/?$rid=r2&$version=9".into());
        assert_eq!(accepted(Some(&twin())), Some(expected));
        let (refused, _) = answer(errand(hear(topic, "[1]")), None).unwrap();
        assert_eq!(refused, "$iothub/twin/res/400/?$rid=r2");
    }

    #[test]
    fn methods_and_messages() {
        let until = Timestamp::UNIX_EPOCH;
        let command =
            Saying::Command { id: 7, name: "ecg*setGain".into(), body: json!({ "gain": 2 }), until };
        let expected = Frame::json("$iothub/methods/POST/ecg*setGain/?$rid=7".into(), &json!({ "gain": 2 }));
        assert_eq!(IotHub.frame(&device(), &command), Some(expected));
        for (payload, body) in [("", Some(Value::Null)), (r#"{"a":1}"#, Some(json!({ "a": 1 }))), ("x", None)]
        {
            let answered = errand(hear("$iothub/methods/res/404/?$rid=7", payload));
            let Errand::Answered { id: 7, answer, .. } = answered else { panic!("{payload}") };
            assert_eq!(answer, body.map(|body| CommandAnswer { status: 404, body }), "{payload}");
        }
        let message = Saying::Message {
            id: "m1".into(),
            payload: "wash your hands".into(),
            properties: vec![("for".into(), "4 West/b&c".into())],
        };
        let Frame { topic, payload } = IotHub.frame(&device(), &message).unwrap();
        let expected = "devices/monitor-1/messages/devicebound/\
            %24.mid=m1&%24.to=%2Fdevices%2Fmonitor-1%2Fmessages%2Fdevicebound&for=4%20West%2Fb%26c";
        assert_eq!((topic.as_str(), payload.as_slice()), (expected, &b"wash your hands"[..]));
    }

    #[test]
    fn a_device_is_told_where_it_belongs() {
        let topic = "$dps/registrations/PUT/iotdps-register/?$rid=1";
        assert_eq!(Provisioning.uplink(&alone(), topic), Some(Uplink::Request));
        assert_eq!(Provisioning.uplink(&alone(), "$dps/registrations/PUT/?$rid=1"), None);
        let asked = r#"{"registrationId":"monitor-1","payload":{"modelId":"dtmi:iomt:PatientMonitor;1"}}"#;
        let register = || {
            let heard = Provisioning.hear(&alone(), topic, &asked.into(), &around());
            let Errand::Register { model, answer } = errand(heard) else { panic!("no registration") };
            assert_eq!(model.as_deref(), Some("dtmi:iomt:PatientMonitor;1"));
            answer
        };
        let Frame { topic, payload } = register()(Ok(()));
        let assigned: Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(topic, "$dps/registrations/res/200/?$rid=1");
        let state = &assigned["registrationState"];
        assert_eq!(
            (&assigned["status"], &state["assignedHub"]),
            (&json!("assigned"), &json!("hub.example.org"))
        );
        assert_eq!(state["deviceId"], "monitor-1");
        let failed: Value = serde_json::from_slice(&register()(Err("no such model".into())).payload).unwrap();
        assert_eq!(
            (&failed["status"], &failed["registrationState"]["errorMessage"]),
            (&json!("failed"), &json!("no such model"))
        );
    }
}
