//! What can be asked.

mod alarms;
mod api_tokens;
mod audit;
mod device_authorities;
mod devices;
mod elevations;
mod identity_providers;
mod openings;
mod patients;
mod people;
mod role_preview;
mod roles;
mod rules;
mod second_factor;
mod service_clients;
mod sessions;
mod usage;
mod viewer;

use async_graphql::MergedObject;

pub(crate) use self::openings::names;

/// Who gets in, and what they may do.
#[derive(MergedObject, Default)]
struct RightsQuery(
    second_factor::SecondFactorQuery,
    sessions::SessionQuery,
    api_tokens::ApiTokenQuery,
    device_authorities::DeviceAuthorityQuery,
    service_clients::ServiceClientQuery,
    people::PeopleQuery,
    roles::RoleQuery,
    role_preview::RolePreviewQuery,
    identity_providers::IdentityProviderQuery,
);

/// Everything that can be asked.
#[derive(MergedObject, Default)]
pub struct Query(
    viewer::ViewerQuery,
    devices::DeviceQuery,
    patients::PatientQuery,
    alarms::AlarmQuery,
    rules::RuleQuery,
    audit::AuditQuery,
    openings::OpeningQuery,
    elevations::ElevationQuery,
    usage::UsageQuery,
    // Last: the first parts are nested deepest, and the compiler follows a nesting only so far.
    RightsQuery,
);
