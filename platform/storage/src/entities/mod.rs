//! The tables, as sea-orm sees them. Nothing of this leaves the crate.
#![allow(unreachable_pub, reason = "sea-orm's derive writes `pub` items")]

pub(crate) mod alarms;
pub(crate) mod api_tokens;
pub(crate) mod assignments;
pub(crate) mod audit;
pub(crate) mod checkpoints;
pub(crate) mod device_tokens;
pub(crate) mod devices;
pub(crate) mod login_directory;
pub(crate) mod outbox;
pub(crate) mod patients;
pub(crate) mod rules;
pub(crate) mod sessions;
pub(crate) mod set_aside;
pub(crate) mod tenants;
pub(crate) mod twins;
pub(crate) mod users;

use ::tenants::access;
use sea_orm::EntityTrait;

/// A table that holds tenants' rows.
pub(crate) trait TenantRows: EntityTrait {
    /// Whose row it is.
    const TENANT: Self::Column;

    /// The column that a policy names, where the table has it.
    fn policy_column(_column: access::Column) -> Option<Self::Column> {
        None
    }
}
