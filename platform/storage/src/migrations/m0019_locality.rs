//! Where hospitals are, and how times and dates are written there.

use super::{dialect::Table, step::Step};

pub(super) const MIGRATION: Step = Step {
    name: "m0019_locality",
    sql: LOCALITY,
    creates: &[],
    grants: &[Table { name: "tenants", rights: "UPDATE (region, locale, time_zone)" }],
};

const LOCALITY: &str = "
ALTER TABLE tenants ADD COLUMN region {text};
ALTER TABLE tenants ADD COLUMN locale {text};
ALTER TABLE tenants ADD COLUMN time_zone {text};";
