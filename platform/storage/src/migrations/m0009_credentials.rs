//! What people prove themselves with: API tokens with bounds.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::dialect::{self, Table};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0009_credentials"
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
        connection.execute_unprepared(&dialect::render(API_TOKENS, backend)).await?;
        if backend == DbBackend::Postgres {
            for table in RIGHTS {
                connection.execute_unprepared(&dialect::grant(table)).await?;
            }
        }
        Ok(())
    }
}

/// `credentials_version` grows with everything that is revoked, so that every process notices. A token without a role
/// is one of before: it has all that its owner has.
const API_TOKENS: &str = "
ALTER TABLE tenants ADD COLUMN credentials_version {int} NOT NULL DEFAULT 0;
ALTER TABLE api_tokens ADD COLUMN prefix {text} NOT NULL DEFAULT '';
ALTER TABLE api_tokens ADD COLUMN role {text};
ALTER TABLE api_tokens ADD COLUMN unit_id {uuid};
ALTER TABLE api_tokens ADD COLUMN created_at {int} NOT NULL DEFAULT 0;
ALTER TABLE api_tokens ADD COLUMN last_used_at {int};
CREATE INDEX api_tokens_of_user ON api_tokens (tenant_id, user_id);";

const RIGHTS: &[Table] = &[
    Table { name: "tenants", rights: "UPDATE (credentials_version)" },
    Table { name: "api_tokens", rights: "UPDATE (last_used_at)" },
];
