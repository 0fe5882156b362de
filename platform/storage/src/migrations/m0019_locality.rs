//! Where hospitals are, and how times and dates are written there.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::dialect::{self, Table};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0019_locality"
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
        connection.execute_unprepared(&dialect::render(LOCALITY, backend)).await?;
        if backend == DbBackend::Postgres {
            let locality = Table { name: "tenants", rights: "UPDATE (region, locale, time_zone)" };
            connection.execute_unprepared(&dialect::grant(&locality)).await?;
        }
        Ok(())
    }
}

const LOCALITY: &str = "
ALTER TABLE tenants ADD COLUMN region {text};
ALTER TABLE tenants ADD COLUMN locale {text};
ALTER TABLE tenants ADD COLUMN time_zone {text};";
