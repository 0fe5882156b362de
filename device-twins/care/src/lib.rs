//! What readings mean for a patient's care: alarms and their life, and the early-warning score NEWS2.
//!
//! What this crate never does: no I/O, no clock (times are given), no decision to raise an alarm (crate
//! `rules` does), no guess for what is missing (a missing vital sign has no points, never 0).
//!
//! Start reading at [`Alarm`], whose [`Alarm::decide`] and [`Alarm::apply`] are its whole life, then at
//! [`news2::score`].
//!
//! This is no certified medical device; the sources of every clinical figure stand beside it.
#![warn(missing_docs)]

mod alarm;
mod identity;
pub mod news2;
mod priority;

pub use alarm::{Acknowledgement, Alarm, AlarmCommand, AlarmError, AlarmEvent, AlarmState};
pub use identity::{alarm_id, nth_alarm_id};
pub use priority::{Priority, UnknownPriority};
