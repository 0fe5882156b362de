//! Records that people open in an emergency, and who looked at it later.

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::dialect::{self, Table};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0010_break_glass"
    }
}

#[allow(elided_lifetimes_in_paths, reason = "the trait is declared so")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::create(manager, OPENINGS, &[TABLE]).await
    }
}

const OPENINGS: &str = "
CREATE TABLE openings (
    tenant_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    user_id {uuid} NOT NULL,
    patient_id {uuid} NOT NULL,
    reason {text} NOT NULL,
    opened_at {int} NOT NULL,
    until {int} NOT NULL,
    reviewed_by {uuid},
    reviewed_at {int},
    review_note {text},
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id),
    FOREIGN KEY (tenant_id, patient_id) REFERENCES patients (tenant_id, id),
    FOREIGN KEY (tenant_id, reviewed_by) REFERENCES users (tenant_id, id)
){strict};
CREATE INDEX openings_by_end ON openings (tenant_id, until);
CREATE INDEX openings_unreviewed ON openings (tenant_id) WHERE reviewed_at IS NULL;";

/// An opening stays: it is closed and reviewed, never deleted.
const TABLE: Table = Table { name: "openings", rights: "SELECT, INSERT, UPDATE" };
