//! What hospitals allow devices and programs that are connected.

use super::{dialect::Table, step::Step};

pub(super) const MIGRATION: Step =
    Step { name: "m0031_client_quotas", sql: QUOTAS, creates: &[], grants: &[COLUMN] };

/// As JSON; null where nobody has said anything.
const QUOTAS: &str = "ALTER TABLE tenants ADD COLUMN client_quotas {text};";

const COLUMN: Table = Table { name: "tenants", rights: "UPDATE (client_quotas)" };
