//! When and from where sessions are used.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::dialect::{self, Table};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0012_sessions"
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
        connection.execute_unprepared(&dialect::render(SESSIONS, backend)).await?;
        if backend == DbBackend::Postgres {
            let used = Table { name: "sessions", rights: "UPDATE (last_used_at)" };
            connection.execute_unprepared(&dialect::grant(&used)).await?;
        }
        Ok(())
    }
}

/// Sessions of before were used when they were made: they end a little early.
const SESSIONS: &str = "
ALTER TABLE sessions ADD COLUMN last_used_at {int} NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN address {text} NOT NULL DEFAULT '';
UPDATE sessions SET last_used_at = created_at;
CREATE INDEX sessions_of_user ON sessions (tenant_id, user_id);";
