//! Devices that sign with a key instead of presenting a token: those made for Azure IoT Hub and its Device Provisioning
//! Service. Each device's key is made from its hospital's, so none of them has to be kept.

use std::sync::Arc;

use async_trait::async_trait;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use hmac::Mac;
use jiff::Timestamp;
use rand::{TryRngCore, rngs::OsRng};
use tenants::{
    DeviceId, StoreError, Tenant, TenantId,
    audit::{AuditEntry, Channel},
    credentials::CredentialError,
    enrolment::{DeviceKeyError, DeviceKeys, EnrolmentKey, EnrolmentKeys, PURPOSE, of_id_scope},
    keys::{Keyring, SealError},
};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    Identity, IdentityError,
    audit::{Origin, Visitor},
    signature::{Signature, device_key, newcomer_secret},
};

/// The key of a hospital.
pub(crate) type Secret = Arc<Zeroizing<Vec<u8>>>;

/// What is needed for it.
pub(crate) struct Enrolments {
    pub(crate) store: Arc<dyn EnrolmentKeys>,
    pub(crate) keys: Arc<dyn Keyring>,
}

/// A device that has shown that it has its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Its hospital.
    pub tenant: TenantId,
    /// Its name.
    pub device: DeviceId,
    /// Until when what it signed counts.
    pub until: Timestamp,
}

#[async_trait]
impl DeviceKeys for Identity {
    async fn enrolment_key(&self, tenant: TenantId, audit: &AuditEntry) -> Result<String, DeviceKeyError> {
        Ok(STANDARD.encode(&**self.made_enrolment_key(tenant, audit).await?))
    }

    async fn newcomer_secret(&self, tenant: TenantId, audit: &AuditEntry) -> Result<String, DeviceKeyError> {
        let secret = self.made_enrolment_key(tenant, audit).await?;
        Ok(URL_SAFE_NO_PAD.encode(newcomer_secret(&secret).finalize().into_bytes()))
    }

    async fn symmetric_key(
        &self,
        tenant: TenantId,
        device: &DeviceId,
        audit: &AuditEntry,
    ) -> Result<String, DeviceKeyError> {
        let secret = self.made_enrolment_key(tenant, audit).await?;
        Ok(STANDARD.encode(device_key(&secret, device.as_str())))
    }
}

impl Identity {
    /// Lets devices in that sign, too.
    #[must_use]
    pub fn with_enrolment(self, store: Arc<dyn EnrolmentKeys>, keys: Arc<dyn Keyring>) -> Self {
        Self { enrolments: Some(Enrolments { store, keys }), ..self }
    }

    /// The hospital's own key, which is made where there is none.
    async fn made_enrolment_key(
        &self,
        tenant: TenantId,
        audit: &AuditEntry,
    ) -> Result<Secret, DeviceKeyError> {
        let enrolments = self.enrolments.as_ref().ok_or(SealError::NoKey)?;
        if let Some(known) = self.enrolment_secret(tenant).await? {
            return Ok(known);
        }
        let mut secret = Zeroizing::new(vec![0; 32]);
        OsRng.try_fill_bytes(&mut secret).map_err(|_| CredentialError::NoRandomness)?;
        let id = Uuid::new_v5(tenant.as_uuid(), PURPOSE.as_bytes()); // each hospital has one
        let row = id.to_string();
        let sealed =
            enrolments.keys.of(tenant).await?.seal(EnrolmentKey::sealed_for(tenant, &row), &secret)?;
        match enrolments.store.add_enrolment_key(tenant, &EnrolmentKey { id, secret: sealed }, audit).await {
            // Somebody else has made it at the same moment.
            Ok(()) | Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        self.cache.enrolment_secrets.invalidate(&tenant);
        Ok(self.enrolment_secret(tenant).await?.ok_or(SealError::NotOurs)?)
    }

    async fn enrolment_secret(&self, tenant: TenantId) -> Result<Option<Secret>, DeviceKeyError> {
        let Some(enrolments) = &self.enrolments else { return Ok(None) };
        if let Some(known) = self.cache.enrolment_secrets.get(&tenant) {
            return Ok(known);
        }
        let found = enrolments.store.enrolment_key(tenant).await?;
        let secret = match found {
            Some(EnrolmentKey { id, secret }) => {
                let row = id.to_string();
                let keys = enrolments.keys.of(tenant).await?;
                Some(Arc::new(Zeroizing::new(keys.open(EnrolmentKey::sealed_for(tenant, &row), &secret)?)))
            }
            None => None,
        };
        self.cache.enrolment_secrets.insert(tenant, secret.clone());
        Ok(secret)
    }

    /// Which device signs, as it does for an IoT Hub of the name `host`. A host whose first part is the name of a hospital is
    /// that hospital's; for any other, the hospital is the one with whose key it signs.
    ///
    /// # Errors
    /// [`IdentityError::NotValid`] when nobody's key has made it; [`IdentityError::SignatureExpired`]; as [`Identity::device`].
    pub async fn device_that_signs(
        &self,
        host: &str,
        device: &str,
        token: &str,
        visitor: &Visitor,
    ) -> Result<Signed, IdentityError> {
        let origin = Origin { channel: Channel::Mqtt, visitor };
        let check = async {
            let (signature, device) =
                self.signed(token, device, &format!("{host}/devices/{device}"), origin).await?;
            let tenant = match self.of_host(host).await? {
                Some(tenant) => self.signs_for(&tenant, &signature, &device).await?.then_some(tenant),
                None => self.signs_for_any(&signature, &device).await?,
            };
            let Some(tenant) = tenant else {
                return self.refused(TenantId::PLATFORM, None, "signed with no device's key", origin).await;
            };
            let signed = self.in_force(&tenant, signature, device, origin).await?;
            let Some(login) = self.login(signed.tenant, &signed.device).await? else {
                return self.refused(tenant.id, None, "no device of this name", origin).await;
            };
            self.unless_blocked(signed.tenant, login, origin).await?;
            Ok(signed)
        };
        self.within_limits(visitor, check).await
    }

    /// The same of a device that wants to be told where it belongs, as it asks a Device Provisioning Service; it need not be
    /// known yet.
    ///
    /// # Errors
    /// As [`Identity::device_that_signs`].
    pub async fn device_that_registers(
        &self,
        id_scope: &str,
        device: &str,
        token: &str,
        visitor: &Visitor,
    ) -> Result<Signed, IdentityError> {
        let origin = Origin { channel: Channel::Mqtt, visitor };
        let check = async {
            let resource = format!("{id_scope}/registrations/{device}");
            let (signature, device) = self.signed(token, device, &resource, origin).await?;
            let tenant = match of_id_scope(id_scope) {
                Some(id) => self.tenant_by_id(id).await?,
                None => None,
            };
            let Some(tenant) = tenant else {
                return self.refused(TenantId::PLATFORM, None, "no tenant of this id scope", origin).await;
            };
            if !self.signs_for(&tenant, &signature, &device).await? {
                return self.refused(tenant.id, None, "signed with another key", origin).await;
            }
            let signed = self.in_force(&tenant, signature, device, origin).await?;
            if let Some(login) = self.login(signed.tenant, &signed.device).await? {
                self.unless_blocked(signed.tenant, login, origin).await?;
            }
            Ok(signed)
        };
        self.within_limits(visitor, check).await
    }

    /// The hospital whose id scope and secret for newcomers a device shows that nobody knows yet.
    ///
    /// # Errors
    /// [`IdentityError::NotValid`] where it is no hospital's; [`IdentityError::Suspended`]; [`IdentityError::HeldBack`] as
    /// [`Identity::device`].
    pub async fn hospital_of_newcomer(
        &self,
        id_scope: &str,
        secret: &str,
        visitor: &Visitor,
    ) -> Result<TenantId, IdentityError> {
        let origin = Origin { channel: Channel::Mqtt, visitor };
        let check = async {
            let tenant = match of_id_scope(id_scope) {
                Some(id) => self.tenant_by_id(id).await?,
                None => None,
            };
            let Some(tenant) = tenant else {
                return self.refused(TenantId::PLATFORM, None, "no tenant of this id scope", origin).await;
            };
            self.served(&tenant, origin).await?;
            let shown = URL_SAFE_NO_PAD.decode(secret).unwrap_or_default();
            let key = self.enrolment_secret(tenant.id).await?;
            if key.is_none_or(|key| newcomer_secret(&key).verify_slice(&shown).is_err()) {
                return self.refused(tenant.id, None, "another secret than newcomers have", origin).await;
            }
            Ok(tenant.id)
        };
        self.within_limits(visitor, check).await
    }

    /// What was presented, if it is a signature for that resource.
    async fn signed<'a>(
        &self,
        token: &'a str,
        device: &str,
        resource: &str,
        origin: Origin<'_>,
    ) -> Result<(Signature<'a>, DeviceId), IdentityError> {
        let signature = Signature::parse(token).filter(|signature| signature.is_for(resource));
        match (signature, DeviceId::parse(device)) {
            (Some(signature), Ok(device)) => Ok((signature, device)),
            _ => self.refused(TenantId::PLATFORM, None, "no signature for this device", origin).await,
        }
    }

    async fn in_force(
        &self,
        tenant: &Tenant,
        signature: Signature<'_>,
        device: DeviceId,
        origin: Origin<'_>,
    ) -> Result<Signed, IdentityError> {
        self.served(tenant, origin).await?;
        let until = signature.expires_at;
        if until <= self.clock.now() {
            let refused = self.refused(tenant.id, Some(&device), "the signature has expired", origin).await;
            return refused.map_err(|_| IdentityError::SignatureExpired { tenant: tenant.id, device });
        }
        Ok(Signed { tenant: tenant.id, device, until })
    }

    /// The hospital that a host is named after.
    pub(crate) async fn of_host(&self, host: &str) -> Result<Option<Tenant>, IdentityError> {
        let Some((name, _)) = host.split_once('.') else { return Ok(None) };
        self.tenant_named(name).await
    }

    async fn signs_for(
        &self,
        tenant: &Tenant,
        signature: &Signature<'_>,
        device: &DeviceId,
    ) -> Result<bool, IdentityError> {
        let secret = self.enrolment_secret(tenant.id).await?;
        Ok(secret.is_some_and(|secret| signature.is_by(&device_key(&secret, device.as_str()))))
    }

    /// Two hashes for each hospital: a device of an installation without names of its own says nothing else of where it
    /// belongs.
    async fn signs_for_any(
        &self,
        signature: &Signature<'_>,
        device: &DeviceId,
    ) -> Result<Option<Tenant>, IdentityError> {
        for tenant in self.all_tenants().await?.iter() {
            if self.signs_for(tenant, signature, device).await? {
                return Ok(Some(tenant.clone()));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use hmac::Hmac;
    use sha2::Sha256;
    use tenants::{clock::Clock, enrolment::id_scope};

    use super::*;
    use crate::memory::{World, visitor};

    /// As the devices' clients make them; `+`, `/` and `=` are the only characters in it that have to be written otherwise.
    fn sign(resource: &str, key: &str, expiry: i64) -> String {
        let resource = resource.replace('/', "%2F");
        let mut mac = Hmac::<Sha256>::new_from_slice(&STANDARD.decode(key).unwrap()).unwrap();
        mac.update(format!("{resource}\n{expiry}").as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        let signature = signature.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        format!("SharedAccessSignature sr={resource}&sig={signature}&se={expiry}")
    }

    async fn key(world: &World, tenant: TenantId, device: &str) -> String {
        let entry = AuditEntry::new(tenant, world.clock.now(), "x", "enrolment_key.create", "x");
        let device = DeviceId::parse(device).unwrap();
        world.identity.symmetric_key(tenant, &device, &entry).await.unwrap()
    }

    #[tokio::test]
    async fn a_device_signs_for_its_hospital() {
        let world = World::new();
        let tenant = world.tenant.id;
        world.device("monitor-1");
        let later = world.clock.now().as_second() + 3_600;
        let (ours, theirs) =
            (key(&world, tenant, "monitor-1").await, key(&world, world.other.id, "monitor-1").await);
        assert_eq!(ours, key(&world, tenant, "monitor-1").await, "always the same");
        assert!(ours != theirs && ours != key(&world, tenant, "monitor-2").await);
        let from = visitor("192.0.2.1", 9);
        for host in ["localhost", "st-elsewhere.iot.example.org", "hub.example.org"] {
            let token = sign(&format!("{host}/devices/monitor-1"), &ours, later);
            let signed = world.identity.device_that_signs(host, "monitor-1", &token, &from).await.unwrap();
            let expected = (tenant, "monitor-1", later);
            assert_eq!((signed.tenant, signed.device.as_str(), signed.until.as_second()), expected, "{host}");
        }
        let refused = [
            ("another hospital's key", "county-general.example.org", "monitor-1", &ours, later),
            ("not a device there", "localhost", "monitor-1", &theirs, later),
            ("another device's key", "localhost", "monitor-2", &ours, later),
            ("no key", "localhost", "monitor-1", &String::new(), later),
        ];
        for (what, host, device, key, expiry) in refused {
            let token = sign(&format!("{host}/devices/{device}"), key, expiry);
            let error = world.identity.device_that_signs(host, device, &token, &from).await.err();
            assert!(matches!(error, Some(IdentityError::NotValid)), "{what}: {error:?}");
        }
        let token = sign("localhost/devices/monitor-1", &ours, later);
        for (host, device) in [("other", "monitor-1"), ("localhost", "monitor-2"), ("localhost", "a/b")] {
            assert!(world.identity.device_that_signs(host, device, &token, &from).await.is_err());
        }
        let old = sign("localhost/devices/monitor-1", &ours, world.clock.now().as_second());
        let error = world.identity.device_that_signs("localhost", "monitor-1", &old, &from).await.err();
        assert!(matches!(error, Some(IdentityError::SignatureExpired { .. })), "{error:?}");
    }

    #[tokio::test]
    async fn a_device_that_nobody_knows_yet_registers_with_its_hospitals_key() {
        let world = World::new();
        let (scope, later) = (id_scope(world.tenant.id), world.clock.now().as_second() + 60);
        let key = key(&world, world.tenant.id, "pump-7").await;
        let from = visitor("192.0.2.1", 9);
        let register = async |scope: &str, device: &str, key: &str| {
            let token = sign(&format!("{scope}/registrations/{device}"), key, later);
            world.identity.device_that_registers(scope, device, &token, &from).await
        };
        let signed = register(&scope, "pump-7", &key).await.unwrap();
        assert_eq!((signed.tenant, signed.device.as_str()), (world.tenant.id, "pump-7"));
        for (scope, device) in
            [(id_scope(world.other.id), "pump-7"), ("0ne00000000".into(), "pump-7"), (scope, "pump-8")]
        {
            let error = register(&scope, device, &key).await.err();
            assert!(matches!(error, Some(IdentityError::NotValid)), "{scope} {device}: {error:?}");
        }
    }

    #[tokio::test]
    async fn a_newcomer_shows_the_secret_of_its_hospital() {
        let world = World::new();
        let (ours, theirs, from) = (world.tenant.id, world.other.id, visitor("192.0.2.1", 9));
        let scope = id_scope(ours);
        let made = |tenant| AuditEntry::new(tenant, world.clock.now(), "x", "enrolment_key.create", "x");
        let unmade = world.identity.hospital_of_newcomer(&scope, "", &from).await.err();
        assert!(matches!(unmade, Some(IdentityError::NotValid)), "before there is one: {unmade:?}");
        let secret = world.identity.newcomer_secret(ours, &made(ours)).await.unwrap();
        let other = world.identity.newcomer_secret(theirs, &made(theirs)).await.unwrap();
        let key = world.identity.enrolment_key(ours, &made(ours)).await.unwrap();
        assert_eq!(secret, world.identity.newcomer_secret(ours, &made(ours)).await.unwrap());
        assert_eq!(world.identity.hospital_of_newcomer(&scope, &secret, &from).await.unwrap(), ours);
        let refused = [
            ("another hospital's secret", scope.as_str(), other.as_str()),
            ("of another hospital", &id_scope(theirs), &secret),
            ("the key it is made of", &scope, &key),
            ("no secret", &scope, ""),
            ("cut short", &scope, &secret[..20]),
            ("no id scope", "0ne", &secret),
        ];
        for (what, scope, secret) in refused {
            let error = world.identity.hospital_of_newcomer(scope, secret, &from).await.err();
            assert!(matches!(error, Some(IdentityError::NotValid)), "{what}: {error:?}");
        }
        world.suspend(Some(world.clock.now())).await;
        let error = world.identity.hospital_of_newcomer(&scope, &secret, &from).await.err();
        assert!(matches!(error, Some(IdentityError::Suspended)), "{error:?}");
    }
}
