//! Adding, renaming, moving and removing departments and wards.

use async_graphql::{Context, ID, InputObject, Object};
use tenants::{
    UnitId,
    access::{Action, Object as Thing},
    org::{self, OrgError, unit_name},
};

use crate::{
    arguments,
    context::RequestContext,
    errors::{ApiError, Result},
    types::{OrgUnit, UnitKind},
};

#[derive(InputObject)]
pub(super) struct SaveOrgUnitInput {
    /// Omit to add one.
    id: Option<ID>,
    /// 1 to 100 characters; unlike all others of the same parent.
    name: String,
    kind: UnitKind,
    /// What it belongs to; null for the hospital as a whole only.
    parent_id: Option<ID>,
}

impl From<OrgError> for ApiError {
    fn from(error: OrgError) -> Self {
        Self::of(error.kind(), error)
    }
}

#[derive(Default)]
pub(super) struct OrgUnitMutation;

#[Object]
impl OrgUnitMutation {
    /// Adds a unit, or renames or moves one; what belongs to it moves along.
    async fn save_org_unit(&self, ctx: &Context<'_>, input: SaveOrgUnitInput) -> Result<OrgUnit> {
        let scope = ctx.grant(Thing::OrgUnit, Action::Write).await?;
        let services = ctx.services()?;
        let tree = services.access.units(scope.tenant()).await?;
        let id = match &input.id {
            None => UnitId::new(&*services.clock),
            Some(id) => {
                let id = arguments::id(id)?;
                tree.get(id).ok_or_else(|| ApiError::not_found("unit"))?;
                id
            }
        };
        let parent = input.parent_id.as_ref().map(arguments::id).transpose()?;
        let name = unit_name(&input.name)?.to_owned();
        let unit = org::OrgUnit { id, parent, name, kind: input.kind.into() };
        tree.with(scope.tenant(), &unit)?;
        let entry = ctx.audit(&scope, "org_unit.save", format!("org_unit:{id}"), unit.name.clone())?;
        services.units.save(&scope, &unit, &entry).await?;
        services.access.changed(scope.tenant());
        Ok(unit.into())
    }

    /// Removes a unit to which nothing belongs, now or in its history.
    async fn remove_org_unit(&self, ctx: &Context<'_>, id: ID) -> Result<ID> {
        let scope = ctx.grant(Thing::OrgUnit, Action::Write).await?;
        let unit: UnitId = arguments::id(&id)?;
        let services = ctx.services()?;
        let entry = ctx.audit(&scope, "org_unit.remove", format!("org_unit:{unit}"), String::new())?;
        services.units.remove(&scope, unit, &entry).await?;
        services.access.changed(scope.tenant());
        Ok(id)
    }
}
