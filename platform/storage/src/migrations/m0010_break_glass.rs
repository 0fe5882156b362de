//! Records that people open in an emergency, and who looked at it later.

use super::{dialect::Table, step::Step};

pub(super) const MIGRATION: Step =
    Step { name: "m0010_break_glass", sql: OPENINGS, creates: &[TABLE], grants: &[] };

const OPENINGS: &str = "
CREATE TABLE openings (
    tenant_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    user_id {uuid} NOT NULL,
    patient_id {uuid} NOT NULL,
    reason {text} NOT NULL,
    opened_at {int} NOT NULL,
    until {int} NOT NULL,
    reviewed_by {uuid},
    reviewed_at {int},
    review_note {text},
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id),
    FOREIGN KEY (tenant_id, patient_id) REFERENCES patients (tenant_id, id),
    FOREIGN KEY (tenant_id, reviewed_by) REFERENCES users (tenant_id, id)
){strict};
CREATE INDEX openings_by_end ON openings (tenant_id, until);
CREATE INDEX openings_unreviewed ON openings (tenant_id) WHERE reviewed_at IS NULL;";

/// An opening stays: it is closed and reviewed, never deleted.
const TABLE: Table = Table { name: "openings", rights: "SELECT, INSERT, UPDATE" };
