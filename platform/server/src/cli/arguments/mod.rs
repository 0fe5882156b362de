//! What can be typed.

mod tenant;

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use tenants::TenantSlug;

pub(super) use tenant::{
    ClientQuotasArguments, KeptDays, TenantCommand, TenantCreateArguments, TenantExportArguments,
    TenantOffboardArguments, TenantQuotasArguments, TenantResumeArguments, TenantSuspendArguments,
};

use super::errors::CliError;
use crate::config::{Config, Environment, Given, Sources, Values, key};

#[derive(Debug, Parser)]
#[command(
    name = "iomt",
    version,
    about = "A platform for connected medical devices: their data, their twins, the alarms that follow.",
    long_about = "A platform for connected medical devices: their data, their twins, the alarms that follow.\n\n\
                  It is not a certified medical device and must not be the only thing that watches over a patient.",
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.",
    after_long_help = "Examples:\n  iomt demo\n  iomt serve --config /etc/iomt.toml\n  iomt doctor --json\n\n\
                       Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.",
    arg_required_else_help = true
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the server.
    #[command(after_help = "\
The first start prints a link with which the first account is made; there is no known password.

Examples:
  iomt serve
  iomt serve --config /etc/iomt.toml
  iomt serve --http-addr 0.0.0.0:8080 --public-url https://iomt.example.org
  IOMT_DATABASE_URL_FILE=/run/secrets/database-url iomt serve")]
    Serve(ServeArguments),
    /// Run a demo hospital with simulated patients, on this machine only.
    #[command(after_help = "\
Examples:
  iomt demo
  iomt demo --reset --patients 40
  iomt demo --data /tmp/ward --http 9000 --no-simulator")]
    Demo(DemoArguments),
    /// Send simulated patients' readings to a running server, as its devices would.
    #[command(after_help = "\
Examples:
  iomt simulate --credentials .demo/credentials.json
  iomt simulate --credentials .demo/credentials.json --tenant st-elsewhere --speed 10")]
    Simulate(SimulateArguments),
    /// Bring the database up to this version, without starting the server.
    #[command(after_help = "\
`iomt serve` does this by itself. Run it beforehand where the server's own database role may not change tables.

Examples:
  iomt migrate
  iomt migrate --database-url postgres://owner@db/iomt")]
    Migrate(ConfigArguments),
    /// Hospitals.
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Device templates (DTDL version 2).
    #[command(subcommand)]
    Template(TemplateCommand),
    /// Exchange the keys that seal what is stored.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Register devices.
    #[command(subcommand)]
    Device(DeviceCommand),
    /// Look after the audit trails.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Print the GraphQL schema.
    #[command(after_help = "Examples:\n  iomt schema > schema.graphql")]
    Schema,
    /// Print the description of the REST addresses (OpenAPI).
    #[command(after_help = "Examples:\n  iomt openapi > openapi.json")]
    Openapi,
    /// Check whether the server can run here, and say what to do where it cannot.
    #[command(after_help = "Examples:\n  iomt doctor\n  iomt doctor --config /etc/iomt.toml --json")]
    Doctor(ReportArguments),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print what makes a shell complete this program's arguments.
    #[command(after_help = "\
Examples:
  iomt completions bash > /etc/bash_completion.d/iomt
  iomt completions zsh > \"${fpath[1]}/_iomt\"")]
    Completions {
        /// For which shell.
        shell: Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Check the configuration and print what applies, with secrets hidden.
    #[command(after_help = "\
Flags go before the environment (IOMT_...), that before the file (--config), that before the defaults.

Examples:
  iomt config check
  iomt config check --config /etc/iomt.toml --json")]
    Check(ReportArguments),
}

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Make a hospital's next data key.
    #[command(after_help = "\
Works beside running servers, which seal with it from two minutes on, seal anew what is there, and delete the old key when
nothing needs it any more. Nothing is unreadable meanwhile.

Examples:
  iomt keys rotate --slug st-elsewhere
  iomt keys rotate --all --json")]
    Rotate(KeysRotateArguments),
}

#[derive(Debug, Args)]
pub(super) struct KeysRotateArguments {
    #[command(flatten)]
    pub(super) config: ConfigArguments,
    /// The hospital's name in addresses.
    #[arg(long, value_name = "SLUG", required_unless_present = "all", conflicts_with = "all")]
    pub(super) slug: Option<TenantSlug>,
    /// Every hospital's, and the operators' own.
    #[arg(long)]
    pub(super) all: bool,
    /// Print JSON, a line for each hospital.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum DeviceCommand {
    /// Register the devices of a CSV file: all of them, or none when a row is wrong.
    #[command(after_help = "\
The header is id,template,name and may have patient, a patient's id. Each device gets a token, which is told once: into the
file of --tokens-out, which must not exist yet and which only you can read, or as id,token to standard output.

Examples:
  iomt device import --tenant st-mary devices.csv --dry-run
  iomt device import --tenant st-mary devices.csv --tokens-out tokens.csv
  iomt device import --tenant st-mary devices.csv --skip-bad --json")]
    Import(DeviceImportArguments),
}

#[derive(Debug, Args)]
pub(super) struct DeviceImportArguments {
    #[command(flatten)]
    pub(super) config: ConfigArguments,
    /// A CSV file with a header.
    #[arg(value_name = "FILE.csv")]
    pub(super) file: PathBuf,
    /// The hospital whose devices they are.
    #[arg(long, value_name = "SLUG")]
    pub(super) tenant: TenantSlug,
    /// Check the file against the hospital, and change nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Leave rows out that are wrong, and import the others.
    #[arg(long)]
    pub(super) skip_bad: bool,
    /// Where the devices' tokens are written.
    #[arg(long, value_name = "FILE")]
    pub(super) tokens_out: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum TemplateCommand {
    /// Check files, or all JSON files of directories, and say what is wrong where.
    #[command(after_help = "\
Examples:
  iomt template check monitor.json
  iomt template check models/ --json")]
    Check(TemplateCheckArguments),
}

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Walk every audit trail and name the first entry that is not as it was written.
    #[command(after_help = "\
Each entry has the hash of the one before, so what was edited, deleted, moved or cut off is found. Whoever can write the
database could still write a whole trail anew: --anchor compares with the ends that an earlier run has seen, and remembers
today's when all is well. Keep that file where nobody can change it who can change the database. The server logs the ends
hourly, too.

Examples:
  iomt audit verify
  iomt audit verify --tenant st-mary --json
  iomt audit verify --anchor /mnt/elsewhere/iomt-anchors.json")]
    Verify(AuditVerifyArguments),
}

#[derive(Debug, Args)]
pub(super) struct AuditVerifyArguments {
    #[command(flatten)]
    pub(super) config: ConfigArguments,
    /// Only the trail of this hospital, or of the platform.
    #[arg(long, value_name = "SLUG")]
    pub(super) tenant: Option<TenantSlug>,
    /// A file with the ends of the trails as an earlier run has seen them; it is made when it is not there.
    #[arg(long, value_name = "FILE")]
    pub(super) anchor: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct TemplateCheckArguments {
    /// Files or directories.
    #[arg(required = true, value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// Settings that every command shares.
#[derive(Debug, Default, Args)]
pub(super) struct ConfigArguments {
    /// A TOML file with settings.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// sqlite://PATH or postgres://... Other users of this machine can see what stands on a command line:
    /// put an address with a password into IOMT_DATABASE_URL_FILE.
    #[arg(long, value_name = "URL")]
    pub(super) database_url: Option<String>,
}

#[derive(Debug, Default, Args)]
pub(super) struct ServeArguments {
    #[command(flatten)]
    pub(super) config: ConfigArguments,
    /// Where browsers and programs connect [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDRESS")]
    pub(super) http_addr: Option<String>,
    /// How the outside reaches that address, e.g. https://iomt.example.org.
    #[arg(long, value_name = "URL")]
    pub(super) public_url: Option<String>,
    /// Where devices connect [default: 127.0.0.1:1883].
    #[arg(long, value_name = "ADDRESS")]
    pub(super) mqtt_addr: Option<String>,
    /// Where they connect over TLS [default: that address with port 8883, once there is a certificate].
    #[arg(long, value_name = "ADDRESS")]
    pub(super) mqtts_addr: Option<String>,
    /// The server's certificate and what leads to its authority, in PEM; read anew when it changes.
    #[arg(long, value_name = "FILE")]
    pub(super) tls_cert: Option<String>,
    /// Its private key, in PEM.
    #[arg(long, value_name = "FILE")]
    pub(super) tls_key: Option<String>,
    /// Where metrics are read [default: 127.0.0.1:9090].
    #[arg(long, value_name = "ADDRESS")]
    pub(super) metrics_addr: Option<String>,
    /// What is logged, e.g. info or info,broker=debug [default: info].
    #[arg(long, value_name = "FILTER")]
    pub(super) log: Option<String>,
}

#[derive(Debug, Default, Args)]
pub(super) struct ReportArguments {
    #[command(flatten)]
    pub(super) config: ConfigArguments,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct DemoArguments {
    /// Where the demo keeps its database and credentials.json.
    #[arg(long, value_name = "DIR", default_value = ".demo")]
    pub(super) data: PathBuf,
    /// Port of the web UI and of GraphQL; one that is taken gives way to the next free one, 0 to any.
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    pub(super) http: u16,
    /// Port of MQTT, likewise.
    #[arg(long, value_name = "PORT", default_value_t = 1883)]
    pub(super) mqtt: u16,
    /// Port of MQTT over TLS, likewise; the demo has an authority and a certificate of its own.
    #[arg(long, value_name = "PORT", default_value_t = 8883)]
    pub(super) mqtts: u16,
    /// Simulated patients of the larger hospital.
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u16).range(1..=2_000))]
    pub(super) patients: u16,
    /// Further devices without a patient, for load tests.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub(super) extra_devices: u32,
    /// Send no simulated readings: connect devices of your own.
    #[arg(long)]
    pub(super) no_simulator: bool,
    /// Throw the demo's data away and begin anew.
    #[arg(long)]
    pub(super) reset: bool,
    /// Print what was started as one line of JSON.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct SimulateArguments {
    /// The credentials.json of the server whose devices are simulated.
    #[arg(long, value_name = "FILE")]
    pub(super) credentials: PathBuf,
    /// Only the devices of this tenant.
    #[arg(long, value_name = "SLUG")]
    pub(super) tenant: Option<String>,
    /// The MQTT listener, if it is not the one that the file names.
    #[arg(long, value_name = "ADDRESS")]
    pub(super) mqtt: Option<SocketAddr>,
    /// Simulated seconds per second.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor)]
    pub(super) speed: f64,
}

fn factor(text: &str) -> Result<f64, String> {
    let factor = text.parse().ok().filter(|factor| (0.1..=100.0).contains(factor));
    factor.ok_or_else(|| "must be between 0.1 and 100".to_owned())
}

impl ConfigArguments {
    fn flags(&self) -> Vec<Given> {
        self.database_url.iter().map(|url| (&key::DATABASE_URL, url.clone())).collect()
    }

    pub(super) fn values(&self) -> Result<Values, CliError> {
        let sources = Sources { flags: self.flags(), file: self.config.as_deref(), defaults: Vec::new() };
        Ok(Values::gather(sources, &Environment::capture())?)
    }

    pub(super) fn load(&self) -> Result<Config, CliError> {
        Ok(Config::from_values(&self.values()?)?)
    }
}

impl ServeArguments {
    pub(super) fn load(&self) -> Result<Config, CliError> {
        let mut flags = self.config.flags();
        for (setting, value) in [
            (&key::HTTP_ADDR, &self.http_addr),
            (&key::PUBLIC_URL, &self.public_url),
            (&key::MQTT_ADDR, &self.mqtt_addr),
            (&key::MQTTS_ADDR, &self.mqtts_addr),
            (&key::TLS_CERT, &self.tls_cert),
            (&key::TLS_KEY, &self.tls_key),
            (&key::METRICS_ADDR, &self.metrics_addr),
            (&key::LOG_FILTER, &self.log),
        ] {
            flags.extend(value.iter().map(|value| (setting, value.clone())));
        }
        let sources = Sources { flags, file: self.config.config.as_deref(), defaults: Vec::new() };
        Ok(Config::load(sources, &Environment::capture())?)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples() {
        let mut pending: Vec<clap::Command> = Arguments::command().get_subcommands().cloned().collect();
        assert!(pending.len() >= 7);
        while let Some(mut command) = pending.pop() {
            if command.has_subcommands() {
                pending.extend(command.get_subcommands().cloned());
            } else {
                let help = command.render_long_help().to_string();
                assert!(help.contains("Examples:"), "{help}");
            }
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "iomt demo --patients 0",
            "iomt demo --http 65536",
            "iomt simulate",
            "iomt simulate --credentials x --speed 0",
            "iomt simulate --credentials x --speed NaN",
            "iomt config",
            "iomt tenant create --slug No --name N --admin-email a@b",
            "iomt tenant create --slug st-e",
            "iomt template check",
            "iomt nonsense",
        ] {
            assert!(Arguments::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
        assert!(Arguments::try_parse_from("iomt demo --http 0 --mqtt 0 --reset".split(' ')).is_ok());
    }
}
