//! ThingsBoard's gateway API: one device speaks for others, whose names stand in its payloads.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tenants::DeviceId;

use super::{
    super::{Errand, Frame, Heard, Speaker, Unheard},
    changed,
};
use crate::gate::{Channel, CommandAnswer, Saying, TwinView};

/// What its topics begin with.
pub(super) const TOPICS: &str = "v1/gateway/";

/// The rest of them, of those that a gateway publishes to.
const SAID: [&str; 7] =
    ["connect", "disconnect", "telemetry", "attributes", "attributes/request", "rpc", "claim"];

pub(super) fn is_said(topic: &str) -> bool {
    topic.strip_prefix(TOPICS).is_some_and(|topic| SAID.contains(&topic))
}

/// What a gateway means; `topic` without what all begin with.
pub(super) fn hear(who: &Speaker, topic: &str, payload: &[u8]) -> Result<Heard, Unheard> {
    let said: Map<String, Value> = serde_json::from_slice(payload).map_err(|_| Unheard::UNREADABLE)?;
    match topic {
        // Its hospital says which devices it speaks for.
        "connect" | "disconnect" => named(who, &said).map(|_| Heard::default()),
        "telemetry" => messages(who, said, &Channel::Telemetry { component: None }),
        "attributes" => messages(who, said, &Channel::Reported),
        "attributes/request" => asked(who, &said),
        "rpc" => {
            let id = said.get("id").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
            let body = said.get("data").cloned().unwrap_or_default();
            let (of, id) = (Some(named(who, &said)?), id.ok_or(Unheard::UNREADABLE)?);
            let answer = Some(CommandAnswer { status: 200, body });
            Ok(Heard::errand(Errand::Answered { of, id, answer }))
        }
        _ => Err(super::CLAIMED),
    }
}

/// What the gateway of a device hears.
pub(super) fn frame(child: &DeviceId, saying: &Saying) -> Option<Frame> {
    Some(match saying {
        Saying::Desired { patch, properties, .. } => {
            let said = json!({ "device": child, "data": changed(patch, properties) });
            Frame::json("v1/gateway/attributes".into(), &said)
        }
        Saying::Command { id, name, body, .. } => {
            let called = json!({ "id": id, "method": name, "params": body });
            Frame::json("v1/gateway/rpc".into(), &json!({ "device": child, "data": called }))
        }
        Saying::Message { .. } => return None,
    })
}

/// The device that is named, which has to be behind the gateway.
fn named(who: &Speaker, said: &Map<String, Value>) -> Result<DeviceId, Unheard> {
    let name = said.get("device").and_then(Value::as_str).ok_or(Unheard::UNREADABLE)?;
    child(who, name)
}

fn child(who: &Speaker, name: &str) -> Result<DeviceId, Unheard> {
    let child = DeviceId::parse(name).ok().filter(|child| who.behind.contains(child));
    child.ok_or(Unheard::not_authorized("it spoke for a device that is not behind it"))
}

/// All of them or none.
fn messages(who: &Speaker, said: Map<String, Value>, channel: &Channel) -> Result<Heard, Unheard> {
    let message = |(name, values): (String, Value)| {
        Ok((Some(child(who, &name)?), channel.clone(), Bytes::from(values.to_string())))
    };
    Ok(Heard { messages: said.into_iter().map(message).collect::<Result<_, _>>()?, ..Heard::default() })
}

/// `{"id", "device", "client": whether of those that it reports, "key" or "keys"}`: one value, or several by name.
fn asked(who: &Speaker, said: &Map<String, Value>) -> Result<Heard, Unheard> {
    let of = named(who, said)?;
    let id = said.get("id").and_then(Value::as_i64).ok_or(Unheard::UNREADABLE)?;
    let reported = said.get("client").and_then(Value::as_bool).unwrap_or_default();
    let keys = match (said.get("key"), said.get("keys")) {
        (Some(Value::String(key)), None) => Ok(key.clone()),
        (None, Some(Value::Array(keys))) => {
            let keys = keys.iter().map(|key| key.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
            Err(keys.ok_or(Unheard::UNREADABLE)?)
        }
        _ => return Err(Unheard::UNREADABLE),
    };
    let device = of.clone();
    let answer = move |twin: Option<&TwinView>| {
        let twin = twin?;
        let properties = if reported { &twin.reported } else { &twin.desired };
        let found = match &keys {
            Ok(key) => json!({ "id": id, "device": device, "value": properties.get(key) }),
            Err(keys) => {
                let found = keys.iter().filter_map(|key| Some((key.clone(), properties.get(key)?.clone())));
                json!({ "id": id, "device": device, "values": found.collect::<Map<_, _>>() })
            }
        };
        Some(Frame::json("v1/gateway/attributes/response".into(), &found))
    };
    Ok(Heard::errand(Errand::Twin { of: Some(of), answer: Box::new(answer) }))
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::tests::{answer, errand, gateway, twin},
        *,
    };

    fn pump() -> DeviceId {
        DeviceId::parse("pump-1").unwrap()
    }

    fn hear(topic: &str, payload: &Value) -> Result<Heard, Unheard> {
        super::hear(&gateway(), topic, payload.to_string().as_bytes())
    }

    #[test]
    fn a_gateway_speaks_for_several_at_once_or_for_none() {
        let said = json!({ "pump-1": [{ "ts": 1, "values": { "rate": 5 } }], "pump-2": [{ "rate": 6 }] });
        let heard = hear("telemetry", &said).unwrap();
        let of: Vec<_> = heard.messages.iter().map(|(of, ..)| of.as_ref().unwrap().as_str()).collect();
        assert_eq!(of, ["pump-1", "pump-2"]);
        assert_eq!(heard.messages[1].2, r#"[{"rate":6}]"#);
        let foreign = json!({ "pump-1": [{ "rate": 5 }], "pump-9": [{ "rate": 6 }] });
        assert_eq!(hear("telemetry", &foreign).err().unwrap().code, 0x87, "not a part of it either");
        let report = hear("attributes", &json!({ "pump-1": { "firmware": "1.2" } })).unwrap();
        assert_eq!(report.messages, [(Some(pump()), Channel::Reported, r#"{"firmware":"1.2"}"#.into())]);
        for topic in ["connect", "disconnect"] {
            assert!(hear(topic, &json!({ "device": "pump-1", "type": "default" })).is_ok());
            assert!(hear(topic, &json!({ "device": "pump-9" })).is_err());
        }
        assert!(hear("claim", &json!({ "pump-1": {} })).is_err() && hear("telemetry", &json!([1])).is_err());
    }

    #[test]
    fn it_asks_for_them() {
        let rows = [
            (json!({ "client": true, "key": "firmware" }), json!({ "value": "1.2" })),
            (json!({ "client": false, "keys": ["rate", "none"] }), json!({ "values": { "rate": 5 } })),
            (json!({ "key": "none" }), json!({ "value": null })),
        ];
        for (mut asked, mut expected) in rows {
            for fields in [&mut asked, &mut expected] {
                fields["id"] = 4.into();
                fields["device"] = "pump-1".into();
            }
            let ask = errand(hear("attributes/request", &asked));
            assert!(matches!(&ask, Errand::Twin { of: Some(of), .. } if *of == pump()));
            let found = ("v1/gateway/attributes/response".to_owned(), expected);
            assert_eq!(answer(ask, Some(&twin())), Some(found), "{asked}");
        }
        for bad in
            [json!({ "id": 4, "device": "pump-1" }), json!({ "id": 4, "device": "pump-9", "key": "a" })]
        {
            assert!(hear("attributes/request", &bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn they_are_told_through_it() {
        let until = jiff::Timestamp::UNIX_EPOCH;
        let command = Saying::Command { id: 7, name: "stop".into(), body: json!({ "now": true }), until };
        let called = json!({ "device": "pump-1",
            "data": { "id": 7, "method": "stop", "params": { "now": true } } });
        assert_eq!(frame(&pump(), &command), Some(Frame::json("v1/gateway/rpc".into(), &called)));
        let answered = errand(hear("rpc", &json!({ "device": "pump-1", "id": 7, "data": { "ok": true } })));
        let Errand::Answered { of, id: 7, answer } = answered else { panic!("no answer") };
        let expected = CommandAnswer { status: 200, body: json!({ "ok": true }) };
        assert_eq!((of, answer), (Some(pump()), Some(expected)));
    }
}
