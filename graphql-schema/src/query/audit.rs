//! The audit trail.

use std::collections::HashMap;

use async_graphql::{Context, ID, InputObject, Object};
use tenants::{
    PatientId,
    access::{Action, Object as Thing, Scope},
    audit::{AuditEntry, AuditFilter},
    paging::{Page, PageRequest},
};

use crate::{
    Services,
    arguments::{self, DEFAULT_PAGE},
    context::RequestContext,
    errors::{ApiError, Result},
    limits,
    reads::Kind,
    scalars::DateTime,
    types::{AuditConnection, AuditOutcome, NamedEntry, PatientAccessConnection},
};

/// Longest text that lines are looked for by, in characters.
const MAX_TEXT: usize = 200;

/// Which lines; all that are given must hold.
#[derive(InputObject, Default)]
pub(super) struct AuditFilterInput {
    /// By whom: user:<id>, device:<id>, system, or anonymous for a refused sign-in.
    actor: Option<String>,
    /// What, e.g. alarm.acknowledge; with a dot at its end all of an object's, e.g. alarm.
    action: Option<String>,
    /// On what: <object>:<id>.
    subject: Option<String>,
    outcome: Option<AuditOutcome>,
    /// Not before.
    since: Option<DateTime>,
    /// Before.
    until: Option<DateTime>,
}

#[derive(Default)]
pub(super) struct AuditQuery;

#[Object]
impl AuditQuery {
    /// Who did what in the hospital, newest first.
    #[graphql(complexity = "limits::rows(first, DEFAULT_PAGE, child_complexity)")]
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(DEFAULT_PAGE)")] first: Option<i32>,
        after: Option<String>,
        filter: Option<AuditFilterInput>,
    ) -> Result<AuditConnection> {
        let page = ctx.page(first, after, None)?;
        let filter = filter.unwrap_or_default();
        for (name, text) in
            [("actor", &filter.actor), ("action", &filter.action), ("subject", &filter.subject)]
        {
            if text.as_ref().is_some_and(|text| text.chars().count() > MAX_TEXT) {
                return Err(ApiError::bad_input(format!("{name}: expected at most {MAX_TEXT} characters")));
            }
        }
        let scope = ctx.grant(Thing::Audit, Action::Read).await?;
        let filter = AuditFilter {
            actor: filter.actor,
            action: filter.action,
            subject: filter.subject,
            outcome: filter.outcome.map(Into::into),
            since: filter.since.map(|since| since.0),
            until: filter.until.map(|until| until.0),
        };
        if let Some(patient) = filter.subject.as_deref().and_then(patient_of) {
            ctx.reads()?.saw(&scope, Kind::Audit, [patient]);
        }
        Ok(entries(ctx.services()?, &scope, &filter, &page).await?.into())
    }

    /// Who saw a patient's data or was refused it, when, what kind of data and why; newest first. Reading it is
    /// written down, too.
    #[graphql(complexity = "limits::rows(first, DEFAULT_PAGE, child_complexity)")]
    async fn patient_access_report(
        &self,
        ctx: &Context<'_>,
        patient: ID,
        since: Option<DateTime>,
        until: Option<DateTime>,
        #[graphql(default_with = "Some(DEFAULT_PAGE)")] first: Option<i32>,
        after: Option<String>,
    ) -> Result<PatientAccessConnection> {
        let page = ctx.page(first, after, None)?;
        let patient: PatientId = arguments::id(&patient)?;
        let (since, until) = (since.map(|since| since.0), until.map(|until| until.0));
        if let (Some(since), Some(until)) = (since, until)
            && since >= until
        {
            return Err(ApiError::bad_input(format!("since: {since} must be before until, {until}")));
        }
        let scope = ctx.grant(Thing::Audit, Action::Read).await?;
        ctx.reads()?.saw(&scope, Kind::Audit, [patient]);
        let subject = Some(format!("patient:{patient}"));
        let filter = AuditFilter { subject, since, until, ..AuditFilter::default() };
        Ok(entries(ctx.services()?, &scope, &filter, &page).await?.into())
    }
}

fn patient_of(subject: &str) -> Option<PatientId> {
    subject.strip_prefix("patient:")?.parse().ok()
}

/// A page of the trail, each entry with what whoever did it is called now.
async fn entries(
    services: &Services,
    scope: &Scope,
    filter: &AuditFilter,
    page: &PageRequest,
) -> Result<Page<NamedEntry>> {
    let found = services.audit.page(scope, filter, page).await?;
    let users = services.accounts.users(scope).await?;
    let names: HashMap<_, _> =
        users.into_iter().map(|user| (format!("user:{}", user.id), user.display_name)).collect();
    let named = |(cursor, entry): (String, AuditEntry)| {
        let actor_name = names.get(&entry.actor).cloned();
        (cursor, NamedEntry { entry, actor_name })
    };
    let rows = found.rows.into_iter().map(named).collect();
    Ok(Page { rows, has_next: found.has_next, total: found.total })
}
