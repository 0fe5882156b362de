//! Authenticator apps, and the codes for who has lost theirs.

use super::{dialect::Table, step::Step};

pub(super) const MIGRATION: Step =
    Step { name: "m0011_second_factors", sql: SECOND_FACTORS, creates: &TABLES, grants: &[] };

const SECOND_FACTORS: &str = "
CREATE TABLE authenticators (
    tenant_id {uuid} NOT NULL,
    user_id {uuid} NOT NULL,
    secret {blob} NOT NULL,
    since {int},
    last_step {int} NOT NULL,
    PRIMARY KEY (tenant_id, user_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
){strict};
CREATE TABLE recovery_codes (
    tenant_id {uuid} NOT NULL,
    user_id {uuid} NOT NULL,
    hash {blob} NOT NULL,
    PRIMARY KEY (tenant_id, user_id, hash),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
){strict};";

const TABLES: [Table; 2] = [
    Table { name: "authenticators", rights: "SELECT, INSERT, UPDATE, DELETE" },
    Table { name: "recovery_codes", rights: "SELECT, INSERT, DELETE" },
];
