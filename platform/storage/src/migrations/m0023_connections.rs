//! What became of devices' connections.

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::dialect::{self, Table};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0023_connections"
    }
}

#[allow(elided_lifetimes_in_paths, reason = "the trait is declared so")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::create(manager, CONNECTIONS, &TABLES).await
    }
}

/// One row for each device, with its newest events as JSON: what is kept has its bound by itself.
const CONNECTIONS: &str = "
CREATE TABLE device_connections (
    tenant_id {uuid} NOT NULL REFERENCES tenants (id),
    device_id {text} NOT NULL,
    events {text} NOT NULL,
    PRIMARY KEY (tenant_id, device_id)
){strict};";

const TABLES: [Table; 1] = [Table { name: "device_connections", rights: "SELECT, INSERT, UPDATE, DELETE" }];
