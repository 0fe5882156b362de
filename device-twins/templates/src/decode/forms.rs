//! The forms of a payload, read in one pass.

use std::{borrow::Cow, fmt};

use jiff::Timestamp;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Decoder, RawMessage, node::NodeSeed, time};
use crate::{Defect, DefectReason};

/// A whole payload: one message, or an array of them.
pub(super) struct Payload<'d, 'a>(pub(super) &'d mut Decoder<'a>);

/// One message; `depth` counts the containers around it and itself.
struct Message<'d, 'a> {
    decoder: &'d mut Decoder<'a>,
    depth: u8,
}

/// The object at `values`.
struct Values<'d, 'a> {
    decoder: &'d mut Decoder<'a>,
    depth: u8,
}

/// A name in an object, borrowed unless it has escapes.
pub(super) struct Key;

impl Decoder<'_> {
    /// Stops reading with a defect.
    fn stop<E: Error>(&mut self, defect: Defect) -> E {
        self.defect = Some(defect);
        E::custom("stopped")
    }

    fn taken<E: Error>(&mut self, result: Result<(), Defect>) -> Result<(), E> {
        result.map_err(|defect| self.stop(defect))
    }

    fn no_message<E: Error>(&mut self) -> E {
        self.stop(DefectReason::WrongType.because("a message is an object, or an array of objects"))
    }

    /// Closes the current message: gives its readings their time.
    fn end_message(&mut self, measured_at: Option<Timestamp>) -> Result<(), Defect> {
        let readings = self.out.get_mut(self.start..).unwrap_or_default();
        if readings.is_empty() {
            return Err(DefectReason::Empty.because("a message without values"));
        }
        if let Some(measured_at) = measured_at {
            for reading in readings {
                reading.measured_at = measured_at;
            }
        }
        self.start = self.out.len();
        Ok(())
    }

    /// Whether the template leaves this name to the form of the message.
    fn is_free(&self, name: &str, reserved: &str) -> bool {
        name == reserved && !self.names.contains_key(name)
    }
}

/// Visits what is neither an object nor an array, all of it alike.
macro_rules! every_scalar {
    ($self:ident => $error:expr) => {
        fn visit_unit<E: Error>($self) -> Result<(), E> {
            Err($error)
        }
        fn visit_bool<E: Error>($self, _: bool) -> Result<(), E> {
            Err($error)
        }
        fn visit_i64<E: Error>($self, _: i64) -> Result<(), E> {
            Err($error)
        }
        fn visit_u64<E: Error>($self, _: u64) -> Result<(), E> {
            Err($error)
        }
        fn visit_f64<E: Error>($self, _: f64) -> Result<(), E> {
            Err($error)
        }
        fn visit_str<E: Error>($self, _: &str) -> Result<(), E> {
            Err($error)
        }
    };
}

impl<'de> DeserializeSeed<'de> for Payload<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Payload<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message")
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        Message { decoder: self.0, depth: 1 }.visit_map(map)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut messages: A) -> Result<(), A::Error> {
        let mut count = 0;
        while messages.next_element_seed(Message { decoder: self.0, depth: 2 })?.is_some() {
            count += 1;
            if count > RawMessage::MAX_MESSAGES {
                let detail = format!("more than {} messages in one payload", RawMessage::MAX_MESSAGES);
                return Err(self.0.stop(DefectReason::TooManyValues.because(detail)));
            }
        }
        if count == 0 {
            return Err(self.0.stop(DefectReason::Empty.because("an array without messages")));
        }
        Ok(())
    }
    every_scalar!(self => self.0.no_message());
}

impl<'de> DeserializeSeed<'de> for Message<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Message<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { decoder, depth } = self;
        let mut measured_at = None;
        while let Some(name) = map.next_key_seed(Key)? {
            if decoder.is_free(&name, "values") {
                map.next_value_seed(Values { decoder, depth: depth + 1 })?;
                continue;
            }
            let node = map.next_value_seed(NodeSeed { depth, defect: &mut decoder.defect })?;
            if decoder.is_free(&name, "ts") {
                match time::measured_at(&node, decoder.received_at) {
                    Ok(at) => measured_at = Some(at),
                    Err(defect) => return Err(decoder.stop(defect)),
                }
            } else {
                let result = decoder.take(&name, &node);
                decoder.taken(result)?;
            }
        }
        let result = decoder.end_message(measured_at);
        decoder.taken(result)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(self.decoder.no_message())
    }
    every_scalar!(self => self.decoder.no_message());
}

impl<'de> DeserializeSeed<'de> for Values<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl Values<'_, '_> {
    fn no_object<E: Error>(self) -> E {
        self.decoder.stop(DefectReason::WrongType.because("values: expected an object"))
    }
}

impl<'de> Visitor<'de> for Values<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of values")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { decoder, depth } = self;
        while let Some(name) = map.next_key_seed(Key)? {
            let node = map.next_value_seed(NodeSeed { depth, defect: &mut decoder.defect })?;
            let result = decoder.take(&name, &node);
            decoder.taken(result)?;
        }
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(self.no_object())
    }
    every_scalar!(self => self.no_object());
}

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }
    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }
    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}
