//! Registered devices.

use sea_orm::entity::prelude::*;
use tenants::access;

use super::TenantRows;

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
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TenantRows for Entity {
    const TENANT: Column = Column::TenantId;

    fn policy_column(column: access::Column) -> Option<Column> {
        match column {
            access::Column::DeviceId => Some(Column::Id),
            access::Column::PatientWard | access::Column::PatientName | access::Column::PatientMrn => None,
        }
    }
}
