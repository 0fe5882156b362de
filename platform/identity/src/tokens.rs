//! API tokens: what programs present, over HTTP and over MQTT.

use std::sync::Arc;

use jiff::Timestamp;
use tenants::{
    TenantId, TenantSlug, TokenId, User,
    access::Caller,
    api_token::ApiToken,
    credentials::{BearerToken, SecretHash},
    topics::TopicFilters,
};

use crate::{Identity, IdentityError, clients, service::restricted};

/// A token that was found.
#[derive(Clone)]
pub(crate) struct ActiveToken {
    caller: Caller,
    expires_at: Option<Timestamp>,
    /// Of an API token; a provider keeps its access tokens itself.
    id: Option<TokenId>,
    topics: Option<Arc<TopicFilters>>,
}

/// A program that comes over MQTT.
pub struct Application {
    /// Whose rights it has.
    pub caller: Caller,
    /// What of the topic space its token is for.
    pub topics: Option<Arc<TopicFilters>>,
}

impl ActiveToken {
    pub(crate) const fn new(caller: Caller, expires_at: Option<Timestamp>) -> Self {
        Self { caller, expires_at, id: None, topics: None }
    }

    fn of(token: ApiToken, user: &User) -> Self {
        let caller = restricted(user, token.restriction);
        Self { caller, expires_at: token.expires_at, id: Some(token.id), topics: token.topics.map(Arc::new) }
    }

    pub(crate) const fn tenant(&self) -> TenantId {
        self.caller.tenant
    }

    /// Whose it is, while it counts.
    pub(crate) fn at(self, now: Timestamp) -> Result<Application, IdentityError> {
        let valid = self.expires_at.is_none_or(|end| now < end);
        let Self { caller, topics, .. } = self;
        if valid { Ok(Application { caller, topics }) } else { Err(IdentityError::NotValid) }
    }
}

impl Identity {
    /// Whose rights a bearer token has: an API token, or an access token of an identity provider.
    ///
    /// # Errors
    /// [`IdentityError::NotValid`] when it is unknown or expired; [`IdentityError::HeldBack`] after very many of them from an
    /// address (`from`, empty when the platform itself looks again) from which nothing right has come.
    pub async fn bearer(&self, token: &str, from: &str) -> Result<Caller, IdentityError> {
        Ok(self.presented(token, from).await?.caller)
    }

    async fn presented(&self, token: &str, from: &str) -> Result<Application, IdentityError> {
        let now = self.clock.now();
        let found = match self.limits.of_tokens(from, now) {
            Err(retry_after) => Err(IdentityError::HeldBack { retry_after }),
            Ok(()) => match BearerToken::parse(token) {
                Ok(token) => self.api_token(&token).await,
                Err(_) => self.access_token(token).await,
            },
        };
        match &found {
            Ok(_) => self.limits.token_succeeded(from),
            Err(IdentityError::NotValid) => self.limits.token_failed(from, now),
            Err(_) => {}
        }
        self.metrics.presented(found.as_ref().err());
        found
    }

    async fn api_token(&self, token: &BearerToken) -> Result<Application, IdentityError> {
        let (tenant, hash) = (token.tenant, token.hash());
        let generation = self.revocations.generation(tenant);
        let active = match self.cache.tokens.get(hash.as_bytes()) {
            Some((as_of, known)) if as_of == generation => known,
            _ => {
                let active = match self.of_person(tenant, &hash).await? {
                    Some(active) => active,
                    None => self.of_client(tenant, &hash).await?.ok_or(IdentityError::NotValid)?,
                };
                self.cache.tokens.insert(*hash.as_bytes(), (generation, active.clone()));
                active
            }
        };
        let (id, now) = (active.id, self.clock.now());
        let found = active.at(now)?;
        if let Some(id) = id
            && self.uses.pass((tenant, id), now).is_some()
            && let Err(error) = self.api_tokens.note_use(tenant, id, now).await
        {
            // Whoever reads during a full disk may go on reading.
            tracing::warn!(error = &error as &dyn std::error::Error, "the use of an API token is not noted");
        }
        Ok(found)
    }

    async fn of_person(
        &self,
        tenant: TenantId,
        hash: &SecretHash,
    ) -> Result<Option<ActiveToken>, IdentityError> {
        let stored = self.api_tokens.token(tenant, hash).await?;
        let Some(stored) = stored.filter(|stored| stored.hash == *hash) else { return Ok(None) };
        let user = self.accounts.user(tenant, stored.user).await?;
        Ok(Some(ActiveToken::of(stored, &user.ok_or(IdentityError::NotValid)?)))
    }

    async fn of_client(
        &self,
        tenant: TenantId,
        hash: &SecretHash,
    ) -> Result<Option<ActiveToken>, IdentityError> {
        let Some(clients) = &self.clients else { return Ok(None) };
        let found = clients.by_token(tenant, hash).await?;
        let found = found.filter(|(client, _)| client.counts(self.clock.now()));
        Ok(found.map(|(client, until)| ActiveToken::new(clients::caller(tenant, &client), Some(until))))
    }

    /// The same for a program that names its tenant as well, as over MQTT.
    ///
    /// # Errors
    /// [`IdentityError::NotValid`] also when the token is of another tenant.
    pub async fn application(
        &self,
        slug: &str,
        token: &str,
        from: &str,
    ) -> Result<Application, IdentityError> {
        let found = self.presented(token, from).await?;
        let slug = TenantSlug::parse(slug).map_err(|_| IdentityError::NotValid)?;
        let tenant = self.tenant(&slug).await?.ok_or(IdentityError::NotValid)?;
        let served = tenant.suspended_since.is_none();
        if served && tenant.id == found.caller.tenant { Ok(found) } else { Err(IdentityError::NotValid) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::SignedDuration;
    use tenants::{
        TenantId, UnitId,
        access::{Principal, Restriction, Role},
        clock::Clock,
    };

    use super::*;
    use crate::memory::World;

    #[tokio::test]
    async fn a_token_has_its_owners_rights() {
        let world = World::new();
        let user = world.user("app@ward.example", "x").await;
        let token = world.token(&user, None).await;
        let caller = world.identity.bearer(&token, "").await.unwrap();
        assert_eq!((caller.tenant, caller.actor()), (world.tenant.id, format!("user:{}", user.id)));
        let asked = world.stores.token_lookups();
        world.identity.bearer(&token, "").await.unwrap();
        assert_eq!(world.stores.token_lookups(), asked, "the second time it is known");
        assert!(world.identity.application("st-elsewhere", &token, "").await.is_ok());
    }

    #[tokio::test]
    async fn tokens_that_are_refused() {
        let world = World::new();
        let user = world.user("app@ward.example", "x").await;
        let token = world.token(&user, None).await;
        let changed =
            format!("{}{}", &token[..token.len() - 1], if token.ends_with('A') { 'B' } else { 'A' });
        let elsewhere = BearerToken::generate(TenantId::PLATFORM).unwrap();
        let transplanted = format!("{}{}", &elsewhere.reveal()[..28], &token[28..]);
        let refused = [
            ("empty", String::new()),
            ("no token", "not-a-token".to_owned()),
            ("never given out", BearerToken::generate(world.tenant.id).unwrap().reveal().to_owned()),
            ("one character changed", changed),
            ("moved to another tenant", transplanted),
            ("cut", token[..token.len() - 1].to_owned()),
            ("with more", format!("{token}x")),
            ("with blanks", format!(" {token}")),
        ];
        for (what, token) in refused {
            let error = world.identity.bearer(&token, "").await.err();
            assert!(matches!(error, Some(IdentityError::NotValid)), "{what}: {error:?}");
        }
        for slug in ["county-general", "no-such-tenant", "", "st-elsewhere/x"] {
            let error = world.identity.application(slug, &token, "").await.err();
            assert!(matches!(error, Some(IdentityError::NotValid)), "{slug}: {error:?}");
        }
    }

    #[tokio::test]
    async fn a_token_that_is_restricted_has_a_part_of_its_owners_rights() {
        let world = World::new();
        let user = world.user("app@ward.example", "x").await;
        let restriction =
            Restriction { role: Role::Nurse.into(), unit: UnitId::from_uuid(uuid::Uuid::from_u128(3)) };
        let token = world.restricted_token(&user, restriction.clone()).await;
        let Principal::User { restricted_to, .. } =
            world.identity.bearer(&token, "").await.unwrap().principal
        else {
            panic!("no user");
        };
        assert_eq!(restricted_to.as_deref(), Some([restriction].as_slice()));
    }

    #[tokio::test]
    async fn a_revoked_token_is_refused_at_once_and_a_use_is_noted_once_a_minute() {
        let world = World::new();
        let user = world.user("app@ward.example", "x").await;
        let token = world.token(&user, None).await;
        for (seconds, uses) in [(0, 1), (59, 1), (1, 2)] {
            world.clock.advance(Duration::from_secs(seconds));
            world.identity.bearer(&token, "").await.unwrap();
            assert_eq!(world.stores.noted_uses(), uses);
        }
        world.stores.forget_tokens();
        assert!(world.identity.bearer(&token, "").await.is_ok(), "it is still remembered");
        world.identity.revocations().tell(TenantId::PLATFORM);
        assert!(world.identity.bearer(&token, "").await.is_ok(), "another tenant's revocation");
        world.identity.revocations().tell(world.tenant.id);
        assert!(matches!(world.identity.bearer(&token, "").await, Err(IdentityError::NotValid)));
    }

    #[tokio::test]
    async fn an_expired_token_is_refused_even_when_it_is_known() {
        let world = World::new();
        let user = world.user("app@ward.example", "x").await;
        let end = world.clock.now() + SignedDuration::from_secs(60);
        let token = world.token(&user, Some(end)).await;
        assert!(world.identity.bearer(&token, "").await.is_ok());
        world.clock.advance(Duration::from_secs(60));
        assert!(matches!(world.identity.bearer(&token, "").await, Err(IdentityError::NotValid)));
    }
}
