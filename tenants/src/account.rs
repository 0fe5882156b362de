//! Tenants and the people who sign in.

use jiff::{SignedDuration, Timestamp};

use crate::{
    access::RoleGrant,
    credentials::{BearerToken, CredentialError, SecretHash},
    ids::{SessionId, TenantId, TenantSlug, UserId},
    locality::Locality,
    offboarding::Departure,
    quotas::Quotas,
};

/// RFC 5321: the longest address that mail can be sent to.
const MAX_EMAIL_BYTES: usize = 254;

/// One hospital or health organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its key in every table.
    pub id: TenantId,
    /// Its name in addresses and user names.
    pub slug: TenantSlug,
    /// Its name for people.
    pub name: String,
    /// Where it is.
    pub locality: Locality,
    /// What it may use.
    pub quotas: Quotas,
    /// Cut off since then: its devices and people are refused, its data is kept. `None` while it is served.
    pub suspended_since: Option<Timestamp>,
    /// When everything that is kept for it was handed out last.
    pub exported_at: Option<Timestamp>,
    /// It leaves, or has left, for good.
    pub departure: Option<Departure>,
}

impl Tenant {
    /// One that is served.
    pub fn new(id: TenantId, slug: TenantSlug, name: impl Into<String>) -> Self {
        Self {
            id,
            slug,
            name: name.into(),
            locality: Locality::default(),
            quotas: Quotas::default(),
            suspended_since: None,
            exported_at: None,
            departure: None,
        }
    }

    /// Whether everything was handed out since it was suspended: nothing has come in after that.
    pub fn is_exported(&self) -> bool {
        self.suspended_since.zip(self.exported_at).is_some_and(|(since, exported)| since <= exported)
    }
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

/// An e-mail address as it is compared and kept: in lower case, without the blanks that phones like to add.
pub fn normal_email(text: &str) -> String {
    text.trim().to_lowercase()
}

/// An e-mail address that can be one, as it is kept; `None` for anything else.
pub fn email_address(text: &str) -> Option<String> {
    let email = normal_email(text);
    let parts = email.split_once('@');
    let valid = email.len() <= MAX_EMAIL_BYTES
        && !email.contains(|c: char| c.is_whitespace() || c.is_control())
        && parts.is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'));
    valid.then_some(email)
}

/// Somebody who was asked to join a hospital, and has not yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// SHA-256 of the link's secret.
    pub hash: SecretHash,
    /// Where to.
    pub tenant: TenantId,
    /// Sign-in name of the account to be, in lower case.
    pub email: String,
    /// What the account will hold.
    pub grant: RoleGrant,
    /// Refused from then on.
    pub expires_at: Timestamp,
}

impl Invitation {
    /// How long a link works.
    pub const DAYS: i64 = 7;

    /// An invitation, with the secret of its link, which is told only now.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    pub fn new(
        tenant: TenantId,
        email: String,
        grant: RoleGrant,
        now: Timestamp,
    ) -> Result<(Self, BearerToken), CredentialError> {
        let secret = BearerToken::generate(tenant)?;
        let lasts = SignedDuration::from_hours(Self::DAYS * 24);
        let expires_at = now.checked_add(lasts).unwrap_or(Timestamp::MAX);
        Ok((Self { hash: secret.hash(), tenant, email, grant, expires_at }, secret))
    }
}

/// A signed-in browser.
#[derive(Clone)]
pub struct Session {
    /// SHA-256 of the cookie's secret.
    pub hash: SecretHash,
    /// Who signed in.
    pub user: UserId,
    /// What the browser must send back with every change (CSRF protection).
    pub csrf: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Refused from then on.
    pub expires_at: Timestamp,
    /// When it was last used, to about a minute.
    pub last_used_at: Timestamp,
    /// The network address from which it was made.
    pub address: String,
    /// What the browser said it is, at most 200 characters; empty when it said nothing.
    pub agent: String,
}

/// Some of somebody's sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SomeSessions {
    /// This one.
    One(SessionId),
    /// All but this one.
    Others(SessionId),
    /// All.
    All,
}

impl SomeSessions {
    /// Whether this is one of them.
    pub fn contain(self, session: SessionId) -> bool {
        match self {
            Self::One(one) => session == one,
            Self::Others(kept) => session != kept,
            Self::All => true,
        }
    }
}

impl Session {
    /// How long a session may stay unused.
    pub const IDLE: SignedDuration = SignedDuration::from_mins(60);

    /// Whether it counts: neither over nor unused for too long.
    pub fn counts(&self, now: Timestamp) -> bool {
        now < self.expires_at && now.duration_since(self.last_used_at) <= Self::IDLE
    }

    /// By which it is named to people and in audit trails; nothing can be done with it but by its owner.
    pub fn id(&self) -> SessionId {
        SessionId::of(&self.hash)
    }
}
