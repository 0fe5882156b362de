//! Programs that act for a hospital itself, and their access tokens.

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::dialect::{self, Table};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0016_service_clients"
    }
}

#[allow(elided_lifetimes_in_paths, reason = "the trait is declared so")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::create(manager, SERVICE_CLIENTS, &TABLES).await
    }
}

const SERVICE_CLIENTS: &str = "
CREATE TABLE service_clients (
    tenant_id {uuid} NOT NULL REFERENCES tenants (id),
    id {uuid} NOT NULL,
    name {text} NOT NULL,
    role {text} NOT NULL,
    unit_id {uuid} NOT NULL,
    hash {blob} NOT NULL,
    prefix {text} NOT NULL,
    created_at {int} NOT NULL,
    last_used_at {int},
    expires_at {int},
    disabled_at {int},
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES org_units (tenant_id, id)
){strict};
CREATE TABLE client_tokens (
    tenant_id {uuid} NOT NULL,
    hash {blob} NOT NULL,
    client_id {uuid} NOT NULL,
    expires_at {int} NOT NULL,
    PRIMARY KEY (tenant_id, hash),
    FOREIGN KEY (tenant_id, client_id) REFERENCES service_clients (tenant_id, id)
){strict};
CREATE INDEX client_tokens_of_client ON client_tokens (tenant_id, client_id);";

const TABLES: [Table; 2] = [
    Table { name: "service_clients", rights: "SELECT, INSERT, UPDATE, DELETE" },
    Table { name: "client_tokens", rights: "SELECT, INSERT, DELETE" },
];
