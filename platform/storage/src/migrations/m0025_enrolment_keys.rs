//! The key by which each hospital enrols devices.

use super::{dialect::Table, step::Step};

pub(super) const MIGRATION: Step =
    Step { name: "m0025_enrolment_keys", sql: KEYS, creates: &TABLES, grants: &[] };

/// One for each hospital: a second one is refused. The id is what its secret is sealed for.
const KEYS: &str = "
CREATE TABLE enrolment_keys (
    tenant_id {uuid} NOT NULL REFERENCES tenants (id),
    id {uuid} NOT NULL,
    secret {blob} NOT NULL,
    made_at {int} NOT NULL,
    PRIMARY KEY (tenant_id)
){strict};";

const TABLES: [Table; 1] = [Table { name: "enrolment_keys", rights: "SELECT, INSERT, UPDATE, DELETE" }];
