//! Devices made for ThingsBoard: its MQTT device API, and that of gateways ([`gateway`]).
//!
//! Client attributes are what a device reports, shared attributes are what is desired of it, server-side RPC is a command. As
//! there, a device is told of changes while it is connected and asks for what it has missed; it does not confirm them.

mod gateway;

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tenants::DeviceId;

use super::{Around, Dialect, Errand, Frame, Heard, Speaker, Unheard, Uplink};
use crate::gate::{Channel, CommandAnswer, Saying, TwinView};

const TELEMETRY: &str = "v1/devices/me/telemetry";
const ATTRIBUTES: &str = "v1/devices/me/attributes";
const WANTED: &str = "v1/devices/me/attributes/request/";
const FOUND: &str = "v1/devices/me/attributes/response/";
const RPC_REQUEST: &str = "v1/devices/me/rpc/request/";
const RPC_RESPONSE: &str = "v1/devices/me/rpc/response/";
const CLAIM: &str = "v1/devices/me/claim";

/// Nothing becomes of a claim.
const CLAIMED: Unheard = Unheard::not_authorized("it wanted to be claimed; its hospital has it already");

pub(crate) struct ThingsBoard;

impl Dialect for ThingsBoard {
    fn uplink(&self, _: &Speaker, topic: &str) -> Option<Uplink> {
        match topic {
            TELEMETRY => Some(Uplink::Message(Channel::Telemetry { component: None })),
            ATTRIBUTES => Some(Uplink::Message(Channel::Reported)),
            CLAIM => Some(Uplink::Request),
            _ if gateway::is_said(topic) => Some(Uplink::Request),
            _ => [WANTED, RPC_REQUEST, RPC_RESPONSE]
                .iter()
                .any(|prefix| numbered(topic, prefix).is_some())
                .then_some(Uplink::Request),
        }
    }

    fn hear(
        &self,
        who: &Speaker,
        topic: &str,
        payload: &Bytes,
        around: &Around<'_>,
    ) -> Result<Heard, Unheard> {
        if let Some(topic) = topic.strip_prefix(gateway::TOPICS) {
            return gateway::hear(who, topic, payload);
        }
        if let Some(id) = numbered(topic, RPC_RESPONSE) {
            let body = serde_json::from_slice(payload)
                .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(payload).into_owned()));
            let answer = Some(CommandAnswer { status: 200, body });
            return Ok(Heard::errand(Errand::Answered { of: None, id, answer }));
        }
        if topic == CLAIM {
            return Err(CLAIMED);
        }
        let asked: Value = serde_json::from_slice(payload).map_err(|_| Unheard::UNREADABLE)?;
        if let Some(id) = numbered(topic, RPC_REQUEST) {
            let answer = Frame::json(format!("{RPC_RESPONSE}{id}"), &called(&asked, around));
            return Ok(Heard::errand(Errand::Say(answer)));
        }
        let id = numbered(topic, WANTED).ok_or(Unheard::UNREADABLE)?;
        let (client, shared) = (keys(&asked, "clientKeys")?, keys(&asked, "sharedKeys")?);
        Ok(Heard::errand(Errand::twin(move |twin| {
            // Nothing answers a question that cannot be answered: the device asks again.
            let found = twin.map(|twin| attributes(twin, client.as_deref(), shared.as_deref()))?;
            Some(Frame::json(format!("{FOUND}{id}"), &found))
        })))
    }

    fn audible(&self) -> &'static [&'static str] {
        &[
            ATTRIBUTES,
            "v1/devices/me/attributes/response/+",
            "v1/devices/me/rpc/request/+",
            "v1/devices/me/rpc/response/+",
            "v1/gateway/attributes",
            "v1/gateway/attributes/response",
            "v1/gateway/rpc",
        ]
    }

    fn frame(&self, _: &DeviceId, saying: &Saying) -> Option<Frame> {
        Some(match saying {
            Saying::Desired { patch, properties, .. } => {
                Frame::json(ATTRIBUTES.into(), &changed(patch, properties))
            }
            Saying::Command { id, name, body, .. } => {
                Frame::json(format!("{RPC_REQUEST}{id}"), &json!({ "method": name, "params": body }))
            }
            Saying::Message { .. } => return None,
        })
    }

    fn frame_behind(&self, child: &DeviceId, saying: &Saying) -> Option<Frame> {
        gateway::frame(child, saying)
    }
}

/// The number behind a prefix.
fn numbered(topic: &str, prefix: &str) -> Option<u32> {
    topic.strip_prefix(prefix)?.parse().ok()
}

/// Names of attributes, with commas between them; `None` where none are given.
fn keys(asked: &Value, of: &str) -> Result<Option<Vec<String>>, Unheard> {
    match asked.get(of) {
        None => Ok(None),
        Some(Value::String(keys)) => {
            Ok(Some(keys.split(',').map(|key| key.trim().to_owned()).filter(|key| !key.is_empty()).collect()))
        }
        Some(_) => Err(Unheard::UNREADABLE),
    }
}

/// The attributes that a device asks for: all of them where it names none.
fn attributes(twin: &TwinView, client: Option<&[String]>, shared: Option<&[String]>) -> Value {
    let chosen = |of: &Map<String, Value>, keys: Option<&[String]>| -> Map<String, Value> {
        let all = client.is_none() && shared.is_none();
        let wanted = |name: &String| all || keys.is_some_and(|keys| keys.contains(name));
        of.iter()
            .filter(|(name, _)| wanted(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    let mut found = Map::new();
    for (scope, of, keys) in [("client", &twin.reported, client), ("shared", &twin.desired, shared)] {
        let chosen = chosen(of, keys);
        if !chosen.is_empty() {
            found.insert(scope.into(), chosen.into());
        }
    }
    found.into()
}

/// Shared attributes that have changed, whole, and those that are gone.
fn changed(patch: &Map<String, Value>, properties: &Map<String, Value>) -> Value {
    let (kept, gone): (Vec<_>, Vec<_>) = patch.keys().partition(|name| properties.contains_key(*name));
    let mut changed: Map<String, Value> =
        kept.into_iter().filter_map(|name| Some((name.clone(), properties.get(name)?.clone()))).collect();
    if !gone.is_empty() {
        changed.insert("deleted".into(), json!(gone));
    }
    changed.into()
}

/// What the platform answers when a device calls it.
fn called(asked: &Value, around: &Around<'_>) -> Value {
    match asked.get("method").and_then(Value::as_str) {
        Some("getCurrentTime") => around.now.as_millisecond().into(),
        // No rates: the platform slows a device down by reading it more slowly, and loses nothing.
        Some("getSessionLimits") => json!({
            "maxPayloadSize": around.max_packet_bytes,
            "maxInflightMessages": around.receive_maximum,
            "rateLimits": {},
        }),
        Some(_) => json!({ "error": "the platform knows getSessionLimits and getCurrentTime only" }),
        None => json!({ "error": "a method is expected" }),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{alone, answer, around, device, errand, twin},
        *,
    };

    fn hear(topic: &str, payload: &str) -> Result<Errand, Unheard> {
        let heard = ThingsBoard.hear(&alone(), topic, &payload.to_owned().into(), &around());
        heard.map(|heard| errand(Ok(heard)))
    }

    #[test]
    fn topics_of_a_device() {
        let message = |channel| Some(Uplink::Message(channel));
        let cases = [
            ("v1/devices/me/telemetry", message(Channel::Telemetry { component: None })),
            ("v1/devices/me/attributes", message(Channel::Reported)),
            ("v1/devices/me/attributes/request/1", Some(Uplink::Request)),
            ("v1/devices/me/rpc/request/1", Some(Uplink::Request)),
            ("v1/devices/me/rpc/response/1", Some(Uplink::Request)),
            ("v1/devices/me/claim", Some(Uplink::Request)),
            ("v1/devices/me/rpc/response/x", None),
            ("v1/devices/me/attributes/response/1", None),
            ("v1/devices/you/telemetry", None),
            ("telemetry", None),
        ];
        for (topic, expected) in cases {
            assert_eq!(ThingsBoard.uplink(&alone(), topic), expected, "{topic}");
        }
    }

    #[test]
    fn a_device_asks_for_attributes() {
        let everything = json!({
            "client": { "firmware": "1.2", "serial": "x" },
            "shared": { "rate": 5, "on": true },
        });
        let rows = [
            ("{}", everything),
            (r#"{"clientKeys":"firmware,none"}"#, json!({ "client": { "firmware": "1.2" } })),
            (r#"{"sharedKeys":"rate , on"}"#, json!({ "shared": { "rate": 5, "on": true } })),
            (
                r#"{"clientKeys":"serial","sharedKeys":"rate"}"#,
                json!({ "client": { "serial": "x" }, "shared": { "rate": 5 } }),
            ),
            (r#"{"sharedKeys":"none"}"#, json!({})),
        ];
        for (asked, expected) in rows {
            let errand = hear("v1/devices/me/attributes/request/3", asked).unwrap();
            let expected = ("v1/devices/me/attributes/response/3".to_owned(), expected);
            assert_eq!(answer(errand, Some(&twin())), Some(expected), "{asked}");
        }
        for unreadable in ["", "x", r#"{"clientKeys":["a"]}"#] {
            assert!(hear("v1/devices/me/attributes/request/3", unreadable).is_err(), "{unreadable}");
        }
    }

    #[test]
    fn what_is_desired_is_shared() {
        let object = |value: Value| value.as_object().cloned().unwrap();
        let saying = Saying::Desired {
            patch: object(json!({ "rate": 6, "display": { "dim": true }, "on": null })),
            properties: object(json!({ "rate": 6, "display": { "dim": true, "lines": 2 }, "other": 1 })),
            version: 5,
        };
        let expected = json!({ "rate": 6, "display": { "dim": true, "lines": 2 }, "deleted": ["on"] });
        assert_eq!(ThingsBoard.frame(&device(), &saying), Some(Frame::json(ATTRIBUTES.into(), &expected)));
    }

    #[test]
    fn each_calls_the_other() {
        let limits = hear("v1/devices/me/rpc/request/1", r#"{"method":"getSessionLimits","params":{}}"#);
        let (topic, limits) = answer(limits.unwrap(), None).unwrap();
        assert_eq!(topic, "v1/devices/me/rpc/response/1");
        assert_eq!(limits["maxInflightMessages"], around().receive_maximum);
        let unknown = hear("v1/devices/me/rpc/request/2", r#"{"method":"openDoor"}"#).unwrap();
        assert!(answer(unknown, None).unwrap().1["error"].is_string());

        let until = jiff::Timestamp::UNIX_EPOCH;
        let command = Saying::Command { id: 7, name: "setGpio".into(), body: json!({ "pin": 7 }), until };
        let expected = json!({ "method": "setGpio", "params": { "pin": 7 } });
        let topic = "v1/devices/me/rpc/request/7".to_owned();
        assert_eq!(ThingsBoard.frame(&device(), &command), Some(Frame::json(topic, &expected)));
        for (payload, body) in [(r#"{"ok":true}"#, json!({ "ok": true })), ("done", json!("done"))] {
            let Ok(Errand::Answered { id: 7, answer, .. }) = hear("v1/devices/me/rpc/response/7", payload)
            else {
                panic!("{payload}")
            };
            assert_eq!(answer, Some(CommandAnswer { status: 200, body }));
        }
    }
}
