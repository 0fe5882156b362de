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
        let page = arguments::page(first, after, search)?;
        let scope = ctx.grant(Thing::Patient, Action::Read).await?;
        Ok(ctx.services()?.patients.page(&scope, &page).await?.into())
    }

    /// Null when there is none, or none that the caller may see.
    async fn patient(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Patient>> {
        ctx.grant(Thing::Patient, Action::Read).await?;
        let patient = ctx.rows()?.load_one(arguments::id::<PatientId>(&id)?).await?;
        Ok(patient.map(Patient))
    }
}
