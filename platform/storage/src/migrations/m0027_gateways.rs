//! Devices that speak through another one.

use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::dialect;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0027_gateways"
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
        connection.execute_unprepared(&dialect::render(GATEWAYS, connection.get_database_backend())).await?;
        Ok(())
    }
}

const GATEWAYS: &str = "
ALTER TABLE devices ADD COLUMN gateway_id {text};
CREATE INDEX devices_gateway ON devices (tenant_id, gateway_id);";
