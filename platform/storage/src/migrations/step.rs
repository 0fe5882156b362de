//! A step of the schema's history that is text: what nearly all of them are.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::dialect::{self, Table};

/// One of them, done as a whole or not at all.
pub(super) struct Step {
    /// By which a database knows that it was done.
    pub(super) name: &'static str,
    /// What is done on both databases, in the words of `dialect.rs`.
    pub(super) sql: &'static str,
    /// Tenants' tables that it creates. PostgreSQL guards them and opens them to the runtime role.
    pub(super) creates: &'static [Table],
    /// Rights of the runtime role to tables that were there before, on PostgreSQL.
    pub(super) grants: &'static [Table],
}

impl MigrationName for Step {
    fn name(&self) -> &str {
        self.name
    }
}

#[allow(elided_lifetimes_in_paths, reason = "the trait is declared so")]
#[async_trait::async_trait]
impl MigrationTrait for Step {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::create(manager, self.sql, self.creates).await?;
        let connection = manager.get_connection();
        if connection.get_database_backend() == DbBackend::Postgres {
            for table in self.grants {
                connection.execute_unprepared(&dialect::grant(table)).await?;
            }
        }
        Ok(())
    }
}
