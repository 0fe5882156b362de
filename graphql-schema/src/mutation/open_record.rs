//! Opening a record in an emergency, closing it again, and looking at whether it was right.

use std::collections::HashMap;

use async_graphql::{Context, ID, InputObject, Object};
use tenants::{
    ErrorKind, OpeningId, PatientId, UserId,
    access::{Action, Object as Thing, Scope},
    audit::{AuditEntry, Outcome},
    break_glass::{Emergency, Opening, Review},
};

use crate::{
    arguments,
    context::RequestContext,
    errors::{ApiError, Result},
    query::names,
    types::{NamedOpening, RecordOpening},
};

#[derive(InputObject)]
pub(super) struct OpenRecordInput {
    /// Medical record number, exactly as it is written, or id.
    patient: String,
    /// Why: 10 to 500 characters. Stands in the audit trail, and beside everything that is read meanwhile.
    reason: String,
    /// 1 to 60.
    minutes: u32,
    /// Of the caller's second factor; it counts once.
    code: String,
}

#[derive(Default)]
pub(super) struct OpeningMutation;

#[Object]
impl OpeningMutation {
    /// Opens a patient's record outside the caller's rows, for an emergency. Everybody who audits the hospital is told.
    async fn open_record(&self, ctx: &Context<'_>, input: OpenRecordInput) -> Result<RecordOpening> {
        let scope = ctx.grant(Thing::Patient, Action::BreakGlass).await?;
        let emergency = Emergency::new(&input.reason, input.minutes)?;
        let services = ctx.services()?;
        let patient = match allowed(ctx, &scope, &input).await {
            Ok(patient) => patient,
            Err(error) => {
                services.metrics.records_refused.inc();
                let code = error.kind().code().to_owned();
                let denied = ctx.audit(&scope, "record.open", "patients".to_owned(), code)?;
                services.audit.append(&[AuditEntry { outcome: Outcome::Denied, ..denied }]).await?;
                return Err(error);
            }
        };
        let id = OpeningId::new(&*services.clock);
        let opening = Opening::new(id, user(&scope)?, patient, emergency, services.clock.now());
        let entry = ctx.audit(&scope, "record.open", subject(patient), opening.reason.clone())?;
        let entry = entry.with("opening", id).with("until", opening.until);
        services.openings.open(&scope, &opening, &entry).await?;
        services.access.changed(scope.tenant());
        services.metrics.records_opened.inc();
        tracing::warn!(tenant = %scope.tenant(), opening = %id, "a record was opened in an emergency");
        Ok(own(&scope, opening))
    }

    /// Closes what the caller has opened; it ends within a second, in open subscriptions, too.
    async fn close_record(&self, ctx: &Context<'_>, id: ID) -> Result<RecordOpening> {
        let scope = ctx.grant(Thing::Patient, Action::BreakGlass).await?;
        let id: OpeningId = arguments::id(&id)?;
        let services = ctx.services()?;
        let (user, now) = (user(&scope)?, services.clock.now());
        let open = services.openings.open_now(&scope, user, now).await?;
        let open = open.into_iter().find(|opening| opening.id == id);
        let opening = open.ok_or_else(|| ApiError::not_found("open record"))?;
        let entry = ctx.audit(&scope, "record.close", subject(opening.patient), String::new())?;
        services.openings.close(&scope, user, id, now, &entry.with("opening", id)).await?;
        services.access.changed(scope.tenant());
        Ok(own(&scope, Opening { until: now, ..opening }))
    }

    /// Says what was found when somebody other than whoever opened a record looked at why: 1 to 500 characters. Once.
    async fn review_opening(&self, ctx: &Context<'_>, id: ID, note: String) -> Result<RecordOpening> {
        let scope = ctx.grant(Thing::Audit, Action::Review).await?;
        let id: OpeningId = arguments::id(&id)?;
        let services = ctx.services()?;
        let review = Review::new(user(&scope)?, services.clock.now(), &note)?;
        let opening = services.openings.opening(&scope, id).await?;
        let opening = opening.ok_or_else(|| ApiError::not_found("opening of a record"))?;
        let entry = ctx.audit(&scope, "record.review", subject(opening.patient), review.note.clone())?;
        services.openings.review(&scope, id, &review, &entry.with("opening", id)).await?;
        let opening = Opening { review: Some(review), ..opening };
        Ok(NamedOpening::new(opening, &names(services, &scope).await?).into())
    }
}

/// The patient, once the caller has proved who they are: before that, not even whether there is such a patient is told.
async fn allowed(ctx: &Context<'_>, scope: &Scope, input: &OpenRecordInput) -> Result<PatientId> {
    let services = ctx.services()?;
    services.second_factor.confirm(scope.caller(), input.code.trim()).await?;
    let read = ctx.granted(Thing::Patient, Action::Read).await?;
    if !read.rows().reach_emergencies() {
        let message = "none of your roles lets you see a record that you open; ask an administrator to add \
                       user.break_glass to its rows";
        return Err(ApiError::new(ErrorKind::Forbidden, message));
    }
    let patient = services.openings.patient(scope, input.patient.trim()).await?;
    let patient = patient.ok_or_else(|| {
        let message = "patient: nobody has exactly this record number; compare it and try again";
        ApiError::new(ErrorKind::NotFound, message)
    })?;
    let visible = !services.patients.by_ids(&read, &[patient]).await?.is_empty();
    if visible && read.opening(patient).is_none() {
        let message = "you may see this record anyway; there is no need to open it";
        return Err(ApiError::new(ErrorKind::Conflict, message));
    }
    Ok(patient)
}

fn subject(patient: PatientId) -> String {
    format!("patient:{patient}")
}

fn user(scope: &Scope) -> Result<UserId> {
    scope.caller().user().ok_or_else(|| ApiError::not_found("user"))
}

/// An opening of the caller's own.
fn own(scope: &Scope, opening: Opening) -> RecordOpening {
    let names = HashMap::from([(opening.user, scope.caller().name())]);
    NamedOpening::new(opening, &names).into()
}
