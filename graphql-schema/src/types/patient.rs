//! A patient and their twin.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};
use tenants::access::{Action, Object as Thing};
use twins::{patient::PatientState, store::directory::PatientRecord};

use super::{Alarm, Device, News2, Vital, VitalSign, vitals};
use crate::{
    arguments,
    context::RequestContext,
    errors::{ApiError, Result},
    limits,
    loaders::{DevicesOf, OpenAlarmsOf, PatientTwin},
    reads::Kind,
    scalars::DateTime,
    trend,
};

/// One point of a trend.
#[derive(SimpleObject)]
pub(crate) struct TrendPoint {
    at: DateTime,
    value: f64,
}

impl From<trend::Point> for TrendPoint {
    fn from(point: trend::Point) -> Self {
        Self { at: point.at.into(), value: point.value }
    }
}

#[derive(Clone)]
pub(crate) struct Patient(pub(crate) Arc<PatientRecord>);

impl From<PatientRecord> for Patient {
    fn from(record: PatientRecord) -> Self {
        Self(Arc::new(record))
    }
}

impl Patient {
    async fn state(&self, ctx: &Context<'_>) -> Result<Arc<PatientState>> {
        let twin = ctx.rows()?.load_one(PatientTwin(self.0.id)).await?;
        twin.ok_or_else(|| ApiError::not_found("patient"))?
    }
}

/// A patient and their twin.
#[Object]
impl Patient {
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }

    /// Null where the caller may not see names.
    async fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// Medical record number; null where masked.
    async fn mrn(&self) -> Option<&str> {
        self.0.mrn.as_deref()
    }

    /// ISO 8601; null where masked, where the year may still be seen.
    async fn birth_date(&self) -> Option<String> {
        self.0.birth_date.map(|date| date.to_string())
    }

    async fn birth_year(&self) -> Option<i16> {
        self.0.birth_year
    }

    async fn ward(&self) -> &str {
        &self.0.ward
    }

    async fn bed(&self) -> &str {
        &self.0.bed
    }

    /// Whether the record is kept to the care team.
    async fn restricted(&self) -> bool {
        self.0.restricted
    }

    /// The newest value of each sign that was ever measured.
    async fn vitals(&self, ctx: &Context<'_>) -> Result<Vec<Vital>> {
        Ok(vitals(&*self.state(ctx).await?, ctx.services()?.clock.now()))
    }

    async fn news2(&self, ctx: &Context<'_>) -> Result<News2> {
        let now = ctx.services()?.clock.now();
        Ok(self.state(ctx).await?.news2(now, self.0.spo2_scale).into())
    }

    #[graphql(complexity = "limits::DEVICES_OF_PATIENT * child_complexity + 1")]
    async fn devices(&self, ctx: &Context<'_>) -> Result<Vec<Device>> {
        let devices = ctx.rows()?.load_one(DevicesOf(self.0.id)).await?;
        Ok(devices.unwrap_or_default().into_iter().map(Device).collect())
    }

    /// Most urgent first.
    #[graphql(complexity = "limits::ALARMS_OF_PATIENT * child_complexity + 1")]
    async fn open_alarms(&self, ctx: &Context<'_>) -> Result<Vec<Alarm>> {
        let alarms = ctx.rows()?.load_one(OpenAlarmsOf(self.0.id)).await?;
        Ok(alarms.unwrap_or_default().into_iter().map(Alarm).collect())
    }

    /// Points of one sign, oldest first, at most maxPoints (thinned to extremes per bucket); since defaults to 30 minutes ago.
    #[graphql(complexity = "limits::TREND + child_complexity")]
    async fn trend(
        &self,
        ctx: &Context<'_>,
        sign: VitalSign,
        since: Option<DateTime>,
        until: Option<DateTime>,
        #[graphql(default_with = "Some(arguments::DEFAULT_POINTS)")] max_points: Option<i32>,
    ) -> Result<Vec<TrendPoint>> {
        let services = ctx.services()?;
        let period = arguments::period(since.map(|at| at.0), until.map(|at| at.0), services.clock.now())?;
        let max_points = arguments::points(max_points)?;
        let scope = ctx.grant(Thing::Device, Action::Read).await?;
        let devices = ctx.rows()?.load_one(DevicesOf(self.0.id)).await?.unwrap_or_default();
        ctx.reads()?.saw(&scope, Kind::Trend, [self.0.id]);
        let points = trend::read(services, &scope, &devices, sign.into(), period).await?;
        Ok(trend::thin(&points, max_points).into_iter().map(Into::into).collect())
    }
}
