//! `iomt`: the platform as one program, and the only place where its parts are put together.
//!
//! `cli` reads what was asked for, `config` what was set; `wiring` starts everything and stops it again;
//! `adapters` and `feed` fit crates onto each other that do not know each other; `housekeeping` merges what
//! commits leave behind in small pieces; `audit_heads` says how far the audit trails have come; `http` is what browsers and programs see; `demo` fills a hospital.
//! Start reading at `wiring.rs`.

mod adapters;
mod attendant;
mod audit_heads;
mod cli;
mod config;
mod connection_log;
mod demo;
mod enrolling;
mod feed;
mod gate;
mod housekeeping;
mod http;
mod keyring;
mod logging;
mod offboarding;
mod quotas;
mod resealing;
mod suspension;
mod tls;
mod wiring;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    take_pages_as_needed();
    cli::run()
}

/// Has the kernel give memory in small pages. A fleet that connects needs much new memory at once, and a huge page is cleared as a
/// whole when its first byte is touched: that took a quarter of the time that a device needs to get in.
fn take_pages_as_needed() {
    #[cfg(target_os = "linux")]
    // A kernel that cannot is slower, no more.
    rustix::thread::disable_transparent_huge_pages(true).ok();
}
