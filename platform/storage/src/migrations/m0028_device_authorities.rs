//! Certificate authorities whose devices are let in.

use super::{dialect::Table, step::Step};

pub(super) const MIGRATION: Step =
    Step { name: "m0028_device_authorities", sql: AUTHORITIES, creates: &TABLES, grants: &[] };

const AUTHORITIES: &str = "
CREATE TABLE device_authorities (
    tenant_id {uuid} NOT NULL REFERENCES tenants (id),
    id {uuid} NOT NULL,
    certificate {blob} NOT NULL,
    subject {text} NOT NULL,
    fingerprint {blob} NOT NULL,
    not_before {int} NOT NULL,
    not_after {int} NOT NULL,
    challenge {text} NOT NULL,
    added_at {int} NOT NULL,
    proven_at {int},
    list {blob},
    list_entries {int},
    list_issued_at {int},
    list_next_at {int},
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, fingerprint)
){strict};";

const TABLES: [Table; 1] = [Table { name: "device_authorities", rights: "SELECT, INSERT, UPDATE, DELETE" }];
