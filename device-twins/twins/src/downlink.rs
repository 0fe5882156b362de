//! What people and programs say to devices: which properties they are to take on, and what they are to do.
//!
//! Desired properties are part of the twin: they stand in the log, and a device that was away is told when it comes back.
//! A command is for a device that is there: it is answered while whoever gave it waits, or has failed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use ahash::RandomState;
use dashmap::DashMap;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use tenants::{DeviceId, ErrorKind, TenantId, access::Scope, audit::AuditEntry, clock::Clock};
use tokio::{sync::oneshot, time::timeout};

use crate::{
    TwinError, Twins,
    device::{
        DeviceState,
        properties::{self, PropertiesError},
    },
    presence::DeviceSessions,
    store::directory::DeviceRecord,
};

/// How long a device may take to answer a command.
pub const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// How long it may take where nobody says otherwise.
pub const USUAL_WAIT: Duration = Duration::from_secs(30);
/// Bytes of what is said with a command, as JSON.
pub const MAX_BODY_BYTES: usize = 128 * 1024;
/// Bytes of the properties of a message: they stand in its topic.
pub const MAX_PROPERTIES_BYTES: usize = 256;
/// Bytes of a command's name.
pub const MAX_NAME_BYTES: usize = 64;

/// Something that a device is told.
#[derive(Debug, Clone, PartialEq)]
pub enum ToDevice {
    /// Desired properties have changed.
    Desired {
        /// What changed: a merge patch.
        patch: Map<String, Value>,
        /// All of them as they are now.
        properties: Map<String, Value>,
        /// Which version of all of them that makes.
        version: u64,
    },
    /// It is to do something.
    Command(Command),
    /// Something that somebody says.
    Message(Message),
}

/// What a device is to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// The device answers with it.
    pub id: u32,
    /// As the device knows it: letters, digits, `_`, `-`, `.`; a component stands before a `*`.
    pub name: String,
    /// What else the device has to know.
    pub body: Value,
    /// The device need not begin with it after that.
    pub until: Timestamp,
}

/// Something that somebody says to a device; what it is about is between the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Tells it from others.
    pub id: String,
    /// At most [`MAX_BODY_BYTES`].
    pub payload: String,
    /// What else is said about it, by name.
    pub properties: Vec<(String, String)>,
}

/// What a device answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// As in HTTP: 200 where all went well.
    pub status: i32,
    /// What else it says.
    pub body: Value,
}

/// Why a device was not told something, or did not answer.
#[derive(Debug, thiserror::Error)]
pub enum DownlinkError {
    /// Not a name that topics can hold.
    #[error(
        "a command's name has 1 to {MAX_NAME_BYTES} letters, digits, _, - or ., and a * behind its component"
    )]
    Name,
    /// Too much.
    #[error(
        "what is said to a device must not exceed {MAX_BODY_BYTES} bytes, its properties {MAX_PROPERTIES_BYTES}"
    )]
    TooLarge,
    /// Longer than anybody waits.
    #[error("a command is waited for 1 to {} seconds", LONGEST_WAIT.as_secs())]
    Wait,
    /// It is not there.
    #[error("the device is not connected")]
    NotConnected,
    /// It is there, or its session is kept, and it has not asked for such things.
    #[error("the device does not listen for this")]
    NotListening,
    /// It did not answer in time. It may have done it all the same.
    #[error("the device has not answered within {} s; whether it did what it was told is not known", waited.as_secs())]
    NoAnswer {
        /// So long.
        waited: Duration,
    },
    /// It answered with what cannot be read.
    #[error("the device's answer cannot be read: a JSON object with a status and a body is expected")]
    Unreadable,
    /// Properties that cannot be taken.
    #[error("desired properties {0}")]
    Properties(#[from] PropertiesError),
    /// The twin could not be asked.
    #[error(transparent)]
    Twin(#[from] TwinError),
}

impl DownlinkError {
    /// What the error means to a caller.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Name | Self::Wait | Self::Properties(_) => ErrorKind::BadInput,
            Self::TooLarge => ErrorKind::TooLarge,
            Self::NotConnected | Self::NotListening => ErrorKind::Conflict,
            Self::NoAnswer { .. } | Self::Unreadable => ErrorKind::Unavailable,
            Self::Twin(error) => error.kind(),
        }
    }
}

type Expected = (TenantId, DeviceId, u32);

/// Commands that wait for their devices.
#[derive(Debug, Default)]
pub struct Waiting {
    answers: DashMap<Expected, oneshot::Sender<Option<Answer>>, RandomState>,
    last: AtomicU32,
}

impl Waiting {
    /// A device has answered: with `None` what cannot be read. False when nobody waits for it (any more).
    pub fn answered(&self, tenant: TenantId, device: &DeviceId, id: u32, answer: Option<Answer>) -> bool {
        let waiting = self.answers.remove(&(tenant, device.clone(), id));
        waiting.is_some_and(|(_, waiting)| waiting.send(answer).is_ok())
    }

    /// Waits for the answer to a command that has an id of its own. Whoever no longer waits is forgotten.
    fn expect(self: &Arc<Self>, tenant: TenantId, device: &DeviceId) -> Expectation {
        let id = self.last.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let (answer, answered) = oneshot::channel();
        let expected = (tenant, device.clone(), id);
        self.answers.insert(expected.clone(), answer);
        Expectation { waiting: Arc::clone(self), expected, answered }
    }
}

/// An answer that somebody waits for.
struct Expectation {
    waiting: Arc<Waiting>,
    expected: Expected,
    answered: oneshot::Receiver<Option<Answer>>,
}

impl Drop for Expectation {
    fn drop(&mut self) {
        self.waiting.answers.remove(&self.expected);
    }
}

/// A command that somebody gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// See [`Command::name`].
    pub name: String,
    /// See [`Command::body`].
    pub body: Value,
    /// How long the answer is waited for.
    pub wait: Duration,
}

impl Order {
    /// # Errors
    /// [`DownlinkError::Name`], [`DownlinkError::TooLarge`], [`DownlinkError::Wait`].
    pub fn check(&self) -> Result<(), DownlinkError> {
        let plain = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
        };
        let (component, name) = self.name.split_once('*').unwrap_or(("c", &self.name));
        if self.name.len() > MAX_NAME_BYTES || !plain(component) || !plain(name) {
            return Err(DownlinkError::Name);
        }
        if !(Duration::from_secs(1)..=LONGEST_WAIT).contains(&self.wait) {
            return Err(DownlinkError::Wait);
        }
        let bytes = serde_json::to_vec(&self.body).map_or(usize::MAX, |json| json.len());
        if bytes > MAX_BODY_BYTES { Err(DownlinkError::TooLarge) } else { Ok(()) }
    }
}

/// The way to devices.
#[derive(Clone)]
pub struct Downlink {
    twins: Twins,
    sessions: Arc<dyn DeviceSessions>,
    waiting: Arc<Waiting>,
    clock: Arc<dyn Clock>,
}

impl Downlink {
    /// `waiting`: whoever hears devices brings their answers there.
    pub fn new(
        twins: Twins,
        sessions: Arc<dyn DeviceSessions>,
        waiting: Arc<Waiting>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { twins, sessions, waiting, clock }
    }

    /// Changes what is desired of a device within the scope, and tells it if it is there. Returns the twin once the change and
    /// its audit entry are committed.
    ///
    /// # Errors
    /// [`DownlinkError::Properties`]; as [`Twins::desire`].
    pub async fn desire(
        &self,
        scope: &Scope,
        to: &DeviceRecord,
        patch: Map<String, Value>,
        audit: AuditEntry,
    ) -> Result<Arc<DeviceState>, DownlinkError> {
        let before = self.twins.device(scope, &to.id).await?;
        if before.quarantine.is_some() {
            return Err(TwinError::Quarantined.into());
        }
        properties::desired(&before.desired, patch.clone())?;
        let state = self.twins.desire(scope, &to.id, patch.clone(), audit).await?;
        if state.desired_version == before.desired_version {
            // Others have changed them meanwhile so that there is no more room.
            return Err(PropertiesError::TooLarge.into());
        }
        let (properties, version) = (state.desired.clone(), state.desired_version);
        self.tell(scope, to, &ToDevice::Desired { patch, properties, version });
        Ok(state)
    }

    fn tell(&self, scope: &Scope, to: &DeviceRecord, what: &ToDevice) -> usize {
        self.sessions.tell(scope.tenant(), &to.id, to.gateway.as_ref(), what)
    }

    /// Says something to a device within the scope. A device whose session is kept hears it when it comes back; for one that
    /// does not listen it is not kept.
    ///
    /// # Errors
    /// [`DownlinkError::TooLarge`], [`DownlinkError::NotListening`].
    pub fn message(&self, scope: &Scope, to: &DeviceRecord, message: Message) -> Result<(), DownlinkError> {
        let named: usize = message.properties.iter().map(|(name, value)| name.len() + value.len()).sum();
        if message.payload.len() > MAX_BODY_BYTES || named > MAX_PROPERTIES_BYTES {
            return Err(DownlinkError::TooLarge);
        }
        match self.tell(scope, to, &ToDevice::Message(message)) {
            0 => Err(DownlinkError::NotListening),
            _ => Ok(()),
        }
    }

    /// Has a device within the scope do something and waits for its answer. Whoever calls it has written down that it will.
    ///
    /// # Errors
    /// [`DownlinkError::NotConnected`], [`DownlinkError::NotListening`], [`DownlinkError::NoAnswer`],
    /// [`DownlinkError::Unreadable`]; as [`Order::check`].
    pub async fn command(
        &self,
        scope: &Scope,
        to: &DeviceRecord,
        order: Order,
    ) -> Result<Answer, DownlinkError> {
        order.check()?;
        let tenant = scope.tenant();
        let is_there = |device: &DeviceId| !self.sessions.of(tenant, device).is_empty();
        if !is_there(&to.id) && !to.gateway.as_ref().is_some_and(is_there) {
            return Err(DownlinkError::NotConnected);
        }
        let Order { name, body, wait } = order;
        let mut expectation = self.waiting.expect(tenant, &to.id);
        let wait_for = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
        let until = self.clock.now().checked_add(wait_for).unwrap_or(Timestamp::MAX);
        let command = Command { id: expectation.expected.2, name, body, until };
        if self.tell(scope, to, &ToDevice::Command(command)) == 0 {
            return Err(DownlinkError::NotListening);
        }
        match timeout(wait, &mut expectation.answered).await {
            Ok(Ok(answer)) => answer.ok_or(DownlinkError::Unreadable),
            Ok(Err(_)) | Err(_) => Err(DownlinkError::NoAnswer { waited: wait }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(name: &str) -> Order {
        Order { name: name.into(), body: Value::Null, wait: USUAL_WAIT }
    }

    #[test]
    fn names_fit_into_a_topic() {
        for name in ["reboot", "ecg*setGain", "set-rate_2.x"] {
            order(name).check().unwrap();
        }
        for name in ["", "a/b", "a+", "#", "é", "*x", "x*", "a*b*c", &"n".repeat(MAX_NAME_BYTES + 1)] {
            assert!(matches!(order(name).check(), Err(DownlinkError::Name)), "{name}");
        }
    }

    #[test]
    fn what_is_too_much_is_refused() {
        let large = Order { body: "x".repeat(MAX_BODY_BYTES).into(), ..order("a") };
        assert!(matches!(large.check(), Err(DownlinkError::TooLarge)));
        for wait in [Duration::ZERO, LONGEST_WAIT + Duration::from_secs(1)] {
            assert!(matches!(Order { wait, ..order("a") }.check(), Err(DownlinkError::Wait)));
        }
    }

    #[tokio::test]
    async fn an_answer_reaches_whoever_waits_for_it_and_nobody_else() {
        let waiting = Arc::new(Waiting::default());
        let [monitor, pump] = ["monitor-1", "pump-1"].map(|id| DeviceId::parse(id).unwrap());
        let mut first = waiting.expect(TenantId::PLATFORM, &monitor);
        let second = waiting.expect(TenantId::PLATFORM, &pump);
        let answer = || Some(Answer { status: 200, body: Value::Null });
        let id = first.expected.2;
        assert!(!waiting.answered(TenantId::PLATFORM, &pump, id, answer()), "another device");
        assert!(waiting.answered(TenantId::PLATFORM, &monitor, id, answer()));
        assert!(!waiting.answered(TenantId::PLATFORM, &monitor, id, answer()), "once");
        assert_eq!((&mut first.answered).await, Ok(answer()));
        drop((first, second));
        assert!(waiting.answers.is_empty());
    }
}
