//! People who were asked to join a hospital.

use super::{dialect::Table, step::Step};

pub(super) const MIGRATION: Step =
    Step { name: "m0004_invitations", sql: INVITATIONS, creates: &[TABLE], grants: &[] };

const INVITATIONS: &str = "
CREATE TABLE invitations (
    tenant_id {uuid} NOT NULL,
    hash {blob} NOT NULL,
    email {text} NOT NULL,
    role {text} NOT NULL,
    unit_id {uuid} NOT NULL,
    until {int},
    expires_at {int} NOT NULL,
    PRIMARY KEY (tenant_id, hash),
    UNIQUE (tenant_id, email),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES org_units (tenant_id, id)
){strict};";

const TABLE: Table = Table { name: "invitations", rights: "SELECT, INSERT, DELETE" };
