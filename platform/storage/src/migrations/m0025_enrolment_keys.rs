//! The key by which each hospital enrols devices.

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::dialect::{self, Table};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0025_enrolment_keys"
    }
}

#[allow(elided_lifetimes_in_paths, reason = "the trait is declared so")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::create(manager, KEYS, &TABLES).await
    }
}

/// One for each hospital: a second one is refused. The id is what its secret is sealed for.
const KEYS: &str = "
CREATE TABLE enrolment_keys (
    tenant_id {uuid} NOT NULL REFERENCES tenants (id),
    id {uuid} NOT NULL,
    secret {blob} NOT NULL,
    made_at {int} NOT NULL,
    PRIMARY KEY (tenant_id)
){strict};";

const TABLES: [Table; 1] = [Table { name: "enrolment_keys", rights: "SELECT, INSERT, UPDATE, DELETE" }];
