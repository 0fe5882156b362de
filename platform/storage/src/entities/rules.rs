//! Rules.

use sea_orm::entity::prelude::*;
use tenants::access;

use super::{PatientLink, PolicyRows, TenantRows};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "rules")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub path: String,
    pub raise_comparison: String,
    pub raise_value: f64,
    pub hold_micros: i64,
    pub clear_comparison: String,
    pub clear_value: f64,
    pub clear_hold_micros: i64,
    pub unit: Option<String>,
    pub priority: String,
    pub enabled: bool,
    pub version: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TenantRows for Entity {
    const TENANT: Column = Column::TenantId;
}

impl PolicyRows for Entity {
    const PATIENT: PatientLink<Column> = PatientLink::None;

    fn own(_column: access::Column) -> Option<Column> {
        None
    }
}
