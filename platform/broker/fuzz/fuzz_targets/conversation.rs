//! Clients that do anything, against a whole broker: its codec, its sessions and its exchange. See `../README.md`.
#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;

libfuzzer_sys::fuzz_target!(|script: &[u8]| support::script::play(script));
