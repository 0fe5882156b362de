//! Whom a predicate is about: the user, as far as predicates ask.

use std::{collections::HashSet, sync::Arc};

use uuid::Uuid;

use super::Opened;
use crate::ids::{UnitId, UserId};

/// The part of the hospital in which a role is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// All of it.
    Hospital,
    /// One unit and everything below it.
    Unit {
        /// The unit itself.
        top: UnitId,
        /// It and all that is below it.
        all: Arc<HashSet<UnitId>>,
    },
}

/// A user as predicates see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    user: UserId,
    reach: Reach,
    opened: Arc<[Opened]>,
}

impl Subject {
    /// A user who holds a role in a part of the hospital and has opened these records in an emergency.
    pub fn new(user: UserId, reach: Reach, opened: Arc<[Opened]>) -> Self {
        Self { user, reach, opened }
    }

    /// Who.
    pub fn user(&self) -> UserId {
        self.user
    }

    /// Where.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// A text that is the same for equal subjects, in whatever order their units were put together.
    pub(super) fn canonical(&self) -> String {
        let reach = match &self.reach {
            Reach::Hospital => "hospital".to_owned(),
            Reach::Unit { top, all } => {
                let mut all: Vec<String> = all.iter().map(UnitId::to_string).collect();
                all.sort_unstable();
                format!("{top} {}", all.join(" "))
            }
        };
        format!("{} {reach} {:?}", self.user, self.opened)
    }

    /// Whether a unit is one of the user's.
    pub fn covers(&self, unit: UnitId) -> bool {
        match &self.reach {
            Reach::Hospital => true,
            Reach::Unit { all, .. } => all.contains(&unit),
        }
    }

    /// Whether the user has opened the patient in an emergency.
    pub fn opened(&self, patient: Uuid) -> bool {
        self.opening(patient).is_some()
    }

    /// The newest opening of the patient by the user.
    pub fn opening(&self, patient: Uuid) -> Option<&Opened> {
        self.opened.iter().rev().find(|opened| opened.patient == patient)
    }

    /// The patients whom the user has opened in an emergency.
    pub fn opened_patients(&self) -> impl Iterator<Item = Uuid> {
        self.opened.iter().map(|opened| opened.patient)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_subjects_have_one_text_and_others_another() {
        let user = UserId::from_uuid(Uuid::from_u128(7));
        let units: Vec<UnitId> = (1..=50).map(|n| UnitId::from_uuid(Uuid::from_u128(n))).collect();
        let subject = |units: &[UnitId]| {
            let all: HashSet<UnitId> = units.iter().copied().collect();
            Subject::new(user, Reach::Unit { top: units[0], all: Arc::new(all) }, Arc::default())
        };
        let (one, same) = (subject(&units), subject(&units));
        assert_eq!((&one, one.canonical()), (&same, same.canonical()));
        let others = [subject(&units[..49]), Subject::new(user, Reach::Hospital, Arc::default())];
        assert!(others.iter().all(|other| other.canonical() != one.canonical()));
    }
}
