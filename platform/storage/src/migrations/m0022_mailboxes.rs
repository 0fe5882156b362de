//! Sessions of MQTT clients, what waits for them, and retained messages.

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::dialect::{self, Table};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0022_mailboxes"
    }
}

#[allow(elided_lifetimes_in_paths, reason = "the trait is declared so")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::create(manager, MAILBOXES, &TABLES).await
    }
}

const MAILBOXES: &str = "
CREATE TABLE publications (
    tenant_id {uuid} NOT NULL REFERENCES tenants (id),
    first_position {int} NOT NULL,
    last_position {int} NOT NULL,
    messages {blob} NOT NULL,
    PRIMARY KEY (tenant_id, last_position)
){strict};
CREATE TABLE retained (
    tenant_id {uuid} NOT NULL REFERENCES tenants (id),
    topic {text} NOT NULL,
    message {blob} NOT NULL,
    PRIMARY KEY (tenant_id, topic)
){strict};
CREATE TABLE mailboxes (
    tenant_id {uuid} NOT NULL REFERENCES tenants (id),
    id {uuid} NOT NULL,
    owner {text} NOT NULL,
    client_id {text} NOT NULL,
    left_at {int},
    standing {blob} NOT NULL,
    flight {blob} NOT NULL,
    PRIMARY KEY (tenant_id, id)
){strict};
CREATE TABLE mailbox_received (
    tenant_id {uuid} NOT NULL REFERENCES tenants (id),
    mailbox_id {uuid} NOT NULL,
    packet_id {int} NOT NULL,
    PRIMARY KEY (tenant_id, mailbox_id, packet_id)
){strict};";

const TABLES: [Table; 4] = [
    Table { name: "publications", rights: "SELECT, INSERT, DELETE" },
    Table { name: "retained", rights: "SELECT, INSERT, UPDATE, DELETE" },
    Table { name: "mailboxes", rights: "SELECT, INSERT, UPDATE, DELETE" },
    Table { name: "mailbox_received", rights: "SELECT, INSERT, DELETE" },
];
