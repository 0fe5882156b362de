//! Programs that act for a hospital itself, and their access tokens.

use super::{dialect::Table, step::Step};

pub(super) const MIGRATION: Step =
    Step { name: "m0016_service_clients", sql: SERVICE_CLIENTS, creates: &TABLES, grants: &[] };

const SERVICE_CLIENTS: &str = "
CREATE TABLE service_clients (
    tenant_id {uuid} NOT NULL REFERENCES tenants (id),
    id {uuid} NOT NULL,
    name {text} NOT NULL,
    role {text} NOT NULL,
    unit_id {uuid} NOT NULL,
    hash {blob} NOT NULL,
    prefix {text} NOT NULL,
    created_at {int} NOT NULL,
    last_used_at {int},
    expires_at {int},
    disabled_at {int},
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES org_units (tenant_id, id)
){strict};
CREATE TABLE client_tokens (
    tenant_id {uuid} NOT NULL,
    hash {blob} NOT NULL,
    client_id {uuid} NOT NULL,
    expires_at {int} NOT NULL,
    PRIMARY KEY (tenant_id, hash),
    FOREIGN KEY (tenant_id, client_id) REFERENCES service_clients (tenant_id, id)
){strict};
CREATE INDEX client_tokens_of_client ON client_tokens (tenant_id, client_id);";

const TABLES: [Table; 2] = [
    Table { name: "service_clients", rights: "SELECT, INSERT, UPDATE, DELETE" },
    Table { name: "client_tokens", rights: "SELECT, INSERT, DELETE" },
];
