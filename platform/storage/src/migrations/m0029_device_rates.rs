//! How much any one device of a hospital may send.

use super::{dialect::Table, step::Step};

pub(super) const MIGRATION: Step =
    Step { name: "m0029_device_rates", sql: RATE, creates: &[], grants: &[COLUMN] };

const RATE: &str = "ALTER TABLE tenants ADD COLUMN max_device_messages_per_second {int};";

const COLUMN: Table = Table { name: "tenants", rights: "UPDATE (max_device_messages_per_second)" };
