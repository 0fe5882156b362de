//! The types of the schema. Each wraps what the domain has; none is stored and none is sent to a store.

mod alarm;
mod api_token;
mod audit;
mod connection;
mod device;
mod device_authority;
mod device_certificate;
mod elevation;
mod enums;
mod identity_provider;
mod news2;
mod opening;
mod org;
mod patient;
mod role;
mod role_input;
mod rule;
mod second_factor;
mod service_client;
mod session;
mod template;
mod usage;
mod viewer;
mod vital;

pub(crate) use self::{
    alarm::Alarm,
    api_token::ApiToken,
    audit::{AuditEntry, NamedEntry, PatientAccess},
    connection::{
        AlarmConnection, AuditConnection, DeviceConnection, ElevationConnection, OpeningConnection,
        PatientAccessConnection, PatientConnection,
    },
    device::Device,
    device_authority::DeviceAuthority,
    device_certificate::DeviceCertificate,
    elevation::{ActingAs, Elevation, ElevationNow},
    enums::{
        AlarmPriority, AlarmState, AuditOutcome, ClinicalRisk, Comparison, ElevationStanding,
        PatientAccessKind, UnitKind, VitalSign,
    },
    identity_provider::{IdentityProvider, IdentityProviderCheck},
    news2::News2,
    opening::{NamedOpening, RecordOpening},
    org::{OrgUnit, RoleGrant, User},
    patient::Patient,
    role::{
        AccessChange, AccessExtent, EffectiveAccess, PolicyObject, PolicyRowKind, Role, RolePreview, names,
    },
    role_input::SaveRoleInput,
    rule::Rule,
    second_factor::{AuthenticatorPairing, SecondFactor},
    service_client::ServiceClient,
    session::Session,
    template::Template,
    usage::{Quotas, QuotasInput, Usage},
    viewer::{Tenant, Viewer},
    vital::{Vital, vitals},
};
