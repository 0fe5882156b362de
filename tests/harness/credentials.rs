//! `credentials.json`, as the demo writes it.
use std::path::PathBuf;

use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
pub struct Credentials {
    pub http: String,
    pub graphql: String,
    pub graphql_ws: String,
    pub mqtt: String,
    /// `mqtts://localhost:<port>`.
    pub mqtts: String,
    /// The authority that has signed its certificate.
    pub ca_pem: PathBuf,
    pub metrics: String,
    pub operator: Operator,
    pub tenants: Vec<Tenant>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Operator {
    pub email: String,
    pub password: String,
    pub token: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Tenant {
    pub slug: String,
    pub id_scope: String,
    pub users: Vec<User>,
    pub devices: Vec<Device>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct User {
    pub persona: String,
    pub email: String,
    pub password: String,
    pub token: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Device {
    pub id: String,
    pub token: String,
    pub symmetric_key: String,
    /// The patient it is assigned to.
    pub patient: Option<String>,
}

impl Tenant {
    /// The demo has one user of each persona in each tenant.
    pub fn user(&self, persona: &str) -> &User {
        let found = self.users.iter().find(|user| user.persona == persona);
        found.unwrap_or_else(|| panic!("{} has no {persona}", self.slug))
    }

    /// A device that is assigned to a patient, counted from 0.
    pub fn monitor(&self, index: usize) -> &Device {
        let mut assigned = self.devices.iter().filter(|device| device.patient.is_some());
        assigned.nth(index).unwrap_or_else(|| panic!("{} has no assigned device number {index}", self.slug))
    }

    /// The MQTT user name of a device.
    pub fn user_name(&self, device: &Device) -> String {
        format!("{}/{}", self.slug, device.id)
    }
}
