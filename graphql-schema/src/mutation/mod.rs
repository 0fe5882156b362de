//! What can be changed.

mod acknowledge_alarm;
mod api_tokens;
mod create_tenant;
mod device_access;
mod device_authorities;
mod elevations;
mod identity_providers;
mod locate_tenant;
mod offboard_tenant;
mod open_record;
mod org_units;
mod people;
mod places;
mod release_device;
mod roles;
mod rotate_data_key;
mod save_rule;
mod second_factor;
mod service_clients;
mod sessions;
mod set_quotas;
mod suspend_tenant;
mod tell_device;

use async_graphql::MergedObject;

/// What operators change about hospitals.
#[derive(MergedObject, Default)]
struct OperatorMutation(
    create_tenant::TenantMutation,
    locate_tenant::LocalityMutation,
    suspend_tenant::SuspensionMutation,
    offboard_tenant::OffboardingMutation,
    rotate_data_key::DataKeyMutation,
    set_quotas::QuotaMutation,
);

/// Who gets in, and what they may do.
#[derive(MergedObject, Default)]
struct RightsMutation(
    second_factor::SecondFactorMutation,
    sessions::SessionMutation,
    api_tokens::ApiTokenMutation,
    service_clients::ServiceClientMutation,
    people::PeopleMutation,
    roles::RoleMutation,
    identity_providers::IdentityProviderMutation,
);

/// Everything that can be changed.
#[derive(MergedObject, Default)]
pub struct Mutation(
    acknowledge_alarm::AlarmMutation,
    save_rule::RuleMutation,
    release_device::DeviceMutation,
    device_access::DeviceAccessMutation,
    tell_device::DownlinkMutation,
    device_authorities::DeviceAuthorityMutation,
    elevations::ElevationMutation,
    org_units::OrgUnitMutation,
    places::PlaceMutation,
    open_record::OpeningMutation,
    // Last: the first parts are nested deepest, and the compiler follows a nesting only so far.
    RightsMutation,
    OperatorMutation,
);
