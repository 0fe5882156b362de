//! Hospitals that leave: how far they have gone, and the right to delete what is kept for them.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::dialect::{self, Table};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0018_offboarding"
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
        connection.execute_unprepared(&dialect::render(DEPARTURES, backend)).await?;
        if backend == DbBackend::Postgres {
            for table in RIGHTS {
                connection.execute_unprepared(&dialect::grant(table)).await?;
            }
            let deleted = DELETED.iter().map(|name| Table { name, rights: "DELETE" });
            for table in deleted {
                connection.execute_unprepared(&dialect::grant(&table)).await?;
            }
        }
        Ok(())
    }
}

const DEPARTURES: &str = "
ALTER TABLE tenants ADD COLUMN exported_at {int};
ALTER TABLE tenants ADD COLUMN departed_since {int};
ALTER TABLE tenants ADD COLUMN erased_at {int};";

const RIGHTS: &[Table] =
    &[Table { name: "tenants", rights: "UPDATE (exported_at, departed_since, erased_at)" }];

/// Tables whose rows stayed for ever until now. Row level security keeps to the tenant in whose name it is done.
const DELETED: &[&str] = &[
    "users",
    "login_directory",
    "devices",
    "patients",
    "assignments",
    "placements",
    "rules",
    "alarms",
    "openings",
    "twins",
    "checkpoints",
    "set_aside",
];
