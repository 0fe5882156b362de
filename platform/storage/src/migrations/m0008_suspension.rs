//! Hospitals that are cut off.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::dialect::{self, Table};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0008_suspension"
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
        connection.execute_unprepared(&dialect::render(SUSPENSION, backend)).await?;
        if backend == DbBackend::Postgres {
            let since = Table { name: "tenants", rights: "UPDATE (suspended_since)" };
            connection.execute_unprepared(&dialect::grant(&since)).await?;
        }
        Ok(())
    }
}

const SUSPENSION: &str = "ALTER TABLE tenants ADD COLUMN suspended_since {int};";
