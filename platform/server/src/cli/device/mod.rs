//! `iomt device`: the devices of a hospital, from a file.

mod import;
mod rows;
mod tokens;

pub(super) use import::run as import;
