//! Who saw which patient: every read of patient data leaves an entry in the audit trail before it is answered.
//!
//! Whatever hands out rows that belong to a patient says so to [`Reads`] of its request (`loaders/`, the lists
//! of `query/`, the streams of `subscription/`); [`Auditing`] holds the answer back until the entries are
//! committed. When they cannot be, the answer is an error. Reads of the same kind by the same person of the
//! same patient within five minutes are one entry ([`ReadLog`]), those of an emergency, which tell its reason, apart
//! from others; a subscription, which may be open for days, is
//! one entry for each patient and hour in which something of them is sent.

mod auditing;
mod log;

use std::{collections::HashMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tenants::{
    CorrelationId, ErrorKind, PatientId,
    access::{Caller, Opened, Scope},
    audit::{AuditEntry, Origin, Outcome},
    clock::Clock,
};

pub(crate) use self::{auditing::Auditing, log::ReadLog};
use crate::errors::{ApiError, Result};

/// How long what one request has noted is not noted again; only a subscription is open longer.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// What kind of patient data was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Who the patient is and where they lie.
    Patient,
    /// Their vital signs as they stand.
    Vitals,
    /// Their vital signs in the past.
    Trend,
    /// A waveform.
    Waveform,
    /// Their alarms.
    Alarm,
    /// The devices that measure them, with the newest readings.
    Device,
    /// What a device sent while it measured them, as it was sent.
    Message,
    /// Who has read any of these.
    Audit,
}

impl Kind {
    /// As the trail has it.
    const fn action(self) -> &'static str {
        match self {
            Self::Patient => "patient.read",
            Self::Vitals => "vitals.read",
            Self::Trend => "trend.read",
            Self::Waveform => "waveform.read",
            Self::Alarm => "alarm.read",
            Self::Device => "device.read",
            Self::Message => "message.read",
            Self::Audit => "audit.read",
        }
    }
}

/// Something that was read, or was to be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Read {
    kind: Kind,
    /// `None`: no patient in particular, as with a list that was refused.
    patient: Option<PatientId>,
    outcome: Outcome,
    /// The roles that allowed it.
    roles: Option<Arc<str>>,
    /// The emergency in which the reader has opened the record.
    opened: Option<Opened>,
}

/// What one request has read. A subscription is one request.
#[derive(Clone)]
pub(crate) struct Reads(Arc<Reader>);

struct Reader {
    caller: Caller,
    origin: Origin,
    correlation: CorrelationId,
    clock: Arc<dyn Clock>,
    noted: Mutex<Noted>,
}

#[derive(Default)]
struct Noted {
    /// When each was noted last.
    all: HashMap<Read, Timestamp>,
    /// Not committed yet.
    fresh: Vec<Read>,
}

impl Reads {
    pub(crate) fn new(
        caller: Caller,
        origin: Origin,
        correlation: CorrelationId,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self(Arc::new(Reader { caller, origin, correlation, clock, noted: Mutex::default() }))
    }

    /// The caller is about to see something of these patients, as the scope lets them.
    pub(crate) fn saw(&self, scope: &Scope, kind: Kind, patients: impl IntoIterator<Item = PatientId>) {
        let roles = Some(roles(scope));
        for patient in patients {
            let (roles, opened) = (roles.clone(), scope.opening(patient).cloned());
            self.note(Read { kind, patient: Some(patient), outcome: Outcome::Success, roles, opened });
        }
    }

    /// The caller was refused this patient, or patients at all.
    pub(crate) fn refused(&self, kind: Kind, patient: Option<PatientId>) {
        self.note(Read { kind, patient, outcome: Outcome::Denied, roles: None, opened: None });
    }

    /// The same where the error says so; another one means that nothing was decided.
    pub(crate) fn refused_because(
        &self,
        error: &ApiError,
        kind: Kind,
        patients: impl IntoIterator<Item = Option<PatientId>>,
    ) {
        if matches!(error.kind(), ErrorKind::Forbidden | ErrorKind::NotFound) {
            patients.into_iter().for_each(|patient| self.refused(kind, patient));
        }
    }

    fn note(&self, read: Read) {
        let now = self.0.clock.now();
        let mut noted = self.0.noted.lock();
        if noted.all.get(&read).is_none_or(|at| now.duration_since(*at) >= AGAIN) {
            noted.all.insert(read.clone(), now);
            noted.fresh.push(read);
        }
    }

    /// Waits until everything that was noted is committed.
    ///
    /// # Errors
    /// When it cannot be: then nothing of it may be shown. It stays noted for the next attempt.
    pub(crate) async fn commit(&self, log: &ReadLog) -> Result<()> {
        let fresh = std::mem::take(&mut self.0.noted.lock().fresh);
        if fresh.is_empty() {
            return Ok(());
        }
        let now = self.0.clock.now();
        let entries = fresh.iter().map(|read| self.entry(read, now)).collect();
        let Err(error) = log.write(entries).await else { return Ok(()) };
        self.0.noted.lock().fresh.extend(fresh);
        let message =
            "it cannot be written down that you read this, so it is not shown; try again in a moment";
        Err(ApiError::from(error).saying(message))
    }

    fn entry(&self, read: &Read, now: Timestamp) -> AuditEntry {
        let Reader { caller, origin, correlation, .. } = &*self.0;
        let subject = match read.patient {
            Some(id) => format!("patient:{id}"),
            None => "patients".to_owned(),
        };
        let entry = AuditEntry {
            outcome: read.outcome,
            detail: read.opened.as_ref().map(|opened| opened.reason.to_string()).unwrap_or_default(),
            origin: origin.clone(),
            policy: read.roles.as_deref().map(str::to_owned),
            correlation: *correlation,
            ..AuditEntry::by(caller, now, read.kind.action(), subject)
        };
        match &read.opened {
            Some(opened) => entry.with("opening", opened.id),
            None => entry,
        }
    }
}

/// The roles whose policies make up a scope, each once.
fn roles(scope: &Scope) -> Arc<str> {
    let clauses = scope.rows().clauses().iter();
    let mut names: Vec<_> =
        clauses.filter_map(|clause| clause.role.as_ref()).map(|role| role.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ").into()
}
