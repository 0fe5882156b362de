//! Opening a record in an emergency: outside one's own rows, for a while, with a reason that is looked at later.

use jiff::{SignedDuration, Timestamp};

use crate::ids::{OpeningId, PatientId, UserId};

/// Characters of a reason at least: "urgent" is none.
const REASON_MIN: usize = 10;
/// And at most.
const REASON_MAX: usize = 500;
/// Minutes that a record stays open at most.
const MAX_MINUTES: u32 = 60;

/// Why a record cannot be opened like that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BreakGlassError {
    /// The reason says too little, or too much.
    #[error("reason: expected {REASON_MIN} to {REASON_MAX} characters, got {0}")]
    Reason(usize),
    /// The reason holds what nobody can read.
    #[error("reason: control characters are not kept; remove them")]
    Unreadable,
    /// For no time, or for too long.
    #[error("minutes: expected 1 to {MAX_MINUTES}, got {0}")]
    Minutes(u32),
}

/// A record that somebody opened in an emergency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Key within the tenant.
    pub id: OpeningId,
    /// Who.
    pub user: UserId,
    /// Whose record.
    pub patient: PatientId,
    /// Why, in their words: 10 to 500 characters. It may name the patient.
    pub reason: String,
    /// From then on.
    pub opened_at: Timestamp,
    /// Before then; earlier where it was closed before.
    pub until: Timestamp,
    /// Who has looked at it later.
    pub review: Option<Review>,
}

impl Opening {
    /// A record that is opened now.
    ///
    /// # Errors
    /// [`BreakGlassError`] naming what is wrong.
    pub fn new(
        id: OpeningId,
        user: UserId,
        patient: PatientId,
        reason: &str,
        minutes: u32,
        now: Timestamp,
    ) -> Result<Self, BreakGlassError> {
        let reason = reason.trim();
        let length = reason.chars().count();
        if !(REASON_MIN..=REASON_MAX).contains(&length) {
            return Err(BreakGlassError::Reason(length));
        }
        if reason.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r')) {
            return Err(BreakGlassError::Unreadable);
        }
        if !(1..=MAX_MINUTES).contains(&minutes) {
            return Err(BreakGlassError::Minutes(minutes));
        }
        let until = now.checked_add(SignedDuration::from_mins(minutes.into())).unwrap_or(now);
        Ok(Self { id, user, patient, reason: reason.to_owned(), opened_at: now, until, review: None })
    }

    /// Whether the record is open.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.opened_at <= now && now < self.until
    }
}

/// Somebody looked at whether the record had to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Who.
    pub by: UserId,
    /// When.
    pub at: Timestamp,
    /// What they found; empty when they wrote nothing.
    pub note: String,
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn opened(reason: &str, minutes: u32) -> Result<Opening, BreakGlassError> {
        let id = Uuid::from_u128(1);
        let (user, patient) = (UserId::from_uuid(id), PatientId::from_uuid(id));
        Opening::new(OpeningId::from_uuid(id), user, patient, reason, minutes, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_record_is_opened_with_a_reason_for_an_hour_at_most() {
        let good = opened("  brought in unconscious\n", 60).unwrap();
        assert_eq!(good.reason, "brought in unconscious");
        let after = |minutes| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        assert!(good.is_open(good.opened_at) && good.is_open(after(59)) && !good.is_open(after(60)));
        assert!(!good.is_open(after(-1)));
        for (reason, minutes, problem) in [
            ("", 5, BreakGlassError::Reason(0)),
            ("   urgent      ", 5, BreakGlassError::Reason(6)),
            (&"ü".repeat(501), 5, BreakGlassError::Reason(501)),
            ("brought in\0unconscious", 5, BreakGlassError::Unreadable),
            ("brought in unconscious", 0, BreakGlassError::Minutes(0)),
            ("brought in unconscious", 61, BreakGlassError::Minutes(61)),
        ] {
            assert_eq!(opened(reason, minutes), Err(problem), "{reason}");
        }
        assert!(opened(&"ü".repeat(500), 1).is_ok() && opened("0123456789", 1).is_ok());
    }
}
