//! What hospitals may use; null where nobody said.

use super::{dialect::Table, step::Step};

pub(super) const MIGRATION: Step =
    Step { name: "m0020_quotas", sql: QUOTAS, creates: &[], grants: &[COLUMNS] };

const QUOTAS: &str = "
ALTER TABLE tenants ADD COLUMN max_devices {int};
ALTER TABLE tenants ADD COLUMN max_users {int};
ALTER TABLE tenants ADD COLUMN max_messages_per_second {int};
ALTER TABLE tenants ADD COLUMN max_query_cost_per_minute {int};
ALTER TABLE tenants ADD COLUMN stored_days {int};";

const COLUMNS: Table = Table {
    name: "tenants",
    rights: "UPDATE (max_devices, max_users, max_messages_per_second, max_query_cost_per_minute, stored_days)",
};
