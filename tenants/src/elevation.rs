//! Operators who act in a hospital for a while: one asks, the hospital's own people let them in, and it ends by itself.

use jiff::{SignedDuration, Timestamp};

use crate::{
    errors::ErrorKind,
    ids::{ElevationId, RoleName, TenantId, UserId},
};

/// Characters of a reason at least.
const REASON_MIN: usize = 10;
/// And at most.
const REASON_MAX: usize = 500;
/// Hours for which an operator is let in at most.
const MAX_HOURS: u32 = 8;
/// Hours after which nobody answers any more what was asked: what it was for is over.
const WAITS_HOURS: i64 = 24;

/// Why nobody can be asked like that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ElevationError {
    /// The reason says too little, or too much.
    #[error("reason: expected {REASON_MIN} to {REASON_MAX} characters, got {0}")]
    Reason(usize),
    /// The reason holds what nobody can read.
    #[error("reason: control characters are not kept; remove them")]
    Unreadable,
    /// For no time, or for too long.
    #[error("hours: expected 1 to {MAX_HOURS}, got {0}")]
    Hours(u32),
}

impl ElevationError {
    /// What the error means to a caller.
    pub const fn kind(&self) -> ErrorKind {
        ErrorKind::BadInput
    }
}

/// What an operator asks a hospital for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Which role, in the whole hospital.
    pub role: RoleName,
    reason: String,
    hours: u32,
}

impl Wish {
    /// With a reason of 10 to 500 characters, for 1 to 8 hours.
    ///
    /// # Errors
    /// [`ElevationError`] naming what is wrong.
    pub fn new(role: RoleName, reason: &str, hours: u32) -> Result<Self, ElevationError> {
        let reason = reason.trim();
        let length = reason.chars().count();
        if !(REASON_MIN..=REASON_MAX).contains(&length) {
            return Err(ElevationError::Reason(length));
        }
        if reason.contains(char::is_control) {
            return Err(ElevationError::Unreadable);
        }
        if !(1..=MAX_HOURS).contains(&hours) {
            return Err(ElevationError::Hours(hours));
        }
        Ok(Self { role, reason: reason.to_owned(), hours })
    }
}

/// What an operator asked a hospital for, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elevation {
    /// Key within the tenant.
    pub id: ElevationId,
    /// The hospital that is asked.
    pub tenant: TenantId,
    /// The operator; a user of [`TenantId::PLATFORM`].
    pub operator: UserId,
    /// What they were called when they asked.
    pub operator_name: String,
    /// Which role, in the whole hospital.
    pub role: RoleName,
    /// Why, in their words: 10 to 500 characters in one line.
    pub reason: String,
    /// For how long, from the answer on: 1 to 8.
    pub hours: u32,
    /// When they asked.
    pub asked_at: Timestamp,
    /// What the hospital said.
    pub answer: Option<Answer>,
    /// Ended before its time by either side, or withdrawn before it was answered.
    pub ended_at: Option<Timestamp>,
}

/// What a hospital said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Whether the operator is let in.
    pub granted: bool,
    /// Who said so.
    pub by: UserId,
    /// What they were called then.
    pub by_name: String,
    /// When.
    pub at: Timestamp,
}

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has answered yet.
    Waiting,
    /// Nobody has answered in time.
    Lapsed,
    /// The operator does not ask any more.
    Withdrawn,
    /// The hospital said no.
    Refused,
    /// The operator may act.
    InForce,
    /// The operator could act.
    Over,
}

impl Elevation {
    /// What is asked now.
    pub fn new(
        id: ElevationId,
        tenant: TenantId,
        (operator, operator_name): (UserId, String),
        wish: Wish,
        now: Timestamp,
    ) -> Self {
        let Wish { role, reason, hours } = wish;
        let (answer, ended_at) = (None, None);
        Self { id, tenant, operator, operator_name, role, reason, hours, asked_at: now, answer, ended_at }
    }

    /// The operator may act before then; `None` when it was not granted.
    pub fn until(&self) -> Option<Timestamp> {
        let granted = self.answer.as_ref().filter(|answer| answer.granted)?;
        let until = granted.at.checked_add(SignedDuration::from_hours(self.hours.into())).ok()?;
        Some(self.ended_at.map_or(until, |ended| ended.min(until)))
    }

    /// How it stands.
    pub fn standing(&self, now: Timestamp) -> Standing {
        match (&self.answer, self.until()) {
            (_, Some(until)) if now < until => Standing::InForce,
            (_, Some(_)) => Standing::Over,
            (Some(_), None) => Standing::Refused,
            (None, None) if self.ended_at.is_some() => Standing::Withdrawn,
            (None, None) if self.asked_at <= waits_since(now) => Standing::Lapsed,
            (None, None) => Standing::Waiting,
        }
    }
}

/// What was asked at this time or before is not answered any more.
pub fn waits_since(now: Timestamp) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(WAITS_HOURS)).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn wish(reason: &str, hours: u32) -> Result<Wish, ElevationError> {
        Wish::new(RoleName::parse("technician").unwrap(), reason, hours)
    }

    fn asked() -> Elevation {
        let id = Uuid::from_u128(1);
        let (key, tenant, operator) =
            (ElevationId::from_uuid(id), TenantId::from_uuid(id), UserId::from_uuid(id));
        Elevation::new(key, tenant, (operator, "Olga".into()), wish("devices are silent", 2).unwrap(), at(0))
    }

    fn at(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
    }

    fn answer(granted: bool, hour: i64) -> Option<Answer> {
        let by = UserId::from_uuid(Uuid::from_u128(2));
        Some(Answer { granted, by, by_name: "Ada".into(), at: at(hour) })
    }

    #[test]
    fn an_operator_says_why_and_for_how_long() {
        assert!(wish(" devices are silent ", 8).is_ok());
        for (reason, hours, problem) in [
            ("", 1, ElevationError::Reason(0)),
            ("  a look  ", 1, ElevationError::Reason(6)),
            (&"ü".repeat(501), 1, ElevationError::Reason(501)),
            ("devices\nare silent", 1, ElevationError::Unreadable),
            ("devices are silent", 0, ElevationError::Hours(0)),
            ("devices are silent", 9, ElevationError::Hours(9)),
        ] {
            assert_eq!(wish(reason, hours), Err(problem), "{reason}");
        }
    }

    #[test]
    fn it_ends_by_itself_and_before_its_time() {
        let granted = Elevation { answer: answer(true, 3), ..asked() };
        let ended = Elevation { ended_at: Some(at(4)), ..granted.clone() };
        let ended_late = Elevation { ended_at: Some(at(40)), ..granted.clone() };
        let withdrawn = Elevation { ended_at: Some(at(1)), ..asked() };
        let refused = Elevation { answer: answer(false, 3), ..asked() };
        for (elevation, hour, standing, until) in [
            (&asked(), 23, Standing::Waiting, None),
            (&asked(), 24, Standing::Lapsed, None),
            (&withdrawn, 1, Standing::Withdrawn, None),
            (&refused, 3, Standing::Refused, None),
            (&granted, 4, Standing::InForce, Some(at(5))),
            (&granted, 5, Standing::Over, Some(at(5))),
            (&ended, 4, Standing::Over, Some(at(4))),
            (&ended_late, 6, Standing::Over, Some(at(5))),
        ] {
            assert_eq!((elevation.standing(at(hour)), elevation.until()), (standing, until), "{elevation:?}");
        }
    }
}
