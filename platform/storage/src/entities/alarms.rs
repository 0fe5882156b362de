//! Alarms. `urgency` is the rank in lists: open before cleared, then by priority.

use sea_orm::entity::prelude::*;
use tenants::access;

use super::{PatientLink, PolicyRows, TenantRows};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "alarms")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub rule_id: Uuid,
    pub title: String,
    pub title_search: String,
    pub device_id: String,
    pub patient_id: Option<Uuid>,
    pub priority: String,
    pub state: String,
    pub urgency: i64,
    pub path: String,
    pub value: f64,
    pub unit: Option<String>,
    pub raised_at: i64,
    pub acknowledged_by: Option<Uuid>,
    pub acknowledged_by_name: Option<String>,
    pub acknowledged_at: Option<i64>,
    pub acknowledged_note: Option<String>,
    pub cleared_at: Option<i64>,
    pub version: i64,
    /// Where the device was when it was raised.
    pub unit_id: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TenantRows for Entity {
    const TENANT: Column = Column::TenantId;
}

impl PolicyRows for Entity {
    const PATIENT: PatientLink<Column> = PatientLink::Key(Column::PatientId);

    fn own(column: access::Column) -> Option<Column> {
        match column {
            access::Column::AlarmUnit => Some(Column::UnitId),
            access::Column::AlarmPriority => Some(Column::Priority),
            access::Column::DeviceId => Some(Column::DeviceId),
            access::Column::PatientId => Some(Column::PatientId),
            _ => None,
        }
    }
}
