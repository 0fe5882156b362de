//! The first schema. `tenant_id` stands first in every tenant's table and in every key of it, so that rows
//! can be distributed by it; `row_security.rs` finds the tables that hold tenants' rows by that column.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::dialect::{self, Table};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0001_first"
    }
}

#[allow(elided_lifetimes_in_paths, reason = "the trait is declared so")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// All or nothing on SQLite too: a half-made schema could not be migrated again.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let backend = connection.get_database_backend();
        for sql in [PLATFORM, PEOPLE, CARE, LOG, SEED] {
            connection.execute_unprepared(&dialect::render(sql, backend)).await?;
        }
        if backend == DbBackend::Postgres {
            // Segments are compressed already; trying again would only cost time on the hot path.
            connection.execute_unprepared("ALTER TABLE segments ALTER messages SET STORAGE EXTERNAL").await?;
            connection.execute_unprepared(dialect::RUNTIME_ROLE).await?;
            for table in TENANT_TABLES {
                connection.execute_unprepared(&dialect::row_security(table.name)).await?;
            }
            for table in TENANT_TABLES.iter().chain(GLOBAL_TABLES) {
                connection.execute_unprepared(&dialect::grant(table)).await?;
            }
        }
        Ok(())
    }
}

/// What belongs to no tenant. The slug "platform" is where operators live.
const PLATFORM: &str = "
CREATE TABLE tenants (
    id {uuid} NOT NULL PRIMARY KEY,
    slug {text} NOT NULL UNIQUE,
    name {text} NOT NULL
){strict};
CREATE TABLE login_directory (
    email {text} NOT NULL PRIMARY KEY,
    tenant {uuid} NOT NULL REFERENCES tenants (id),
    user_id {uuid} NOT NULL
){strict};
CREATE TABLE partitions (
    number {int} NOT NULL PRIMARY KEY,
    node {text} NOT NULL,
    epoch {int} NOT NULL
){strict};
CREATE TABLE meta (
    key {text} NOT NULL PRIMARY KEY,
    value {int} NOT NULL,
    filler {blob}
){strict};";

const PEOPLE: &str = "
CREATE TABLE users (
    tenant_id {uuid} NOT NULL REFERENCES tenants (id),
    id {uuid} NOT NULL,
    email {text} NOT NULL,
    display_name {text} NOT NULL,
    role {text} NOT NULL,
    password_hash {text} NOT NULL,
    PRIMARY KEY (tenant_id, id)
){strict};
CREATE TABLE api_tokens (
    tenant_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    user_id {uuid} NOT NULL,
    name {text} NOT NULL,
    hash {blob} NOT NULL,
    expires_at {int},
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, hash),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
){strict};
CREATE TABLE sessions (
    tenant_id {uuid} NOT NULL,
    hash {blob} NOT NULL,
    user_id {uuid} NOT NULL,
    csrf {text} NOT NULL,
    created_at {int} NOT NULL,
    expires_at {int} NOT NULL,
    PRIMARY KEY (tenant_id, hash),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
){strict};
CREATE TABLE audit (
    tenant_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    at {int} NOT NULL,
    actor {text} NOT NULL,
    action {text} NOT NULL,
    subject {text} NOT NULL,
    outcome {text} NOT NULL,
    detail {text} NOT NULL,
    correlation {int} NOT NULL,
    PRIMARY KEY (tenant_id, id)
){strict};
CREATE INDEX audit_by_time ON audit (tenant_id, at);";

/// The `*_search` columns hold lower case, so that both databases search alike.
const CARE: &str = "
CREATE TABLE devices (
    tenant_id {uuid} NOT NULL REFERENCES tenants (id),
    id {text} NOT NULL,
    name {text} NOT NULL,
    name_search {text} NOT NULL,
    template {text} NOT NULL,
    PRIMARY KEY (tenant_id, id)
){strict};
CREATE TABLE device_tokens (
    tenant_id {uuid} NOT NULL,
    device_id {text} NOT NULL,
    hash {blob} NOT NULL,
    PRIMARY KEY (tenant_id, device_id),
    FOREIGN KEY (tenant_id, device_id) REFERENCES devices (tenant_id, id)
){strict};
CREATE TABLE patients (
    tenant_id {uuid} NOT NULL REFERENCES tenants (id),
    id {uuid} NOT NULL,
    name {text},
    name_search {text} NOT NULL,
    mrn {text},
    mrn_search {text} NOT NULL,
    birth_year {int},
    ward {text} NOT NULL,
    bed {text} NOT NULL,
    place_search {text} NOT NULL,
    spo2_scale {int} NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, mrn)
){strict};
CREATE INDEX patients_by_place ON patients (tenant_id, ward, bed, id);
CREATE TABLE assignments (
    tenant_id {uuid} NOT NULL,
    device_id {text} NOT NULL,
    since {int} NOT NULL,
    until {int},
    patient_id {uuid} NOT NULL,
    PRIMARY KEY (tenant_id, device_id, since),
    FOREIGN KEY (tenant_id, device_id) REFERENCES devices (tenant_id, id),
    FOREIGN KEY (tenant_id, patient_id) REFERENCES patients (tenant_id, id)
){strict};
CREATE UNIQUE INDEX assignments_now ON assignments (tenant_id, device_id) WHERE until IS NULL;
CREATE INDEX assignments_of_patient ON assignments (tenant_id, patient_id) WHERE until IS NULL;
CREATE TABLE rules (
    tenant_id {uuid} NOT NULL REFERENCES tenants (id),
    id {uuid} NOT NULL,
    name {text} NOT NULL,
    path {text} NOT NULL,
    raise_comparison {text} NOT NULL,
    raise_value {real} NOT NULL,
    hold_micros {int} NOT NULL,
    clear_comparison {text} NOT NULL,
    clear_value {real} NOT NULL,
    clear_hold_micros {int} NOT NULL,
    unit {text},
    priority {text} NOT NULL,
    enabled {bool} NOT NULL,
    version {int} NOT NULL,
    PRIMARY KEY (tenant_id, id)
){strict};
CREATE TABLE alarms (
    tenant_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    rule_id {uuid} NOT NULL,
    title {text} NOT NULL,
    title_search {text} NOT NULL,
    device_id {text} NOT NULL,
    patient_id {uuid},
    priority {text} NOT NULL,
    state {text} NOT NULL,
    urgency {int} NOT NULL,
    path {text} NOT NULL,
    value {real} NOT NULL,
    unit {text},
    raised_at {int} NOT NULL,
    acknowledged_by {uuid},
    acknowledged_by_name {text},
    acknowledged_at {int},
    acknowledged_note {text},
    cleared_at {int},
    version {int} NOT NULL,
    PRIMARY KEY (tenant_id, id)
){strict};
CREATE INDEX alarms_by_urgency ON alarms (tenant_id, urgency, raised_at DESC, id DESC);
CREATE INDEX alarms_open_of_patient ON alarms (tenant_id, patient_id) WHERE cleared_at IS NULL;";

/// A segment is one row per tenant and commit. `directory` stands before `messages`, so that SQLite finds
/// it without walking the messages' overflow pages; the index by time answers which segments a span of
/// time needs from itself alone.
const LOG: &str = "
CREATE TABLE segments (
    tenant_id {uuid} NOT NULL,
    first_seq {int} NOT NULL,
    last_seq {int} NOT NULL,
    received_from {int} NOT NULL,
    received_to {int} NOT NULL,
    directory {blob} NOT NULL,
    messages {blob} NOT NULL,
    PRIMARY KEY (tenant_id, first_seq)
){strict};
CREATE INDEX segments_by_time ON segments (tenant_id, received_to, received_from, first_seq);
CREATE TABLE twins (
    tenant_id {uuid} NOT NULL,
    kind {text} NOT NULL,
    id {text} NOT NULL,
    position {int} NOT NULL,
    quarantine {text},
    state {blob} NOT NULL,
    PRIMARY KEY (tenant_id, kind, id)
){strict};
CREATE TABLE checkpoints (
    tenant_id {uuid} NOT NULL PRIMARY KEY,
    position {int} NOT NULL
){strict};
CREATE TABLE set_aside (
    tenant_id {uuid} NOT NULL,
    device_id {text} NOT NULL,
    position {int} NOT NULL,
    received_at {int} NOT NULL,
    reason {text} NOT NULL,
    detail {text} NOT NULL,
    excerpt {text} NOT NULL,
    PRIMARY KEY (tenant_id, device_id, position)
){strict};
CREATE TABLE outbox (
    tenant_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    topic {text} NOT NULL,
    payload {blob} NOT NULL,
    at {int} NOT NULL,
    correlation {int} NOT NULL,
    sent_at {int},
    PRIMARY KEY (tenant_id, id)
){strict};
CREATE INDEX outbox_unsent ON outbox (tenant_id, at) WHERE sent_at IS NULL;";

/// The platform's own tenant, the 1,024 partitions (owned by nobody yet) and the epoch of their ownership.
const SEED: &str = "
INSERT INTO tenants (id, slug, name) VALUES ({nil}, 'platform', 'Platform');
INSERT INTO meta (key, value) VALUES ('ownership', 0);
WITH RECURSIVE numbers (number) AS (SELECT 0 UNION ALL SELECT number + 1 FROM numbers WHERE number < 1023)
INSERT INTO partitions (number, node, epoch) SELECT number, '', 0 FROM numbers;";

/// The log and the trail are append-only: nobody may change a row. Merging segments deletes the parts.
const TENANT_TABLES: &[Table] = &[
    Table { name: "users", rights: "SELECT, INSERT, UPDATE" },
    Table { name: "api_tokens", rights: "SELECT, INSERT, DELETE" },
    Table { name: "sessions", rights: "SELECT, INSERT, DELETE" },
    Table { name: "audit", rights: "SELECT, INSERT" },
    Table { name: "devices", rights: "SELECT, INSERT, UPDATE" },
    Table { name: "device_tokens", rights: "SELECT, INSERT, UPDATE, DELETE" },
    Table { name: "patients", rights: "SELECT, INSERT, UPDATE" },
    Table { name: "assignments", rights: "SELECT, INSERT, UPDATE" },
    Table { name: "rules", rights: "SELECT, INSERT, UPDATE" },
    Table { name: "alarms", rights: "SELECT, INSERT, UPDATE" },
    Table { name: "segments", rights: "SELECT, INSERT, DELETE" },
    Table { name: "twins", rights: "SELECT, INSERT, UPDATE" },
    Table { name: "checkpoints", rights: "SELECT, INSERT, UPDATE" },
    Table { name: "set_aside", rights: "SELECT, INSERT" },
    Table { name: "outbox", rights: "SELECT, INSERT, UPDATE, DELETE" },
];

const GLOBAL_TABLES: &[Table] = &[
    Table { name: "tenants", rights: "SELECT, INSERT" },
    Table { name: "login_directory", rights: "SELECT, INSERT" },
    Table { name: "partitions", rights: "SELECT, UPDATE" },
    Table { name: "meta", rights: "SELECT, INSERT, UPDATE" },
    // So that a server without the right to change the schema sees that it need not.
    Table { name: "seaql_migrations", rights: "SELECT" },
];
