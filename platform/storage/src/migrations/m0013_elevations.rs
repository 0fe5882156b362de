//! Operators who are let into hospitals for a while.

use super::{dialect::Table, step::Step};

pub(super) const MIGRATION: Step =
    Step { name: "m0013_elevations", sql: ELEVATIONS, creates: &[TABLE], grants: &[] };

/// The operator is a user of the platform, whose rows a hospital's transaction does not see.
const ELEVATIONS: &str = "
CREATE TABLE elevations (
    tenant_id {uuid} NOT NULL REFERENCES tenants (id),
    id {uuid} NOT NULL,
    operator_id {uuid} NOT NULL,
    operator_name {text} NOT NULL,
    role {text} NOT NULL,
    reason {text} NOT NULL,
    hours {int} NOT NULL,
    asked_at {int} NOT NULL,
    granted {bool},
    answered_by {uuid},
    answered_by_name {text},
    answered_at {int},
    until {int},
    ended_at {int},
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, answered_by) REFERENCES users (tenant_id, id)
){strict};
CREATE INDEX elevations_by_end ON elevations (tenant_id, until);
CREATE INDEX elevations_by_operator ON elevations (tenant_id, operator_id);";

/// What was asked stays, answered and ended, for as long as the hospital does.
const TABLE: Table = Table { name: "elevations", rights: "SELECT, INSERT, UPDATE, DELETE" };
