//! Keys: each tenant's data keys, and the services that wrap them.
//!
//! [`Keys`] is the [`tenants::keys::Keyring`] of an installation. It keeps a tenant's keys unwrapped in memory for half
//! a minute at a time ([`ring`] seals and opens with them); at rest they are wrapped by a [`tenants::keys::Kms`]:
//! [`MasterKms`] with the installation's master key, or [`VaultKms`] with the transit engine of a Vault.

mod cipher;
mod keys;
mod kms;
mod ring;

pub use keys::Keys;
pub use kms::{master::MasterKms, vault::VaultKms};
