//! Registered patients.

use sea_orm::entity::prelude::*;
use tenants::access;

use super::TenantRows;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "patients")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: Option<String>,
    pub name_search: String,
    pub mrn: Option<String>,
    pub mrn_search: String,
    pub birth_year: Option<i64>,
    pub ward: String,
    pub bed: String,
    pub place_search: String,
    pub spo2_scale: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TenantRows for Entity {
    const TENANT: Column = Column::TenantId;

    fn policy_column(column: access::Column) -> Option<Column> {
        match column {
            access::Column::PatientWard => Some(Column::Ward),
            access::Column::PatientName => Some(Column::Name),
            access::Column::PatientMrn => Some(Column::Mrn),
            access::Column::DeviceId => None,
        }
    }
}
