//! What can be asked.

mod alarms;
mod api_tokens;
mod audit;
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
mod viewer;

use async_graphql::MergedObject;

pub(crate) use self::openings::names;

/// Everything that can be asked.
#[derive(MergedObject, Default)]
pub struct Query(
    viewer::ViewerQuery,
    second_factor::SecondFactorQuery,
    sessions::SessionQuery,
    devices::DeviceQuery,
    elevations::ElevationQuery,
    patients::PatientQuery,
    alarms::AlarmQuery,
    rules::RuleQuery,
    audit::AuditQuery,
    people::PeopleQuery,
    roles::RoleQuery,
    role_preview::RolePreviewQuery,
    identity_providers::IdentityProviderQuery,
    openings::OpeningQuery,
    api_tokens::ApiTokenQuery,
    service_clients::ServiceClientQuery,
);
