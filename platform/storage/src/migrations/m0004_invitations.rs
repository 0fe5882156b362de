//! People who were asked to join a hospital.

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::dialect::{self, Table};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0004_invitations"
    }
}

#[allow(elided_lifetimes_in_paths, reason = "the trait is declared so")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::create(manager, INVITATIONS, &[TABLE]).await
    }
}

const INVITATIONS: &str = "
CREATE TABLE invitations (
    tenant_id {uuid} NOT NULL,
    hash {blob} NOT NULL,
    email {text} NOT NULL,
    role {text} NOT NULL,
    unit_id {uuid} NOT NULL,
    until {int},
    expires_at {int} NOT NULL,
    PRIMARY KEY (tenant_id, hash),
    UNIQUE (tenant_id, email),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES org_units (tenant_id, id)
){strict};";

const TABLE: Table = Table { name: "invitations", rights: "SELECT, INSERT, DELETE" };
