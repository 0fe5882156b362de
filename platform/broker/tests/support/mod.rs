//! The world around the broker, small enough to see through: who may connect, a log whose commits the
//! test decides, and clients that speak raw bytes.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on must stop")]
#![allow(dead_code, reason = "each test binary uses its share")]

pub(crate) mod script;
pub(crate) mod wire;

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use broker::{
    Admission, Attendant, Broker, BrokerConfig, Chunk, Client, CommandAnswer, Episode, Gatekeeper, Grants,
    Happened, Inbound, Ingest, Login, Newcomer, NotTaken, Presence, Receipt, Refusal, Speech, TwinView,
    Unregistered,
};
use prometheus_client::registry::Registry;
use tenants::{
    CorrelationId, DeviceId, StoreError, TenantId,
    clock::ManualClock,
    messaging::{Kept, MailboxChange, Mailboxes, Publications, Share},
    quotas::ClientQuotas,
    topics::TopicFilters,
};
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    time::timeout,
};
use uuid::Uuid;

pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn tenant(number: u128) -> TenantId {
    TenantId::from_uuid(Uuid::from_u128(number))
}

pub(crate) fn device(id: &str) -> DeviceId {
    DeviceId::parse(id).unwrap()
}

pub(crate) const SMALL: ClientQuotas = ClientQuotas {
    connections: 2,
    packet_bytes: 1_024,
    receive_maximum: 3,
    in_flight: 1,
    queued_messages: 2,
    subscriptions: 1,
};

/// Lets in `<tenant number>/<device>` and, as programs, `<tenant number>/app` and by any name that begins with `app-`, with
/// the password "secret". Programs hear the feed; those of a name of their own use all of the topic space but `private/#`, of
/// which only `app-keeper` may speak. Devices whose name begins with `tb-`, `hub-` or `dps-` speak as those made for
/// ThingsBoard, for Azure IoT Hub and for its Device Provisioning Service. What `brief` presents counts for 0.2 s. `gateway`
/// speaks for `pump-1` and `pump-2`, too. Who calls itself `provision` is a newcomer.
/// Tenant 9 allows its clients what [`SMALL`] says, the others say nothing.
struct Gate;

#[async_trait]
impl Gatekeeper for Gate {
    async fn admit(&self, login: Login<'_>) -> Result<Admission, Refusal> {
        if login.user_name == "provision" {
            let client = Client::Newcomer { connection: login.correlation };
            let (speech, behind, grants) = Default::default();
            return Ok(Admission {
                tenant: tenant(0),
                client,
                speech,
                until: None,
                behind,
                grants,
                quotas: None,
            });
        }
        let (number, name) = login.user_name.split_once('/').ok_or(Refusal::BadCredentials)?;
        match name {
            "suspended" => return Err(Refusal::NotAuthorized),
            "flood" => return Err(Refusal::Busy),
            "misnamed" => return Err(Refusal::ClientIdNotValid),
            "never" => std::future::pending().await,
            _ if login.password != b"secret" => return Err(Refusal::BadCredentials),
            _ => {}
        }
        let client = match name {
            _ if name == "app" || name.starts_with("app-") => Client::Application { name: name.into() },
            _ => Client::Device(DeviceId::parse(name).map_err(|_| Refusal::BadCredentials)?),
        };
        let tenant = tenant(number.parse().map_err(|_| Refusal::BadCredentials)?);
        let filter = |text: &str| vec![text.parse().unwrap()];
        let filters = Arc::new(TopicFilters { allow: filter("#"), deny: filter("private/#") });
        let everything = Arc::new(TopicFilters { allow: filter("#"), deny: Vec::new() });
        let publish = if name == "app-keeper" { everything } else { Arc::clone(&filters) };
        let named = name != "app";
        let (subscribe, publish) = (Some(filters).filter(|_| named), Some(publish).filter(|_| named));
        let grants = Grants { feed: Some("".into()), subscribe, publish };
        let speech = match name.split_once('-') {
            Some(("tb", _)) => Speech::ThingsBoard,
            Some(("hub", _)) => Speech::IotHub,
            Some(("dps", _)) => Speech::Provisioning,
            _ => Speech::Native,
        };
        let quotas = (number == "9").then_some(SMALL);
        let behind = if name == "gateway" { ["pump-1", "pump-2"].map(device).into() } else { HashSet::new() };
        let behind = Arc::new(behind);
        let until = (name == "brief").then(|| "2026-11-21T03:00:00.2Z".parse().unwrap());
        Ok(Admission { tenant, client, speech, until, behind, grants, quotas })
    }
}

/// A chunk that waits for the test's decision.
pub(crate) struct Pending {
    pub(crate) chunk: Chunk,
    pub(crate) commit: oneshot::Sender<()>,
}

impl Pending {
    pub(crate) fn payloads(&self) -> Vec<&[u8]> {
        self.chunk.messages.iter().map(|message| &message.payload[..]).collect()
    }
}

/// A payload that the log finds too much.
pub(crate) const OVER_QUOTA: &[u8] = b"too much";

/// Hands chunks to the test. `commit_at_once` makes it an obliging log.
struct Log {
    chunks: mpsc::Sender<Pending>,
    committed: mpsc::UnboundedSender<Inbound>,
    commit_at_once: bool,
}

#[async_trait]
impl Ingest for Log {
    async fn pace(&self, _: TenantId, _: usize) -> Result<(), NotTaken> {
        Ok(())
    }

    async fn submit(&self, chunk: Chunk) -> Result<Receipt, NotTaken> {
        assert!(!chunk.messages.is_empty(), "a chunk is never empty");
        if chunk.messages.iter().any(|message| message.payload == OVER_QUOTA) {
            return Err(NotTaken::OverQuota);
        }
        let (commit, receipt) = oneshot::channel();
        if self.commit_at_once {
            for message in chunk.messages {
                self.committed.send(message).ok();
            }
            commit.send(()).ok();
        } else {
            self.chunks.send(Pending { chunk, commit }).await.map_err(|_| NotTaken::Closed)?;
        }
        Ok(receipt)
    }
}

/// Sessions and messages that are kept, as long as the test goes on: a second broker finds them.
#[derive(Default)]
pub(crate) struct Memory {
    all: std::sync::Mutex<HashMap<TenantId, (Kept, Vec<Publications>)>>,
    /// While somebody holds it nothing is written.
    pub(crate) hold: Mutex<()>,
}

#[async_trait]
impl Mailboxes for Memory {
    async fn kept(&self) -> Result<Vec<(TenantId, Kept)>, StoreError> {
        let all = self.all.lock().unwrap();
        Ok(all.iter().map(|(tenant, (kept, _))| (*tenant, kept.clone())).collect())
    }

    async fn keep(&self, shares: &[(TenantId, Share)]) -> Result<(), StoreError> {
        let _may_write = self.hold.lock().await;
        let mut all = self.all.lock().unwrap();
        for (tenant, share) in shares.iter().cloned() {
            let (kept, log) = all.entry(tenant).or_default();
            if let Some(publications) = share.publications {
                assert!(kept.head < publications.first, "positions only grow");
                kept.head = publications.last;
                log.push(publications);
            }
            for (topic, message) in share.retained {
                kept.retained.retain(|(known, _)| *known != topic);
                kept.retained.extend(message.map(|message| (topic, message)));
            }
            for change in share.mailboxes {
                match change {
                    MailboxChange::Put(mailbox) => {
                        kept.mailboxes.retain(|known| known.id != mailbox.id);
                        kept.mailboxes.push(mailbox);
                    }
                    MailboxChange::Flight { id, flight } => {
                        kept.mailboxes.iter_mut().find(|known| known.id == id).unwrap().flight = flight;
                    }
                    MailboxChange::Gone(id) => {
                        kept.mailboxes.retain(|known| known.id != id);
                        kept.received.retain(|received| received.mailbox != id);
                    }
                }
            }
            kept.received.extend(share.received);
            kept.received.retain(|received| !share.released.contains(received));
        }
        Ok(())
    }

    async fn publications(
        &self,
        tenant: TenantId,
        after: u64,
        _: usize,
    ) -> Result<Vec<Publications>, StoreError> {
        let all = self.all.lock().unwrap();
        let log = all.get(&tenant).map(|(_, log)| log.as_slice()).unwrap_or_default();
        Ok(log.iter().find(|row| row.last > after).cloned().into_iter().collect())
    }

    async fn trim(&self, tenant: TenantId, until: u64) -> Result<(), StoreError> {
        if let Some((_, log)) = self.all.lock().unwrap().get_mut(&tenant) {
            log.retain(|row| row.last > until);
        }
        Ok(())
    }
}

/// Tells who came and who went.
struct Door(
    mpsc::UnboundedSender<(bool, TenantId, DeviceId)>,
    mpsc::UnboundedSender<(TenantId, DeviceId, Episode)>,
);

impl Presence for Door {
    fn connected(&self, tenant: TenantId, device: &DeviceId, _at: jiff::Timestamp) {
        self.0.send((true, tenant, device.clone())).ok();
    }
    fn disconnected(&self, tenant: TenantId, device: &DeviceId, _at: jiff::Timestamp) {
        self.0.send((false, tenant, device.clone())).ok();
    }
    fn happened(&self, tenant: TenantId, device: &DeviceId, episode: Episode) {
        self.1.send((tenant, device.clone(), episode)).ok();
    }
}

/// Whose answer to which command, and what it is.
type Answered = (TenantId, DeviceId, u32, Option<CommandAnswer>);

/// Every device's twin is the same, but for what the test makes of it.
#[derive(Default)]
pub(crate) struct Desk {
    /// While somebody holds it nobody is answered.
    pub(crate) twin: Mutex<Option<TwinView>>,
    pub(crate) answers: std::sync::Mutex<Vec<Answered>>,
}

#[async_trait]
impl Attendant for Desk {
    async fn twin(&self, _: TenantId, _: &DeviceId) -> Option<TwinView> {
        self.twin.lock().await.clone()
    }

    async fn register(&self, _: TenantId, device: &DeviceId, model: Option<&str>) -> Result<(), String> {
        match model {
            Some(model) => Err(format!("{device} is no {model}")),
            None => Ok(()),
        }
    }

    async fn enrol(
        &self,
        newcomer: Newcomer,
        from: IpAddr,
        _: CorrelationId,
    ) -> Result<String, Unregistered> {
        let Newcomer { key, secret, name } = newcomer;
        match (from.is_loopback(), key.as_str(), secret.as_str(), name) {
            (true, "key", "secret", Some(name)) => Ok(format!("token of {name}")),
            (true, "key", "secret", None) => Err(Unregistered::Refused("it has no name".into())),
            _ => Err(Unregistered::NotValid),
        }
    }

    fn answered(&self, tenant: TenantId, device: &DeviceId, id: u32, answer: Option<CommandAnswer>) {
        self.answers.lock().unwrap().push((tenant, device.clone(), id, answer));
    }
}

pub(crate) struct World {
    pub(crate) broker: Broker,
    pub(crate) clock: ManualClock,
    pub(crate) memory: Arc<Memory>,
    pub(crate) desk: Arc<Desk>,
    chunks: Mutex<mpsc::Receiver<Pending>>,
    committed: Mutex<mpsc::UnboundedReceiver<Inbound>>,
    presence: Mutex<mpsc::UnboundedReceiver<(bool, TenantId, DeviceId)>>,
    episodes: Mutex<mpsc::UnboundedReceiver<(TenantId, DeviceId, Episode)>>,
}

/// How many chunks the log takes before `submit` waits.
const LOG_CAPACITY: usize = 4;

impl World {
    /// A broker whose log commits at once.
    pub(crate) async fn obliging() -> Self {
        Self::with(true, |_| {}).await
    }

    /// A broker whose log commits when the test says so.
    pub(crate) async fn deliberate() -> Self {
        Self::with(false, |_| {}).await
    }

    pub(crate) async fn with(commit_at_once: bool, adjust: impl FnOnce(&mut BrokerConfig)) -> Self {
        Self::that_found(Arc::default(), commit_at_once, adjust).await
    }

    /// One that takes up what another has left.
    pub(crate) async fn that_found(
        memory: Arc<Memory>,
        commit_at_once: bool,
        adjust: impl FnOnce(&mut BrokerConfig),
    ) -> Self {
        let mut config = BrokerConfig { listen: ([127, 0, 0, 1], 0).into(), ..BrokerConfig::default() };
        adjust(&mut config);
        let (chunks, chunks_out) = mpsc::channel(LOG_CAPACITY);
        let (committed, committed_out) = mpsc::unbounded_channel();
        let (presence, presence_out) = mpsc::unbounded_channel();
        let (episodes, episodes_out) = mpsc::unbounded_channel();
        let log = Arc::new(Log { chunks, committed, commit_at_once });
        let clock = ManualClock::new("2026-11-21T03:00:00Z".parse().unwrap());
        let (presence, store) =
            (Arc::new(Door(presence, episodes)), Arc::clone(&memory) as Arc<dyn Mailboxes>);
        let desk = Arc::new(Desk::default());
        let (attendant, time) = (Arc::clone(&desk), Arc::new(clock.clone()));
        let broker = Broker::bind(config, Arc::new(Gate), log, attendant, presence, store, time).await;
        let broker = broker.unwrap();
        Self {
            broker,
            clock,
            memory,
            desk,
            chunks: Mutex::new(chunks_out),
            committed: Mutex::new(committed_out),
            presence: Mutex::new(presence_out),
            episodes: Mutex::new(episodes_out),
        }
    }

    pub(crate) async fn next_chunk(&self) -> Pending {
        timeout(PATIENCE, self.chunks.lock().await.recv()).await.expect("a chunk").unwrap()
    }

    /// Whether a chunk waits right now.
    pub(crate) async fn has_chunk(&self) -> bool {
        !self.chunks.lock().await.is_empty()
    }

    pub(crate) async fn next_message(&self) -> Inbound {
        timeout(PATIENCE, self.committed.lock().await.recv()).await.expect("a message").unwrap()
    }

    pub(crate) async fn next_presence(&self) -> (bool, TenantId, DeviceId) {
        timeout(PATIENCE, self.presence.lock().await.recv()).await.expect("presence").unwrap()
    }

    /// What became of a device's connection next, and why.
    pub(crate) async fn next_episode(&self) -> (DeviceId, Happened, &'static str) {
        let next = timeout(PATIENCE, self.episodes.lock().await.recv()).await;
        let (_, device, Episode { what, why, .. }) = next.expect("an episode").unwrap();
        (device, what, why)
    }

    /// The value of one line of the metrics; 0 when there is none.
    pub(crate) fn metric(&self, line: &str) -> u64 {
        let mut registry = Registry::default();
        self.broker.metrics().register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        text.lines().find_map(|found| found.strip_prefix(line)?.trim().parse().ok()).unwrap_or(0)
    }

    /// Waits until a metric has a value; for what happens after the last byte a client sees.
    pub(crate) async fn until_metric(&self, line: &str, value: u64) {
        let reached = async {
            while self.metric(line) != value {
                tokio::task::yield_now().await;
            }
        };
        let reached = timeout(PATIENCE, reached).await;
        assert!(reached.is_ok(), "{line} is {}, not {value}", self.metric(line));
    }
}
