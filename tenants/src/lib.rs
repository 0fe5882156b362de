//! The ground floor: who a tenant is, who may do what, and the words every other crate shares
//! (ids, time, kinds of error, audit).
//!
//! This crate does no I/O and reads no clock but through [`clock::Clock`]; databases implement the
//! traits of [`stores`]. Start reading at [`access`]: it is the only maker of a [`access::Scope`],
//! and without a `Scope` no user-facing query compiles.
#![warn(missing_docs)]

pub mod access;
pub mod account;
pub mod api_token;
pub mod audit;
pub mod authenticator;
pub mod break_glass;
pub mod clock;
pub mod credentials;
pub mod device_authority;
pub mod device_certificate;
pub mod elevation;
pub mod enrolment;
pub mod errors;
pub mod identity_provider;
pub mod ids;
pub mod keys;
pub mod locality;
pub mod messaging;
pub mod offboarding;
pub mod onboarding;
pub mod org;
pub mod paging;
pub mod quotas;
pub mod revocations;
pub mod second_factor;
pub mod service_client;
pub mod stores;
pub mod topics;

pub use account::{Tenant, User};
pub use errors::{ErrorKind, StoreError};
pub use ids::{
    AlarmId, AuthorityId, ClientId, CorrelationId, DeviceId, ElevationId, IdError, MailboxId, OpeningId,
    Partition, PatientId, ProviderId, RoleName, RuleId, Sequence, SessionId, TenantId, TenantSlug, TokenId,
    UnitId, UserId,
};
