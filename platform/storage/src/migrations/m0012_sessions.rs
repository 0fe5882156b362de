//! When and from where sessions are used.

use super::{dialect::Table, step::Step};

pub(super) const MIGRATION: Step = Step {
    name: "m0012_sessions",
    sql: SESSIONS,
    creates: &[],
    grants: &[Table { name: "sessions", rights: "UPDATE (last_used_at)" }],
};

/// Sessions of before were used when they were made: they end a little early.
const SESSIONS: &str = "
ALTER TABLE sessions ADD COLUMN last_used_at {int} NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN address {text} NOT NULL DEFAULT '';
UPDATE sessions SET last_used_at = created_at;
CREATE INDEX sessions_of_user ON sessions (tenant_id, user_id);";
