//! Certificate authorities whose devices are let in.

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::dialect::{self, Table};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0028_device_authorities"
    }
}

#[allow(elided_lifetimes_in_paths, reason = "the trait is declared so")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::create(manager, AUTHORITIES, &TABLES).await
    }
}

const AUTHORITIES: &str = "
CREATE TABLE device_authorities (
    tenant_id {uuid} NOT NULL REFERENCES tenants (id),
    id {uuid} NOT NULL,
    certificate {blob} NOT NULL,
    subject {text} NOT NULL,
    fingerprint {blob} NOT NULL,
    not_before {int} NOT NULL,
    not_after {int} NOT NULL,
    challenge {text} NOT NULL,
    added_at {int} NOT NULL,
    proven_at {int},
    list {blob},
    list_entries {int},
    list_issued_at {int},
    list_next_at {int},
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, fingerprint)
){strict};";

const TABLES: [Table; 1] = [Table { name: "device_authorities", rights: "SELECT, INSERT, UPDATE, DELETE" }];
