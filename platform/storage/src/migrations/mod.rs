//! The schema's history. One text for both databases; `dialect.rs` says where they differ.

mod dialect;
mod m0001_first;
mod m0002_access;
mod m0003_identity_providers;
mod m0004_invitations;
mod m0005_audit;
mod m0008_suspension;
mod m0009_credentials;
mod m0010_break_glass;
mod m0011_second_factors;
mod m0012_sessions;
mod m0013_elevations;
mod m0014_keys;
mod m0016_service_clients;
mod m0017_session_agents;
mod m0018_offboarding;
mod m0019_locality;
mod m0020_quotas;
mod m0021_token_topics;
mod m0022_mailboxes;
mod m0023_connections;
mod m0024_device_tokens;
mod m0025_enrolment_keys;
mod m0026_blocked_devices;
mod m0027_gateways;
mod m0028_device_authorities;
mod m0029_device_rates;
mod m0030_device_certificates;
mod m0031_client_quotas;
mod step;

use std::collections::HashSet;

use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use sea_orm_migration::{MigrationTrait, MigratorTrait};

use crate::errors::StorageError;

/// Brings a database to this version's schema.
pub(crate) struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_first::Migration),
            Box::new(m0002_access::Migration),
            Box::new(m0003_identity_providers::Migration),
            Box::new(m0004_invitations::MIGRATION),
            Box::new(m0005_audit::Migration),
            Box::new(m0008_suspension::MIGRATION),
            Box::new(m0010_break_glass::MIGRATION),
            Box::new(m0011_second_factors::MIGRATION),
            Box::new(m0009_credentials::Migration),
            Box::new(m0012_sessions::MIGRATION),
            Box::new(m0014_keys::Migration),
            Box::new(m0017_session_agents::MIGRATION),
            Box::new(m0018_offboarding::Migration),
            Box::new(m0019_locality::MIGRATION),
            Box::new(m0013_elevations::MIGRATION),
            Box::new(m0016_service_clients::MIGRATION),
            Box::new(m0020_quotas::MIGRATION),
            Box::new(m0021_token_topics::MIGRATION),
            Box::new(m0022_mailboxes::MIGRATION),
            Box::new(m0023_connections::MIGRATION),
            Box::new(m0024_device_tokens::MIGRATION),
            Box::new(m0025_enrolment_keys::MIGRATION),
            Box::new(m0026_blocked_devices::MIGRATION),
            Box::new(m0027_gateways::MIGRATION),
            Box::new(m0028_device_authorities::MIGRATION),
            Box::new(m0029_device_rates::MIGRATION),
            Box::new(m0030_device_certificates::MIGRATION),
            Box::new(m0031_client_quotas::MIGRATION),
        ]
    }
}

/// Whether nothing is left to do on a PostgreSQL database. Looking does not need the right to change it.
pub(crate) async fn is_current(postgres: &DatabaseConnection) -> Result<bool, StorageError> {
    let rows = |sql| postgres.query_all_raw(Statement::from_string(postgres.get_database_backend(), sql));
    let found = rows("SELECT 1 WHERE to_regclass('seaql_migrations') IS NOT NULL").await?;
    if found.is_empty() {
        return Ok(false);
    }
    let done = rows("SELECT version FROM seaql_migrations").await?;
    let done = done.iter().map(|row| row.try_get_by_index(0)).collect::<Result<HashSet<String>, _>>()?;
    Ok(Migrator::migrations().iter().all(|migration| done.contains(migration.name())))
}
