//! Tenants and the people who sign in.

use jiff::Timestamp;

use crate::ids::{TenantId, TenantSlug, TokenId, UserId};

/// One hospital or health organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its key in every table.
    pub id: TenantId,
    /// Its name in addresses and user names.
    pub slug: TenantSlug,
    /// Its name for people.
    pub name: String,
}

/// Someone who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Key within the tenant.
    pub id: UserId,
    /// The tenant; [`TenantId::PLATFORM`] for operators.
    pub tenant: TenantId,
    /// Sign-in name, in lower case.
    pub email: String,
    /// Shown beside what the user did.
    pub display_name: String,
}

/// A user with what is needed to check a password; never leaves the login code.
#[derive(Clone)]
pub struct Login {
    /// Who.
    pub user: User,
    /// PHC string of the password, e.g. `$argon2id$v=19$...`.
    pub password_hash: String,
}

/// An API token as it is kept: its secret only as a hash.
#[derive(Clone)]
pub struct ApiToken {
    /// Key within the tenant.
    pub id: TokenId,
    /// Whose rights it has.
    pub user: UserId,
    /// What it is for, in the owner's words.
    pub name: String,
    /// SHA-256 of the secret.
    pub hash: crate::credentials::SecretHash,
    /// Refused from then on.
    pub expires_at: Option<Timestamp>,
}

/// A signed-in browser.
#[derive(Clone)]
pub struct Session {
    /// SHA-256 of the cookie's secret.
    pub hash: crate::credentials::SecretHash,
    /// Who signed in.
    pub user: UserId,
    /// What the browser must send back with every change (CSRF protection).
    pub csrf: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Refused from then on.
    pub expires_at: Timestamp,
}
