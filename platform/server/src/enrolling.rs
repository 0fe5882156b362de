//! Registers devices that nobody has registered and that come with their hospital's key: whoever has that may.

use std::sync::Arc;

use storage::Database;
use tenants::{
    DeviceId, StoreError, TenantId, UnitId, UserId,
    access::{Access, Action, Caller, FixedRules, Object, Principal, Role, Scope},
    audit::{AuditEntry, Channel, Origin},
    clock::Clock,
    credentials::BearerToken,
    stores::DeviceCredentials,
};
use twins::store::directory::{DeviceRecord, Devices, NewDevice};

/// The name under which it acts.
const NAME: &str = "enrolment";

pub(crate) struct Enrolling {
    pub(crate) database: Database,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Enrolling {
    /// Makes sure that a device is registered. The error says why it cannot be, for whoever stands beside it.
    pub(crate) async fn register(
        &self,
        tenant: TenantId,
        device: &DeviceId,
        model: Option<&str>,
    ) -> Result<(), String> {
        let known = self.database.device_logins(tenant, std::slice::from_ref(device)).await;
        if !known.map_err(|error| failed(&error))?.is_empty() {
            return Ok(());
        }
        let template = model.ok_or("a device that is not registered has to say which model it is")?;
        if templates::builtin::find(template).is_none() {
            return Err("there is no template for this model".to_owned());
        }
        let scope = self.scope(tenant).await.ok_or("devices cannot be registered now")?;
        // It signs; nobody is told its token.
        let token = BearerToken::generate(tenant).map_err(|_| "no token could be made")?.hash();
        let new = NewDevice {
            record: DeviceRecord {
                id: device.clone(),
                name: device.to_string(),
                template: template.to_owned(),
                patient: None,
                unit: UnitId::root(tenant),
                blocked_since: None,
                gateway: None,
            },
            token,
            audit: self.entry(tenant, device, template),
        };
        match Devices::create_all(&self.database, &scope, &[new]).await {
            Ok(()) => Ok(()),
            Err(error) => self.unless_there(tenant, device, error).await,
        }
    }

    /// It may have been registered at the same moment.
    async fn unless_there(
        &self,
        tenant: TenantId,
        device: &DeviceId,
        error: StoreError,
    ) -> Result<(), String> {
        let known = self.database.device_logins(tenant, std::slice::from_ref(device)).await;
        if known.is_ok_and(|known| !known.is_empty()) { Ok(()) } else { Err(failed(&error)) }
    }

    async fn scope(&self, tenant: TenantId) -> Option<Scope> {
        let id = UserId::from_uuid(*TenantId::PLATFORM.as_uuid());
        let access = Access::new(Arc::new(FixedRules::new([(id, Role::Admin.into())])), self.clock.clone());
        let principal = Principal::User { id, name: NAME.into(), email: "".into(), restricted_to: None };
        access.grant(&Caller { tenant, principal }, Object::Device, Action::Write).await.ok()
    }

    fn entry(&self, tenant: TenantId, device: &DeviceId, template: &str) -> AuditEntry {
        let (actor, subject) = (format!("device:{device}"), format!("device:{device}"));
        AuditEntry {
            detail: format!("enrolled itself as {template}"),
            origin: Origin::new(Channel::Mqtt, "", ""),
            ..AuditEntry::new(tenant, self.clock.now(), actor, "device.create", subject)
        }
    }
}

/// What a device may know of it.
fn failed(error: &StoreError) -> String {
    match error {
        StoreError::Conflict { what } => what.clone(),
        error => {
            tracing::error!(error = error as &dyn std::error::Error, "a device could not be registered");
            "it could not be stored; try again".to_owned()
        }
    }
}
