//! The platform's own topics.

use super::Dialect;
use crate::gate::Channel;

/// Longest name of a component.
const MAX_COMPONENT_BYTES: usize = 64;

/// `telemetry`, `telemetry/<component>` and `properties/reported` out;
/// `properties/desired`, `properties/result/<rid>` and `commands/<name>/<rid>` in.
pub(crate) struct Native;

impl Dialect for Native {
    fn channel(&self, topic: &str) -> Option<Channel> {
        match topic {
            "telemetry" => Some(Channel::Telemetry { component: None }),
            "properties/reported" => Some(Channel::Reported),
            _ => {
                let component = topic.strip_prefix("telemetry/").filter(|name| is_component(name))?;
                Some(Channel::Telemetry { component: Some(component.into()) })
            }
        }
    }

    fn audible(&self) -> &'static [&'static str] {
        &["properties/desired", "properties/result/+", "commands/#"]
    }
}

/// The characters of a reading's path without the slash: a component is one level of it.
fn is_component(name: &str) -> bool {
    (1..=MAX_COMPONENT_BYTES).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_of_a_device() {
        let telemetry =
            |component: Option<&str>| Some(Channel::Telemetry { component: component.map(Into::into) });
        let long = format!("telemetry/{}", "c".repeat(65));
        let cases = [
            ("telemetry", telemetry(None)),
            ("telemetry/ecg", telemetry(Some("ecg"))),
            ("properties/reported", Some(Channel::Reported)),
            ("telemetry/", None),
            ("telemetry/a/b", None),
            ("telemetry/+", None),
            ("telemetry/é", None),
            (&long, None),
            ("/telemetry", None),
            ("Telemetry", None),
            ("properties/desired", None),
            ("properties/get/1", None),
            ("commands/reboot/1", None),
            ("devices/other/telemetry", None),
            ("feed/alarms", None),
            ("$SYS/x", None),
        ];
        for (topic, expected) in cases {
            assert_eq!(Native.channel(topic), expected, "{topic}");
        }
    }
}
