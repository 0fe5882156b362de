//! Devices: tenant by name, device by id, token by hash.

use tenants::{
    DeviceId, Tenant, TenantId,
    audit::Channel,
    credentials::{BearerToken, SecretHash},
    stores::DeviceLogin,
};

use crate::{
    Identity, IdentityError,
    audit::{Origin, Visitor},
};

const ACTION: &str = "device.connect";

impl Identity {
    /// Which device presents this token. Every refusal looks alike to the device and is audited.
    ///
    /// # Errors
    /// [`IdentityError::NotValid`] when tenant or device is unknown, [`IdentityError::WrongToken`], [`IdentityError::Suspended`];
    /// [`IdentityError::HeldBack`] after very many wrong ones from an address from which nothing right has come.
    pub async fn device(
        &self,
        slug: &str,
        device: &str,
        token: &str,
        visitor: &Visitor,
    ) -> Result<(TenantId, DeviceId), IdentityError> {
        let origin = Origin { channel: Channel::Mqtt, visitor };
        self.within_limits(visitor, self.check_device(slug, device, token, origin)).await
    }

    /// Which device presents this token and nothing else, as those do that were made for ThingsBoard.
    ///
    /// # Errors
    /// As [`Identity::device`].
    pub async fn device_of_token(
        &self,
        token: &str,
        visitor: &Visitor,
    ) -> Result<(TenantId, DeviceId), IdentityError> {
        let origin = Origin { channel: Channel::Mqtt, visitor };
        self.within_limits(visitor, self.check_token(token, origin)).await
    }

    /// The devices that speak through one that was identified.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn behind(&self, tenant: TenantId, gateway: &DeviceId) -> Result<Vec<DeviceId>, IdentityError> {
        Ok(self.login(tenant, gateway).await?.map(|login| login.behind).unwrap_or_default())
    }

    pub(crate) async fn within_limits<T>(
        &self,
        visitor: &Visitor,
        check: impl Future<Output = Result<T, IdentityError>>,
    ) -> Result<T, IdentityError> {
        let now = self.clock.now();
        let held_back = |retry_after| IdentityError::HeldBack { retry_after };
        self.limits.of_tokens(&visitor.address, now).map_err(held_back)?;
        let identified = check.await;
        match &identified {
            Ok(_) => self.limits.token_succeeded(&visitor.address),
            Err(
                IdentityError::NotValid
                | IdentityError::WrongToken { .. }
                | IdentityError::SignatureExpired { .. }
                | IdentityError::Certificate { .. },
            ) => {
                self.limits.token_failed(&visitor.address, now);
            }
            Err(_) => {}
        }
        identified
    }

    async fn check_token(
        &self,
        token: &str,
        origin: Origin<'_>,
    ) -> Result<(TenantId, DeviceId), IdentityError> {
        let Ok(token) = BearerToken::parse(token) else {
            return self.refused(TenantId::PLATFORM, None, "no token of this platform", origin).await;
        };
        let Some(tenant) = self.tenant_by_id(token.tenant).await? else {
            return self.refused(TenantId::PLATFORM, None, "no tenant of this token", origin).await;
        };
        self.served(&tenant, origin).await?;
        let hash = token.hash();
        let generation = self.revocations.generation(tenant.id);
        let login = match self.cache.devices_by_token.get(hash.as_bytes()) {
            Some((as_of, known)) if as_of == generation => Some(known),
            _ => self.logins.device(tenant.id, &hash).await?,
        };
        let Some(login) = login else {
            return self.refused(tenant.id, None, "no device of this token", origin).await;
        };
        self.cache.devices_by_token.insert(*hash.as_bytes(), (generation, login.clone()));
        self.unless_blocked(tenant.id, login, origin).await
    }

    /// Said before a token is looked at, so it tells nothing about the device.
    pub(crate) async fn served(&self, tenant: &Tenant, origin: Origin<'_>) -> Result<(), IdentityError> {
        if tenant.suspended_since.is_none() {
            return Ok(());
        }
        let refused = self.refused(tenant.id, None, "the hospital is suspended", origin).await;
        refused.map_err(|_| IdentityError::Suspended)
    }

    async fn check_device(
        &self,
        slug: &str,
        device: &str,
        token: &str,
        origin: Origin<'_>,
    ) -> Result<(TenantId, DeviceId), IdentityError> {
        let presented = SecretHash::of(token.as_bytes());
        let Some(tenant) = self.tenant_named(slug).await? else {
            return self.refused(TenantId::PLATFORM, None, "no tenant of this name", origin).await;
        };
        self.served(&tenant, origin).await?;
        let Ok(device) = DeviceId::parse(device) else {
            return self.refused(tenant.id, None, "no device of this name", origin).await;
        };
        match self.login(tenant.id, &device).await? {
            Some(login) if login.token == presented => self.unless_blocked(tenant.id, login, origin).await,
            Some(_) => {
                let refused = self.refused(tenant.id, Some(&device), "wrong token", origin).await;
                refused.map_err(|_| IdentityError::WrongToken { tenant: tenant.id, device })
            }
            None => self.refused(tenant.id, None, "no device of this name", origin).await,
        }
    }

    /// Said only to who has shown to be the device.
    pub(crate) async fn unless_blocked(
        &self,
        tenant: TenantId,
        login: DeviceLogin,
        origin: Origin<'_>,
    ) -> Result<(TenantId, DeviceId), IdentityError> {
        let DeviceLogin { device, blocked, .. } = login;
        if !blocked {
            return Ok((tenant, device));
        }
        let refused = self.refused(tenant, Some(&device), "the device is blocked", origin).await;
        refused.map_err(|_| IdentityError::Blocked { tenant, device })
    }

    pub(crate) async fn login(
        &self,
        tenant: TenantId,
        device: &DeviceId,
    ) -> Result<Option<DeviceLogin>, IdentityError> {
        let key = (tenant, device.clone());
        let generation = self.revocations.generation(tenant);
        if let Some((as_of, known)) = self.cache.devices.get(&key)
            && as_of == generation
        {
            return Ok(Some(known));
        }
        let login = self.logins.of(tenant, device).await?;
        if let Some(login) = &login {
            self.cache.devices.insert(key, (generation, login.clone()));
        }
        Ok(login)
    }

    /// Names of devices that are none are not kept: whoever makes them up could fill the trail with them.
    pub(crate) async fn refused<T>(
        &self,
        tenant: TenantId,
        device: Option<&DeviceId>,
        reason: &str,
        origin: Origin<'_>,
    ) -> Result<T, IdentityError> {
        let subject = device.map_or_else(|| "device:unknown".to_owned(), |device| format!("device:{device}"));
        self.audit.refusal(tenant, subject, ACTION, reason, origin).await;
        Err(IdentityError::NotValid)
    }
}

#[cfg(test)]
mod tests {
    use tenants::clock::Clock;

    use super::*;
    use crate::memory::{World, visitor};

    async fn connect(
        world: &World,
        slug: &str,
        device: &str,
        token: &str,
    ) -> Result<(TenantId, DeviceId), IdentityError> {
        world.identity.device(slug, device, token, &visitor("192.0.2.1", 9)).await
    }

    #[tokio::test]
    async fn a_device_with_its_token_is_let_in_cheaply() {
        let world = World::new();
        let token = world.device("monitor-1");
        let (tenant, device) = connect(&world, "st-elsewhere", "monitor-1", &token).await.unwrap();
        assert_eq!((tenant, device.as_str()), (world.tenant.id, "monitor-1"));
        let asked = world.stores.device_lookups();
        for _ in 0..100 {
            connect(&world, "st-elsewhere", "monitor-1", &token).await.unwrap();
        }
        assert_eq!(world.stores.device_lookups(), asked);
        assert!(world.stores.audited().is_empty());
    }

    #[tokio::test]
    async fn nobody_gets_in_while_the_hospital_is_suspended() {
        let world = World::new();
        let token = world.device("monitor-1");
        world.user("nurse@ward.example", "a password of some length").await;
        let sign_in = async || {
            let identity = &world.identity;
            identity
                .sign_in("nurse@ward.example", "a password of some length", None, &visitor("::1", 1))
                .await
        };
        for since in [Some(world.clock.now()), None] {
            world.suspend(since).await;
            let (device, person) =
                (connect(&world, "st-elsewhere", "monitor-1", &token).await, sign_in().await);
            let suspended =
                [device.err(), person.err()].map(|error| matches!(error, Some(IdentityError::Suspended)));
            assert_eq!(suspended, [since.is_some(); 2]);
            let elsewhere = connect(&world, "county-general", "monitor-1", &token).await.err();
            assert!(matches!(elsewhere, Some(IdentityError::NotValid | IdentityError::WrongToken { .. })));
        }
        let reasons =
            world.stores.audited().into_iter().filter(|entry| entry.detail.contains("is suspended"));
        assert_eq!(reasons.count(), 2, "the device's and the person's");
        let guess = world.identity.sign_in("nurse@ward.example", "wrong", None, &visitor("::1", 1)).await;
        assert!(
            matches!(guess.err(), Some(IdentityError::WrongPassword)),
            "only who proves to belong there is told"
        );
    }

    #[tokio::test]
    async fn a_token_alone_tells_the_device() {
        let world = World::new();
        let token = world.device("monitor-1");
        let from = visitor("192.0.2.1", 9);
        let present = async |token: &str| world.identity.device_of_token(token, &from).await;
        for _ in 0..3 {
            let (tenant, device) = present(&token).await.unwrap();
            assert_eq!((tenant, device.as_str()), (world.tenant.id, "monitor-1"));
        }
        assert_eq!(world.stores.device_lookups(), 1);
        let unknown = BearerToken::generate(world.tenant.id).unwrap();
        let elsewhere = BearerToken::generate(TenantId::PLATFORM).unwrap();
        let transplanted = format!("{}{}", &elsewhere.reveal()[..28], &token[28..]);
        for wrong in [unknown.reveal(), elsewhere.reveal(), &transplanted, "", "monitor-1", &token[1..]] {
            let error = present(wrong).await.err();
            assert!(matches!(error, Some(IdentityError::NotValid)), "{wrong}: {error:?}");
        }
        world.suspend(Some(world.clock.now())).await;
        assert!(matches!(present(&token).await.err(), Some(IdentityError::Suspended)));
    }

    #[tokio::test]
    async fn a_blocked_device_is_not_let_in_whatever_it_presents() {
        let world = World::new();
        let (token, from) = (world.device("monitor-1"), visitor("192.0.2.1", 9));
        let own = async || connect(&world, "st-elsewhere", "monitor-1", &token).await.err();
        let alone = async || world.identity.device_of_token(&token, &from).await.err();
        assert!(own().await.is_none() && alone().await.is_none());
        world.block("monitor-1");
        for error in [own().await, alone().await] {
            assert!(matches!(error, Some(IdentityError::Blocked { .. })), "{error:?}");
        }
        let guess = connect(&world, "st-elsewhere", "monitor-1", "wrong").await.err();
        assert!(matches!(guess, Some(IdentityError::WrongToken { .. })), "a guess learns nothing");
    }

    #[tokio::test]
    async fn everything_else_is_refused_and_audited() {
        let world = World::new();
        let token = world.device("monitor-1");
        let other = world.device("monitor-2");
        let (ours, platform) = (world.tenant.id, TenantId::PLATFORM);
        for (slug, device, token, tenant, subject) in [
            ("st-elsewhere", "monitor-1", "wrong", ours, "device:monitor-1"),
            ("st-elsewhere", "monitor-2", token.as_str(), ours, "device:monitor-2"),
            ("st-elsewhere", "monitor-3", "", ours, "device:unknown"),
            ("nowhere", "monitor-1", token.as_str(), platform, "device:unknown"),
        ] {
            let before = world.stores.audited().len();
            let error = connect(&world, slug, device, token).await.err();
            match error {
                Some(IdentityError::WrongToken { device: of, .. }) => {
                    assert_eq!(subject, format!("device:{of}"));
                }
                Some(IdentityError::NotValid) => assert_eq!(subject, "device:unknown"),
                other => panic!("{slug}/{device}: {other:?}"),
            }
            let entries = world.stores.audited();
            assert_eq!(entries.len(), before + 1, "{slug}/{device}");
            let entry = entries.last().unwrap();
            assert_eq!((entry.tenant, entry.subject.as_str()), (tenant, subject));
            assert_eq!(
                (entry.action.as_str(), entry.correlation),
                ("device.connect", tenants::CorrelationId(9))
            );
            assert!(!entry.detail.contains(&other) && &*entry.origin.address == "192.0.2.1");
        }
        for (slug, device) in [
            ("county-general", "monitor-1"),
            ("", "monitor-1"),
            ("st-elsewhere", "a/b"),
            ("st-elsewhere", ""),
        ] {
            assert!(connect(&world, slug, device, &token).await.is_err(), "{slug}/{device}");
        }
        let before = world.stores.audited().len();
        for _ in 0..1_000 {
            assert!(connect(&world, "st-elsewhere", "monitor-1", "wrong").await.is_err());
        }
        assert_eq!(world.stores.audited().len(), before, "a device in a loop does not fill the trail");
    }
}
