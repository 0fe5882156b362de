//! Signed-in browsers.

use std::{fmt, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use tenants::{
    SessionId, TenantId,
    access::Caller,
    account::{Session, User},
    audit::{AuditEntry, Channel},
    credentials::{BearerToken, generate},
};

use crate::{Identity, IdentityError, Visitor, audit::Origin, metrics::SessionEnd, service::caller};

/// How long a session lasts, from signing in: a long shift. Being active does not prolong it.
pub const SESSION_HOURS: i64 = 12;
/// Uses within this time are noted once.
const USE_NOTED_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// A new session, as it goes to the browser.
pub struct SignedIn {
    /// Who signed in.
    pub caller: Caller,
    /// The secret of the cookie, told only now.
    pub cookie: String,
    /// What the browser must send back with every change.
    pub csrf: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A session that was found valid.
#[derive(Clone)]
pub struct ActiveSession {
    /// Who is signed in.
    pub caller: Caller,
    /// As it is kept.
    stored: Session,
}

impl fmt::Debug for ActiveSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActiveSession").field("caller", &self.caller).finish_non_exhaustive()
    }
}

impl ActiveSession {
    /// By which it is named; not the secret of its cookie.
    pub fn id(&self) -> SessionId {
        self.stored.id()
    }

    /// What the browser must send back with every change.
    pub fn csrf(&self) -> &str {
        &self.stored.csrf
    }
}

impl Identity {
    /// The session of a cookie.
    ///
    /// # Errors
    /// [`IdentityError::NotValid`] when there is none, or it is over.
    pub async fn session(&self, cookie: &str) -> Result<Arc<ActiveSession>, IdentityError> {
        let secret = BearerToken::parse(cookie).map_err(|_| IdentityError::NotValid)?;
        let hash = secret.hash();
        let generation = self.revocations.generation(secret.tenant);
        let session = match self.cache.sessions.get(hash.as_bytes()) {
            Some((as_of, known)) if as_of == generation => known,
            _ => {
                let stored = self.accounts.session(secret.tenant, &hash).await?;
                let stored = stored.filter(|stored| stored.hash == hash).ok_or(IdentityError::NotValid)?;
                let user = self.accounts.user(secret.tenant, stored.user).await?;
                let user = user.ok_or(IdentityError::NotValid)?;
                let session = Arc::new(ActiveSession { caller: caller(&user), stored });
                self.cache.sessions.insert(*hash.as_bytes(), (generation, session.clone()));
                session
            }
        };
        let now = self.clock.now();
        if !session.stored.counts(now) {
            return Err(IdentityError::NotValid);
        }
        self.note_session_use(secret.tenant, &session.stored, now).await;
        Ok(session)
    }

    /// Prolongs a session that is used, at most once a minute.
    async fn note_session_use(&self, tenant: TenantId, session: &Session, now: Timestamp) {
        if now.duration_since(session.last_used_at) < USE_NOTED_EVERY {
            return;
        }
        self.cache.sessions.invalidate(session.hash.as_bytes());
        if let Err(error) = self.accounts.note_session_use(tenant, &session.hash, now).await {
            // Whoever reads during a full disk may go on reading.
            tracing::warn!(error = &error as &dyn std::error::Error, "the use of a session is not noted");
        }
    }

    /// Ends the session of a cookie; ending one that is none is no error.
    ///
    /// # Errors
    /// When the database fails: the session may then still be valid.
    pub async fn sign_out(&self, cookie: &str, visitor: &Visitor) -> Result<(), IdentityError> {
        let Ok(secret) = BearerToken::parse(cookie) else { return Ok(()) };
        let (tenant, hash) = (secret.tenant, secret.hash());
        let Some(session) = self.accounts.session(tenant, &hash).await? else { return Ok(()) };
        let user = format!("user:{}", session.user);
        let entry = AuditEntry {
            actor_name: self
                .accounts
                .user(tenant, session.user)
                .await?
                .map_or_else(String::new, |user| user.display_name),
            detail: "signed out".to_owned(),
            origin: Origin { channel: Channel::Ui, visitor }.noted(),
            correlation: visitor.correlation,
            ..AuditEntry::new(tenant, self.clock.now(), user.as_str(), "session.end", user.as_str())
        };
        if self.accounts.delete_session(tenant, &hash, &entry).await? {
            self.metrics.ended(SessionEnd::SignedOut, 1);
        }
        self.revocations.tell(tenant);
        Ok(())
    }

    /// Opens a session for somebody who has proved who they are, by whatever means.
    pub(crate) async fn open_session(
        &self,
        user: &User,
        visitor: &Visitor,
    ) -> Result<SignedIn, IdentityError> {
        let secret = BearerToken::generate(user.tenant)?;
        let created_at = self.clock.now();
        let lasts = SignedDuration::from_hours(SESSION_HOURS);
        let expires_at = created_at.checked_add(lasts).unwrap_or(Timestamp::MAX);
        let csrf = generate()?;
        let session = Session {
            hash: secret.hash(),
            user: user.id,
            csrf: csrf.clone(),
            created_at,
            expires_at,
            last_used_at: created_at,
            address: visitor.address.clone(),
            agent: visitor.agent.clone(),
        };
        self.accounts.create_session(user.tenant, &session).await?;
        self.metrics.opened();
        Ok(SignedIn { caller: caller(user), cookie: secret.reveal().to_owned(), csrf, expires_at })
    }
}
