//! Registers devices that nobody has registered and that come with their hospital's key, or its secret for newcomers: whoever
//! has that may.

use std::{net::IpAddr, sync::Arc};

use broker::{Newcomer, Unregistered};
use identity::{Identity, IdentityError, Visitor};
use storage::Database;
use tenants::{
    CorrelationId, DeviceId, ErrorKind, StoreError, TenantId, UnitId, UserId,
    access::{Access, Action, Caller, FixedRules, Object, Principal, Role, Scope},
    audit::{AuditEntry, Channel, Origin},
    clock::Clock,
    credentials::BearerToken,
    stores::DeviceCredentials,
};
use twins::{
    Twins,
    connections::ConnectionLog,
    store::directory::{DeviceRecord, Devices, NewDevice},
};

/// The name under which it acts.
const NAME: &str = "enrolment";

const NO_TOKEN: &str = "no token could be made";

pub(crate) struct Enrolling {
    pub(crate) database: Database,
    pub(crate) identity: Arc<Identity>,
    pub(crate) twins: Twins,
    pub(crate) clock: Arc<dyn Clock>,
}

/// What a newcomer says that it wants to be.
struct Wish<'a> {
    device: DeviceId,
    /// With what it is registered; without, it has to be registered already.
    template: Option<&'a str>,
    origin: Origin,
}

impl Enrolling {
    /// Gives a newcomer its token, and registers it before where its key says as what. One that has connected before is none:
    /// its hospital gives it another token.
    pub(crate) async fn enrol(
        &self,
        newcomer: &Newcomer,
        from: IpAddr,
        correlation: CorrelationId,
    ) -> Result<String, Unregistered> {
        let Newcomer { key, secret, name } = newcomer;
        let (id_scope, template) = match key.split_once('/') {
            Some((id_scope, template)) => (id_scope, Some(template)),
            None => (key.as_str(), None),
        };
        let visitor = Visitor::new(from.to_string(), "", correlation);
        let tenant = self.identity.hospital_of_newcomer(id_scope, secret, &visitor).await;
        let tenant = tenant.map_err(|error| unidentified(&error))?;
        // One that asks again over the same connection is the same.
        let name = name.clone().unwrap_or_else(|| format!("device-{correlation}"));
        let device =
            DeviceId::parse(&name).map_err(|error| Unregistered::Refused(format!("deviceName: {error}")))?;
        let origin = Origin::new(Channel::Mqtt, &visitor.address, "");
        let token = self.token(tenant, &Wish { device, template, origin }).await;
        token.map(|token| token.reveal().to_owned()).map_err(Unregistered::Refused)
    }

    async fn token(&self, tenant: TenantId, wish: &Wish<'_>) -> Result<BearerToken, String> {
        let scope = self.scope(tenant).await?;
        if let Some(known) = self.known(&scope, &wish.device).await? {
            return self.another_token(&scope, &known, &wish.origin).await;
        }
        let template =
            wish.template.ok_or("it is not registered; a key that names a template would register it")?;
        match self.create(&scope, &wish.device, template, &wish.origin).await {
            Err(Uncreated::Store(error)) => match self.known(&scope, &wish.device).await? {
                // It asks twice at the same moment.
                Some(known) => self.another_token(&scope, &known, &wish.origin).await,
                None => Err(failed(&error)),
            },
            created => created.map_err(Uncreated::into_words),
        }
    }

    /// Gives a device a token that is registered and has never been here: it may not have heard of the one before.
    async fn another_token(
        &self,
        scope: &Scope,
        known: &DeviceRecord,
        origin: &Origin,
    ) -> Result<BearerToken, String> {
        let (tenant, device) = (scope.tenant(), &known.id);
        if known.blocked_since.is_some() {
            return Err("it is blocked".to_owned());
        }
        if known.gateway.is_some() {
            return Err("it speaks through a gateway".to_owned());
        }
        if self.has_been_here(scope, device).await? {
            return Err("it has connected before; its hospital can give it another token".to_owned());
        }
        let token = BearerToken::generate(tenant).map_err(|_| NO_TOKEN)?;
        let detail = "asked for it as a newcomer".to_owned();
        let audit = AuditEntry { detail, ..self.entry(tenant, device, "device.renew_token", origin) };
        let renewed = self.database.renew_token(scope, device, &token.hash(), &audit).await;
        renewed.map_err(|error| failed(&error))?;
        self.identity.revocations().tell(tenant);
        Ok(token)
    }

    /// Whether it has connected before or, where nobody wrote that down yet, has said something.
    async fn has_been_here(&self, scope: &Scope, device: &DeviceId) -> Result<bool, String> {
        let events = self.database.events(scope, device).await.map_err(|error| failed(&error))?;
        let twin = self.twins.own(scope.tenant(), device).await;
        let twin = twin.map_err(|_| "its twin cannot be asked now; try again")?;
        Ok(!events.is_empty() || twin.messages > 0)
    }

    async fn known(&self, scope: &Scope, device: &DeviceId) -> Result<Option<DeviceRecord>, String> {
        let known = Devices::by_ids(&self.database, scope, std::slice::from_ref(device)).await;
        Ok(known.map_err(|error| failed(&error))?.pop())
    }

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
        // It signs; nobody is told its token.
        let origin = Origin::new(Channel::Mqtt, "", "");
        match self.create(&self.scope(tenant).await?, device, template, &origin).await {
            Err(Uncreated::Store(error)) => self.unless_there(tenant, device, error).await,
            created => created.map(drop).map_err(Uncreated::into_words),
        }
    }

    async fn create(
        &self,
        scope: &Scope,
        device: &DeviceId,
        template: &str,
        origin: &Origin,
    ) -> Result<BearerToken, Uncreated> {
        if templates::builtin::find(template).is_none() {
            return Err(Uncreated::Because("there is no template for this model"));
        }
        let tenant = scope.tenant();
        let token = BearerToken::generate(tenant).map_err(|_| Uncreated::Because(NO_TOKEN))?;
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
            token: token.hash(),
            audit: AuditEntry {
                detail: format!("enrolled itself as {template}"),
                ..self.entry(tenant, device, "device.create", origin)
            },
        };
        let created = Devices::create_all(&self.database, scope, &[new]).await;
        created.map(|()| token).map_err(Uncreated::Store)
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

    async fn scope(&self, tenant: TenantId) -> Result<Scope, String> {
        let id = UserId::from_uuid(*TenantId::PLATFORM.as_uuid());
        let access = Access::new(Arc::new(FixedRules::new([(id, Role::Admin.into())])), self.clock.clone());
        let principal = Principal::User { id, name: NAME.into(), email: "".into(), restricted_to: None };
        let scope = access.grant(&Caller { tenant, principal }, Object::Device, Action::Write).await;
        scope.map_err(|_| "devices cannot be registered now".to_owned())
    }

    fn entry(&self, tenant: TenantId, device: &DeviceId, action: &str, origin: &Origin) -> AuditEntry {
        let (actor, subject) = (format!("device:{device}"), format!("device:{device}"));
        let origin = origin.clone();
        AuditEntry { origin, ..AuditEntry::new(tenant, self.clock.now(), actor, action, subject) }
    }
}

/// Why a device was not registered.
enum Uncreated {
    Because(&'static str),
    Store(StoreError),
}

impl Uncreated {
    fn into_words(self) -> String {
        match self {
            Self::Because(why) => why.to_owned(),
            Self::Store(error) => failed(&error),
        }
    }
}

/// What a newcomer may know of its not being taken for one.
fn unidentified(error: &IdentityError) -> Unregistered {
    let why = match error.kind() {
        ErrorKind::RateLimited => "too many attempts; wait before the next",
        ErrorKind::Forbidden => "the hospital takes no devices now",
        ErrorKind::Unavailable | ErrorKind::Internal => "it cannot be found out now; try again",
        _ => return Unregistered::NotValid,
    };
    Unregistered::Refused(why.to_owned())
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
