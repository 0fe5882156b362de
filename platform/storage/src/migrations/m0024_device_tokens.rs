//! Devices are found by their tokens alone, too: those made for ThingsBoard present nothing else.

use super::step::Step;

pub(super) const MIGRATION: Step =
    Step { name: "m0024_device_tokens", sql: BY_HASH, creates: &[], grants: &[] };

const BY_HASH: &str = "CREATE INDEX device_tokens_hash ON device_tokens (tenant_id, hash);";
