//! Identity providers, and who came through them.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::dialect::{self, Table};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0003_identity_providers"
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
        for sql in [PROVIDERS, LOGINS] {
            connection.execute_unprepared(&dialect::render(sql, backend)).await?;
        }
        if backend == DbBackend::Postgres {
            for table in TABLES {
                connection.execute_unprepared(&dialect::row_security(table.name)).await?;
            }
            for table in TABLES.iter().chain(GLOBAL) {
                connection.execute_unprepared(&dialect::grant(table)).await?;
            }
        }
        Ok(())
    }
}

/// `api_audiences` belongs to no tenant, like `login_directory`: it tells whose an access token is that somebody
/// presents, and that an audience is one tenant's only.
const PROVIDERS: &str = "
CREATE TABLE identity_providers (
    tenant_id {uuid} NOT NULL REFERENCES tenants (id),
    id {uuid} NOT NULL,
    name {text} NOT NULL,
    issuer {text} NOT NULL,
    client_id {text} NOT NULL,
    client_secret {blob},
    api_audience {text},
    scopes {text} NOT NULL,
    group_claim {text} NOT NULL,
    default_role {text},
    enabled {bool} NOT NULL,
    version {int} NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, issuer, client_id)
){strict};
CREATE TABLE identity_provider_roles (
    tenant_id {uuid} NOT NULL,
    provider_id {uuid} NOT NULL,
    position {int} NOT NULL,
    group_name {text} NOT NULL,
    role {text} NOT NULL,
    unit_id {uuid} NOT NULL,
    PRIMARY KEY (tenant_id, provider_id, position),
    FOREIGN KEY (tenant_id, provider_id) REFERENCES identity_providers (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, unit_id) REFERENCES org_units (tenant_id, id)
){strict};
CREATE TABLE api_audiences (
    issuer {text} NOT NULL,
    audience {text} NOT NULL,
    tenant {uuid} NOT NULL,
    provider_id {uuid} NOT NULL,
    PRIMARY KEY (issuer, audience)
){strict};";

/// `granted` holds what the provider's groups gave last, so that this and nothing else is taken away again.
const LOGINS: &str = "
CREATE TABLE login_attempts (
    tenant_id {uuid} NOT NULL,
    state {blob} NOT NULL,
    browser {blob} NOT NULL,
    provider_id {uuid} NOT NULL,
    provider_version {int} NOT NULL,
    nonce {text} NOT NULL,
    pkce_verifier {text} NOT NULL,
    next {text} NOT NULL,
    started_at {int} NOT NULL,
    expires_at {int} NOT NULL,
    PRIMARY KEY (tenant_id, state),
    FOREIGN KEY (tenant_id, provider_id) REFERENCES identity_providers (tenant_id, id) ON DELETE CASCADE
){strict};
CREATE TABLE external_identities (
    tenant_id {uuid} NOT NULL,
    provider_id {uuid} NOT NULL,
    subject {text} NOT NULL,
    user_id {uuid} NOT NULL,
    granted {text} NOT NULL,
    PRIMARY KEY (tenant_id, provider_id, subject),
    FOREIGN KEY (tenant_id, provider_id) REFERENCES identity_providers (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
){strict};
CREATE TABLE external_sessions (
    tenant_id {uuid} NOT NULL,
    hash {blob} NOT NULL,
    provider_id {uuid} NOT NULL,
    subject {text} NOT NULL,
    sid {text},
    PRIMARY KEY (tenant_id, hash),
    FOREIGN KEY (tenant_id, hash) REFERENCES sessions (tenant_id, hash) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, provider_id) REFERENCES identity_providers (tenant_id, id) ON DELETE CASCADE
){strict};
CREATE INDEX external_sessions_of_provider ON external_sessions (tenant_id, provider_id, subject);
CREATE TABLE logout_tokens (
    tenant_id {uuid} NOT NULL,
    provider_id {uuid} NOT NULL,
    jti {text} NOT NULL,
    expires_at {int} NOT NULL,
    PRIMARY KEY (tenant_id, provider_id, jti),
    FOREIGN KEY (tenant_id, provider_id) REFERENCES identity_providers (tenant_id, id) ON DELETE CASCADE
){strict};";

const TABLES: &[Table] = &[
    Table { name: "identity_providers", rights: "SELECT, INSERT, UPDATE, DELETE" },
    Table { name: "identity_provider_roles", rights: "SELECT, INSERT, DELETE" },
    Table { name: "login_attempts", rights: "SELECT, INSERT, DELETE" },
    Table { name: "external_identities", rights: "SELECT, INSERT, UPDATE, DELETE" },
    Table { name: "external_sessions", rights: "SELECT, INSERT, DELETE" },
    Table { name: "logout_tokens", rights: "SELECT, INSERT, DELETE" },
];

const GLOBAL: &[Table] = &[
    Table { name: "api_audiences", rights: "SELECT, INSERT, DELETE" },
    // Somebody's address can change at their provider.
    Table { name: "login_directory", rights: "UPDATE (email)" },
];
