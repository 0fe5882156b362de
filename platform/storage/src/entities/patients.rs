//! Registered patients.

use sea_orm::entity::prelude::*;
use tenants::access;

use super::{PatientLink, PolicyRows, TenantRows};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "patients")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The blind index of the record number, in hexadecimal.
    pub mrn_index: Option<String>,
    /// Blind indexes of the beginnings of words.
    pub name_search: String,
    pub mrn_search: String,
    pub birth_year: Option<i64>,
    pub ward: String,
    pub bed: String,
    pub place_search: String,
    pub spo2_scale: i64,
    /// Never missing but in rows that no version of this server has written.
    pub unit_id: Option<Uuid>,
    pub restricted: bool,
    /// Name, record number and date of birth, sealed.
    pub identity: Option<Vec<u8>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TenantRows for Entity {
    const TENANT: Column = Column::TenantId;
}

impl PolicyRows for Entity {
    const PATIENT: PatientLink<Column> = PatientLink::Key(Column::Id);

    fn own(column: access::Column) -> Option<Column> {
        match column {
            access::Column::PatientId => Some(Column::Id),
            access::Column::PatientUnit => Some(Column::UnitId),
            access::Column::PatientWard => Some(Column::Ward),
            access::Column::PatientBirthYear => Some(Column::BirthYear),
            access::Column::PatientRestricted => Some(Column::Restricted),
            _ => None,
        }
    }
}
