//! The settings as types, one struct per concern.

use std::{
    fmt,
    net::SocketAddr,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use tenants::keys::KeyBytes;
use url::{Host, Url};
use zeroize::Zeroizing;

use super::{ConfigError, Setting, Values, hidden, settings::Secrecy, settings::key};

/// Where MQTT over TLS is looked for.
const MQTTS_PORT: u16 = 8883;

const ADDRESS: &str = "an address with a port, for example 127.0.0.1:8080 or [::1]:8080";

/// Where everything is kept.
#[derive(Clone)]
pub(crate) struct DatabaseConfig {
    pub(crate) url: String,
    pub(crate) max_connections: u32,
}

/// What seals secrets and what identifies patients.
#[derive(Clone)]
pub(crate) struct KeysConfig {
    pub(crate) master: Option<KeyBytes>,
    /// What it takes the place of.
    pub(crate) previous: Vec<KeyBytes>,
    /// Where a part of each hospital's key lies, apart from the database.
    pub(crate) folder: Option<PathBuf>,
    /// Wraps the hospitals' keys in place of the master key.
    pub(crate) vault: Option<VaultConfig>,
}

/// The transit engine of a Vault.
#[derive(Clone)]
pub(crate) struct VaultConfig {
    pub(crate) address: Url,
    pub(crate) mount: String,
    pub(crate) token: Zeroizing<String>,
}

/// Which passwords nobody may choose.
#[derive(Debug, Clone)]
pub(crate) struct PasswordsConfig {
    /// A file of breached ones, `<SHA-1>:<count>` ordered by hash.
    pub(crate) breached: Option<PathBuf>,
}

/// Where browsers and programs connect.
#[derive(Debug, Clone)]
pub(crate) struct HttpConfig {
    pub(crate) addr: SocketAddr,
    /// How the outside reaches `addr`; the address itself when not set.
    pub(crate) public_url: Option<Url>,
    pub(crate) workers: usize,
}

/// Where devices connect.
#[derive(Debug, Clone)]
pub(crate) struct MqttConfig {
    pub(crate) addr: SocketAddr,
    /// Where they connect over TLS, and with which certificate; `None` for nowhere.
    pub(crate) tls: Option<(SocketAddr, TlsConfig)>,
    /// Whether a load balancer before both says where connections come from.
    pub(crate) proxied: bool,
    pub(crate) max_connections: usize,
    /// Of one hospital.
    pub(crate) max_tenant_connections: usize,
}

/// The server's certificate with what leads to its authority, and its key, both in PEM.
#[derive(Debug, Clone)]
pub(crate) struct TlsConfig {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

/// Where operators' tools read how the server does.
#[derive(Debug, Clone)]
pub(crate) struct MetricsConfig {
    pub(crate) addr: SocketAddr,
}

/// What is written to standard error while the server runs.
#[derive(Debug, Clone)]
pub(crate) struct LogConfig {
    /// As `tracing_subscriber::EnvFilter` reads it.
    pub(crate) filter: String,
    pub(crate) format: LogFormat,
}

/// For people or for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    Text,
    Json,
}

/// This process among those that share a database.
#[derive(Debug, Clone)]
pub(crate) struct NodeConfig {
    pub(crate) name: String,
    /// How long open requests and connections have at the end.
    pub(crate) shutdown_grace: Duration,
}

impl DatabaseConfig {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        let expected = "an address that begins with sqlite:// or postgres://";
        let url = values.parse(&key::DATABASE_URL, expected, |text| {
            let known = ["sqlite://", "postgres://", "postgresql://"].iter().any(|s| text.starts_with(s));
            known.then(|| text.to_owned())
        })?;
        Ok(Self { url, max_connections: number(values, &key::DATABASE_CONNECTIONS, "1 to 1000", 1..=1_000)? })
    }

    /// The file, where it is one.
    pub(crate) fn sqlite_file(&self) -> Option<&Path> {
        let path = self.url.strip_prefix("sqlite://")?;
        Some(Path::new(path.split('?').next().unwrap_or(path)))
    }

    /// The address without its password.
    pub(crate) fn shown_url(&self) -> String {
        hidden::shown(&self.url, Secrecy::Address)
    }
}

impl fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseConfig").field("url", &self.shown_url()).finish_non_exhaustive()
    }
}

impl KeysConfig {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        let expected = "32 random bytes in base64, as `openssl rand -base64 32` makes them";
        let master = match values.text(&key::MASTER_KEY) {
            "" => None,
            _ => Some(values.parse(&key::MASTER_KEY, expected, master_key)?),
        };
        let several = "master keys as IOMT_MASTER_KEY has one, with blanks between them";
        let previous = values.parse(&key::PREVIOUS_MASTER_KEYS, several, |text| {
            text.split_whitespace().map(master_key).collect::<Option<Vec<_>>>()
        })?;
        let folder = values.text(&key::KEYS_FOLDER);
        let folder = (!folder.is_empty()).then(|| PathBuf::from(folder));
        Ok(Self { master, previous, folder, vault: VaultConfig::read(values)? })
    }
}

impl VaultConfig {
    fn read(values: &Values) -> Result<Option<Self>, ConfigError> {
        if values.text(&key::VAULT_ADDR).is_empty() {
            return Ok(None);
        }
        let expected = "an address such as https://vault.example.org:8200; without TLS on this machine only";
        let address = values.parse(&key::VAULT_ADDR, expected, vault_address)?;
        let word = "the path of a transit engine, for example transit";
        let mount = values.parse(&key::VAULT_MOUNT, word, |text| {
            let known = |c: char| c.is_ascii_alphanumeric() || "-_/.".contains(c);
            (!text.is_empty() && text.chars().all(known) && !text.contains("..")).then(|| text.to_owned())
        })?;
        let token = values.parse(&key::VAULT_TOKEN, "a token of that Vault", |text| {
            (!text.is_empty() && text.chars().all(|c| c.is_ascii_graphic())).then(|| text.to_owned())
        })?;
        Ok(Some(Self { address, mount, token: Zeroizing::new(token) }))
    }
}

/// What is wrapped for everybody on the way to read is not wrapped.
fn vault_address(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let here = match url.host()? {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    };
    let safe = url.scheme() == "https" || (url.scheme() == "http" && here);
    (safe && url.username().is_empty() && url.password().is_none()).then_some(url)
}

impl fmt::Debug for KeysConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (master, vault) = (self.master.is_some(), self.vault.as_ref().map(|vault| &vault.address));
        let mut shown = f.debug_struct("KeysConfig");
        shown.field("has_master", &master).field("folder", &self.folder);
        shown.field("vault", &vault.map(Url::as_str)).finish_non_exhaustive()
    }
}

impl PasswordsConfig {
    pub(super) fn read(values: &Values) -> Self {
        let path = values.text(&key::BREACHED_PASSWORDS);
        Self { breached: (!path.is_empty()).then(|| PathBuf::from(path)) }
    }
}

/// A master key as it is written in configurations and files.
pub(crate) fn master_key(text: &str) -> Option<KeyBytes> {
    let bytes = Zeroizing::new(BASE64.decode(text.trim()).ok()?);
    bytes.as_slice().try_into().ok().map(Zeroizing::new)
}

impl HttpConfig {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        let expected = "an address such as https://iomt.example.org, without a path";
        let public_url = match values.text(&key::PUBLIC_URL) {
            "" => None,
            _ => Some(values.parse(&key::PUBLIC_URL, expected, public_url)?),
        };
        let addr = address(values, &key::HTTP_ADDR)?;
        Ok(Self { addr, public_url, workers: number(values, &key::HTTP_WORKERS, "1 to 64", 1..=64)? })
    }

    /// Whether browsers reach this server over TLS.
    pub(crate) fn is_https(&self) -> bool {
        self.public_url.as_ref().is_some_and(|url| url.scheme() == "https")
    }
}

impl MqttConfig {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        let max_connections = number(values, &key::MQTT_CONNECTIONS, "1 to 1000000", 1..=1_000_000)?;
        let of_tenant = number(values, &key::MQTT_TENANT_CONNECTIONS, "1 to 1000000", 1..=1_000_000)?;
        let addr = address(values, &key::MQTT_ADDR)?;
        let tls = TlsConfig::read(values)?;
        let no_certificate = "left out where there is no certificate; set tls.cert and tls.key as well";
        let expected = if tls.is_some() { ADDRESS } else { no_certificate };
        let tls_addr = values.parse(&key::MQTTS_ADDR, expected, |text| match text {
            "" => Some(SocketAddr::new(addr.ip(), MQTTS_PORT)),
            _ => text.parse().ok().filter(|_| tls.is_some()),
        })?;
        let tls = tls.map(|tls| (tls_addr, tls));
        let either = "on, where a load balancer sends a PROXY protocol header (version 2), or off";
        let proxied = values.parse(&key::MQTT_PROXY, either, |text| match text {
            "on" => Some(true),
            "off" => Some(false),
            _ => None,
        })?;
        Ok(Self { addr, tls, proxied, max_connections, max_tenant_connections: of_tenant })
    }
}

impl TlsConfig {
    fn read(values: &Values) -> Result<Option<Self>, ConfigError> {
        let path = |setting: &'static Setting, expected| {
            values.parse(setting, expected, |text| (!text.is_empty()).then(|| PathBuf::from(text)))
        };
        let said = |setting: &'static Setting| !values.text(setting).is_empty();
        if !said(&key::TLS_CERT) && !said(&key::TLS_KEY) {
            return Ok(None);
        }
        Ok(Some(Self {
            cert: path(&key::TLS_CERT, "the file of the certificate that belongs to tls.key, in PEM")?,
            key: path(&key::TLS_KEY, "the file of the private key that belongs to tls.cert, in PEM")?,
        }))
    }
}

impl MetricsConfig {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        Ok(Self { addr: address(values, &key::METRICS_ADDR)? })
    }
}

impl LogConfig {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        let expected = "a log filter such as info or info,broker=debug";
        let filter = values.parse(&key::LOG_FILTER, expected, |text| {
            tracing_subscriber::EnvFilter::try_new(text).ok().map(|_| text.to_owned())
        })?;
        let format = values.parse(&key::LOG_FORMAT, "auto, text or json", |text| match text {
            "auto" => Some(LogFormat::Auto),
            "text" => Some(LogFormat::Text),
            "json" => Some(LogFormat::Json),
            _ => None,
        })?;
        Ok(Self { filter, format })
    }
}

impl NodeConfig {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        let expected = "1 to 63 of A-Z, a-z, 0-9, '.', '_' and '-'";
        let name = values.parse(&key::NODE_NAME, expected, |text| {
            let valid = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
            ((1..=63).contains(&text.len()) && text.bytes().all(valid)).then(|| text.to_owned())
        })?;
        let grace = number(values, &key::SHUTDOWN_GRACE, "0 to 600 seconds", 0..=600)?;
        Ok(Self { name, shutdown_grace: Duration::from_secs(grace) })
    }
}

fn address(values: &Values, setting: &'static Setting) -> Result<SocketAddr, ConfigError> {
    values.parse(setting, ADDRESS, |text| text.parse().ok())
}

#[allow(clippy::needless_pass_by_value, reason = "a range reads best where it stands")]
fn number<T: std::str::FromStr + PartialOrd>(
    values: &Values,
    setting: &'static Setting,
    expected: &'static str,
    range: RangeInclusive<T>,
) -> Result<T, ConfigError> {
    values.parse(setting, expected, |text| text.parse().ok().filter(|number| range.contains(number)))
}

fn public_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    plain.then_some(url)
}
