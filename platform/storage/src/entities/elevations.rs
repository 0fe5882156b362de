//! Operators who are let in.

use sea_orm::entity::prelude::*;

use super::TenantRows;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "elevations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub operator_id: Uuid,
    pub operator_name: String,
    pub role: String,
    pub reason: String,
    pub hours: i64,
    pub asked_at: i64,
    pub granted: Option<bool>,
    pub answered_by: Option<Uuid>,
    pub answered_by_name: Option<String>,
    pub answered_at: Option<i64>,
    /// Set with the answer, where it is yes, and again where it is ended before its time.
    pub until: Option<i64>,
    pub ended_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TenantRows for Entity {
    const TENANT: Column = Column::TenantId;
}
