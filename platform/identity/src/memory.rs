//! Stores in memory, for the tests of this crate.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
};

use async_trait::async_trait;
use jiff::Timestamp;
use tenants::{
    CorrelationId, DeviceId, StoreError, Tenant, TenantId, TenantSlug, TokenId, UnitId, UserId,
    access::{Caller, Restriction, Role, RoleGrant, Scope},
    account::{Invitation, Login, Session, SomeSessions, User},
    api_token::ApiToken,
    audit::{AuditEntry, AuditFilter},
    clock::{Clock, ManualClock},
    credentials::{BearerToken, SecretHash},
    device_certificate::{DeviceCertificate, Fingerprint},
    enrolment::{EnrolmentKey, EnrolmentKeys},
    keys::{BlindIndex, HEADER_BYTES, Keyring, SealError, SealedFor, TenantKeys},
    locality::Locality,
    paging::{Page, PageRequest},
    revocations::{CredentialVersions, Revocations},
    stores::{Accounts, ApiTokens, AuditTrail, DeviceCredentials, DeviceLogin, Tenants},
};

use crate::{Identity, Visitor};

/// An identity over stores in memory, with two tenants and a clock to move.
pub(crate) struct World {
    pub(crate) identity: Identity,
    pub(crate) stores: Arc<Stores>,
    pub(crate) clock: ManualClock,
    pub(crate) tenant: Tenant,
    pub(crate) other: Tenant,
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::new("2026-01-02T03:04:05Z".parse().unwrap());
        let tenant = |slug: &str| Tenant::new(TenantId::new(&clock), TenantSlug::parse(slug).unwrap(), slug);
        let (ours, theirs) = (tenant("st-elsewhere"), tenant("county-general"));
        let stores =
            Arc::new(Stores { tenants: Mutex::new(vec![ours.clone(), theirs.clone()]), ..Stores::default() });
        let identity = Identity::new(
            stores.clone(),
            stores.clone(),
            stores.clone(),
            stores.clone(),
            stores.clone(),
            Arc::new(Revocations::new(stores.clone())),
            Arc::new(clock.clone()),
        )
        .with_enrolment(stores.clone(), Arc::new(Marked));
        Self { identity, stores, clock, tenant: ours, other: theirs }
    }

    pub(crate) async fn user(&self, email: &str, password: &str) -> User {
        let user = User {
            id: UserId::new(&self.clock),
            tenant: self.tenant.id,
            email: email.to_owned(),
            display_name: "N. N.".to_owned(),
        };
        let password_hash = self.identity.hash_password(password).await.unwrap();
        self.stores.create_user(&Login { user: user.clone(), password_hash }, &[]).await.unwrap();
        user
    }

    pub(crate) async fn token(&self, user: &User, expires_at: Option<Timestamp>) -> String {
        let (token, secret) = self.new_token(user, self.whole());
        self.keep(user.tenant, ApiToken { expires_at, restriction: None, ..token }).await;
        secret.reveal().to_owned()
    }

    pub(crate) async fn restricted_token(&self, user: &User, to: Restriction) -> String {
        let (token, secret) = self.new_token(user, to);
        self.keep(user.tenant, token).await;
        secret.reveal().to_owned()
    }

    fn whole(&self) -> Restriction {
        Restriction { role: Role::Nurse.into(), unit: UnitId::root(self.tenant.id) }
    }

    fn new_token(&self, user: &User, to: Restriction) -> (ApiToken, BearerToken) {
        let owner = (user.tenant, user.id);
        ApiToken::new(owner, "test".to_owned(), to, ApiToken::DAYS, &self.clock).unwrap()
    }

    async fn keep(&self, tenant: TenantId, token: ApiToken) {
        let entry = AuditEntry::new(tenant, self.clock.now(), "system", "test.set_up", "test:1");
        self.stores.create_token(tenant, &token, &entry).await.unwrap();
    }

    /// Adds a device and returns its token.
    pub(crate) fn device(&self, id: &str) -> String {
        self.device_of(self.tenant.id, id)
    }

    /// The same in that hospital.
    pub(crate) fn device_of(&self, tenant: TenantId, id: &str) -> String {
        let token = BearerToken::generate(tenant).unwrap().reveal().to_owned();
        let device = DeviceId::parse(id).unwrap();
        let login = DeviceLogin {
            device: device.clone(),
            token: SecretHash::of(token.as_bytes()),
            certificates: Vec::new(),
            blocked: false,
            behind: Vec::new(),
        };
        self.stores.devices.lock().unwrap().insert((tenant, device), login);
        token
    }

    /// The hospital's devices and people are not served from then on, or again with `None`.
    pub(crate) async fn suspend(&self, since: Option<Timestamp>) {
        let entry = AuditEntry::new(self.tenant.id, self.clock.now(), "x", "tenant.suspend", "x");
        self.stores.suspend(self.tenant.id, since, &entry).await.unwrap();
        self.identity.forget_tenants();
    }

    /// A device has these certificates of its own, as told by whoever did it.
    pub(crate) fn own(&self, tenant: TenantId, id: &str, certificates: Vec<DeviceCertificate>) {
        let key = (tenant, DeviceId::parse(id).unwrap());
        self.stores.devices.lock().unwrap().get_mut(&key).unwrap().certificates = certificates;
        self.identity.revocations().tell(tenant);
    }

    /// Blocks a device, as told by whoever did it.
    pub(crate) fn block(&self, id: &str) {
        let key = (self.tenant.id, DeviceId::parse(id).unwrap());
        self.stores.devices.lock().unwrap().get_mut(&key).unwrap().blocked = true;
        self.identity.revocations().tell(self.tenant.id);
    }
}

#[derive(Default)]
pub(crate) struct Stores {
    tenants: Mutex<Vec<Tenant>>,
    logins: Mutex<Vec<Login>>,
    invitations: Mutex<Vec<Invitation>>,
    tokens: Mutex<Vec<(TenantId, ApiToken)>>,
    sessions: Mutex<Vec<(TenantId, Session)>>,
    devices: Mutex<HashMap<(TenantId, DeviceId), DeviceLogin>>,
    enrolment_keys: Mutex<HashMap<TenantId, EnrolmentKey>>,
    audit: Mutex<Vec<AuditEntry>>,
    audit_is_broken: AtomicBool,
    token_lookups: AtomicUsize,
    noted_uses: AtomicUsize,
    device_lookups: AtomicUsize,
}

impl Stores {
    pub(crate) fn audited(&self) -> Vec<AuditEntry> {
        self.audit.lock().unwrap().clone()
    }
    pub(crate) fn break_audit(&self) {
        self.audit_is_broken.store(true, SeqCst);
    }
    pub(crate) fn session_hashes(&self) -> Vec<[u8; 32]> {
        self.sessions.lock().unwrap().iter().map(|(_, session)| *session.hash.as_bytes()).collect()
    }
    pub(crate) fn token_lookups(&self) -> usize {
        self.token_lookups.load(SeqCst)
    }
    pub(crate) fn noted_uses(&self) -> usize {
        self.noted_uses.load(SeqCst)
    }
    /// As another process would revoke them, unnoticed.
    pub(crate) fn forget_tokens(&self) {
        self.tokens.lock().unwrap().clear();
    }
    pub(crate) fn device_lookups(&self) -> usize {
        self.device_lookups.load(SeqCst)
    }
}

/// Somebody at an address, whose browser tries to begin another line.
pub(crate) fn visitor(address: &str, correlation: u64) -> Visitor {
    Visitor::new(address, "Firefox\n/140", CorrelationId(correlation))
}

#[async_trait]
impl Tenants for Stores {
    async fn by_slug(&self, slug: &TenantSlug) -> Result<Option<Tenant>, StoreError> {
        self.device_lookups.fetch_add(1, SeqCst);
        Ok(self.tenants.lock().unwrap().iter().find(|tenant| tenant.slug == *slug).cloned())
    }
    async fn by_id(&self, id: TenantId) -> Result<Option<Tenant>, StoreError> {
        Ok(self.tenants.lock().unwrap().iter().find(|tenant| tenant.id == id).cloned())
    }
    async fn all(&self) -> Result<Vec<Tenant>, StoreError> {
        Ok(self.tenants.lock().unwrap().clone())
    }
    async fn create(&self, _: &Tenant, _: &AuditEntry) -> Result<(), StoreError> {
        Err(StoreError::Conflict { what: "the tenants of this world are given".to_owned() })
    }
    async fn locate(&self, _: TenantId, _: &Locality, _: &AuditEntry) -> Result<(), StoreError> {
        Err(StoreError::Conflict { what: "the tenants of this world are given".to_owned() })
    }
    async fn suspend(
        &self,
        id: TenantId,
        since: Option<Timestamp>,
        _: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let mut tenants = self.tenants.lock().unwrap();
        let tenant = tenants.iter_mut().find(|tenant| tenant.id == id).unwrap();
        Ok(std::mem::replace(&mut tenant.suspended_since, since) != since)
    }
}

#[async_trait]
impl Accounts for Stores {
    async fn login(&self, email: &str) -> Result<Option<Login>, StoreError> {
        Ok(self.logins.lock().unwrap().iter().find(|login| login.user.email == email).cloned())
    }
    async fn user(&self, tenant: TenantId, id: UserId) -> Result<Option<User>, StoreError> {
        let logins = self.logins.lock().unwrap();
        let found = logins.iter().find(|login| (login.user.tenant, login.user.id) == (tenant, id));
        Ok(found.map(|login| login.user.clone()))
    }
    async fn users(&self, scope: &Scope) -> Result<Vec<User>, StoreError> {
        let all = self.logins.lock().unwrap();
        let ours = all.iter().filter(|login| login.user.tenant == scope.tenant());
        Ok(ours.map(|login| login.user.clone()).collect())
    }
    async fn is_empty(&self) -> Result<bool, StoreError> {
        Ok(self.logins.lock().unwrap().is_empty())
    }
    async fn create_user(&self, login: &Login, _: &[RoleGrant]) -> Result<(), StoreError> {
        self.logins.lock().unwrap().push(login.clone());
        Ok(())
    }
    async fn invite(&self, invitation: &Invitation, audit: &AuditEntry) -> Result<(), StoreError> {
        self.invitations.lock().unwrap().push(invitation.clone());
        self.append(std::slice::from_ref(audit)).await
    }
    async fn invitation(
        &self,
        tenant: TenantId,
        hash: &SecretHash,
    ) -> Result<Option<Invitation>, StoreError> {
        let all = self.invitations.lock().unwrap();
        Ok(all.iter().find(|one| one.tenant == tenant && one.hash == *hash).cloned())
    }
    async fn accept(
        &self,
        invitation: &Invitation,
        login: &Login,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        self.invitations.lock().unwrap().retain(|one| one.hash != invitation.hash);
        self.logins.lock().unwrap().push(login.clone());
        self.append(std::slice::from_ref(audit)).await
    }
    async fn session(&self, tenant: TenantId, hash: &SecretHash) -> Result<Option<Session>, StoreError> {
        let sessions = self.sessions.lock().unwrap();
        Ok(sessions
            .iter()
            .find(|(of, session)| *of == tenant && session.hash == *hash)
            .map(|(_, s)| s.clone()))
    }
    async fn create_session(&self, tenant: TenantId, session: &Session) -> Result<(), StoreError> {
        self.sessions.lock().unwrap().push((tenant, session.clone()));
        Ok(())
    }
    async fn note_session_use(
        &self,
        tenant: TenantId,
        hash: &SecretHash,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut sessions = self.sessions.lock().unwrap();
        let found = sessions.iter_mut().find(|(of, session)| *of == tenant && session.hash == *hash);
        if let Some((_, session)) = found {
            session.last_used_at = at;
        }
        Ok(())
    }
    async fn own_sessions(&self, caller: &Caller, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let sessions = self.sessions.lock().unwrap();
        let own = sessions.iter().filter(|(of, session)| {
            *of == caller.tenant && caller.user() == Some(session.user) && session.counts(now)
        });
        Ok(own.map(|(_, session)| session.clone()).collect())
    }
    async fn sessions_of(&self, _: &Scope, _: UserId, _: Timestamp) -> Result<Vec<Session>, StoreError> {
        Ok(Vec::new())
    }
    async fn end_own_sessions(
        &self,
        caller: &Caller,
        which: SomeSessions,
        _: &AuditEntry,
    ) -> Result<u64, StoreError> {
        let mut sessions = self.sessions.lock().unwrap();
        let before = sessions.len();
        sessions.retain(|(of, session)| {
            *of != caller.tenant || caller.user() != Some(session.user) || !which.contain(session.id())
        });
        Ok((before - sessions.len()) as u64)
    }
    async fn end_sessions_of(&self, _: &Scope, _: UserId, _: &AuditEntry) -> Result<u64, StoreError> {
        Ok(0)
    }
    async fn delete_session(
        &self,
        tenant: TenantId,
        hash: &SecretHash,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let ended = {
            let mut sessions = self.sessions.lock().unwrap();
            let before = sessions.len();
            sessions.retain(|(of, session)| *of != tenant || session.hash != *hash);
            sessions.len() < before
        };
        if ended {
            self.append(std::slice::from_ref(audit)).await?;
        }
        Ok(ended)
    }
}

#[async_trait]
impl ApiTokens for Stores {
    async fn token(&self, tenant: TenantId, hash: &SecretHash) -> Result<Option<ApiToken>, StoreError> {
        self.token_lookups.fetch_add(1, SeqCst);
        let tokens = self.tokens.lock().unwrap();
        let found = tokens.iter().find(|(of, token)| *of == tenant && token.hash == *hash);
        Ok(found.map(|(_, token)| token.clone()))
    }
    async fn create_token(
        &self,
        tenant: TenantId,
        token: &ApiToken,
        _: &AuditEntry,
    ) -> Result<(), StoreError> {
        self.tokens.lock().unwrap().push((tenant, token.clone()));
        Ok(())
    }
    async fn note_use(&self, _: TenantId, _: TokenId, _: Timestamp) -> Result<(), StoreError> {
        self.noted_uses.fetch_add(1, SeqCst);
        Ok(())
    }
    async fn own_tokens(&self, _: &Caller) -> Result<Vec<ApiToken>, StoreError> {
        Ok(Vec::new())
    }
    async fn tokens_of(&self, _: &Scope, _: UserId) -> Result<Vec<ApiToken>, StoreError> {
        Ok(Vec::new())
    }
    async fn revoke_own_token(&self, _: &Caller, _: TokenId, _: &AuditEntry) -> Result<(), StoreError> {
        Err(StoreError::NotFound { what: "API token" })
    }
    async fn revoke_token(&self, _: &Scope, _: TokenId, _: &AuditEntry) -> Result<(), StoreError> {
        Err(StoreError::NotFound { what: "API token" })
    }
}

#[async_trait]
impl CredentialVersions for Stores {
    async fn credential_versions(&self) -> Result<Vec<(TenantId, u64)>, StoreError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl DeviceCredentials for Stores {
    async fn device_logins(
        &self,
        tenant: TenantId,
        devices: &[DeviceId],
    ) -> Result<Vec<DeviceLogin>, StoreError> {
        self.device_lookups.fetch_add(1, SeqCst);
        let all = self.devices.lock().unwrap();
        Ok(devices.iter().filter_map(|device| all.get(&(tenant, device.clone())).cloned()).collect())
    }
    async fn device_of_token(
        &self,
        tenant: TenantId,
        hash: &SecretHash,
    ) -> Result<Option<DeviceLogin>, StoreError> {
        self.device_lookups.fetch_add(1, SeqCst);
        let all = self.devices.lock().unwrap();
        Ok(all
            .iter()
            .find(|((of, _), login)| *of == tenant && login.token == *hash)
            .map(|(_, login)| login.clone()))
    }
    async fn prove_certificate(
        &self,
        tenant: TenantId,
        device: &DeviceId,
        fingerprint: Fingerprint,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut all = self.devices.lock().unwrap();
        let mut own = all.get_mut(&(tenant, device.clone())).into_iter().flat_map(|of| &mut of.certificates);
        if let Some(own) = own.find(|own| own.fingerprint == fingerprint && own.proven_at.is_none()) {
            own.proven_at = Some(audit.at);
            self.audit.lock().unwrap().push(audit.clone());
        }
        Ok(())
    }
}

#[async_trait]
impl EnrolmentKeys for Stores {
    async fn enrolment_key(&self, tenant: TenantId) -> Result<Option<EnrolmentKey>, StoreError> {
        Ok(self.enrolment_keys.lock().unwrap().get(&tenant).cloned())
    }
    async fn add_enrolment_key(
        &self,
        tenant: TenantId,
        key: &EnrolmentKey,
        _: &AuditEntry,
    ) -> Result<(), StoreError> {
        let before = self.enrolment_keys.lock().unwrap().insert(tenant, key.clone());
        assert!(before.is_none(), "one each");
        Ok(())
    }
}

/// Keys that hide nothing and know again what they have sealed.
struct Marked;

impl Marked {
    fn mark(SealedFor { tenant, purpose, row }: SealedFor<'_>) -> Vec<u8> {
        format!("{tenant} {purpose} {row} ").into_bytes()
    }
}

impl TenantKeys for Marked {
    fn seal(&self, what: SealedFor<'_>, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        Ok([&Self::mark(what), plain].concat())
    }
    fn open(&self, what: SealedFor<'_>, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        Ok(sealed.strip_prefix(&Self::mark(what)[..]).ok_or(SealError::NotOurs)?.to_vec())
    }
    fn index(&self, _: &'static str, _: &str) -> BlindIndex {
        BlindIndex([0; 16])
    }
    fn header(&self) -> Option<[u8; HEADER_BYTES]> {
        None
    }
}

#[async_trait]
impl Keyring for Marked {
    async fn of(&self, _: TenantId) -> Result<Arc<dyn TenantKeys>, SealError> {
        Ok(Arc::new(Self))
    }
}

#[async_trait]
impl AuditTrail for Stores {
    async fn append(&self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        if self.audit_is_broken.load(SeqCst) {
            return Err(StoreError::Unavailable("broken on purpose".into()));
        }
        self.audit.lock().unwrap().extend_from_slice(entries);
        Ok(())
    }
    async fn append_once(&self, entries: &[(uuid::Uuid, AuditEntry)]) -> Result<(), StoreError> {
        let entries: Vec<_> = entries.iter().map(|(_, entry)| entry.clone()).collect();
        self.append(&entries).await
    }
    async fn page(
        &self,
        _: &Scope,
        _: &AuditFilter,
        _: &PageRequest,
    ) -> Result<Page<AuditEntry>, StoreError> {
        let rows = self.audited().into_iter().enumerate().map(|(n, entry)| (n.to_string(), entry));
        let rows: Vec<_> = rows.collect();
        Ok(Page { total: Some(rows.len() as u64), rows, has_next: false })
    }
}
