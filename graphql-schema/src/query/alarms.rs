//! Alarms.

use async_graphql::{Context, ID, Object};
use tenants::{
    AlarmId,
    access::{Action, Object as Thing},
};
use twins::store::directory::AlarmFilter;

use crate::{
    arguments::{self, DEFAULT_PAGE},
    context::RequestContext,
    errors::Result,
    limits,
    reads::Kind,
    types::{Alarm, AlarmConnection, AlarmState},
};

#[derive(Default)]
pub(super) struct AlarmQuery;

#[Object]
impl AlarmQuery {
    /// Open alarms first, then by priority and time raised.
    #[graphql(complexity = "limits::rows(first, DEFAULT_PAGE, child_complexity)")]
    async fn alarms(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(DEFAULT_PAGE)")] first: Option<i32>,
        after: Option<String>,
        states: Option<Vec<AlarmState>>,
        patient: Option<ID>,
        device: Option<ID>,
    ) -> Result<AlarmConnection> {
        let page = ctx.page(first, after, None)?;
        let filter = AlarmFilter {
            states: distinct(states.unwrap_or_default()),
            patient: patient.as_ref().map(arguments::id).transpose()?,
            device: device.as_ref().map(arguments::id).transpose()?,
        };
        let scope = ctx.grant(Thing::Alarm, Action::Read).await?;
        let page = ctx.services()?.alarms.page(&scope, &filter, &page).await?;
        ctx.reads()?.saw(&scope, Kind::Alarm, page.rows.iter().filter_map(|(_, alarm)| alarm.patient));
        Ok(page.into())
    }

    /// Null when there is none, or none that the caller may see.
    async fn alarm(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Alarm>> {
        ctx.grant(Thing::Alarm, Action::Read).await?;
        let alarm = ctx.rows()?.load_one(arguments::id::<AlarmId>(&id)?).await?;
        Ok(alarm.map(Alarm))
    }
}

fn distinct(states: Vec<AlarmState>) -> Vec<care::AlarmState> {
    let mut states: Vec<_> = states.into_iter().map(care::AlarmState::from).collect();
    states.sort();
    states.dedup();
    states
}
