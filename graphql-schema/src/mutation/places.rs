//! Moving devices and patients, and saying who treats whom.

use async_graphql::{Context, ID, InputObject, Object};
use tenants::{
    DeviceId, PatientId, UserId,
    access::{Action, Object as Thing},
};
use twins::store::directory::PatientPlace;

use crate::{
    arguments,
    context::RequestContext,
    errors::{ApiError, Result},
    reads::Kind,
    types::{Device, Patient},
};

/// Characters of a bed's name.
const MAX_BED: usize = 40;
/// People who treat one patient.
const MAX_TEAM: usize = 200;

#[derive(InputObject)]
pub(super) struct PlacePatientInput {
    id: ID,
    /// The ward.
    unit: ID,
    /// At most 40 characters; unchanged when null.
    bed: Option<String>,
    /// Whether the record is kept to the care team; unchanged when null.
    restricted: Option<bool>,
}

#[derive(Default)]
pub(super) struct PlaceMutation;

#[Object]
impl PlaceMutation {
    /// Moves a device to a unit. What it said before stays with the unit where it was.
    async fn place_device(&self, ctx: &Context<'_>, id: ID, unit: ID) -> Result<Device> {
        let scope = ctx.grant(Thing::Device, Action::Write).await?;
        let (id, unit): (DeviceId, _) = (arguments::id(&id)?, arguments::id(&unit)?);
        let services = ctx.services()?;
        let detail = format!("to org_unit:{unit}");
        let entry = ctx.audit(&scope, "device.place", format!("device:{id}"), detail)?;
        services.devices.place(&scope, &id, unit, &entry).await?;
        let found = services.devices.by_ids(&scope, std::slice::from_ref(&id)).await?;
        Ok(found.into_iter().next().ok_or_else(|| ApiError::not_found("device"))?.into())
    }

    /// Moves a patient to a ward and bed, and keeps the record to the care team or not.
    async fn place_patient(&self, ctx: &Context<'_>, input: PlacePatientInput) -> Result<Patient> {
        let scope = ctx.grant(Thing::Patient, Action::Write).await?;
        let (id, unit): (PatientId, _) = (arguments::id(&input.id)?, arguments::id(&input.unit)?);
        let services = ctx.services()?;
        let known = services.patients.by_ids(&scope, &[id]).await?.into_iter().next();
        let known = known.ok_or_else(|| ApiError::not_found("patient"))?;
        let bed = input.bed.map_or(known.bed, |bed| bed.trim().to_owned());
        if bed.chars().count() > MAX_BED || bed.contains(char::is_control) {
            return Err(ApiError::bad_input(format!("bed: expected at most {MAX_BED} characters")));
        }
        let place = PatientPlace { unit, bed, restricted: input.restricted.unwrap_or(known.restricted) };
        let kept = if place.restricted { ", kept to the care team" } else { "" };
        let detail = format!("to org_unit:{unit}{kept}");
        let entry = ctx.audit(&scope, "patient.place", format!("patient:{id}"), detail)?;
        services.patients.place(&scope, id, &place, &entry).await?;
        let found = services.patients.by_ids(&scope, &[id]).await?;
        ctx.reads()?.saw(&scope, Kind::Patient, found.iter().map(|patient| patient.id));
        Ok(found.into_iter().next().ok_or_else(|| ApiError::not_found("patient"))?.into())
    }

    /// Says who treats a patient, all of them.
    async fn set_care_team(&self, ctx: &Context<'_>, patient: ID, users: Vec<ID>) -> Result<Patient> {
        let scope = ctx.grant(Thing::Patient, Action::Write).await?;
        let id: PatientId = arguments::id(&patient)?;
        if users.len() > MAX_TEAM {
            return Err(ApiError::bad_input(format!("users: expected at most {MAX_TEAM}")));
        }
        let team = users.iter().map(arguments::id::<UserId>).collect::<Result<Vec<_>>>()?;
        let services = ctx.services()?;
        let detail = format!("{} people", team.len());
        let entry = ctx.audit(&scope, "patient.care_team", format!("patient:{id}"), detail)?;
        services.patients.set_care_team(&scope, id, &team, &entry).await?;
        let found = services.patients.by_ids(&scope, &[id]).await?;
        ctx.reads()?.saw(&scope, Kind::Patient, found.iter().map(|patient| patient.id));
        Ok(found.into_iter().next().ok_or_else(|| ApiError::not_found("patient"))?.into())
    }
}
