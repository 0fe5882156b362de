//! The twin of a device.
//!
//! [`fold`] reads as the table of contents: decode a message, let [`decide`] say what it means, [`apply`]
//! it. All of that is pure; [`actor`] only loads, guards, folds and publishes.

pub(crate) mod actor;
mod apply;
mod decide;
mod event;
mod fold;
pub mod properties;
mod state;
#[cfg(test)]
mod tests;

pub use decide::{Circumstances, DeviceCommand, decide};
pub use event::DeviceEvent;
pub use fold::{Decoder, Effects, FoldContext, SetAsideReason, fold};
pub use state::DeviceState;
