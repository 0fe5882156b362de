//! Devices have certificates of their own.

use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::dialect;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0030_device_certificates"
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
        let sql = dialect::render(CERTIFICATES, connection.get_database_backend());
        connection.execute_unprepared(&sql).await?;
        Ok(())
    }
}

/// As JSON, beside the other thing that a device shows; null for nearly all.
const CERTIFICATES: &str = "ALTER TABLE device_tokens ADD COLUMN certificates {text};";
