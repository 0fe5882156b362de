//! Fits the broker's gatekeeper onto identity: who is let in, as what, and for how long.

mod applications;
mod certified;
mod user_name;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use broker::{Admission, Client, Gatekeeper, Grants, Handle, Login, Refusal, Speech, gate::nobody};
use identity::{Application, Belongs, Certified, Identity, IdentityError, Shown, Signed, Visitor};
use jiff::Timestamp;
use tenants::{
    DeviceId, ErrorKind, TenantId,
    access::{Access, Action, Caller, Column, Object, Scope},
    clock::Clock,
    quotas::Meter,
};
use tokio::time::MissedTickBehavior;

use self::{applications::Applications, certified::CertifiedDevices, user_name::UserName};
use crate::{
    connection_log::{self, Notes},
    feed::FeedRelay,
};

/// How soon a program is sent away whose token has run out.
const APPLICATIONS_EVERY: Duration = Duration::from_secs(15);

/// How long a device that nobody knows may ask to be registered.
const NEWCOMERS_STAY: Duration = Duration::from_secs(60);

/// How long somebody who was let in may take to be connected: well over what the broker allows.
const ON_THE_WAY: Duration = Duration::from_secs(60);

/// Lets devices in by `<tenant-slug>/<device-id>` and token, those made for ThingsBoard by their token as user name, those made
/// for Azure by what they have signed, all but the second also by a certificate, those that nobody knows yet so that they can ask
/// to be registered, and programs by `<tenant-slug>/app` and API
/// token.
pub(crate) struct Gate {
    identity: Arc<Identity>,
    access: Arc<Access>,
    /// Known only after the broker, which needs the gate, listens.
    relay: OnceLock<Arc<FeedRelay>>,
    applications: Applications,
    certified: CertifiedDevices,
    meter: Arc<Meter>,
    notes: Notes,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl Gatekeeper for Gate {
    async fn admit(&self, login: Login<'_>) -> Result<Admission, Refusal> {
        let visitor = Visitor::new(login.peer.ip().to_string(), "", login.correlation);
        let secret = std::str::from_utf8(login.password).map_err(|_| Refusal::BadCredentials)?;
        let user_name = UserName::read(login.user_name);
        if secret.is_empty()
            && !login.certificates.is_empty()
            && let Some((to, device, speech)) = with_certificate(user_name)
        {
            let shown = Shown { chain: login.certificates, to, device };
            return self.admit_certified(shown, speech, &login, &visitor).await;
        }
        let identity = &self.identity;
        let (identified, speech) = match user_name {
            UserName::Application { slug } => {
                return self.admit_application(slug, secret, &login.peer.ip().to_string()).await;
            }
            UserName::Newcomer => return Ok(self.newcomer(&login)),
            UserName::Device { slug, device } => {
                let identified = identity.device(slug, device, secret, &visitor).await;
                (identified.map(for_good), Speech::Native)
            }
            UserName::Token(token) => {
                let identified = identity.device_of_token(token, &visitor).await;
                (identified.map(for_good), Speech::ThingsBoard)
            }
            UserName::Hub { host, device } => {
                let signed = identity.device_that_signs(host, device, secret, &visitor).await;
                (signed.map(for_a_while), Speech::IotHub)
            }
            UserName::Provisioning { id_scope, device } => {
                let signed = identity.device_that_registers(id_scope, device, secret, &visitor).await;
                (signed.map(for_a_while), Speech::Provisioning)
            }
        };
        self.admission(identified, speech, &login).await
    }
}

/// A device that has shown who it is, and until when that counts.
type Identified = (TenantId, DeviceId, Option<Timestamp>);

fn for_good((tenant, device): (TenantId, DeviceId)) -> Identified {
    (tenant, device, None)
}

fn for_a_while(Signed { tenant, device, until }: Signed) -> Identified {
    (tenant, device, Some(until))
}

/// Where a device belongs that shows a certificate, who it says that it is, and how it names things; `None` where the user name
/// is no such device's.
fn with_certificate(user_name: UserName<'_>) -> Option<(Belongs<'_>, Option<&str>, Speech)> {
    Some(match user_name {
        UserName::Token("") => (Belongs::Unsaid, None, Speech::Native),
        UserName::Device { slug, device } => (Belongs::Hospital(slug), Some(device), Speech::Native),
        UserName::Hub { host, device } => (Belongs::Host(host), Some(device), Speech::IotHub),
        UserName::Provisioning { id_scope, device } => {
            (Belongs::IdScope(id_scope), Some(device), Speech::Provisioning)
        }
        UserName::Token(_) | UserName::Application { .. } | UserName::Newcomer => return None,
    })
}

impl Gate {
    /// `meter` knows what hospitals allow; `notes`: where it says which devices were not let in.
    pub(crate) fn new(
        identity: Arc<Identity>,
        access: Arc<Access>,
        meter: Arc<Meter>,
        notes: Notes,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            identity,
            access,
            relay: OnceLock::new(),
            applications: Applications::default(),
            certified: CertifiedDevices::default(),
            meter,
            notes,
            clock,
        }
    }

    pub(crate) fn notes(&self) -> &Notes {
        &self.notes
    }

    /// Where admitted applications get their feed from. Only the first call counts.
    pub(crate) fn relay_to(&self, relay: Arc<FeedRelay>) {
        self.relay.get_or_init(|| relay);
    }

    /// A device that has shown who it is, and for whom it speaks.
    async fn admission(
        &self,
        identified: Result<Identified, IdentityError>,
        speech: Speech,
        login: &Login<'_>,
    ) -> Result<Admission, Refusal> {
        self.note_refusal(identified.as_ref().err(), login);
        let (tenant, device, until) = identified.map_err(|error| refusal(error.kind()))?;
        let behind = match speech {
            Speech::Native | Speech::ThingsBoard => {
                self.identity.behind(tenant, &device).await.map_err(|error| refusal(error.kind()))?
            }
            // A hub knows a device by its client identifier only.
            Speech::IotHub | Speech::Provisioning if login.client_id != device.as_str() => {
                return Err(Refusal::ClientIdNotValid);
            }
            Speech::IotHub | Speech::Provisioning => Vec::new(),
        };
        let behind = if behind.is_empty() { nobody() } else { Arc::new(behind.into_iter().collect()) };
        let (client, quotas) = (Client::Device(device), Some(self.meter.clients(tenant)));
        Ok(Admission { tenant, client, speech, until, behind, grants: Grants::default(), quotas })
    }

    /// A device that nobody knows yet: who it is shows what it asks for.
    fn newcomer(&self, login: &Login<'_>) -> Admission {
        Admission {
            tenant: TenantId::PLATFORM,
            client: Client::Newcomer { connection: login.correlation },
            speech: Speech::default(),
            until: self.clock.now().checked_add(NEWCOMERS_STAY).ok(),
            behind: nobody(),
            grants: Grants::default(),
            quotas: None,
        }
    }

    /// A device that shows a certificate.
    async fn admit_certified(
        &self,
        shown: Shown<'_>,
        speech: Speech,
        login: &Login<'_>,
        visitor: &Visitor,
    ) -> Result<Admission, Refusal> {
        let certified = self.identity.device_with_certificate(shown, visitor).await;
        if let Ok(certified) = &certified {
            self.certified.remember(certified);
        }
        let identified =
            certified.map(|Certified { tenant, device, until, .. }| (tenant, device, Some(until)));
        self.admission(identified, speech, login).await
    }

    /// Whoever looks after a device sees why it was not let in, where it is known which one it is.
    fn note_refusal(&self, error: Option<&IdentityError>, login: &Login<'_>) {
        let (tenant, device, why) = match error {
            Some(IdentityError::WrongToken { tenant, device }) => {
                (tenant, device, "the password is wrong".to_owned())
            }
            Some(IdentityError::Blocked { tenant, device }) => (tenant, device, "it is blocked".to_owned()),
            Some(IdentityError::SignatureExpired { tenant, device }) => {
                let why = "what it signed had expired: its clock is wrong, or it signs for too short a time";
                (tenant, device, why.to_owned())
            }
            Some(IdentityError::Certificate { tenant, device, fault }) => (tenant, device, fault.to_string()),
            _ => return,
        };
        let event = connection_log::refused(self.clock.now(), &why, login.client_id, login.peer.ip());
        self.notes.note(*tenant, device.clone(), event);
    }

    async fn admit_application(&self, slug: &str, secret: &str, from: &str) -> Result<Admission, Refusal> {
        let (caller, grants) = self.application(slug, secret, from).await?;
        let known = self.applications.remember(&caller, &grants, slug, secret);
        let client = known.ok_or(Refusal::NotAuthorized)?;
        Ok(Admission {
            tenant: caller.tenant,
            client,
            speech: Speech::default(),
            until: None,
            behind: nobody(),
            grants,
            quotas: Some(self.meter.clients(caller.tenant)),
        })
    }

    /// Who a program is, and what it may hear and say; `from`: its address, empty when it is looked at again.
    async fn application(&self, slug: &str, secret: &str, from: &str) -> Result<(Caller, Grants), Refusal> {
        let found = self.identity.application(slug, secret, from).await;
        let Application { caller, topics } = found.map_err(|error| refusal(error.kind()))?;
        let feed = match self.feed(&caller).await {
            Ok(prefix) => Some(prefix),
            Err(Refusal::NotAuthorized) => None,
            Err(error) => return Err(error),
        };
        let (mut subscribe, mut publish) = (None, None);
        if let Some(topics) = topics {
            let may = async |action| self.may(&caller, Object::Topic, action).await;
            subscribe = may(Action::Read).await?.then(|| Arc::clone(&topics));
            publish = may(Action::Publish).await?.then_some(topics);
        }
        let grants = Grants { feed, subscribe, publish };
        if grants == Grants::default() { Err(Refusal::NotAuthorized) } else { Ok((caller, grants)) }
    }

    /// Lets a program hear the feed that may; what stands before its topics.
    async fn feed(&self, caller: &Caller) -> Result<Arc<str>, Refusal> {
        let patients = self.feed_scope(caller, Object::Patient).await?;
        let alarms = self.feed_scope(caller, Object::Alarm).await?;
        let relay = self.relay.get().ok_or(Refusal::Unavailable)?;
        Ok(relay.admitted(&patients, &alarms))
    }

    async fn may(&self, caller: &Caller, object: Object, action: Action) -> Result<bool, Refusal> {
        match self.access.grant(caller, object, action).await {
            Ok(scope) => Ok(scope.rows().cover_partly(&|_| None) == Some(true)),
            Err(error) if error.kind() == ErrorKind::Forbidden => Ok(false),
            Err(error) => Err(refusal(error.kind())),
        }
    }

    /// Sends programs away that may not be connected any more, or whose rights are others now, and devices whose certificate
    /// counts no longer: at once when something is revoked or rights change, soon when a program's token runs out.
    pub(crate) async fn follow(self: Arc<Self>, broker: Handle) {
        let mut revoked = self.identity.revocations().subscribe();
        let mut rights = self.access.changes();
        let mut due = tokio::time::interval(APPLICATIONS_EVERY);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = due.tick() => {}
                Ok(()) = revoked.changed() => {}
                Ok(()) = rights.changed() => {}
            }
            let connected = self.applications.connected(&broker);
            if let Some(relay) = self.relay.get() {
                let heard = connected.iter().filter_map(|of| Some((of.tenant, of.grants.feed.clone()?)));
                relay.keep(&heard.collect());
            }
            for known in connected {
                match self.application(&known.slug, &known.secret, "").await {
                    // While the database cannot be asked, alarms must go on arriving.
                    Err(Refusal::Unavailable) => {}
                    Ok((_, grants)) if grants == known.grants => {}
                    Ok(_) | Err(_) => {
                        broker.end(known.tenant, &known.client);
                    }
                }
            }
            for known in self.certified.connected(&broker) {
                // As above: what cannot be found out ends nothing.
                if let Ok(false) = self.identity.still_certified(&known).await {
                    broker.end(known.tenant, &Client::Device(known.device));
                }
            }
        }
    }

    /// The feed carries vitals and alarms with notes that may name patients: who follows it must be allowed to see names. Of
    /// which patients is decided for each message.
    async fn feed_scope(&self, caller: &Caller, object: Object) -> Result<Scope, Refusal> {
        let scope = self.access.grant(caller, object, Action::Read).await;
        let scope = scope.map_err(|error| refusal(error.kind()))?;
        if scope.may_mask(Column::PatientName) { Err(Refusal::NotAuthorized) } else { Ok(scope) }
    }
}

const fn refusal(kind: ErrorKind) -> Refusal {
    match kind {
        ErrorKind::Forbidden => Refusal::NotAuthorized,
        ErrorKind::RateLimited => Refusal::Busy,
        ErrorKind::Unavailable | ErrorKind::Internal => Refusal::Unavailable,
        _ => Refusal::BadCredentials,
    }
}
