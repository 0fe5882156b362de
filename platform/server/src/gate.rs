//! Fits the broker's gatekeeper onto identity: who is let in, as what, and for how long.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use broker::{Admission, Client, Gatekeeper, Grants, Handle, Login, Refusal, Speech, gate::nobody};
use identity::{Application, Identity, IdentityError, Signed, Visitor};
use tenants::{
    DeviceId, ErrorKind, TenantId,
    access::{Access, Action, Caller, Column, Object, Scope},
    clock::Clock,
};
use tokio::time::MissedTickBehavior;

use crate::{
    applications::Applications,
    connection_log::{self, Notes},
    feed::FeedRelay,
};

/// The device part of a user name that stands for a program: `<tenant-slug>/app`.
const APPLICATION: &str = "app";
/// The user name of a device that signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signs<'a> {
    /// For an IoT Hub: `<host>/<device>/?api-version=...`.
    Hub { host: &'a str, device: &'a str },
    /// For a Device Provisioning Service: `<id scope>/registrations/<device>/api-version=...`.
    Provisioning { id_scope: &'a str, device: &'a str },
}

impl<'a> Signs<'a> {
    fn of(user_name: &'a str) -> Option<Self> {
        let mut parts = user_name.splitn(4, '/');
        match [parts.next()?, parts.next()?, parts.next()?, parts.next().unwrap_or_default()] {
            [id_scope, "registrations", device, version] if version.starts_with("api-version=") => {
                Some(Self::Provisioning { id_scope, device })
            }
            [host, device, version, _] if version.starts_with("?api-version=") => {
                Some(Self::Hub { host, device })
            }
            _ => None,
        }
    }
}

/// How soon a program is sent away whose token has run out.
const APPLICATIONS_EVERY: Duration = Duration::from_secs(15);

/// Lets devices in by `<tenant-slug>/<device-id>` and token, those made for ThingsBoard by their token as user name, programs
/// by `<tenant-slug>/app` and API token, and those made for Azure by what they have signed.
pub(crate) struct Gate {
    identity: Arc<Identity>,
    access: Arc<Access>,
    /// Known only after the broker, which needs the gate, listens.
    relay: OnceLock<Arc<FeedRelay>>,
    applications: Applications,
    notes: Notes,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl Gatekeeper for Gate {
    async fn admit(&self, login: Login<'_>) -> Result<Admission, Refusal> {
        let visitor = Visitor::new(login.peer.ip().to_string(), "", login.correlation);
        let secret = std::str::from_utf8(login.password).map_err(|_| Refusal::BadCredentials)?;
        if let Some(signs) = Signs::of(login.user_name) {
            return self.admit_signed(signs, secret, &login, &visitor).await;
        }
        let Some((slug, name)) = login.user_name.split_once('/') else {
            let identified = self.identity.device_of_token(login.user_name, &visitor).await;
            self.note_refusal(identified.as_ref().err(), &login);
            return self.admission(identified, Speech::ThingsBoard).await;
        };
        if name == APPLICATION {
            return self.admit_application(slug, secret, &login.peer.ip().to_string()).await;
        }
        let identified = self.identity.device(slug, name, secret, &visitor).await;
        self.note_refusal(identified.as_ref().err(), &login);
        self.admission(identified, Speech::Native).await
    }
}

impl Gate {
    /// `notes`: where it says which devices were not let in.
    pub(crate) fn new(
        identity: Arc<Identity>,
        access: Arc<Access>,
        notes: Notes,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (relay, applications) = (OnceLock::new(), Applications::default());
        Self { identity, access, relay, applications, notes, clock }
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
        identified: Result<(TenantId, DeviceId), IdentityError>,
        speech: Speech,
    ) -> Result<Admission, Refusal> {
        let (tenant, device) = identified.map_err(|error| refusal(error.kind()))?;
        let behind = self.identity.behind(tenant, &device).await.map_err(|error| refusal(error.kind()))?;
        let behind = if behind.is_empty() { nobody() } else { Arc::new(behind.into_iter().collect()) };
        let client = Client::Device(device);
        Ok(Admission { tenant, client, speech, until: None, behind, grants: Grants::default() })
    }

    /// Whoever looks after a device sees why it was not let in, where it is known which one it is.
    fn note_refusal(&self, error: Option<&IdentityError>, login: &Login<'_>) {
        let (tenant, device, why) = match error {
            Some(IdentityError::WrongToken { tenant, device }) => (tenant, device, "the password is wrong"),
            Some(IdentityError::Blocked { tenant, device }) => (tenant, device, "it is blocked"),
            Some(IdentityError::SignatureExpired { tenant, device }) => {
                let why = "what it signed had expired: its clock is wrong, or it signs for too short a time";
                (tenant, device, why)
            }
            _ => return,
        };
        let event = connection_log::refused(self.clock.now(), why, login.client_id, login.peer.ip());
        self.notes.note(*tenant, device.clone(), event);
    }

    /// A device that signs with its key.
    async fn admit_signed(
        &self,
        signs: Signs<'_>,
        token: &str,
        login: &Login<'_>,
        visitor: &Visitor,
    ) -> Result<Admission, Refusal> {
        let (signed, speech) = match signs {
            Signs::Hub { host, device } => {
                (self.identity.device_that_signs(host, device, token, visitor).await, Speech::IotHub)
            }
            Signs::Provisioning { id_scope, device } => {
                let signed = self.identity.device_that_registers(id_scope, device, token, visitor).await;
                (signed, Speech::Provisioning)
            }
        };
        self.note_refusal(signed.as_ref().err(), login);
        let Signed { tenant, device, until } = signed.map_err(|error| refusal(error.kind()))?;
        // A hub knows a device by its client identifier only.
        if login.client_id != device.as_str() {
            return Err(Refusal::ClientIdNotValid);
        }
        let client = Client::Device(device);
        let (until, behind) = (Some(until), nobody());
        Ok(Admission { tenant, client, speech, until, behind, grants: Grants::default() })
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

    /// Sends programs away that may not be connected any more, or whose rights are others now: at once when something is revoked or rights change,
    /// soon when their token runs out.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_names_of_devices_that_sign() {
        let hub = |host, device| Some(Signs::Hub { host, device });
        let provisioning = |id_scope, device| Some(Signs::Provisioning { id_scope, device });
        let cases = [
            (
                "localhost/monitor-1/?api-version=2019-10-01&DeviceClientType=x%2F1",
                hub("localhost", "monitor-1"),
            ),
            ("a.example.org/m/?api-version=2020-09-30&model-id=dtmi:a:b;1", hub("a.example.org", "m")),
            ("0neAAA/registrations/m/api-version=2019-03-31&ClientVersion=1", provisioning("0neAAA", "m")),
            ("localhost/monitor-1/module/?api-version=2019-10-01", None),
            ("0neAAA/registrations/m/x", None),
            ("st-elsewhere/monitor-1", None),
            ("st-elsewhere/monitor-1/", None),
            ("", None),
        ];
        for (user_name, expected) in cases {
            assert_eq!(Signs::of(user_name), expected, "{user_name}");
        }
    }
}
