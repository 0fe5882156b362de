//! Sessions of MQTT clients, what waits for them, and retained messages.

use super::{dialect::Table, step::Step};

pub(super) const MIGRATION: Step =
    Step { name: "m0022_mailboxes", sql: MAILBOXES, creates: &TABLES, grants: &[] };

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
