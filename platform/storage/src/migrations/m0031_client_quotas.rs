//! What hospitals allow devices and programs that are connected.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::dialect::{self, Table};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0031_client_quotas"
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
        connection.execute_unprepared(&dialect::render(QUOTAS, backend)).await?;
        if backend == DbBackend::Postgres {
            connection.execute_unprepared(&dialect::grant(&COLUMN)).await?;
        }
        Ok(())
    }
}

/// As JSON; null where nobody has said anything.
const QUOTAS: &str = "ALTER TABLE tenants ADD COLUMN client_quotas {text};";

const COLUMN: Table = Table { name: "tenants", rights: "UPDATE (client_quotas)" };
