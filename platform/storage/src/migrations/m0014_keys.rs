//! Data keys per tenant, and what identifies a patient sealed with them.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::dialect::{self, Table};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0014_keys"
    }
}

#[allow(elided_lifetimes_in_paths, reason = "the trait is declared so")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let backend = connection.get_database_backend();
        connection.execute_unprepared(&dialect::render(DATA_KEYS, backend)).await?;
        if backend == DbBackend::Postgres {
            connection.execute_unprepared(&dialect::row_security(KEYS.name)).await?;
            connection.execute_unprepared(&dialect::grant(&KEYS)).await?;
            // Rows of all tenants are turned over, which row level security would hide.
            connection.execute_unprepared("ALTER TABLE patients DISABLE ROW LEVEL SECURITY").await?;
            connection.execute_unprepared(&dialect::render(PATIENTS, backend)).await?;
            connection.execute_unprepared("ALTER TABLE patients ENABLE ROW LEVEL SECURITY").await?;
        } else {
            connection.execute_unprepared(&dialect::render(PATIENTS, backend)).await?;
        }
        Ok(())
    }
}

const KEYS: Table = Table { name: "data_keys", rights: "SELECT, INSERT, UPDATE (wrapped), DELETE" };

const DATA_KEYS: &str = "
CREATE TABLE data_keys (
    tenant_id {uuid} NOT NULL REFERENCES tenants (id),
    version {int} NOT NULL,
    wrapped {blob} NOT NULL,
    made_at {int} NOT NULL,
    PRIMARY KEY (tenant_id, version)
){strict};";

/// A migration has no keys: names stand in `identity` as JSON until the server, which seals and indexes what is marked
/// by `?` before it listens.
const PATIENTS: &str = "
ALTER TABLE patients ADD COLUMN identity {blob};
UPDATE patients SET identity = {identity_json};
ALTER TABLE patients RENAME COLUMN mrn TO mrn_index;
UPDATE patients SET mrn_index = NULL, name_search = '?', mrn_search = '?';
ALTER TABLE patients DROP COLUMN name;
ALTER TABLE patients DROP COLUMN birth_date;";
