//! Who is calling: people by e-mail address and password, programs by API token, devices by device token.
//!
//! This crate turns what somebody presents into a [`tenants::access::Caller`]. It never decides what a
//! caller may do (that is `tenants::access`), speaks no protocol, and keeps no secret but as a hash; the
//! stores behind it are traits of `tenants`.
//!
//! Start reading at [`Identity`]; `sign_in.rs` is the path of a password, `devices.rs` that of a device.
//! Another way to prove who one is, OpenID Connect for one, ends where a password does: in
//! `Identity::open_session` for a browser, in [`Identity::bearer`] for a program.
#![warn(missing_docs)]

mod audit;
mod back_off;
mod devices;
mod errors;
mod invitations;
#[cfg(test)]
mod memory;
mod passwords;
mod service;
mod sessions;
mod setup;
mod sign_in;
mod throttle;
mod tokens;

pub use errors::IdentityError;
pub use invitations::Invited;
pub use service::Identity;
pub use sessions::{ActiveSession, SESSION_HOURS, SignedIn};
pub use setup::PASSWORD_MIN_CHARACTERS;
