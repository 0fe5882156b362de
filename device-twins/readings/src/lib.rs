//! The words in which devices are understood: a [`Reading`] is one [`Value`] at one [`Path`] of one device,
//! in a [`Unit`] of UCUM, perhaps a [`VitalSign`], with the time it was measured and the time it came.
//!
//! What this crate never does: no I/O, no clock (times are given), no guessing (an unknown unit is an
//! error, a number is always finite), no decoding of messages (crate `templates`) and no judgement of what
//! is read (crates `rules` and `care`).
//!
//! Start reading at [`Reading`], then [`VitalSign`], the catalogue of what clinicians look at.
#![warn(missing_docs)]

mod path;
mod reading;
mod unit;
mod value;
mod vital_sign;

pub use path::{Path, PathError};
pub use reading::{CLOCK_TOLERANCE, Reading, credible_time};
pub use unit::{Conversion, Unit, UnitError};
pub use value::{Value, Waveform};
pub use vital_sign::{UnknownSign, VitalSign};
