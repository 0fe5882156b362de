//! Short names for the topics of messages to one v5 client (MQTT 5, 3.3.2.3.4).

use crate::encode::Named;

/// Topics that the client knows by an alias: the first ones it was sent, as a client hears the same few again and again.
#[derive(Default)]
pub(super) struct Aliases(Vec<Box<str>>);

impl Aliases {
    /// How a topic is named when it is sent next.
    pub(super) fn name(&mut self, topic: &str, most: usize) -> Named {
        let alias = |index: usize| u16::try_from(index + 1).unwrap_or_default();
        if let Some(index) = self.0.iter().position(|known| **known == *topic) {
            return Named::Known(alias(index));
        }
        if self.0.len() >= most {
            return Named::Whole;
        }
        self.0.push(topic.into());
        Named::Introduced(alias(self.0.len() - 1))
    }

    /// The packet was not sent after all.
    pub(super) fn take_back(&mut self, named: Named) {
        if matches!(named, Named::Introduced(_)) {
            self.0.pop();
        }
    }
}
