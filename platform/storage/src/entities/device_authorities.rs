//! Certificate authorities whose devices are let in.

use sea_orm::entity::prelude::*;

use super::TenantRows;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "device_authorities")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub certificate: Vec<u8>,
    pub subject: String,
    pub fingerprint: Vec<u8>,
    pub not_before: i64,
    pub not_after: i64,
    pub challenge: String,
    pub added_at: i64,
    pub proven_at: Option<i64>,
    pub list: Option<Vec<u8>>,
    pub list_entries: Option<i64>,
    pub list_issued_at: Option<i64>,
    pub list_next_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TenantRows for Entity {
    const TENANT: Column = Column::TenantId;
}
