//! The forms that one value may have.

use super::node::Node;

/// One value.
pub(super) enum Shape<'n> {
    /// A scalar or an array.
    Plain(&'n Node<'n>),
    /// `{"value": 38.2, "unit": "Cel"}`, with or without the unit; the value is a scalar and not null.
    Quantity { value: &'n Node<'n>, unit: Option<&'n str> },
    /// `{"rate": 125, "samples": [0.1, 0.2], "unit": "mV"}`, with or without the unit.
    Waveform { rate: f64, samples: &'n [f64], unit: Option<&'n str> },
}

/// The one value that a node is; none for null and for an object of anything else.
pub(super) fn shape<'n>(node: &'n Node<'n>) -> Option<Shape<'n>> {
    let fields = match node {
        Node::Null => return None,
        Node::Object(fields) => fields,
        plain => return Some(Shape::Plain(plain)),
    };
    let (mut value, mut unit, mut rate, mut samples) = (None, None, None, None);
    for (name, node) in fields {
        match (&**name, node) {
            ("value", Node::Flag(_) | Node::Number(_) | Node::Text(_)) => value = Some(node),
            ("unit", Node::Text(code)) => unit = Some(&**code),
            ("rate", Node::Number(hertz)) => rate = Some(*hertz),
            ("samples", Node::Numbers(numbers)) => samples = Some(numbers.as_slice()),
            _ => return None,
        }
    }
    match (value, rate, samples) {
        (Some(value), None, None) => Some(Shape::Quantity { value, unit }),
        (None, Some(rate), Some(samples)) => Some(Shape::Waveform { rate, samples, unit }),
        _ => None,
    }
}
