//! Authenticator apps, and the codes for who has lost theirs.

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::dialect::{self, Table};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0011_second_factors"
    }
}

#[allow(elided_lifetimes_in_paths, reason = "the trait is declared so")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::create(manager, SECOND_FACTORS, &TABLES).await
    }
}

const SECOND_FACTORS: &str = "
CREATE TABLE authenticators (
    tenant_id {uuid} NOT NULL,
    user_id {uuid} NOT NULL,
    secret {blob} NOT NULL,
    since {int},
    last_step {int} NOT NULL,
    PRIMARY KEY (tenant_id, user_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
){strict};
CREATE TABLE recovery_codes (
    tenant_id {uuid} NOT NULL,
    user_id {uuid} NOT NULL,
    hash {blob} NOT NULL,
    PRIMARY KEY (tenant_id, user_id, hash),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
){strict};";

const TABLES: [Table; 2] = [
    Table { name: "authenticators", rights: "SELECT, INSERT, UPDATE, DELETE" },
    Table { name: "recovery_codes", rights: "SELECT, INSERT, DELETE" },
];
