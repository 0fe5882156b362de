//! Records that are opened in an emergency.

use std::collections::HashMap;

use async_graphql::{ComplexObject, Context, ID, SimpleObject};
use tenants::{PatientId, UserId, break_glass};

use super::Patient;
use crate::{context::RequestContext, errors::Result, scalars::DateTime};

/// A patient's record that somebody opened in an emergency, outside their own rows.
#[derive(SimpleObject, Clone)]
#[graphql(complex)]
pub(crate) struct RecordOpening {
    id: ID,
    user_id: ID,
    /// What that user is called now; null where they are not known any more.
    user_name: Option<String>,
    patient_id: ID,
    /// In their words.
    reason: String,
    opened_at: DateTime,
    /// It is closed from then on.
    until: DateTime,
    /// Null until somebody else has looked at it.
    review: Option<OpeningReview>,
    #[graphql(skip)]
    patient: PatientId,
}

/// Somebody looked at whether a record had to be opened.
#[derive(SimpleObject, Clone)]
pub(crate) struct OpeningReview {
    at: DateTime,
    /// What the reviewer is called now.
    by_name: Option<String>,
    /// What they found.
    note: String,
}

#[ComplexObject]
impl RecordOpening {
    /// Null where it is not the caller's to see, or not any more.
    async fn patient(&self, ctx: &Context<'_>) -> Result<Option<Patient>> {
        Ok(ctx.rows()?.load_one(self.patient).await?.map(Patient))
    }
}

/// An opening, with what people are called.
pub(crate) struct NamedOpening {
    pub(crate) opening: break_glass::Opening,
    pub(crate) user_name: Option<String>,
    pub(crate) reviewer_name: Option<String>,
}

impl NamedOpening {
    pub(crate) fn new(opening: break_glass::Opening, names: &HashMap<UserId, String>) -> Self {
        let user_name = names.get(&opening.user).cloned();
        let reviewer_name = opening.review.as_ref().and_then(|review| names.get(&review.by)).cloned();
        Self { opening, user_name, reviewer_name }
    }
}

impl From<NamedOpening> for RecordOpening {
    fn from(NamedOpening { opening, user_name, reviewer_name }: NamedOpening) -> Self {
        let review = opening.review.map(|review| OpeningReview {
            at: review.at.into(),
            by_name: reviewer_name,
            note: review.note,
        });
        Self {
            id: ID(opening.id.to_string()),
            user_id: ID(opening.user.to_string()),
            user_name,
            patient_id: ID(opening.patient.to_string()),
            reason: opening.reason,
            opened_at: opening.opened_at.into(),
            until: opening.until.into(),
            review,
            patient: opening.patient,
        }
    }
}
