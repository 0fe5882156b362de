//! The log: a sequence of segments, one row per tenant and commit.
//!
//! `format.rs` says how a segment's messages become bytes, `decode.rs` how they come back; `write.rs`
//! appends, `read.rs` finds the segments that a reader needs by their directories alone.

mod decode;
mod format;
pub(crate) mod read;
pub(crate) mod write;

pub(crate) use decode::{Directory, Messages};
pub(crate) use format::{Encoded, Scratch, encode, join};

#[cfg(test)]
mod tests;
