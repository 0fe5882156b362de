//! The tables, as sea-orm sees them. Nothing of this leaves the crate.
#![allow(unreachable_pub, reason = "sea-orm's derive writes `pub` items")]

pub(crate) mod alarms;
pub(crate) mod api_tokens;
pub(crate) mod assignments;
pub(crate) mod audit;
pub(crate) mod authenticators;
pub(crate) mod care_team;
pub(crate) mod checkpoints;
pub(crate) mod client_tokens;
pub(crate) mod data_keys;
pub(crate) mod device_authorities;
pub(crate) mod device_tokens;
pub(crate) mod devices;
pub(crate) mod elevations;
pub(crate) mod external_identities;
pub(crate) mod external_sessions;
pub(crate) mod identity_provider_roles;
pub(crate) mod identity_providers;
pub(crate) mod invitations;
pub(crate) mod login_attempts;
pub(crate) mod login_directory;
pub(crate) mod openings;
pub(crate) mod org_unit_closure;
pub(crate) mod org_units;
pub(crate) mod outbox;
pub(crate) mod patients;
pub(crate) mod placements;
pub(crate) mod policies;
pub(crate) mod recovery_codes;
pub(crate) mod role_grants;
pub(crate) mod roles;
pub(crate) mod rules;
pub(crate) mod service_clients;
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
}

/// A table that callers read under row policies.
pub(crate) trait PolicyRows: TenantRows {
    /// How a row leads to its patient.
    const PATIENT: PatientLink<Self::Column>;

    /// The column that a policy names, where the table has it itself.
    fn own(column: access::Column) -> Option<Self::Column>;
}

/// How a row leads to the patient whom it is about.
pub(crate) enum PatientLink<C> {
    /// It does not.
    None,
    /// The column holds the patient's key, or nothing.
    Key(C),
    /// The column holds a device's id, whose assignment names the patient.
    Device(C),
}
