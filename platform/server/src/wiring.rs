//! Puts the platform together, and takes it apart again in the right order.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix::Arbiter;
use broker::{BindError, Broker, BrokerConfig, TlsListen};
use graphql_schema::{ApiMetrics, Limits, Services};
use identity::{
    BreachedFileError, BreachedPasswords, CertificateReader, Federation, Identity, IdentityError,
};
use keys::Keys;
use prometheus_client::registry::Registry;
use storage::{Database, DatabaseOptions, StorageError};
use tenants::{
    StoreError,
    access::Access,
    clock::{Clock, SystemClock},
    keys::{KeyManagement, Keyring, NoKeys},
    messaging::Mailboxes,
    offboarding::Offboarding,
    onboarding::Onboarding,
    quotas::Meter,
    revocations::Revocations,
    stores::Tenants,
};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use twins::{
    RecoveryError, Twins,
    device::Decoder,
    downlink::{Downlink, Waiting},
    store::{
        directory::{Alarms, Patients},
        journal::Journal,
    },
};

use crate::{
    adapters::{ToLog, ToPresence, ToSessions},
    attendant::ToTwins,
    audit_heads,
    config::Config,
    connection_log::Notes,
    enrolling::Enrolling,
    feed::FeedRelay,
    gate::Gate,
    housekeeping, http,
    keyring::{self, KeysError},
    offboarding, quotas,
    resealing::Resealing,
    suspension,
    tls::{Certificates, TlsError},
};

/// How often it is looked whether somebody else has changed rights, or revoked something. It takes effect within a
/// second.
const RIGHTS_EVERY: Duration = Duration::from_millis(400);

/// Why the platform did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("the database cannot be used")]
    Storage(#[from] StorageError),
    #[error("the database failed while starting")]
    Store(#[from] StoreError),
    #[error("the twins cannot be recovered from the log")]
    Recovery(#[from] RecoveryError),
    #[error("{what} cannot listen on {address}; choose another address or stop what uses it")]
    Listen {
        what: &'static str,
        address: SocketAddr,
        #[source]
        cause: io::Error,
    },
    #[error("MQTT over TLS cannot be served")]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error(transparent)]
    Breached(#[from] BreachedFileError),
    #[error("the set-up link cannot be made")]
    Setup(#[from] IdentityError),
}

/// The ground floor: what can be used before anything listens.
#[derive(Clone)]
pub(crate) struct Foundation {
    pub(crate) database: Database,
    /// Without them nothing is sealed.
    pub(crate) keys: Option<Arc<Keys>>,
    pub(crate) identity: Arc<Identity>,
    pub(crate) access: Arc<Access>,
    /// Keeps hospitals to their rates.
    pub(crate) meter: Arc<Meter>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Foundation {
    /// Opens the database, brings it up to date and checks that it keeps tenants apart.
    pub(crate) async fn lay(config: &Config) -> Result<Self, StartError> {
        let max_connections = config.database.max_connections;
        let options = DatabaseOptions { max_connections, ..DatabaseOptions::default() };
        let database = Database::connect(&config.database.url, &options).await?;
        database.migrate().await?;
        database.check_row_level_security().await?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let keys = keyring::find(config, Arc::new(database.clone()), clock.clone())?;
        let keyring: Arc<dyn Keyring> = match &keys {
            Some(keys) => keys.clone(),
            None => Arc::new(NoKeys),
        };
        let database = database.with_keys(keyring.clone());
        let store = Arc::new(database.clone());
        let breached = config.passwords.breached.as_deref().map(BreachedPasswords::open).transpose()?;
        let identity = Identity::new(
            store.clone(),
            store.clone(),
            store.clone(),
            store.clone(),
            store.clone(),
            Arc::new(Revocations::new(store.clone())),
            clock.clone(),
        )
        .with_providers(Federation {
            providers: store.clone(),
            logins: store.clone(),
            keys: keyring.clone(),
            loopback_http: !config.http.is_https(),
        })
        .with_service_clients(store.clone())
        .with_enrolment(store.clone(), keyring.clone())
        .with_authorities(store.clone())
        .with_second_factors(store, keyring)
        .with_breached_passwords(breached);
        let access = Arc::new(Access::new(Arc::new(database.clone()), clock.clone()));
        Ok(Self { database, keys, identity: Arc::new(identity), access, meter: Arc::default(), clock })
    }

    /// Lets hospitals go.
    pub(crate) fn offboarding(&self) -> Offboarding {
        let store = Arc::new(self.database.clone());
        Offboarding::new(store.clone(), store, self.key_management(), self.clock.clone())
    }

    pub(crate) fn key_management(&self) -> Arc<dyn KeyManagement> {
        match &self.keys {
            Some(keys) => keys.clone(),
            None => Arc::new(NoKeys),
        }
    }
}

/// A running platform.
pub(crate) struct Platform {
    pub(crate) http: SocketAddr,
    pub(crate) mqtt: SocketAddr,
    /// MQTT over TLS; `None` where there is no certificate.
    pub(crate) mqtts: Option<SocketAddr>,
    pub(crate) metrics: SocketAddr,
    /// Where the first operator is set up, when nobody can sign in yet.
    pub(crate) setup_token: Option<String>,
    twins: Twins,
    database: Database,
    broker: Broker,
    http_server: http::Handle,
    metrics_server: http::Handle,
    health: Arc<http::Health>,
    background: CancellationToken,
    arbiters: Vec<Arbiter>,
    grace: Duration,
}

impl Platform {
    /// Recovers the twins, then listens. When this returns, messages are taken.
    pub(crate) async fn start(config: Config, foundation: Foundation) -> Result<Self, StartError> {
        let Foundation { database, keys, identity, access, meter, clock } = foundation.clone();
        check_addresses(&config)?;
        let certificates = match &config.mqtt.tls {
            Some((listen, files)) => Some((*listen, Arc::new(Certificates::open(files.clone())?))),
            None => None,
        };
        let mut resealing = Resealing::new(database.clone(), keys, clock.clone());
        resealing.begin().await?;
        let arbiters: Vec<Arbiter> = (0..twin_threads()).map(|_| Arbiter::new()).collect();
        let handles = arbiters.iter().map(Arbiter::handle).collect();
        let (twins, writer) = Twins::open(
            Arc::new(database.clone()),
            clock.clone(),
            Arc::new(decoder),
            handles,
            &config.node.name,
        )
        .await?;
        tokio::spawn(writer);

        twins.recover().await?;
        let background = CancellationToken::new();
        tokio::spawn(background.clone().run_until_cancelled_owned(twins.checkpoints()));
        let tidying = housekeeping::run(database.clone(), clock.clone());
        tokio::spawn(background.clone().run_until_cancelled_owned(tidying));
        meter.know(&database.all().await?);
        let metering = quotas::follow(Arc::new(database.clone()), meter.clone());
        tokio::spawn(background.clone().run_until_cancelled_owned(metering));
        tokio::spawn(background.clone().run_until_cancelled_owned(follow_rights(access.clone())));
        tokio::spawn(background.clone().run_until_cancelled_owned(audit_heads::run(database.clone())));
        tokio::spawn(background.clone().run_until_cancelled_owned(resealing.follow()));
        tokio::spawn(
            background.clone().run_until_cancelled_owned(follow_revocations(identity.revocations().clone())),
        );

        let (notes, written) = Notes::new();
        let writing = written.write(Arc::new(database.clone()));
        tokio::spawn(background.clone().run_until_cancelled_owned(writing));
        let gate = Arc::new(Gate::new(
            identity.clone(),
            access.clone(),
            meter.clone(),
            notes.clone(),
            clock.clone(),
        ));
        let ingest = ToLog { twins: twins.clone(), meter: meter.clone() };
        let tls = certificates
            .as_ref()
            .map(|(listen, certificates)| TlsListen { listen: *listen, settings: certificates.clone() });
        let waiting = Arc::new(Waiting::default());
        let enrolling = Enrolling {
            database: database.clone(),
            identity: identity.clone(),
            twins: twins.clone(),
            clock: clock.clone(),
        };
        let attendant = ToTwins { twins: twins.clone(), waiting: waiting.clone(), enrolling };
        let stores = (Arc::new(database.clone()) as Arc<dyn Mailboxes>, clock.clone());
        let broker = listen(&config, &gate, ingest, attendant, tls, stores).await?;
        if let Some((_, certificates)) = certificates {
            tokio::spawn(background.clone().run_until_cancelled_owned(certificates.follow()));
        }
        let store = Arc::new(database.clone());
        let (tenants, known) = (Arc::new(database.clone()), identity.clone());
        let followed = suspension::follow(tenants, known, broker.handle());
        tokio::spawn(background.clone().run_until_cancelled_owned(followed));
        let leaving = offboarding::follow(
            foundation.offboarding(),
            Arc::new(database.clone()),
            twins.clone(),
            broker.handle(),
        );
        tokio::spawn(background.clone().run_until_cancelled_owned(leaving));
        let applications = gate.clone().follow(broker.handle());
        tokio::spawn(background.clone().run_until_cancelled_owned(applications));
        let rows = (store.clone() as Arc<dyn Patients>, store as Arc<dyn Alarms>);
        gate.relay_to(FeedRelay::new(twins.clone(), rows, broker.handle(), background.clone()));

        let health = Arc::new(http::Health::new(twins.health().clone(), probe(&database)));
        let (http_metrics, api_metrics) = (http::HttpMetrics::default(), ApiMetrics::default());
        let parts = http::Parts {
            schema: graphql_schema::schema(
                services(&foundation, &twins, (broker.handle(), waiting), &api_metrics),
                Limits::default(),
            ),
            identity: identity.clone(),
            access: access.clone(),
            twins: twins.clone(),
            meter: meter.clone(),
            mqtt: broker.entrance(),
            clock,
            health: health.clone(),
            metrics: http_metrics.clone(),
            runtime: tokio::runtime::Handle::current(),
        };
        let mut registry = Registry::with_prefix("iomt");
        twins.metrics().register(&mut registry);
        broker.metrics().register(&mut registry);
        notes.register(&mut registry);
        http_metrics.register(&mut registry);
        api_metrics.register(&mut registry);
        identity.metrics().register(&mut registry);
        meter.metrics().register(&mut registry);

        let (http, http_server) = http::serve(&config.http, config.node.shutdown_grace, parts)
            .map_err(|cause| StartError::Listen { what: "HTTP", address: config.http.addr, cause })?;
        let (metrics, metrics_server) = http::serve_metrics(config.metrics.addr, Arc::new(registry))
            .map_err(|cause| StartError::Listen { what: "metrics", address: config.metrics.addr, cause })?;
        Ok(Self {
            http,
            mqtt: broker.local_addr(),
            mqtts: broker.tls_addr(),
            metrics,
            setup_token: identity.open_setup().await?,
            twins,
            database,
            broker,
            http_server,
            metrics_server,
            health,
            background,
            arbiters,
            grace: config.node.shutdown_grace,
        })
    }

    /// Stops accepting, acknowledges what was committed, folds it, takes snapshots, closes.
    pub(crate) async fn shut_down(self) {
        self.health.shut_down();
        self.broker.shutdown(self.grace).await;
        self.http_server.stop(true).await;
        self.metrics_server.stop(false).await;
        self.background.cancel();
        self.twins.shut_down().await;
        if let Err(error) = self.database.close().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the database did not close cleanly");
        }
        for arbiter in self.arbiters {
            arbiter.stop();
        }
        tracing::info!("everything is stored; good bye");
    }
}

/// Finds out whether the addresses are free before the log is taken over: a second server that could not
/// listen anyway must not fence off the first.
fn check_addresses(config: &Config) -> Result<(), StartError> {
    let wanted = [("HTTP", config.http.addr), ("MQTT", config.mqtt.addr), ("metrics", config.metrics.addr)];
    let encrypted = config.mqtt.tls.as_ref().map(|(address, _)| ("MQTT over TLS", *address));
    for (what, address) in wanted.into_iter().chain(encrypted) {
        TcpListener::bind(address).map_err(|cause| StartError::Listen { what, address, cause })?;
    }
    Ok(())
}

/// A broker that listens where the configuration says.
///
/// # Errors
/// [`StartError::Listen`] when an address is taken.
pub(crate) async fn listen(
    config: &Config,
    gate: &Arc<Gate>,
    ingest: ToLog,
    attendant: ToTwins,
    tls: Option<TlsListen>,
    (store, clock): (Arc<dyn Mailboxes>, Arc<dyn Clock>),
) -> Result<Broker, StartError> {
    let address = config.mqtt.addr;
    let broker = BrokerConfig {
        listen: address,
        tls,
        proxied: config.mqtt.proxied,
        max_connections: config.mqtt.max_connections,
        max_tenant_connections: config.mqtt.max_tenant_connections,
        ..BrokerConfig::default()
    };
    let presence = Arc::new(ToPresence { twins: ingest.twins.clone(), notes: gate.notes().clone() });
    let (ingest, attendant) = (Arc::new(ingest), Arc::new(attendant));
    let started = Broker::bind(broker, gate.clone(), ingest, attendant, presence, store, clock).await;
    started.map_err(|error| match error {
        BindError::Listen(cause) => StartError::Listen { what: "MQTT", address, cause },
        BindError::Kept(error) => error.into(),
    })
}

/// Notices what other processes change about rights.
async fn follow_rights(access: Arc<Access>) {
    let mut due = tokio::time::interval(RIGHTS_EVERY);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        if let Err(error) = access.refresh().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "rights cannot be read; none are granted"
            );
        }
    }
}

/// Notices what other processes have revoked.
async fn follow_revocations(revocations: Arc<Revocations>) {
    let mut due = tokio::time::interval(RIGHTS_EVERY);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        if let Err(error) = revocations.refresh().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "revocations cannot be read; every credential is looked up anew"
            );
        }
    }
}

/// Asks the database whether the next commit can succeed.
fn probe(database: &Database) -> http::Probe {
    let database = database.clone();
    Box::new(move || {
        let database = database.clone();
        Box::pin(async move {
            let answer = database.probe().await;
            answer.map_err(|error| format!("the database takes no writes: {error}"))
        })
    })
}

fn services(
    foundation: &Foundation,
    twins: &Twins,
    (broker, waiting): (broker::Handle, Arc<Waiting>),
    metrics: &ApiMetrics,
) -> Services {
    let Foundation { database, identity, access, meter, clock, .. } = foundation;
    let store = Arc::new(database.clone());
    let sessions = Arc::new(ToSessions(broker));
    Services {
        access: access.clone(),
        tenants: store.clone(),
        quotas: store.clone(),
        meter: meter.clone(),
        accounts: store.clone(),
        units: store.clone(),
        roles: store.clone(),
        effects: store.clone(),
        providers: store.clone(),
        enrolment: identity.clone(),
        second_factor: identity.clone(),
        authenticators: identity.clone(),
        elevations: store.clone(),
        openings: store.clone(),
        tokens: store.clone(),
        clients: store.clone(),
        authorities: store.clone(),
        device_certificates: store.clone(),
        certificates: Arc::new(CertificateReader::new(clock.clone())),
        revocations: identity.revocations().clone(),
        device_keys: identity.clone(),
        downlink: Downlink::new(twins.clone(), sessions.clone(), waiting, clock.clone()),
        sessions,
        connections: store.clone(),
        audit: store.clone(),
        onboarding: Onboarding::new(store.clone(), store.clone(), clock.clone()),
        offboarding: foundation.offboarding(),
        keys: foundation.key_management(),
        devices: store.clone(),
        patients: store.clone(),
        alarms: store.clone(),
        rules: store.clone(),
        history: store,
        twins: twins.clone(),
        decoders: Arc::new(decoder),
        metrics: metrics.clone(),
        clock: clock.clone(),
    }
}

/// The decoder of a template id. The templates are the built-in ones.
fn decoder(template: &str) -> Option<Arc<dyn Decoder>> {
    templates::builtin::find(template).map(|template| Arc::new(template) as Arc<dyn Decoder>)
}

/// Threads that twins live on: one per core.
fn twin_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
