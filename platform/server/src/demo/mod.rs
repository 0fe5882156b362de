//! The demo: a live hospital on one machine, for somebody who has never seen the platform.

mod certificates;
mod credentials;
mod folder;
mod hospital;
mod ports;
mod seed;

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

pub(crate) use credentials::Credentials;
pub(crate) use folder::FolderError;
pub(crate) use hospital::course;
pub(crate) use seed::SeedError;

use self::{
    certificates::DemoCertificates,
    folder::Folder,
    seed::{Seed, Size},
};
use crate::{
    config::{Config, ConfigError, Environment, Given, Sources, key},
    wiring::{Foundation, Platform, StartError},
};

/// What can be asked of a demo.
#[derive(Debug, Clone)]
pub(crate) struct DemoOptions {
    /// Its folder.
    pub(crate) data: PathBuf,
    /// Wanted ports; 0 for any.
    pub(crate) http: u16,
    pub(crate) mqtt: u16,
    pub(crate) mqtts: u16,
    pub(crate) metrics: u16,
    /// Whether to forget an earlier demo in the same folder.
    pub(crate) reset: bool,
    /// Patients of the first hospital.
    pub(crate) patients: usize,
    /// Devices without patients, for load tests.
    pub(crate) extra_devices: usize,
}

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("no free port from {wanted} on; choose another one with --{option}")]
    NoPort { wanted: u16, option: &'static str },
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("the demo's hospitals cannot be set up")]
    Seed(#[from] SeedError),
    #[error("the demo's certificates cannot be made")]
    Certificates(#[source] std::io::Error),
    #[error("credentials.json cannot be {what}")]
    Credentials {
        what: &'static str,
        #[source]
        cause: std::io::Error,
    },
}

/// A running demo.
pub(crate) struct Demo {
    pub(crate) platform: Platform,
    pub(crate) credentials: Credentials,
    /// Where `credentials.json` is.
    pub(crate) file: PathBuf,
    _folder: Folder,
}

impl Demo {
    /// Sets up what is missing, starts the platform, and writes `credentials.json` once it takes messages.
    pub(crate) async fn start(options: &DemoOptions, environment: &Environment) -> Result<Self, DemoError> {
        let folder = Folder::open(&options.data, options.reset)?;
        let file = folder.credentials();
        let certificates = DemoCertificates::find(&options.data).map_err(DemoError::Certificates)?;
        let config = configure(options, &folder, &certificates, environment)?;
        let foundation = Foundation::lay(&config).await?;
        let known =
            Credentials::read(&file).map_err(|cause| DemoError::Credentials { what: "read", cause })?;
        let mut credentials = match known {
            Some(known) => known,
            None => seed(&foundation, options).await?,
        };
        let platform = Platform::start(config, foundation).await?;
        credentials.http = format!("http://{}", platform.http);
        credentials.graphql = format!("http://{}/graphql", platform.http);
        credentials.graphql_ws = format!("ws://{}/graphql/ws", platform.http);
        credentials.mqtt = format!("mqtt://{}", platform.mqtt);
        // Certificates name a host, not where it is.
        let mqtts = platform.mqtts.map(|address| format!("mqtts://localhost:{}", address.port()));
        credentials.mqtts = mqtts.unwrap_or_default();
        credentials.ca_pem = certificates.ca;
        credentials.metrics = format!("http://{}/metrics", platform.metrics);
        credentials.write(&file).map_err(|cause| DemoError::Credentials { what: "written", cause })?;
        Ok(Self { platform, credentials, file, _folder: folder })
    }
}

async fn seed(foundation: &Foundation, options: &DemoOptions) -> Result<Credentials, SeedError> {
    let seed = Seed {
        database: foundation.database.clone(),
        identity: Arc::clone(&foundation.identity),
        access: Arc::clone(&foundation.access),
        clock: Arc::clone(&foundation.clock),
    };
    seed.run(Size { patients: options.patients, extra_devices: options.extra_devices }).await
}

/// The platform's configuration: what the environment says, with the demo's folder and ports.
fn configure(
    options: &DemoOptions,
    folder: &Folder,
    certificates: &DemoCertificates,
    environment: &Environment,
) -> Result<Config, DemoError> {
    let mut given = Vec::new();
    let mut free =
        |wanted, option| ports::free(wanted, &mut given).ok_or(DemoError::NoPort { wanted, option });
    let flag = |setting, address: SocketAddr| -> Given { (setting, address.to_string()) };
    let flags = vec![
        flag(&key::HTTP_ADDR, free(options.http, "http")?),
        flag(&key::MQTT_ADDR, free(options.mqtt, "mqtt")?),
        flag(&key::MQTTS_ADDR, free(options.mqtts, "mqtts")?),
        flag(&key::METRICS_ADDR, free(options.metrics, "metrics")?),
    ];
    let database = format!("sqlite://{}", folder.database().display());
    let defaults = vec![
        (&key::DATABASE_URL, database),
        (&key::LOG_FILTER, "warn".to_owned()),
        (&key::TLS_CERT, certificates.cert.display().to_string()),
        (&key::TLS_KEY, certificates.key.display().to_string()),
    ];
    Ok(Config::load(Sources { flags, file: None, defaults }, environment)?)
}
