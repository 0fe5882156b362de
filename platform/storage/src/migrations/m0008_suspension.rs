//! Hospitals that are cut off.

use super::{dialect::Table, step::Step};

pub(super) const MIGRATION: Step = Step {
    name: "m0008_suspension",
    sql: SUSPENSION,
    creates: &[],
    grants: &[Table { name: "tenants", rights: "UPDATE (suspended_since)" }],
};

const SUSPENSION: &str = "ALTER TABLE tenants ADD COLUMN suspended_since {int};";
