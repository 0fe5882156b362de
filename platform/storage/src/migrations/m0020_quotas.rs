//! What hospitals may use; null where nobody said.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::dialect::{self, Table};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0020_quotas"
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
            connection.execute_unprepared(&dialect::grant(&COLUMNS)).await?;
        }
        Ok(())
    }
}

const QUOTAS: &str = "
ALTER TABLE tenants ADD COLUMN max_devices {int};
ALTER TABLE tenants ADD COLUMN max_users {int};
ALTER TABLE tenants ADD COLUMN max_messages_per_second {int};
ALTER TABLE tenants ADD COLUMN max_query_cost_per_minute {int};
ALTER TABLE tenants ADD COLUMN stored_days {int};";

const COLUMNS: Table = Table {
    name: "tenants",
    rights: "UPDATE (max_devices, max_users, max_messages_per_second, max_query_cost_per_minute, stored_days)",
};
