//! `credentials.json`: how to get into the demo. The only place where its secrets are kept.

use std::{
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// The file, as the documentation describes it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Credentials {
    pub(crate) http: String,
    pub(crate) graphql: String,
    pub(crate) graphql_ws: String,
    pub(crate) mqtt: String,
    #[serde(default)]
    pub(crate) mqtts: String,
    /// The demo's authority, which has signed the certificate of `mqtts`.
    #[serde(default)]
    pub(crate) ca_pem: PathBuf,
    pub(crate) metrics: String,
    pub(crate) operator: Person,
    pub(crate) tenants: Vec<DemoTenant>,
}

/// A hospital.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DemoTenant {
    pub(crate) slug: String,
    /// As the Device Provisioning Service calls the hospital.
    #[serde(default)]
    pub(crate) id_scope: String,
    pub(crate) name: String,
    pub(crate) users: Vec<Person>,
    pub(crate) devices: Vec<DemoDevice>,
}

/// Someone who can sign in, with an API token of the same rights.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) persona: String,
    pub(crate) email: String,
    pub(crate) password: String,
    pub(crate) token: String,
}

/// A device that can connect.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct DemoDevice {
    pub(crate) id: String,
    pub(crate) token: String,
    /// With which it signs where it is one made for Azure IoT Hub.
    #[serde(default)]
    pub(crate) symmetric_key: String,
    /// Id of the patient it measures.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) patient: Option<String>,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person").field("email", &self.email).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for DemoDevice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DemoDevice").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Credentials {
    /// Reads the file; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read or is not what was written.
    pub(crate) fn read(path: &Path) -> io::Result<Option<Self>> {
        match std::fs::read(path) {
            Ok(text) => serde_json::from_slice(&text).map(Some).map_err(io::Error::from),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces the file in one step; only its owner can read it.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        use std::{io::Write, os::unix::fs::OpenOptionsExt};
        let partial = path.with_extension("json.partial");
        let _absent = std::fs::remove_file(&partial);
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.sync_all()?;
        std::fs::rename(&partial, path)
    }
}
