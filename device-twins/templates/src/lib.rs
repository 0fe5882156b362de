//! Device templates: what a kind of device says about itself, written in DTDL (Digital Twins Definition
//! Language, version 2), and how its messages become readings.
//!
//! What this crate never does: no I/O (a template and a message are given as text and bytes), no clock, no
//! guess. A message is understood as a whole or set aside as a whole with a [`Defect`]; a model with
//! something that cannot be understood is refused with a [`TemplateError`] that names the place. Bytes from
//! a device never make it panic.
//!
//! Start reading at [`Template::parse`], then [`Template::decode`]; [`builtin`] has the platform's own models.
#![warn(missing_docs)]

pub mod builtin;
mod decode;
mod defect;
mod model;
mod schema;
mod template;
mod units;

pub use decode::RawMessage;
pub use defect::{Defect, DefectReason};
pub use model::TemplateError;
pub use schema::Schema;
pub use template::{Telemetry, Template};
