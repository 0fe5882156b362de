//! Opening a record in an emergency: outside one's own rows, for a while, with a reason that is looked at later.

use jiff::{SignedDuration, Timestamp};

use crate::{
    errors::ErrorKind,
    ids::{OpeningId, PatientId, UserId},
};

/// Characters of a reason at least: "urgent" is none.
const REASON_MIN: usize = 10;
/// And at most.
const REASON_MAX: usize = 500;
/// Minutes that a record stays open at most.
const MAX_MINUTES: u32 = 60;

/// Characters of what a review found, at most.
const NOTE_MAX: usize = 500;

/// Why a record cannot be opened, or its opening not be reviewed, like that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BreakGlassError {
    /// The reason says too little, or too much.
    #[error("reason: expected {REASON_MIN} to {REASON_MAX} characters, got {0}")]
    Reason(usize),
    /// What was written holds what nobody can read.
    #[error("control characters are not kept; remove them")]
    Unreadable,
    /// For no time, or for too long.
    #[error("minutes: expected 1 to {MAX_MINUTES}, got {0}")]
    Minutes(u32),
    /// The review says nothing, or too much.
    #[error("note: expected 1 to {NOTE_MAX} characters that say what you found, got {0}")]
    Note(usize),
}

impl BreakGlassError {
    /// What the error means to a caller.
    pub const fn kind(&self) -> ErrorKind {
        ErrorKind::BadInput
    }
}

/// An emergency, as somebody describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emergency {
    reason: String,
    minutes: u32,
}

impl Emergency {
    /// With a reason of 10 to 500 characters, for 1 to 60 minutes.
    ///
    /// # Errors
    /// [`BreakGlassError`] naming what is wrong.
    pub fn new(reason: &str, minutes: u32) -> Result<Self, BreakGlassError> {
        let reason = reason.trim();
        let length = reason.chars().count();
        if !(REASON_MIN..=REASON_MAX).contains(&length) {
            return Err(BreakGlassError::Reason(length));
        }
        if !is_readable(reason) {
            return Err(BreakGlassError::Unreadable);
        }
        if !(1..=MAX_MINUTES).contains(&minutes) {
            return Err(BreakGlassError::Minutes(minutes));
        }
        Ok(Self { reason: reason.to_owned(), minutes })
    }
}

fn is_readable(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
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
    pub fn new(
        id: OpeningId,
        user: UserId,
        patient: PatientId,
        emergency: Emergency,
        now: Timestamp,
    ) -> Self {
        let Emergency { reason, minutes } = emergency;
        let until = now.checked_add(SignedDuration::from_mins(minutes.into())).unwrap_or(now);
        Self { id, user, patient, reason, opened_at: now, until, review: None }
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
    /// What they found: 1 to 500 characters.
    pub note: String,
}

impl Review {
    /// With a note.
    ///
    /// # Errors
    /// [`BreakGlassError`] naming what is wrong with it.
    pub fn new(by: UserId, at: Timestamp, note: &str) -> Result<Self, BreakGlassError> {
        let note = note.trim();
        let length = note.chars().count();
        if !(1..=NOTE_MAX).contains(&length) {
            return Err(BreakGlassError::Note(length));
        }
        if !is_readable(note) {
            return Err(BreakGlassError::Unreadable);
        }
        Ok(Self { by, at, note: note.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn opened(reason: &str, minutes: u32) -> Result<Opening, BreakGlassError> {
        let id = Uuid::from_u128(1);
        let (user, patient) = (UserId::from_uuid(id), PatientId::from_uuid(id));
        let emergency = Emergency::new(reason, minutes)?;
        Ok(Opening::new(OpeningId::from_uuid(id), user, patient, emergency, Timestamp::UNIX_EPOCH))
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

    #[test]
    fn a_review_says_what_was_found() {
        let review = |note: &str| {
            let by = UserId::from_uuid(Uuid::from_u128(2));
            Review::new(by, Timestamp::UNIX_EPOCH, note).map(|review| review.note)
        };
        assert_eq!(review(" it was right\n"), Ok("it was right".to_owned()));
        assert_eq!(review("  "), Err(BreakGlassError::Note(0)));
        assert_eq!(review(&"ü".repeat(501)), Err(BreakGlassError::Note(501)));
        assert_eq!(review("a\0b"), Err(BreakGlassError::Unreadable));
    }
}
