//! Hospitals, and the platform itself.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tenants")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub slug: String,
    pub name: String,
    /// Grows with every change of what access rests on.
    pub access_version: i64,
    /// Cut off since then.
    pub suspended_since: Option<i64>,
    /// Grows with everything that is revoked.
    pub credentials_version: i64,
    /// When everything that is kept for it was handed out last.
    pub exported_at: Option<i64>,
    /// It was decided then that it leaves for good.
    pub departed_since: Option<i64>,
    /// Everything but its name and its audit trail was deleted then.
    pub erased_at: Option<i64>,
    /// ISO 3166-1.
    pub region: Option<String>,
    /// BCP 47.
    pub locale: Option<String>,
    /// IANA.
    pub time_zone: Option<String>,
    /// What it may use, each null where nobody said.
    pub max_devices: Option<i64>,
    pub max_users: Option<i64>,
    pub max_messages_per_second: Option<i64>,
    pub max_device_messages_per_second: Option<i64>,
    pub client_quotas: Option<String>,
    pub max_query_cost_per_minute: Option<i64>,
    pub stored_days: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
