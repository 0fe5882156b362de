//! How much any one device of a hospital may send.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::dialect::{self, Table};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0029_device_rates"
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
        connection.execute_unprepared(&dialect::render(RATE, backend)).await?;
        if backend == DbBackend::Postgres {
            connection.execute_unprepared(&dialect::grant(&COLUMN)).await?;
        }
        Ok(())
    }
}

const RATE: &str = "ALTER TABLE tenants ADD COLUMN max_device_messages_per_second {int};";

const COLUMN: Table = Table { name: "tenants", rights: "UPDATE (max_device_messages_per_second)" };
