//! Services that wrap data keys.

pub(crate) mod master;
mod shares;
pub(crate) mod vault;
