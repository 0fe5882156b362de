//! The platform's own topics.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tenants::DeviceId;

use super::{Around, Dialect, Errand, Frame, Heard, Speaker, Unheard, Uplink, covers_any};
use crate::gate::{Channel, CommandAnswer, Saying, TwinView};

/// Longest name of a component.
const MAX_COMPONENT_BYTES: usize = 64;
/// Longest text by which a device knows an answer again.
const MAX_RID_BYTES: usize = 64;

const DESIRED: &str = "properties/desired";
/// Before the topics of devices that are behind a gateway, and their names.
const CHILDREN: &str = "devices/";

/// `telemetry`, `telemetry/<component>`, `properties/reported`, `properties/get/<rid>` and `commands/<name>/<rid>/result` out;
/// `properties/desired`, `properties/result/<rid>` and `commands/<name>/<rid>` in.
pub(crate) struct Native;

impl Dialect for Native {
    fn uplink(&self, who: &Speaker, topic: &str) -> Option<Uplink> {
        if let Some((child, topic)) = of_child(who, topic) {
            return Some(match self.uplink(&Speaker::alone(child.clone()), topic)? {
                Uplink::Message(channel) => Uplink::OfChild(child, channel),
                other => other,
            });
        }
        match topic {
            "telemetry" => return Some(Uplink::Message(Channel::Telemetry { component: None })),
            "properties/reported" => return Some(Uplink::Message(Channel::Reported)),
            _ => {}
        }
        if let Some(name) = topic.strip_prefix("telemetry/") {
            let component = Some(name.into());
            return is_component(name).then_some(Uplink::Message(Channel::Telemetry { component }));
        }
        let asks = wanted(topic).is_some() || answered(topic).is_some();
        asks.then_some(Uplink::Request)
    }

    fn hear(&self, who: &Speaker, topic: &str, payload: &Bytes, _: &Around<'_>) -> Result<Heard, Unheard> {
        match of_child(who, topic) {
            Some((child, topic)) => Ok(hear(topic, payload)?.of(&child, below)),
            None => hear(topic, payload),
        }
    }

    fn audible(&self) -> &'static [&'static str] {
        &[DESIRED, "properties/result/+", "commands/#"]
    }

    fn hears(&self, who: &Speaker, filter: &str) -> bool {
        match filter.strip_prefix(CHILDREN).and_then(|rest| rest.split_once('/')) {
            // Whatever a wildcard stands for, only those behind it are told of below its own topics.
            Some(("+", filter)) => covers_any(self.audible(), filter),
            Some((child, filter)) => {
                who.behind.iter().any(|of| of.as_str() == child) && covers_any(self.audible(), filter)
            }
            None => covers_any(self.audible(), filter),
        }
    }

    /// Who was away is told what is desired, unless it has said that it knows.
    fn welcome(&self, who: &Speaker, filter: &str) -> Vec<Errand> {
        let tell = |twin: Option<&TwinView>| {
            let twin = twin.filter(|twin| twin.confirmed_version < twin.desired_version)?;
            Some(Frame::json(DESIRED.into(), &desired(twin).into()))
        };
        if filter == DESIRED {
            return vec![Errand::twin(tell)];
        }
        match filter.strip_prefix(CHILDREN).and_then(|rest| rest.split_once('/')) {
            Some((child, DESIRED)) => {
                let told = who.behind.iter().filter(|of| child == "+" || of.as_str() == child);
                told.map(|child| Errand::twin(tell).of(child, below)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn frame(&self, _: &DeviceId, saying: &Saying) -> Option<Frame> {
        Some(match saying {
            Saying::Desired { patch, version, .. } => {
                Frame::json(DESIRED.into(), &versioned(patch, *version).into())
            }
            Saying::Command { id, name, body, .. } => Frame::json(format!("commands/{name}/{id}"), body),
            Saying::Message { .. } => return None,
        })
    }

    fn frame_behind(&self, child: &DeviceId, saying: &Saying) -> Option<Frame> {
        self.frame(child, saying).map(|frame| below(child, frame))
    }
}

/// What a device means, whoever speaks for it.
fn hear(topic: &str, payload: &[u8]) -> Result<Heard, Unheard> {
    if let Some(id) = answered(topic) {
        return Ok(Heard::errand(Errand::Answered { of: None, id, answer: read_answer(payload) }));
    }
    let topic = format!("properties/result/{}", wanted(topic).ok_or(Unheard::UNREADABLE)?);
    Ok(Heard::errand(Errand::twin(move |twin| {
        let payload = twin.map_or_else(
            || json!({ "error": "the twin cannot be asked right now; try again" }),
            |twin| json!({ "desired": desired(twin), "reported": twin.reported }),
        );
        Some(Frame::json(topic, &payload))
    })))
}

/// A topic of a device that is behind the one that speaks, and which one.
fn of_child<'a>(who: &Speaker, topic: &'a str) -> Option<(DeviceId, &'a str)> {
    let (child, topic) = topic.strip_prefix(CHILDREN)?.split_once('/')?;
    let child = DeviceId::parse(child).ok().filter(|child| who.behind.contains(child))?;
    Some((child, topic))
}

/// As the gateway of the device hears it.
fn below(child: &DeviceId, Frame { topic, payload }: Frame) -> Frame {
    Frame { topic: format!("{CHILDREN}{child}/{topic}"), payload }
}

/// The `rid` of a question after the twin.
fn wanted(topic: &str) -> Option<&str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    let rid = topic.strip_prefix("properties/get/")?;
    ((1..=MAX_RID_BYTES).contains(&rid.len()) && rid.bytes().all(plain)).then_some(rid)
}

/// The id of the command that is answered.
fn answered(topic: &str) -> Option<u32> {
    let (name, id) = topic.strip_prefix("commands/")?.strip_suffix("/result")?.split_once('/')?;
    (!name.is_empty()).then(|| id.parse().ok()).flatten()
}

fn read_answer(payload: &[u8]) -> Option<CommandAnswer> {
    let Value::Object(mut answer) = serde_json::from_slice(payload).ok()? else { return None };
    let status = i32::try_from(answer.get("status")?.as_i64()?).ok()?;
    Some(CommandAnswer { status, body: answer.remove("body").unwrap_or_default() })
}

fn desired(twin: &TwinView) -> Map<String, Value> {
    versioned(&twin.desired, twin.desired_version)
}

fn versioned(properties: &Map<String, Value>, version: u64) -> Map<String, Value> {
    let mut properties = properties.clone();
    properties.insert("$version".into(), version.into());
    properties
}

/// The characters of a reading's path without the slash: a component is one level of it.
fn is_component(name: &str) -> bool {
    (1..=MAX_COMPONENT_BYTES).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{alone, answer, around, device, errand, gateway, twin},
        *,
    };

    #[test]
    fn topics_of_a_device() {
        let telemetry = |component: Option<&str>| {
            Some(Uplink::Message(Channel::Telemetry { component: component.map(Into::into) }))
        };
        let long = format!("telemetry/{}", "c".repeat(65));
        let cases = [
            ("telemetry", telemetry(None)),
            ("telemetry/ecg", telemetry(Some("ecg"))),
            ("properties/reported", Some(Uplink::Message(Channel::Reported))),
            ("properties/get/1", Some(Uplink::Request)),
            ("properties/get/a-b.c_d", Some(Uplink::Request)),
            ("commands/reboot/17/result", Some(Uplink::Request)),
            ("properties/get/", None),
            ("properties/get/a/b", None),
            ("properties/get/+", None),
            ("telemetry/", None),
            ("telemetry/a/b", None),
            ("telemetry/+", None),
            ("telemetry/é", None),
            (&long, None),
            ("/telemetry", None),
            ("Telemetry", None),
            ("properties/desired", None),
            ("properties/result/1", None),
            ("commands/reboot/1", None),
            ("commands/reboot/x/result", None),
            ("commands//1/result", None),
            ("commands/reboot/result", None),
            ("devices/other/telemetry", None),
            ("feed/alarms", None),
            ("$SYS/x", None),
        ];
        for (topic, expected) in cases {
            assert_eq!(Native.uplink(&alone(), topic), expected, "{topic}");
        }
    }

    #[test]
    fn a_device_asks_for_its_twin() {
        let ask = || errand(Native.hear(&alone(), "properties/get/r1", &Bytes::new(), &around()));
        let expected = json!({
            "desired": { "rate": 5, "on": true, "$version": 4 },
            "reported": { "firmware": "1.2", "serial": "x" },
        });
        assert_eq!(answer(ask(), Some(&twin())), Some(("properties/result/r1".into(), expected)));
        let (_, failed) = answer(ask(), None).unwrap();
        assert!(failed["error"].is_string());
    }

    #[test]
    fn who_comes_back_is_told_what_it_has_not_confirmed() {
        let welcome = || Native.welcome(&alone(), "properties/desired").pop().unwrap();
        let expected = json!({ "rate": 5, "on": true, "$version": 4 });
        assert_eq!(answer(welcome(), Some(&twin())), Some(("properties/desired".into(), expected)));
        let knows = TwinView { confirmed_version: 4, ..twin() };
        assert_eq!(answer(welcome(), Some(&knows)), None);
        assert!(Native.welcome(&alone(), "commands/#").is_empty());
    }

    #[test]
    fn commands_and_their_answers() {
        let body = json!({ "after": 5 });
        let until = jiff::Timestamp::UNIX_EPOCH;
        let command = Saying::Command { id: 7, name: "reboot".into(), body: body.clone(), until };
        assert_eq!(Native.frame(&device(), &command), Some(Frame::json("commands/reboot/7".into(), &body)));
        let hear = |payload: &'static str| {
            let heard = Native.hear(&alone(), "commands/reboot/7/result", &payload.into(), &around());
            let Errand::Answered { id: 7, answer, .. } = errand(heard) else { panic!("{payload}") };
            answer
        };
        let ok = |status, body| Some(CommandAnswer { status, body });
        assert_eq!(hear(r#"{"status":200,"body":{"a":1}}"#), ok(200, json!({ "a": 1 })));
        assert_eq!(hear(r#"{"status":404}"#), ok(404, Value::Null));
        for unreadable in ["", "200", "{}", r#"{"status":"200"}"#, r#"{"status":99999999999}"#, "[1]"] {
            assert_eq!(hear(unreadable), None, "{unreadable}");
        }
    }

    #[test]
    fn a_gateway_speaks_for_those_behind_it() {
        let pump = DeviceId::parse("pump-1").unwrap();
        let telemetry = Channel::Telemetry { component: None };
        let cases = [
            ("devices/pump-1/telemetry", Some(Uplink::OfChild(pump.clone(), telemetry))),
            ("devices/pump-2/properties/get/1", Some(Uplink::Request)),
            ("devices/pump-1/commands/stop/3/result", Some(Uplink::Request)),
            ("devices/pump-3/telemetry", None),
            ("devices/pump-1/devices/pump-2/telemetry", None),
            ("devices/pump-1/properties/desired", None),
            ("devices/monitor-1/telemetry", None),
        ];
        for (topic, expected) in cases {
            assert_eq!(Native.uplink(&gateway(), topic), expected, "{topic}");
            assert_eq!(Native.uplink(&alone(), topic), None, "{topic} of nobody's gateway");
        }
        let hears = |filter: &str| Native.hears(&gateway(), filter);
        for own in ["devices/pump-1/commands/#", "devices/+/properties/desired", "devices/+/commands/+/+"] {
            assert!(hears(own), "{own}");
        }
        for other in ["devices/pump-3/commands/#", "devices/#", "devices/+/#", "devices/pump-1/telemetry"] {
            assert!(!hears(other), "{other}");
        }
        let heard = Native.hear(&gateway(), "devices/pump-1/properties/get/7", &Bytes::new(), &around());
        let ask = errand(heard);
        assert!(matches!(&ask, Errand::Twin { of: Some(of), .. } if *of == pump));
        assert_eq!(answer(ask, Some(&twin())).unwrap().0, "devices/pump-1/properties/result/7");
        assert_eq!(Native.welcome(&gateway(), "devices/+/properties/desired").len(), 2);
        let mut one = Native.welcome(&gateway(), "devices/pump-1/properties/desired");
        assert_eq!(answer(one.remove(0), Some(&twin())).unwrap().0, "devices/pump-1/properties/desired");
        let until = jiff::Timestamp::UNIX_EPOCH;
        let command = Saying::Command { id: 3, name: "stop".into(), body: Value::Null, until };
        assert_eq!(Native.frame_behind(&pump, &command).unwrap().topic, "devices/pump-1/commands/stop/3");
    }
}
