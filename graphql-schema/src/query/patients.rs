//! Patients.

use async_graphql::{Context, ID, Object};
use tenants::{
    PatientId,
    access::{Action, Object as Thing},
};

use crate::{
    arguments::{self, DEFAULT_PAGE},
    context::RequestContext,
    errors::Result,
    limits,
    reads::Kind,
    types::{Patient, PatientConnection},
};

#[derive(Default)]
pub(super) struct PatientQuery;

#[Object]
impl PatientQuery {
    /// Ordered by ward and bed, so that a board keeps its order.
    #[graphql(complexity = "limits::rows(first, DEFAULT_PAGE, child_complexity)")]
    async fn patients(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(DEFAULT_PAGE)")] first: Option<i32>,
        after: Option<String>,
        search: Option<String>,
    ) -> Result<PatientConnection> {
        let page = ctx.page(first, after, search)?;
        let scope = ctx.grant(Thing::Patient, Action::Read).await?;
        let page = ctx.services()?.patients.page(&scope, &page).await?;
        ctx.reads()?.saw(&scope, Kind::Patient, page.rows.iter().map(|(_, patient)| patient.id));
        Ok(page.into())
    }

    /// Null when there is none, or none that the caller may see.
    async fn patient(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Patient>> {
        let id = arguments::id::<PatientId>(&id)?;
        let reads = ctx.reads()?;
        if let Err(error) = ctx.granted(Thing::Patient, Action::Read).await {
            reads.refused_because(&error, Kind::Patient, [Some(id)]);
            return Err(error);
        }
        let patient = ctx.rows()?.load_one(id).await?;
        if patient.is_none() {
            reads.refused(Kind::Patient, Some(id));
        }
        Ok(patient.map(Patient))
    }
}
