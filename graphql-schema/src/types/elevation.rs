//! Operators who are let into hospitals.

use async_graphql::{ID, SimpleObject};
use jiff::Timestamp;
use tenants::{access, elevation as domain};

use super::ElevationStanding;
use crate::scalars::DateTime;

/// What an operator of the platform asked a hospital for, and what became of it.
#[derive(SimpleObject, Clone)]
pub(crate) struct Elevation {
    id: ID,
    /// The hospital.
    tenant_id: ID,
    /// What they were called when they asked.
    operator_name: String,
    /// In the whole hospital.
    role: String,
    /// In their words.
    reason: String,
    /// For how long, from the answer on.
    hours: u32,
    asked_at: DateTime,
    standing: ElevationStanding,
    answered_at: Option<DateTime>,
    /// What the one was called who answered.
    answered_by_name: Option<String>,
    /// The operator may act before then; null where that was not granted.
    until: Option<DateTime>,
}

impl Elevation {
    /// As it stands now.
    pub(crate) fn new(elevation: domain::Elevation, now: Timestamp) -> Self {
        let (standing, until) = (elevation.standing(now).into(), elevation.until());
        Self {
            id: ID(elevation.id.to_string()),
            tenant_id: ID(elevation.tenant.to_string()),
            operator_name: elevation.operator_name,
            role: elevation.role.to_string(),
            reason: elevation.reason,
            hours: elevation.hours,
            asked_at: elevation.asked_at.into(),
            standing,
            answered_at: elevation.answer.as_ref().map(|answer| answer.at.into()),
            answered_by_name: elevation.answer.map(|answer| answer.by_name),
            until: until.map(DateTime),
        }
    }
}

/// An elevation as of a moment, for a page.
pub(crate) struct ElevationNow(pub(crate) domain::Elevation, pub(crate) Timestamp);

impl From<ElevationNow> for Elevation {
    fn from(ElevationNow(elevation, now): ElevationNow) -> Self {
        Self::new(elevation, now)
    }
}

/// How an operator comes to act in a hospital.
#[derive(SimpleObject)]
pub(crate) struct ActingAs {
    elevation_id: ID,
    role: String,
    /// In the operator's words.
    reason: String,
    /// What the one is called who let them in.
    granted_by: String,
    until: DateTime,
}

impl From<&access::Elevated> for ActingAs {
    fn from(elevated: &access::Elevated) -> Self {
        Self {
            elevation_id: ID(elevated.id.to_string()),
            role: elevated.role.to_string(),
            reason: elevated.reason.to_string(),
            granted_by: elevated.granted_by.to_string(),
            until: elevated.until.into(),
        }
    }
}
