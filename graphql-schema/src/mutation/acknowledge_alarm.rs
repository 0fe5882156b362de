//! Taking note of an alarm.

use async_graphql::{Context, ID, InputObject, Object};
use tenants::{
    AlarmId,
    access::{Action, Object as Thing},
};

use crate::{
    arguments,
    context::RequestContext,
    errors::{ApiError, Result},
    reads::Kind,
    types::Alarm,
};

#[derive(InputObject)]
pub(super) struct AcknowledgeAlarmInput {
    id: ID,
    /// At most 500 characters.
    note: Option<String>,
}

#[derive(Default)]
pub(super) struct AlarmMutation;

#[Object]
impl AlarmMutation {
    /// Idempotent: acknowledging again returns the alarm as it stands.
    async fn acknowledge_alarm(&self, ctx: &Context<'_>, input: AcknowledgeAlarmInput) -> Result<Alarm> {
        let scope = ctx.grant(Thing::Alarm, Action::Acknowledge).await?;
        let id: AlarmId = arguments::id(&input.id)?;
        let note = arguments::note(input.note)?;
        let services = ctx.services()?;
        let visible = services.alarms.by_ids(&scope, &[id]).await?;
        let alarm = visible.into_iter().next().ok_or_else(|| ApiError::not_found("alarm"))?;
        ctx.reads()?.saw(&scope, Kind::Alarm, alarm.patient);
        if alarm.acknowledged.is_some() {
            // Its twin may have gone on to a newer alarm of the same rule; this one is as it will stay.
            return Ok(alarm.into());
        }
        Ok(services.twins.acknowledge(&scope, &alarm, note, ctx.correlation()).await?.into())
    }
}
