//! What became of devices' connections.

use super::{dialect::Table, step::Step};

pub(super) const MIGRATION: Step =
    Step { name: "m0023_connections", sql: CONNECTIONS, creates: &TABLES, grants: &[] };

/// One row for each device, with its newest events as JSON: what is kept has its bound by itself.
const CONNECTIONS: &str = "
CREATE TABLE device_connections (
    tenant_id {uuid} NOT NULL REFERENCES tenants (id),
    device_id {text} NOT NULL,
    events {text} NOT NULL,
    PRIMARY KEY (tenant_id, device_id)
){strict};";

const TABLES: [Table; 1] = [Table { name: "device_connections", rights: "SELECT, INSERT, UPDATE, DELETE" }];
