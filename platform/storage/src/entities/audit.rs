//! Who did what: a chain of rows per tenant. Append-only.

use sea_orm::entity::prelude::*;

use super::TenantRows;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_trail")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    /// From 1 without a gap.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// What makes an entry the same when it is written again.
    pub id: Uuid,
    pub at: i64,
    pub actor: String,
    pub actor_name: String,
    pub action: String,
    pub subject: String,
    pub outcome: String,
    pub detail: String,
    pub channel: String,
    pub address: String,
    pub agent: String,
    pub policy: Option<String>,
    /// JSON, canonical.
    pub facts: String,
    pub correlation: i64,
    /// Of the encoding that is hashed.
    pub version: i64,
    pub previous: Vec<u8>,
    pub hash: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TenantRows for Entity {
    const TENANT: Column = Column::TenantId;
}
