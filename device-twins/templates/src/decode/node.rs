//! One JSON value, borrowed from the payload. Scalars, which nearly all values are, cost no allocation.

use std::{borrow::Cow, fmt};

use serde::{
    Serialize, Serializer,
    de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor},
};

use super::{RawMessage, forms::Key};
use crate::{Defect, DefectReason};

#[derive(Debug, PartialEq)]
pub(super) enum Node<'de> {
    Null,
    Flag(bool),
    Number(f64),
    Text(Cow<'de, str>),
    /// An array of numbers only, which waveforms are, or an empty one.
    Numbers(Vec<f64>),
    List(Vec<Node<'de>>),
    Object(Fields<'de>),
}

/// The fields of an object, in the order of the payload.
pub(super) type Fields<'de> = Vec<(Cow<'de, str>, Node<'de>)>;

/// Reads a [`Node`]; `depth` counts the containers around it.
pub(super) struct NodeSeed<'d> {
    pub(super) depth: u8,
    pub(super) defect: &'d mut Option<Defect>,
}

impl NodeSeed<'_> {
    /// Steps into a container.
    fn deeper<E: Error>(&mut self) -> Result<u8, E> {
        if self.depth < RawMessage::MAX_DEPTH {
            return Ok(self.depth + 1);
        }
        let detail = format!("nested deeper than {}", RawMessage::MAX_DEPTH);
        *self.defect = Some(DefectReason::TooDeep.because(detail));
        Err(E::custom("too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for NodeSeed<'_> {
    type Value = Node<'de>;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NodeSeed<'_> {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E: Error>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }
    fn visit_bool<E: Error>(self, flag: bool) -> Result<Node<'de>, E> {
        Ok(Node::Flag(flag))
    }
    #[allow(clippy::cast_precision_loss, reason = "JSON numbers are read as f64, as most of its users do")]
    fn visit_i64<E: Error>(self, number: i64) -> Result<Node<'de>, E> {
        Ok(Node::Number(number as f64))
    }
    #[allow(clippy::cast_precision_loss, reason = "JSON numbers are read as f64, as most of its users do")]
    fn visit_u64<E: Error>(self, number: u64) -> Result<Node<'de>, E> {
        Ok(Node::Number(number as f64))
    }
    fn visit_f64<E: Error>(self, number: f64) -> Result<Node<'de>, E> {
        Ok(Node::Number(number))
    }
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Borrowed(text)))
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Node<'de>, A::Error> {
        let depth = self.deeper()?;
        let mut numbers = Vec::new();
        let mut list = Vec::new();
        while let Some(node) = seq.next_element_seed(NodeSeed { depth, defect: self.defect })? {
            match node {
                Node::Number(number) if list.is_empty() => numbers.push(number),
                other => {
                    list.extend(numbers.drain(..).map(Node::Number));
                    list.push(other);
                }
            }
        }
        Ok(if list.is_empty() { Node::Numbers(numbers) } else { Node::List(list) })
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Node<'de>, A::Error> {
        let depth = self.deeper()?;
        let mut fields = Vec::new();
        while let Some(name) = map.next_key_seed(Key)? {
            let node = map.next_value_seed(NodeSeed { depth, defect: self.defect })?;
            fields.push((name, node));
        }
        Ok(Node::Object(fields))
    }
}

impl Serialize for Node<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => to.serialize_unit(),
            Self::Flag(flag) => to.serialize_bool(*flag),
            Self::Number(number) => serialize_number(*number, to),
            Self::Text(text) => to.serialize_str(text),
            Self::Numbers(numbers) => to.collect_seq(numbers.iter().map(|number| Node::Number(*number))),
            Self::List(nodes) => to.collect_seq(nodes),
            Self::Object(fields) => to.collect_map(fields.iter().map(|(name, node)| (name, node))),
        }
    }
}

/// A whole number without `.0`, as it came in.
#[allow(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
fn serialize_number<S: Serializer>(number: f64, to: S) -> Result<S::Ok, S::Error> {
    if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 {
        to.serialize_i64(number as i64)
    } else {
        to.serialize_f64(number)
    }
}
