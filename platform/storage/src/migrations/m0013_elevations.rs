//! Operators who are let into hospitals for a while.

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::dialect::{self, Table};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0013_elevations"
    }
}

#[allow(elided_lifetimes_in_paths, reason = "the trait is declared so")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::create(manager, ELEVATIONS, &[TABLE]).await
    }
}

/// The operator is a user of the platform, whose rows a hospital's transaction does not see.
const ELEVATIONS: &str = "
CREATE TABLE elevations (
    tenant_id {uuid} NOT NULL REFERENCES tenants (id),
    id {uuid} NOT NULL,
    operator_id {uuid} NOT NULL,
    operator_name {text} NOT NULL,
    role {text} NOT NULL,
    reason {text} NOT NULL,
    hours {int} NOT NULL,
    asked_at {int} NOT NULL,
    granted {bool},
    answered_by {uuid},
    answered_by_name {text},
    answered_at {int},
    until {int},
    ended_at {int},
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, answered_by) REFERENCES users (tenant_id, id)
){strict};
CREATE INDEX elevations_by_end ON elevations (tenant_id, until);
CREATE INDEX elevations_by_operator ON elevations (tenant_id, operator_id);";

/// What was asked stays, answered and ended, for as long as the hospital does.
const TABLE: Table = Table { name: "elevations", rights: "SELECT, INSERT, UPDATE, DELETE" };
