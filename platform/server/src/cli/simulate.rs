//! `iomt simulate`, and the demo's patients.

use std::{net::SocketAddr, path::Path, sync::Arc};

use simulator::{Cadence, SimulatedDevice, SimulatorConfig};
use tenants::clock::{Clock, SystemClock};
use tokio_util::sync::CancellationToken;

use super::{
    CliError,
    arguments::SimulateArguments,
    output::{remark, say},
    runtime::block_on,
    signals::stopped,
};
use crate::{
    config::{Config, Environment, Sources},
    demo::{self, Credentials},
    logging,
};

pub(super) fn run(arguments: &SimulateArguments) -> Result<(), CliError> {
    let config = Config::load(Sources::default(), &Environment::capture())?;
    logging::start(&config.log).map_err(CliError::Logging)?;
    block_on(simulate(arguments))
}

async fn simulate(arguments: &SimulateArguments) -> Result<(), CliError> {
    let credentials = read(&arguments.credentials)?;
    let mqtt = match arguments.mqtt {
        Some(mqtt) => mqtt,
        None => address(&credentials.mqtt).await?,
    };
    let devices = devices(&credentials, arguments.tenant.as_deref());
    if devices.is_empty() {
        let known: Vec<_> = credentials.tenants.iter().map(|tenant| tenant.slug.as_str()).collect();
        let problem = match &arguments.tenant {
            Some(slug) => format!("no device of {slug} has a patient; the tenants are: {}", known.join(", ")),
            None => "no device has a patient".to_owned(),
        };
        return Err(CliError::NothingToSimulate { problem });
    }
    say(format_args!("Simulating {} patients, sending to {mqtt}. Ctrl-C stops.", devices.len()))?;
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(simulator::run(config(mqtt, devices, arguments.speed), shutdown.clone()));
    stopped().await?;
    remark("Stopping ...");
    shutdown.cancel();
    running.await.map_err(|error| CliError::Runtime(error.into()))
}

fn read(path: &Path) -> Result<Credentials, CliError> {
    let failed = |source| CliError::Credentials { path: path.to_owned(), source };
    let missing = || std::io::Error::new(std::io::ErrorKind::NotFound, "there is no such file");
    Credentials::read(path).map_err(failed)?.ok_or_else(|| failed(missing()))
}

/// The address of `mqtt://host:port`.
async fn address(mqtt: &str) -> Result<SocketAddr, CliError> {
    let authority = mqtt.trim_start_matches("mqtt://").trim_end_matches('/');
    let found = tokio::net::lookup_host(authority).await.ok().and_then(|mut found| found.next());
    found.ok_or_else(|| CliError::NothingToSimulate {
        problem: format!("{mqtt:?} is no address of an MQTT listener; name one with --mqtt"),
    })
}

/// Every device that has a patient, each with a patient of its own.
pub(super) fn devices(credentials: &Credentials, only: Option<&str>) -> Vec<SimulatedDevice> {
    let tenants = credentials.tenants.iter().filter(|tenant| only.is_none_or(|slug| tenant.slug == slug));
    let devices = tenants.flat_map(|tenant| {
        let assigned = tenant.devices.iter().filter(|device| device.patient.is_some());
        assigned.enumerate().map(|(n, device)| {
            let user_name = format!("{}/{}", tenant.slug, device.id);
            SimulatedDevice {
                seed: seed(&user_name),
                course: demo::course(&tenant.slug, n),
                device_id: device.id.clone(),
                password: device.token.clone(),
                user_name,
            }
        })
    });
    devices.collect()
}

/// The same name is the same patient at every start (FNV-1a).
fn seed(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

pub(super) fn config(mqtt: SocketAddr, devices: Vec<SimulatedDevice>, speed: f64) -> SimulatorConfig {
    SimulatorConfig { mqtt, devices, speed, cadence: Cadence::default(), now: Arc::new(|| SystemClock.now()) }
}
