//! What can be said about hospitals.

use std::{path::PathBuf, str::FromStr};

use clap::{Args, Subcommand, builder::RangedI64ValueParser};
use tenants::{
    TenantSlug,
    quotas::{ClientQuotas, Quotas},
};

use super::ConfigArguments;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum TenantCommand {
    /// Register a hospital and invite its first administrator.
    #[command(after_help = "\
Works beside a running server, which knows the hospital at once. Asked for again it goes on where it stopped and makes a
new link in place of the earlier one.

Examples:
  iomt tenant create --slug st-elsewhere --name \"St. Elsewhere\" --admin-email ada@st-elsewhere.example
  iomt tenant create --slug st-elsewhere --name \"St. Elsewhere\" --admin-email ada@st-elsewhere.example --json
  iomt tenant create --slug charite --name Charite --admin-email ada@charite.example --region DE --locale de-DE --time-zone Europe/Berlin")]
    Create(TenantCreateArguments),
    /// Cut a hospital off: its devices and people are refused within seconds, its data is kept.
    #[command(after_help = "\
Works beside running servers. The reason stands in the hospital's audit trail.

Examples:
  iomt tenant suspend --slug st-elsewhere --reason \"Contract ended\"")]
    Suspend(TenantSuspendArguments),
    /// Serve a suspended hospital again.
    #[command(after_help = "\
Examples:
  iomt tenant resume --slug st-elsewhere")]
    Resume(TenantResumeArguments),
    /// Show what a hospital may use and has, and set what is said.
    #[command(after_help = "\
Works beside running servers, where it counts within two seconds. What there is already stays, also where it is more; only
messages that shall not be kept so long are deleted, within an hour.

Examples:
  iomt tenant quotas --slug st-elsewhere
  iomt tenant quotas --slug st-elsewhere --devices 2000 --messages-per-second 5000
  iomt tenant quotas --slug st-elsewhere --connections 3000 --subscriptions 16
  iomt tenant quotas --slug st-elsewhere --stored-days 365 --json
  iomt tenant quotas --slug st-elsewhere --stored-days forever")]
    Quotas(TenantQuotasArguments),
    /// Write everything that is kept for a hospital into a new folder, for it to take along.
    #[command(after_help = "\
One file of JSON Lines for each kind of thing, and manifest.json with their SHA-256, written last. What identifies patients
is readable in it; hashes of passwords and tokens are left out. For all of it suspend the hospital first.

Examples:
  iomt tenant export --slug st-elsewhere --to st-elsewhere-2026
  iomt tenant export --slug st-elsewhere --to st-elsewhere-2026 --json")]
    Export(TenantExportArguments),
    /// Let a suspended hospital go for good: destroy its keys, delete everything but its audit trail.
    #[command(after_help = "\
Nothing takes this back. Works beside running servers; interrupted it is gone on with by a server, or when asked for again.
Fails unless the hospital is suspended and was exported since.

Examples:
  iomt tenant offboard --slug st-elsewhere --confirm st-elsewhere --reason \"Contract ended\"
  iomt tenant offboard --slug st-elsewhere --confirm st-elsewhere --reason \"Trial ended\" --without-export")]
    Offboard(TenantOffboardArguments),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TenantCreateArguments {
    #[command(flatten)]
    pub(in crate::cli) config: ConfigArguments,
    /// Its name in addresses and in the user names of devices: a-z, 0-9 and -.
    #[arg(long, value_name = "SLUG")]
    pub(in crate::cli) slug: TenantSlug,
    /// Its name for people.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) name: String,
    /// Whom to invite as its first administrator.
    #[arg(long, value_name = "ADDRESS")]
    pub(in crate::cli) admin_email: String,
    /// The country it is in, by its ISO 3166-1 code.
    #[arg(long, value_name = "CODE", default_value = "")]
    pub(in crate::cli) region: String,
    /// How its times and dates are written: a BCP 47 language tag. As the browser has it when it is not said.
    #[arg(long, value_name = "TAG", default_value = "")]
    pub(in crate::cli) locale: String,
    /// Its IANA time zone. That of the browser when it is not said.
    #[arg(long, value_name = "NAME", default_value = "")]
    pub(in crate::cli) time_zone: String,
    /// Print JSON.
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TenantSuspendArguments {
    #[command(flatten)]
    pub(in crate::cli) config: ConfigArguments,
    /// Which hospital.
    #[arg(long, value_name = "SLUG")]
    pub(in crate::cli) slug: TenantSlug,
    /// Why.
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(in crate::cli) reason: String,
    /// Print JSON.
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TenantResumeArguments {
    #[command(flatten)]
    pub(in crate::cli) config: ConfigArguments,
    /// Which hospital.
    #[arg(long, value_name = "SLUG")]
    pub(in crate::cli) slug: TenantSlug,
    /// Print JSON.
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

/// What a count or a rate can be.
fn quota() -> RangedI64ValueParser<u32> {
    between(1, Quotas::MOST)
}

fn between(least: u32, most: u32) -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(i64::from(least)..=i64::from(most))
}

/// How long messages are kept, `None` for good.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct KeptDays(pub(in crate::cli) Option<u32>);

impl FromStr for KeptDays {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let days = text.parse().ok().filter(|days| (1..=Quotas::MOST_DAYS).contains(days));
        match days {
            None if text != "forever" => Err(format!("expected 1 to {}, or forever", Quotas::MOST_DAYS)),
            days => Ok(Self(days)),
        }
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TenantQuotasArguments {
    #[command(flatten)]
    pub(in crate::cli) config: ConfigArguments,
    /// Which hospital.
    #[arg(long, value_name = "SLUG")]
    pub(in crate::cli) slug: TenantSlug,
    /// Registered devices at most.
    #[arg(long, value_name = "N", value_parser = quota())]
    pub(in crate::cli) devices: Option<u32>,
    /// People with an account at most.
    #[arg(long, value_name = "N", value_parser = quota())]
    pub(in crate::cli) users: Option<u32>,
    /// Messages of devices in a second at most; what comes faster waits.
    #[arg(long, value_name = "N", value_parser = quota())]
    pub(in crate::cli) messages_per_second: Option<u32>,
    /// Messages of any one device in a second at most; what comes faster waits.
    #[arg(long, value_name = "N", value_parser = quota())]
    pub(in crate::cli) device_messages_per_second: Option<u32>,
    /// Complexity of the GraphQL requests in a minute at most; what is more is refused.
    #[arg(long, value_name = "N", value_parser = quota())]
    pub(in crate::cli) query_cost_per_minute: Option<u32>,
    /// What devices and programs may take up that are connected.
    #[command(flatten)]
    pub(in crate::cli) clients: ClientQuotasArguments,
    /// Days after which messages are deleted, or forever.
    #[arg(long, value_name = "DAYS")]
    pub(in crate::cli) stored_days: Option<KeptDays>,
    /// Print JSON.
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

/// All but the first are of each one, and count from its next connection on.
#[derive(Debug, Args)]
pub(in crate::cli) struct ClientQuotasArguments {
    /// Devices and programs that are connected at once at most.
    #[arg(long, value_name = "N", value_parser = quota())]
    pub(in crate::cli) connections: Option<u32>,
    /// Largest MQTT packet that one may send, in bytes.
    #[arg(long, value_name = "BYTES", value_parser = between(ClientQuotas::LEAST_PACKET_BYTES, ClientQuotas::MOST_PACKET_BYTES))]
    pub(in crate::cli) packet_bytes: Option<u32>,
    /// Messages that one may send before the first is acknowledged.
    #[arg(long, value_name = "N", value_parser = between(1, ClientQuotas::MOST_UNACKNOWLEDGED))]
    pub(in crate::cli) receive_maximum: Option<u32>,
    /// Messages of QoS 1 and 2 that one is sent before it acknowledges the first.
    #[arg(long, value_name = "N", value_parser = between(1, ClientQuotas::MOST_UNACKNOWLEDGED))]
    pub(in crate::cli) in_flight: Option<u32>,
    /// Messages that wait for one while it is connected.
    #[arg(long, value_name = "N", value_parser = between(1, ClientQuotas::MOST_QUEUED))]
    pub(in crate::cli) queued_messages: Option<u32>,
    /// Filters that one may subscribe to.
    #[arg(long, value_name = "N", value_parser = between(1, ClientQuotas::MOST_SUBSCRIPTIONS))]
    pub(in crate::cli) subscriptions: Option<u32>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TenantExportArguments {
    #[command(flatten)]
    pub(in crate::cli) config: ConfigArguments,
    /// Which hospital.
    #[arg(long, value_name = "SLUG")]
    pub(in crate::cli) slug: TenantSlug,
    /// Where to; must not exist yet.
    #[arg(long, value_name = "FOLDER")]
    pub(in crate::cli) to: PathBuf,
    /// Print the manifest.
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TenantOffboardArguments {
    #[command(flatten)]
    pub(in crate::cli) config: ConfigArguments,
    /// Which hospital.
    #[arg(long, value_name = "SLUG")]
    pub(in crate::cli) slug: TenantSlug,
    /// The slug once more, so that it is not another one.
    #[arg(long, value_name = "SLUG")]
    pub(in crate::cli) confirm: String,
    /// Why; stands in the audit trail, which is kept.
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(in crate::cli) reason: String,
    /// The hospital does not want what is kept for it.
    #[arg(long)]
    pub(in crate::cli) without_export: bool,
    /// Print JSON.
    #[arg(long)]
    pub(in crate::cli) json: bool,
}
