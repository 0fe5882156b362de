//! Devices that may not connect.

use super::step::Step;

pub(super) const MIGRATION: Step =
    Step { name: "m0026_blocked_devices", sql: BLOCKED, creates: &[], grants: &[] };

const BLOCKED: &str = "ALTER TABLE devices ADD COLUMN blocked_since {int};";
