//! Who is calling: people by e-mail address and password, programs by API token, devices by device token.
//!
//! This crate turns what somebody presents into a [`tenants::access::Caller`]. It never decides what a
//! caller may do (that is `tenants::access`), speaks no protocol but
//! that with identity providers, and keeps no secret but as a hash, or sealed where it must present one itself; the stores
//! behind it are traits of `tenants`.
//!
//! Start reading at [`Identity`]; `sign_in.rs` is the path of a password, `devices.rs` that of a device.
//! OpenID Connect (`oidc/`) ends where a password does: in `Identity::open_session` for a browser, in
//! [`Identity::bearer`] for a program.
#![warn(missing_docs)]

mod audit;
mod back_off;
mod breached;
mod certificates;
mod chosen;
mod clients;
mod devices;
mod enrolment;
mod errors;
mod invitations;
mod limits;
mod logins;
#[cfg(test)]
mod memory;
mod metrics;
mod oidc;
mod passwords;
mod second_factor;
mod service;
mod sessions;
mod setup;
mod sign_in;
mod signature;
mod throttle;

mod tokens;

pub use audit::Visitor;
pub use breached::{BreachedFileError, BreachedPasswords};
pub use certificates::{Belongs, CertificateFault, CertificateReader, Certified, Shown};
pub use chosen::PASSWORD_MIN_CHARACTERS;
pub use clients::IssuedToken;
pub use enrolment::Signed;
pub use errors::IdentityError;
pub use invitations::Invited;
pub use metrics::IdentityMetrics;
pub use oidc::{CameBack, Entrance, FailedSignIn, Federation, Returned, Sent, SignInProblem};
pub use service::Identity;
pub use sessions::{ActiveSession, SESSION_HOURS, SignedIn};
pub use tokens::Application;
