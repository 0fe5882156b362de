//! One occurrence of an alarm.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use care::Acknowledgement;
use tenants::access::{Action, Column, Object as Thing};

use super::{AlarmPriority, AlarmState, Device, Patient, Rule};
use crate::{
    context::RequestContext,
    errors::{ApiError, Result},
    scalars::DateTime,
};

#[derive(Clone)]
pub(crate) struct Alarm(pub(crate) Arc<care::Alarm>);

impl From<care::Alarm> for Alarm {
    fn from(alarm: care::Alarm) -> Self {
        Self(Arc::new(alarm))
    }
}

impl Alarm {
    fn acknowledgement(&self) -> Option<&Acknowledgement> {
        self.0.acknowledged.as_ref()
    }
}

/// One occurrence of an alarm, from raised to cleared.
#[Object]
impl Alarm {
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }

    /// The rule's name when it was raised.
    async fn title(&self) -> &str {
        &self.0.title
    }

    async fn priority(&self) -> AlarmPriority {
        self.0.priority.into()
    }

    async fn state(&self) -> AlarmState {
        self.0.state.into()
    }

    /// The telemetry that raised it.
    async fn path(&self) -> &str {
        self.0.path.as_str()
    }

    /// The value that raised it, in unit.
    async fn value(&self) -> f64 {
        self.0.value
    }

    /// UCUM unit; empty when the value has none.
    async fn unit(&self) -> &str {
        self.0.unit.as_ref().map(|unit| unit.code()).unwrap_or_default()
    }

    async fn raised_at(&self) -> DateTime {
        self.0.raised_at.into()
    }

    async fn acknowledged_at(&self) -> Option<DateTime> {
        self.acknowledgement().map(|acknowledgement| acknowledgement.at.into())
    }

    /// The name of whoever took note.
    async fn acknowledged_by(&self) -> Option<&str> {
        self.acknowledgement().map(|acknowledgement| acknowledgement.by_name.as_str())
    }

    /// What they wrote; null where the caller may not see all names, because it may name the patient.
    async fn note(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        let masked = ctx.grant(Thing::Patient, Action::Read).await?.may_mask(Column::PatientName);
        let note = self.acknowledgement().and_then(|acknowledgement| acknowledgement.note.as_deref());
        Ok(note.filter(|_| !masked))
    }

    async fn cleared_at(&self) -> Option<DateTime> {
        self.0.cleared_at.map(DateTime)
    }

    async fn device(&self, ctx: &Context<'_>) -> Result<Device> {
        let device = ctx.rows()?.load_one(self.0.device.clone()).await?;
        device.map(Device).ok_or_else(|| ApiError::not_found("device"))
    }

    /// Whom the device measured when it was raised.
    async fn patient(&self, ctx: &Context<'_>) -> Result<Option<Patient>> {
        ctx.grant(Thing::Patient, Action::Read).await?;
        let Some(patient) = self.0.patient else { return Ok(None) };
        Ok(ctx.rows()?.load_one(patient).await?.map(Patient))
    }

    /// As it stands now.
    async fn rule(&self, ctx: &Context<'_>) -> Result<Option<Rule>> {
        Ok(ctx.rows()?.load_one(self.0.rule).await?.map(|rule| Rule::from(&*rule)))
    }
}
