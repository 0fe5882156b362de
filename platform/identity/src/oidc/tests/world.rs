//! A hospital with a provider, on a real store.

use std::{sync::Arc, time::Duration};

use keys::{Keys, MasterKms};
use serde_json::{Value, json};
use storage::{Database, DatabaseOptions};
use tenants::{
    ProviderId, Tenant, TenantId, TenantSlug, UserId,
    access::{Access, Action, Caller, FixedRules, Object, Principal, Role},
    audit::{AuditEntry, AuditFilter, Outcome},
    clock::{Clock, ManualClock},
    identity_provider::{Enrolment, GroupRole, IdentityProvider},
    paging::PageRequest,
    revocations::Revocations,
    stores::{AuditTrail, IdentityProviders, Tenants},
};
use url::Url;
use zeroize::Zeroizing;

use super::provider::{Provider, Signer};
use crate::memory::visitor;
use crate::{CameBack, FailedSignIn, Federation, Identity, Returned, SignInProblem};

pub(super) const REDIRECT: &str = "http://127.0.0.1:8080/auth/oidc/callback";
pub(super) const AUDIENCE: &str = "https://iomt.example.org/api";
pub(super) const KID: &str = "k-1";

pub(super) struct World {
    pub(super) identity: Identity,
    pub(super) database: Database,
    pub(super) clock: ManualClock,
    pub(super) tenant: TenantId,
    pub(super) enrolled: IdentityProvider,
    pub(super) provider: Provider,
    pub(super) signer: Signer,
    access: Access,
    admin: Caller,
    _folder: tempfile::TempDir,
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(Signer::es256()).await
    }

    pub(super) async fn with(signer: Signer) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("iomt.db").display());
        let database = Database::connect(&url, &DatabaseOptions::default()).await.unwrap();
        database.migrate().await.unwrap();
        let clock = ManualClock::new("2026-01-02T03:04:05Z".parse().unwrap());
        let store = Arc::new(database.clone());
        let ticks: Arc<dyn Clock> = Arc::new(clock.clone());
        let kms = MasterKms::new(&Zeroizing::new([7; 32]), &[], None).unwrap();
        let federation = Federation {
            providers: store.clone(),
            logins: store.clone(),
            keys: Arc::new(Keys::new(store.clone(), Arc::new(kms), ticks.clone(), &[])),
            loopback_http: true,
        };
        let identity = Identity::new(
            store.clone(),
            store.clone(),
            store.clone(),
            store.clone(),
            store.clone(),
            Arc::new(Revocations::new(store)),
            ticks.clone(),
        )
        .with_providers(federation);
        let (tenant, user) = (TenantId::new(&clock), UserId::new(&clock));
        let slug = TenantSlug::parse("st-elsewhere").unwrap();
        let entry = entry(tenant, &clock);
        Tenants::create(&database, &Tenant::new(tenant, slug.clone(), slug.to_string()), &entry)
            .await
            .unwrap();
        let access = Access::new(Arc::new(FixedRules::of_each_role(move |_| user)), ticks);
        let (name, email) = ("N. N.".into(), "n@example.org".into());
        let admin =
            Caller { tenant, principal: Principal::User { id: user, name, email, restricted_to: None } };
        let provider = Provider::start().await;
        provider.publish(&[signer.jwk(KID)]);
        let enrolled = enrolled(&identity, tenant, &provider.issuer, &clock).await;
        let world = Self {
            identity,
            database,
            clock,
            tenant,
            enrolled,
            provider,
            signer,
            access,
            admin,
            _folder: folder,
        };
        world.save(&world.enrolled).await;
        world
    }

    pub(super) async fn save(&self, provider: &IdentityProvider) {
        let scope = self.access.grant(&self.admin, Object::IdentityProvider, Action::Write).await.unwrap();
        let entry = entry(self.tenant, &self.clock);
        IdentityProviders::save(&self.database, &scope, provider, &entry).await.unwrap();
    }

    /// What was refused or done lately, newest first: action, outcome, detail.
    pub(super) async fn trail(&self) -> Vec<AuditEntry> {
        let scope = self.access.grant(&self.admin, Object::Audit, Action::Read).await.unwrap();
        let page = PageRequest { first: 100, ..PageRequest::default() };
        let found = self.database.page(&scope, &AuditFilter::default(), &page).await.unwrap();
        found.rows.into_iter().map(|(_, entry)| entry).collect()
    }

    /// Sends a browser away; what it must bring back, and the nonce that the provider got.
    pub(super) async fn leave(&self) -> (CameBack, String) {
        let id = self.enrolled.id.to_string();
        let sent = self.identity.send_to_provider("st-elsewhere", &id, "/patients", REDIRECT).await.unwrap();
        let query: std::collections::HashMap<_, _> =
            Url::parse(&sent.url).unwrap().query_pairs().into_owned().collect();
        assert_eq!(query["code_challenge_method"], "S256");
        assert_eq!((query["redirect_uri"].as_str(), query["client_id"].as_str()), (REDIRECT, "iomt"));
        let came = CameBack {
            state: query["state"].clone(),
            code: Some("code-1".into()),
            cookie: Some(sent.cookie),
            ..CameBack::default()
        };
        (came, query["nonce"].clone())
    }

    pub(super) async fn come_back(&self, came: &CameBack) -> Result<Returned, FailedSignIn> {
        self.identity.take_in(came, REDIRECT, &visitor("192.0.2.1", 7)).await
    }

    /// Signs in with an ID token that is given for the claims.
    pub(super) async fn sign_in(
        &self,
        token: impl FnOnce(Value) -> String,
    ) -> Result<Returned, FailedSignIn> {
        let (came, nonce) = self.leave().await;
        self.provider.give(&token(self.claims(&nonce)));
        self.come_back(&came).await
    }

    /// The claims of an ID token that is right.
    pub(super) fn claims(&self, nonce: &str) -> Value {
        let now = self.clock.now().as_second();
        json!({ "iss": self.provider.issuer, "sub": "s-1", "aud": "iomt", "exp": now + 300, "iat": now,
            "nonce": nonce, "email": "ann@example.org", "email_verified": true, "name": "Ann",
            "groups": ["Nurses"], "sid": "sid-1" })
    }

    pub(super) fn signed(&self, claims: &Value) -> String {
        self.signer.token(&json!({ "alg": self.signer.alg(), "kid": KID }), claims)
    }

    /// Time goes by, so that the next refusal is written down by itself.
    pub(super) fn wait(&self) {
        self.clock.advance(Duration::from_secs(61));
    }

    /// The newest line must tell this refusal, and nothing that was sent.
    pub(super) async fn expect_refused(&self, reason: &str, what: &str) {
        let newest = self.trail().await.remove(0);
        assert_eq!(newest.outcome, Outcome::Denied, "{what}");
        assert!(newest.detail.contains(reason), "{what}: {}", newest.detail);
        assert!(!newest.detail.contains("ann@"), "{what}: {}", newest.detail);
    }
}

pub(super) fn problem(outcome: Result<Returned, FailedSignIn>) -> Option<SignInProblem> {
    outcome.err().map(|failed| failed.problem)
}

fn entry(tenant: TenantId, clock: &ManualClock) -> AuditEntry {
    AuditEntry::new(tenant, clock.now(), "system", "identity_provider.save", "identity_provider:x")
}

async fn enrolled(
    identity: &Identity,
    tenant: TenantId,
    issuer: &str,
    clock: &ManualClock,
) -> IdentityProvider {
    let id = ProviderId::new(clock);
    let secret = identity.seal_secret(tenant, id, "hunter2").await.unwrap();
    let unit = tenants::UnitId::root(tenant);
    IdentityProvider {
        id,
        name: "Hospital".into(),
        issuer: issuer.into(),
        client_id: "iomt".into(),
        client_secret: Some(secret),
        api_audience: Some(AUDIENCE.into()),
        scopes: vec!["openid".into(), "email".into()],
        group_claim: "groups".into(),
        roles: vec![GroupRole { group: "Nurses".into(), role: Role::Nurse.into(), unit }],
        default_role: None,
        enabled: true,
        version: 1,
    }
}
