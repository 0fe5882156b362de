//! The real server, as a child process on free ports.
use std::fs::{self, File, OpenOptions};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::authority::Signed;
use crate::credentials::{Credentials, Device, Tenant};
use crate::environment;
use crate::eventually;
use crate::graphql::GraphQl;
use crate::mqtt::Login;
use crate::time::BOUND;

/// What to start.
#[derive(Debug, Clone)]
pub struct Options {
    /// The server under test; the one that the environment names or cargo has built if none is given.
    pub binary: Option<PathBuf>,
    pub patients: u32,
    /// Devices beyond those of the patients, assigned to nobody.
    pub extra_devices: u32,
    /// Address of a database; SQLite in the data folder if none is given.
    pub database: Option<String>,
    /// Where the server keeps its data; a temporary folder if none is given.
    pub data: Option<PathBuf>,
    /// Whether the demo's simulated patients send readings of their own.
    pub simulator: bool,
    /// Where MQTT is spoken over TLS if it can be had; 0 for a free port.
    pub mqtts: u16,
}

impl Options {
    pub fn new(patients: u32) -> Options {
        let (binary, database, data) = (None, None, None);
        Options { binary, patients, extra_devices: 0, database, data, simulator: false, mqtts: 0 }
    }

    pub fn mqtts(mut self, port: u16) -> Options {
        self.mqtts = port;
        self
    }

    pub fn on(mut self, database: Option<String>) -> Options {
        self.database = database;
        self
    }
}

/// A running demo. It is killed when dropped; a test that fails shows the end of its log.
pub struct Server {
    options: Options,
    data: PathBuf,
    log: PathBuf,
    child: Child,
    pub credentials: Credentials,
    _folder: TempDir,
}

/// A debug build on a busy machine hashes passwords and migrates a database before it is ready.
const START_BOUND: Duration = Duration::from_secs(90);

impl Server {
    /// Starts the demo and waits until it is ready.
    pub async fn start(options: Options) -> Server {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = options.data.clone().unwrap_or_else(|| folder.path().join("data"));
        let log = folder.path().join("server.log");
        let mut child = spawn(&options, &data, &log);
        let credentials = wait_until_ready(&mut child, &data, &log).await;
        Server { options, data, log, child, credentials, _folder: folder }
    }

    /// `kill -9`: nothing is flushed, nobody is told.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("a child can be killed");
    }

    /// SIGTERM, and the exit status of the graceful shutdown.
    pub async fn terminate(&mut self) -> ExitStatus {
        let process = self.child.id().expect("the server still runs").to_string();
        let sent = Command::new("kill").args(["-TERM", &process]).status().await.expect("kill runs");
        assert!(sent.success());
        timeout(BOUND, self.child.wait())
            .await
            .expect("a graceful shutdown ends")
            .expect("a child can be awaited")
    }

    /// Starts it again on the same data, after `kill` or `terminate`. Ports may be others than before.
    pub async fn restart(&mut self) {
        self.child = spawn(&self.options, &self.data, &self.log);
        self.credentials = wait_until_ready(&mut self.child, &self.data, &self.log).await;
    }

    pub fn process(&self) -> u32 {
        self.child.id().expect("the server still runs")
    }

    pub fn data(&self) -> &Path {
        &self.data
    }

    pub fn mqtt(&self) -> SocketAddr {
        let address = self.credentials.mqtt.trim_start_matches("mqtt://").trim_end_matches('/');
        address.parse().expect("the demo listens on a numeric loopback address")
    }

    /// Where MQTT is spoken over TLS.
    pub fn mqtts(&self) -> SocketAddr {
        let port = self.credentials.mqtts.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        SocketAddr::from(([127, 0, 0, 1], port.expect("an address with a port")))
    }

    /// TLS that trusts the server's authority and nobody else.
    pub fn tls(&self) -> TlsConnector {
        TlsConnector::from(Arc::new(self.tls_showing(None)))
    }

    /// A connection over TLS on which nothing was said, with a certificate or without one.
    pub async fn secured(&self, shown: Option<&Signed>) -> TlsStream<TcpStream> {
        self.shake_hands(self.tls_showing(shown)).await.expect("a handshake")
    }

    /// The same, naming a protocol (ALPN); an error where the server speaks no such one.
    pub async fn secured_for(&self, protocol: &str) -> io::Result<TlsStream<TcpStream>> {
        let mut client = self.tls_showing(None);
        client.alpn_protocols = vec![protocol.into()];
        self.shake_hands(client).await
    }

    async fn shake_hands(&self, client: ClientConfig) -> io::Result<TlsStream<TcpStream>> {
        let tcp = TcpStream::connect(self.mqtts()).await.expect("the server listens");
        let name = ServerName::try_from("localhost").expect("a name");
        TlsConnector::from(Arc::new(client)).connect(name, tcp).await
    }

    fn tls_showing(&self, shown: Option<&Signed>) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        let authority =
            CertificateDer::from_pem_file(&self.credentials.ca_pem).expect("the demo has an authority");
        roots.add(authority).expect("it is one");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let client = client.expect("both versions").with_root_certificates(roots);
        match shown {
            Some(Signed { chain, key, .. }) => {
                client.with_client_auth_cert(chain.clone(), key.clone_key()).expect("its key")
            }
            None => client.with_no_client_auth(),
        }
    }

    /// `st-elsewhere`, the first of the demo's two tenants.
    pub fn first_tenant(&self) -> &Tenant {
        &self.credentials.tenants[0]
    }

    /// `county-general`.
    pub fn second_tenant(&self) -> &Tenant {
        &self.credentials.tenants[1]
    }

    pub fn graphql(&self, token: &str) -> GraphQl {
        GraphQl::new(&self.credentials.graphql, token)
    }

    /// A user of the first tenant.
    pub fn graphql_as(&self, persona: &str) -> GraphQl {
        self.graphql(&self.first_tenant().user(persona).token)
    }

    /// How a device of a tenant logs in.
    pub fn login(&self, tenant: &Tenant, device: &Device) -> Login {
        Login {
            client_id: device.id.clone(),
            user_name: tenant.user_name(device),
            password: device.token.clone(),
        }
    }

    /// The status of `/readyz`.
    pub async fn readiness(&self) -> Result<u16, String> {
        readiness(&self.credentials.http).await
    }

    /// The text of `/metrics`.
    pub async fn metrics(&self) -> String {
        let response =
            crate::http::client().get(&self.credentials.metrics).send().await.expect("metrics are served");
        response.text().await.expect("metrics are text")
    }

    /// The sum of all series of a metric whose name ends in `name` and whose labels contain `label`; 0 without any.
    pub async fn metric(&self, name: &str, label: &str) -> f64 {
        let text = self.metrics().await;
        let series = text.lines().filter_map(|line| line.rsplit_once(' '));
        let fits = |series: &str| series.split('{').next().is_some_and(|full| full.ends_with(name));
        let wanted = series.filter(|(series, _)| fits(series) && series.contains(label));
        wanted.filter_map(|(_, value)| value.parse::<f64>().ok()).sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the end of the server's log:\n{}", tail(&self.log));
        }
    }
}

fn spawn(options: &Options, data: &Path, log: &Path) -> Child {
    let output: File =
        OpenOptions::new().create(true).append(true).open(log).expect("the log can be written");
    let binary = options.binary.clone().unwrap_or_else(environment::iomt);
    let mut command = Command::new(&binary);
    command.arg("demo").arg("--data").arg(data).args(["--http", "0", "--mqtt", "0"]);
    command.args(["--mqtts", &options.mqtts.to_string()]);
    command.args(["--patients", &options.patients.to_string()]);
    if options.extra_devices > 0 {
        command.args(["--extra-devices", &options.extra_devices.to_string()]);
    }
    if !options.simulator {
        command.arg("--no-simulator");
    }
    command.env("IOMT_METRICS_ADDR", "127.0.0.1:0");
    match &options.database {
        Some(address) => command.env("IOMT_DATABASE_URL", address),
        None => command.env_remove("IOMT_DATABASE_URL"),
    };
    command.stdin(Stdio::null()).stdout(output.try_clone().expect("a file can be shared")).stderr(output);
    let spawned = command.kill_on_drop(true).spawn();
    spawned.unwrap_or_else(|error| panic!("{}: {error}", binary.display()))
}

/// The file of an earlier start may still lie there, with ports on which nobody listens any more; so both are asked until
/// they agree.
async fn wait_until_ready(child: &mut Child, data: &Path, log: &Path) -> Credentials {
    let path = data.join("credentials.json");
    eventually("the server becomes ready", START_BOUND, async || {
        if let Some(status) = child.try_wait().expect("a child can be asked") {
            panic!("the server ended with {status}:\n{}", tail(log));
        }
        let text = fs::read_to_string(&path)
            .map_err(|error| format!("{}: {error}\n{}", path.display(), tail(log)))?;
        let credentials: Credentials =
            serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        match readiness(&credentials.http).await? {
            200 => Ok(credentials),
            status => Err(format!("/readyz says {status}\n{}", tail(log))),
        }
    })
    .await
}

async fn readiness(http: &str) -> Result<u16, String> {
    let url = format!("{}/readyz", http.trim_end_matches('/'));
    let response = crate::http::client().get(url).send().await.map_err(|error| error.to_string())?;
    Ok(response.status().as_u16())
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
