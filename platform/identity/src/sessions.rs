//! Signed-in browsers.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tenants::{
    SessionId,
    access::Caller,
    account::{Session, User},
    credentials::{BearerToken, generate},
};

use crate::{Identity, IdentityError, service::caller};

/// How long a session lasts, from signing in: a long shift. Being active does not prolong it.
pub const SESSION_HOURS: i64 = 12;

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
#[derive(Debug, Clone)]
pub struct ActiveSession {
    /// By which it is named; not the secret of its cookie.
    pub id: SessionId,
    /// Who is signed in.
    pub caller: Caller,
    /// What the browser must send back with every change.
    pub csrf: String,
    /// When it ends.
    pub expires_at: Timestamp,
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
                let (id, Session { csrf, expires_at, .. }) = (stored.id(), stored);
                let session = Arc::new(ActiveSession { id, caller: caller(&user), csrf, expires_at });
                self.cache.sessions.insert(*hash.as_bytes(), (generation, session.clone()));
                session
            }
        };
        if self.clock.now() < session.expires_at { Ok(session) } else { Err(IdentityError::NotValid) }
    }

    /// Ends the session of a cookie; ending one that is none is no error.
    ///
    /// # Errors
    /// When the database fails: the session may then still be valid.
    pub async fn sign_out(&self, cookie: &str) -> Result<(), IdentityError> {
        let Ok(secret) = BearerToken::parse(cookie) else { return Ok(()) };
        let hash = secret.hash();
        self.accounts.delete_session(secret.tenant, &hash).await?;
        self.revocations.tell(secret.tenant);
        Ok(())
    }

    /// Opens a session for somebody who has proved who they are, by whatever means.
    pub(crate) async fn open_session(&self, user: &User) -> Result<SignedIn, IdentityError> {
        let secret = BearerToken::generate(user.tenant)?;
        let created_at = self.clock.now();
        let lasts = SignedDuration::from_hours(SESSION_HOURS);
        let expires_at = created_at.checked_add(lasts).unwrap_or(Timestamp::MAX);
        let csrf = generate()?;
        let session =
            Session { hash: secret.hash(), user: user.id, csrf: csrf.clone(), created_at, expires_at };
        self.accounts.create_session(user.tenant, &session).await?;
        Ok(SignedIn { caller: caller(user), cookie: secret.reveal().to_owned(), csrf, expires_at })
    }
}
