//! What the API stands on.

use std::sync::Arc;

use tenants::{
    access::Access,
    authenticator::Authenticators,
    clock::Clock,
    device_authority::{Certificates, DeviceAuthorities},
    device_certificate::DeviceCertificates,
    enrolment::DeviceKeys,
    identity_provider::Enrolment,
    keys::KeyManagement,
    offboarding::Offboarding,
    onboarding::Onboarding,
    quotas::Meter,
    revocations::Revocations,
    second_factor::SecondFactor,
    stores::{
        Accounts, ApiTokens, AuditTrail, Elevations, IdentityProviders, Openings, OrgUnits, PolicyEffects,
        QuotaRecords, Roles, ServiceClients, Tenants,
    },
};
use twins::{
    Decoders, Twins,
    connections::ConnectionLog,
    downlink::Downlink,
    presence::DeviceSessions,
    store::directory::{Alarms, Devices, History, Patients, Rules},
};

use crate::ApiMetrics;

/// Everything a resolver may use. Whoever wires the platform fills it in.
pub struct Services {
    /// Grants the scopes.
    pub access: Arc<Access>,
    /// Hospitals.
    pub tenants: Arc<dyn Tenants>,
    /// What they may use, and what is stored of them.
    pub quotas: Arc<dyn QuotaRecords>,
    /// Keeps them to their rates.
    pub meter: Arc<Meter>,
    /// Takes hospitals aboard.
    pub onboarding: Onboarding,
    /// Lets them go.
    pub offboarding: Offboarding,
    /// Looks after their data keys.
    pub keys: Arc<dyn KeyManagement>,
    /// Users.
    pub accounts: Arc<dyn Accounts>,
    /// Departments and wards.
    pub units: Arc<dyn OrgUnits>,
    /// Who holds which role.
    pub roles: Arc<dyn Roles>,
    /// What policies come to in the rows that there are.
    pub effects: Arc<dyn PolicyEffects>,
    /// Where people sign in outside the platform.
    pub providers: Arc<dyn IdentityProviders>,
    /// Asks such a provider, and seals its secret.
    pub enrolment: Arc<dyn Enrolment>,
    /// Operators who are let into hospitals.
    pub elevations: Arc<dyn Elevations>,
    /// Records that people open in an emergency.
    pub openings: Arc<dyn Openings>,
    /// Asked again before the gravest acts.
    pub second_factor: Arc<dyn SecondFactor>,
    /// Sets it up and takes it away.
    pub authenticators: Arc<dyn Authenticators>,
    /// What people gave to programs.
    pub tokens: Arc<dyn ApiTokens>,
    /// Programs that act for hospitals themselves.
    pub clients: Arc<dyn ServiceClients>,
    /// To be told of whatever is revoked.
    pub revocations: Arc<Revocations>,
    /// Certificate authorities whose devices are let in.
    pub authorities: Arc<dyn DeviceAuthorities>,
    /// Certificates that are one device's own.
    pub device_certificates: Arc<dyn DeviceCertificates>,
    /// Reads what is uploaded of either.
    pub certificates: Arc<dyn Certificates>,
    /// Makes the keys with which devices sign.
    pub device_keys: Arc<dyn DeviceKeys>,
    /// Speaks to devices.
    pub downlink: Downlink,
    /// Devices that are connected.
    pub sessions: Arc<dyn DeviceSessions>,
    /// What became of devices' connections.
    pub connections: Arc<dyn ConnectionLog>,
    /// Who did what.
    pub audit: Arc<dyn AuditTrail>,
    /// Registered devices.
    pub devices: Arc<dyn Devices>,
    /// Registered patients.
    pub patients: Arc<dyn Patients>,
    /// Alarms, past and present.
    pub alarms: Arc<dyn Alarms>,
    /// Rules.
    pub rules: Arc<dyn Rules>,
    /// Messages of the past.
    pub history: Arc<dyn History>,
    /// The living twins.
    pub twins: Twins,
    /// Reads messages of the past as the twins read those of today: the same that they were opened with.
    pub decoders: Decoders,
    /// What is counted.
    pub metrics: ApiMetrics,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}
