//! Registered devices.

use sea_orm::entity::prelude::*;
use tenants::access;

use super::{PatientLink, PolicyRows, TenantRows};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "devices")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub name: String,
    pub name_search: String,
    pub template: String,
    /// Never missing but in rows that no version of this server has written.
    pub unit_id: Option<Uuid>,
    pub kind: String,
    /// It may not connect since then.
    pub blocked_since: Option<i64>,
    /// The device through which it speaks.
    pub gateway_id: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TenantRows for Entity {
    const TENANT: Column = Column::TenantId;
}

impl PolicyRows for Entity {
    const PATIENT: PatientLink<Column> = PatientLink::Device(Column::Id);

    fn own(column: access::Column) -> Option<Column> {
        match column {
            access::Column::DeviceId => Some(Column::Id),
            access::Column::DeviceKind => Some(Column::Kind),
            access::Column::DeviceTemplate => Some(Column::Template),
            access::Column::DeviceUnit => Some(Column::UnitId),
            _ => None,
        }
    }
}
