//! A hospital with one nurse and one device, and requests to it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use actix_web::{
    App,
    http::{
        Method, StatusCode,
        header::{self, HeaderMap},
    },
    middleware::from_fn,
    test::{TestRequest, init_service, read_body},
    web::Data,
};
use broker::Broker;
use graphql_schema::{ApiMetrics, Limits, Services};
use identity::CertificateReader;
use jiff::Timestamp;
use serde_json::Value;
use tenants::{
    DeviceId, Tenant, TenantId, TenantSlug, UnitId, UserId,
    access::{Access, Action, Caller, FixedRules, Object, Principal, Restriction, Role, RoleGrant},
    account::{Login, User},
    api_token::ApiToken,
    audit::AuditEntry,
    credentials::{BearerToken, SecretHash},
    messaging::Mailboxes,
    onboarding::Onboarding,
    stores::{Accounts, ApiTokens, Tenants},
};
use twins::{
    Twins,
    device::Decoder,
    downlink::{Downlink, Waiting},
    store::directory::{DeviceRecord, Devices},
};

use super::super::{Health, HttpMetrics, Parts, app, site::Site, wrap::wrap};
use crate::{
    adapters::{ToLog, ToSessions},
    attendant::ToTwins,
    config::{Config, Environment, Sources, key},
    connection_log::Notes,
    enrolling::Enrolling,
    gate::Gate,
    wiring::{Foundation, listen},
};

pub(super) const EMAIL: &str = "nurse@st-elsewhere.example";
pub(super) const PASSWORD: &str = "a password of some length";
pub(super) const DEVICE: &str = "urn:oid:1.2";

pub(super) struct World {
    pub(super) config: Config,
    pub(super) parts: Parts,
    pub(super) token: String,
    pub(super) device_token: String,
    pub(super) caller: Caller,
    pub(super) foundation: Foundation,
    pub(super) database_works: Arc<AtomicBool>,
    _broker: Broker,
    _folder: tempfile::TempDir,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// `name=value` of the cookie that was set.
    pub(super) fn cookie(&self) -> String {
        self.header(header::SET_COOKIE).split(';').next().unwrap().to_owned()
    }
}

impl World {
    pub(super) async fn new() -> Self {
        Self::at("").await
    }

    /// With the address that the outside sees.
    pub(super) async fn at(public_url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite://{}", folder.path().join("iomt.db").display());
        let flags = vec![
            (&key::DATABASE_URL, database),
            (&key::HTTP_ADDR, "127.0.0.1:0".to_owned()),
            (&key::MQTT_ADDR, "127.0.0.1:0".to_owned()),
            (&key::PUBLIC_URL, public_url.to_owned()),
        ];
        let config = Config::load(Sources { flags, ..Sources::default() }, &Environment::default()).unwrap();
        let foundation = Foundation::lay(&config).await.unwrap();
        let (caller, token) = nurse(&foundation).await;
        let device_token = device(&foundation, caller.tenant).await;
        let database_works = Arc::new(AtomicBool::new(true));
        let (parts, broker) = parts(&config, &foundation, database_works.clone()).await;
        Self {
            config,
            parts,
            token,
            device_token,
            caller,
            foundation,
            database_works,
            _broker: broker,
            _folder: folder,
        }
    }

    pub(super) async fn send(&self, request: TestRequest) -> Answer {
        let (status, headers, body) = self.answer(request).await;
        Answer { status, headers, body: String::from_utf8(body).unwrap() }
    }

    /// For bodies that are no text.
    pub(super) async fn send_raw(&self, request: TestRequest) -> Answer {
        let (status, headers, _) = self.answer(request).await;
        Answer { status, headers, body: String::new() }
    }

    async fn answer(&self, request: TestRequest) -> (StatusCode, HeaderMap, Vec<u8>) {
        let site = Site::new(&self.config.http, "127.0.0.1:8080".parse().unwrap(), self.parts.clone());
        let app = App::new().app_data(Data::new(site)).wrap(from_fn(wrap)).configure(app::routes);
        let app = init_service(app).await;
        let request = request.insert_header((header::HOST, "127.0.0.1:8080"));
        let response = match actix_web::test::try_call_service(&app, request.to_request()).await {
            Ok(response) => response.map_into_boxed_body(),
            Err(error) => {
                let response = error.error_response();
                let request = TestRequest::default().to_http_request();
                actix_web::dev::ServiceResponse::new(request, response)
            }
        };
        let (status, headers) = (response.status(), response.headers().clone());
        (status, headers, read_body(response).await.to_vec())
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(TestRequest::with_uri(path)).await
    }

    pub(super) async fn sign_in(&self) -> Answer {
        self.send(json_post("/auth/login", &serde_json::json!({ "email": EMAIL, "password": PASSWORD })))
            .await
    }

    pub(super) fn bearer(&self) -> (header::HeaderName, String) {
        (header::AUTHORIZATION, format!("Bearer {}", self.token))
    }
}

pub(super) fn post(path: &str) -> TestRequest {
    TestRequest::with_uri(path).method(Method::POST)
}

pub(super) fn json_post(path: &str, body: &Value) -> TestRequest {
    post(path).set_json(body)
}

async fn nurse(foundation: &Foundation) -> (Caller, String) {
    let Foundation { database, identity, clock, .. } = foundation;
    let slug = TenantSlug::parse("st-elsewhere").unwrap();
    let tenant = Tenant::new(TenantId::new(&**clock), slug, "St. Elsewhere");
    Tenants::create(database, &tenant, &entry(tenant.id, clock.now())).await.unwrap();
    let user = User {
        id: UserId::new(&**clock),
        tenant: tenant.id,
        email: EMAIL.to_owned(),
        display_name: "N. N.".to_owned(),
    };
    let password_hash = identity.hash_password(PASSWORD).await.unwrap();
    database
        .create_user(
            &Login { user: user.clone(), password_hash },
            &[RoleGrant::everywhere(tenant.id, Role::Nurse)],
        )
        .await
        .unwrap();
    let whole = Restriction { role: Role::Nurse.into(), unit: UnitId::root(tenant.id) };
    let owner = (tenant.id, user.id);
    let (kept, token) = ApiToken::new(owner, "test".to_owned(), whole, 90, &**clock).unwrap();
    let kept = ApiToken { restriction: None, ..kept };
    database.create_token(tenant.id, &kept, &entry(tenant.id, clock.now())).await.unwrap();
    let (name, email) = (user.display_name.as_str().into(), user.email.as_str().into());
    let principal = Principal::User { id: user.id, name, email, restricted_to: None };
    (Caller { tenant: tenant.id, principal }, token.reveal().to_owned())
}

async fn device(foundation: &Foundation, tenant: TenantId) -> String {
    let Foundation { database, clock, .. } = foundation;
    let id = UserId::new(&**clock);
    let access = Access::new(Arc::new(FixedRules::new([(id, Role::Admin.into())])), clock.clone());
    let principal = Principal::User { id, name: "A.".into(), email: "a@b".into(), restricted_to: None };
    let scope = access.grant(&Caller { tenant, principal }, Object::Device, Action::Write).await.unwrap();
    let record = DeviceRecord {
        id: DeviceId::parse(DEVICE).unwrap(),
        name: "Monitor".to_owned(),
        template: "dtmi:iomt:PatientMonitor;1".to_owned(),
        patient: None,
        unit: UnitId::root(tenant),
        blocked_since: None,
        gateway: None,
    };
    let entry = entry(tenant, clock.now());
    let token = BearerToken::generate(tenant).unwrap().reveal().to_owned();
    Devices::create(database, &scope, &record, &SecretHash::of(token.as_bytes()), &entry).await.unwrap();
    token
}

async fn parts(config: &Config, foundation: &Foundation, database_works: Arc<AtomicBool>) -> (Parts, Broker) {
    let Foundation { database, identity, access, meter, clock, .. } = foundation;
    let store = Arc::new(database.clone());
    let decoders: twins::Decoders = Arc::new(|id: &str| {
        templates::builtin::find(id).map(|template| Arc::new(template) as Arc<dyn Decoder>)
    });
    let arbiters = vec![actix::Arbiter::current()];
    let opened = Twins::open(store.clone(), clock.clone(), decoders.clone(), arbiters, "test").await;
    let (twins, writer) = opened.unwrap();
    tokio::spawn(writer);
    twins.recover().await.unwrap();
    let (notes, written) = Notes::new();
    tokio::spawn(written.write(store.clone()));
    let gate = Arc::new(Gate::new(identity.clone(), access.clone(), meter.clone(), notes, clock.clone()));
    let ingest = ToLog { twins: twins.clone(), meter: meter.clone() };
    let waiting = Arc::new(Waiting::default());
    let enrolling = Enrolling {
        database: foundation.database.clone(),
        identity: identity.clone(),
        twins: twins.clone(),
        clock: clock.clone(),
    };
    let attendant = ToTwins { twins: twins.clone(), waiting: waiting.clone(), enrolling };
    let stores = (store.clone() as Arc<dyn Mailboxes>, clock.clone());
    let broker = listen(config, &gate, ingest, attendant, None, stores).await.unwrap();
    let sessions = Arc::new(ToSessions(broker.handle()));
    let services = Services {
        access: access.clone(),
        tenants: store.clone(),
        quotas: store.clone(),
        meter: meter.clone(),
        accounts: store.clone(),
        units: store.clone(),
        roles: store.clone(),
        effects: store.clone(),
        providers: store.clone(),
        enrolment: foundation.identity.clone(),
        second_factor: foundation.identity.clone(),
        authenticators: foundation.identity.clone(),
        elevations: store.clone(),
        openings: store.clone(),
        tokens: store.clone(),
        clients: store.clone(),
        authorities: store.clone(),
        device_certificates: store.clone(),
        certificates: Arc::new(CertificateReader::new(clock.clone())),
        revocations: foundation.identity.revocations().clone(),
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
        decoders,
        metrics: ApiMetrics::default(),
        clock: clock.clone(),
    };
    let probe = move || {
        let works = database_works.load(SeqCst);
        Box::pin(async move { if works { Ok(()) } else { Err("the disk is full".to_owned()) } }) as _
    };
    let parts = Parts {
        schema: graphql_schema::schema(services, Limits::default()),
        identity: identity.clone(),
        access: access.clone(),
        health: Arc::new(Health::new(twins.health().clone(), Box::new(probe))),
        twins,
        meter: meter.clone(),
        mqtt: broker.entrance(),
        clock: clock.clone(),
        metrics: HttpMetrics::default(),
        runtime: tokio::runtime::Handle::current(),
    };
    (parts, broker)
}

fn entry(tenant: TenantId, at: Timestamp) -> AuditEntry {
    AuditEntry::new(tenant, at, "system", "test.set_up", "test:1")
}
