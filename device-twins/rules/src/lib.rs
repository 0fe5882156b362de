//! Rules that judge readings: a threshold on one telemetry path that must hold for a while, and a separate
//! condition that must hold for a while to end what it began.
//!
//! What this crate never does: no I/O, no clock (all times are those of the readings), no alarm (it says
//! raise and clear; crate `care` and the twins do the rest), no guess about units.
//!
//! Start reading at [`Rule`], then [`evaluate`].
#![warn(missing_docs)]

mod condition;
mod evaluate;
mod rule;
mod set;

pub use condition::{Comparison, Condition, UnknownComparison};
pub use evaluate::{Phase, Verdict, evaluate};
pub use rule::{Rule, RuleError};
pub use set::RuleSet;
