//! What browsers say they are, so that somebody recognises their sessions.

use super::step::Step;

pub(super) const MIGRATION: Step =
    Step { name: "m0017_session_agents", sql: AGENTS, creates: &[], grants: &[] };

const AGENTS: &str = "ALTER TABLE sessions ADD COLUMN agent {text} NOT NULL DEFAULT '';";
