//! What the ground floor asks of a database. `storage` implements these.

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    access::{Caller, Clause, Object, OwnRole, RoleGrant, Rows, Scope},
    account::{Invitation, Login, Session, SomeSessions, Tenant, User},
    api_token::ApiToken,
    audit::{AuditEntry, AuditFilter},
    break_glass::{Opening, Review},
    credentials::SecretHash,
    device_certificate::{DeviceCertificate, Fingerprint},
    elevation::{Answer, Elevation},
    errors::StoreError,
    identity_provider::{Arrival, ExternalSession, IdentityProvider, Linked, LoginAttempt, LogoutNotice},
    ids::{
        ClientId, DeviceId, ElevationId, OpeningId, PatientId, ProviderId, RoleName, TenantId, TenantSlug,
        TokenId, UnitId, UserId,
    },
    locality::Locality,
    org::OrgUnit,
    paging::{Page, PageRequest},
    quotas::{Quotas, Stored},
    service_client::{ClientToken, ServiceClient},
};

/// Tenants, found before there is a caller.
#[async_trait]
pub trait Tenants: Send + Sync {
    /// By name; `None` when there is none.
    async fn by_slug(&self, slug: &TenantSlug) -> Result<Option<Tenant>, StoreError>;
    /// By key.
    async fn by_id(&self, id: TenantId) -> Result<Option<Tenant>, StoreError>;
    /// All, ordered by slug. For operators and for start-up.
    async fn all(&self) -> Result<Vec<Tenant>, StoreError>;
    /// Adds one, with the unit that stands for it as a whole. [`StoreError::Conflict`] when the slug is taken.
    async fn create(&self, tenant: &Tenant, audit: &AuditEntry) -> Result<(), StoreError>;
    /// Says where a tenant is. [`StoreError::NotFound`] when there is none.
    async fn locate(&self, id: TenantId, locality: &Locality, audit: &AuditEntry) -> Result<(), StoreError>;
    /// Cuts a tenant off, or serves it again when `since` is `None`. Every process notices within a second. Returns
    /// whether that changed anything; [`StoreError::NotFound`] when there is no such tenant, [`StoreError::Conflict`]
    /// when it leaves for good.
    async fn suspend(
        &self,
        id: TenantId,
        since: Option<Timestamp>,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError>;
}

/// What tenants may use, and what is stored of them: numbers only. What they may use is read with [`Tenants`].
#[async_trait]
pub trait QuotaRecords: Send + Sync {
    /// Says what a tenant may use. Every process notices within two seconds. What is there already stays, also where it
    /// is more. [`StoreError::NotFound`] when there is no such tenant.
    async fn set_quotas(&self, id: TenantId, quotas: &Quotas, audit: &AuditEntry) -> Result<(), StoreError>;
    /// What is stored of a tenant; messages of each of the last days until `now`, in UTC.
    async fn stored(&self, id: TenantId, now: Timestamp) -> Result<Stored, StoreError>;
}

/// Users and sessions, for signing in.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Finds a user by sign-in name, in whichever tenant.
    async fn login(&self, email: &str) -> Result<Option<Login>, StoreError>;
    /// Finds a user of a tenant.
    async fn user(&self, tenant: TenantId, id: UserId) -> Result<Option<User>, StoreError>;
    /// True when nobody can sign in yet: the first start.
    async fn is_empty(&self) -> Result<bool, StoreError>;
    /// The users of the scope's tenant, by sign-in name.
    async fn users(&self, scope: &Scope) -> Result<Vec<User>, StoreError>;
    /// Adds a user with the roles that they hold from the start. [`StoreError::Conflict`] when the e-mail address
    /// is taken.
    async fn create_user(&self, login: &Login, grants: &[RoleGrant]) -> Result<(), StoreError>;
    /// Keeps an invitation in place of an earlier one to the same address. [`StoreError::Conflict`] when the
    /// address has an account.
    async fn invite(&self, invitation: &Invitation, audit: &AuditEntry) -> Result<(), StoreError>;
    /// Finds an invitation by its link.
    async fn invitation(&self, tenant: TenantId, hash: &SecretHash)
    -> Result<Option<Invitation>, StoreError>;
    /// Makes the account that was offered; the invitation is used up. [`StoreError::NotFound`] when it was already.
    async fn accept(
        &self,
        invitation: &Invitation,
        login: &Login,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
    /// Finds a session by what was presented.
    async fn session(&self, tenant: TenantId, hash: &SecretHash) -> Result<Option<Session>, StoreError>;
    /// Adds a session.
    async fn create_session(&self, tenant: TenantId, session: &Session) -> Result<(), StoreError>;
    /// Takes note that a session is used.
    async fn note_session_use(
        &self,
        tenant: TenantId,
        hash: &SecretHash,
        at: Timestamp,
    ) -> Result<(), StoreError>;
    /// The caller's own sessions that are not over, the one that was used last first.
    async fn own_sessions(&self, caller: &Caller, now: Timestamp) -> Result<Vec<Session>, StoreError>;
    /// Somebody's, likewise.
    async fn sessions_of(
        &self,
        scope: &Scope,
        user: UserId,
        now: Timestamp,
    ) -> Result<Vec<Session>, StoreError>;
    /// Ends some of the caller's own sessions, and says how many there were.
    async fn end_own_sessions(
        &self,
        caller: &Caller,
        which: SomeSessions,
        audit: &AuditEntry,
    ) -> Result<u64, StoreError>;
    /// Ends all of somebody's.
    async fn end_sessions_of(
        &self,
        scope: &Scope,
        user: UserId,
        audit: &AuditEntry,
    ) -> Result<u64, StoreError>;
    /// Ends a session. Returns whether there was one; only then `audit` is written.
    async fn delete_session(
        &self,
        tenant: TenantId,
        hash: &SecretHash,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError>;
}

/// API tokens. Their owners need no scope for their own; what is done to those of others does.
#[async_trait]
pub trait ApiTokens: Send + Sync {
    /// Finds a token by what was presented.
    async fn token(&self, tenant: TenantId, hash: &SecretHash) -> Result<Option<ApiToken>, StoreError>;
    /// Adds a token. [`StoreError::Conflict`] when its owner has [`ApiToken::MAX_OF_ONE`] already.
    async fn create_token(
        &self,
        tenant: TenantId,
        token: &ApiToken,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
    /// Keeps in mind when a token was presented, unless that was within the last minute.
    async fn note_use(&self, tenant: TenantId, token: TokenId, at: Timestamp) -> Result<(), StoreError>;
    /// The caller's own tokens, newest first; for a device none.
    async fn own_tokens(&self, caller: &Caller) -> Result<Vec<ApiToken>, StoreError>;
    /// Somebody's tokens, newest first.
    async fn tokens_of(&self, scope: &Scope, user: UserId) -> Result<Vec<ApiToken>, StoreError>;
    /// Revokes one of the caller's own. [`StoreError::NotFound`] when the caller has none with this id.
    async fn revoke_own_token(
        &self,
        caller: &Caller,
        token: TokenId,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
    /// Revokes anybody's. [`StoreError::NotFound`] when there is none with this id.
    async fn revoke_token(&self, scope: &Scope, token: TokenId, audit: &AuditEntry)
    -> Result<(), StoreError>;
}

/// Programs that act for a hospital itself. What changes their rights is a change of rights.
#[async_trait]
pub trait ServiceClients: Send + Sync {
    /// Finds one, before there is a caller.
    async fn client(&self, tenant: TenantId, id: ClientId) -> Result<Option<ServiceClient>, StoreError>;
    /// Finds one by an access token of it, with the token's end.
    async fn by_token(
        &self,
        tenant: TenantId,
        hash: &SecretHash,
    ) -> Result<Option<(ServiceClient, Timestamp)>, StoreError>;
    /// Keeps an access token, and forgets those that are over. [`StoreError::NotFound`] when the client is gone or
    /// disabled.
    async fn issue(
        &self,
        tenant: TenantId,
        token: &ClientToken,
        now: Timestamp,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
    /// The scope's, by name.
    async fn clients(&self, scope: &Scope) -> Result<Vec<ServiceClient>, StoreError>;
    /// Adds one. [`StoreError::Conflict`] when there is one of this name, or [`ServiceClient::MAX`] of them.
    async fn create_client(
        &self,
        scope: &Scope,
        client: &ServiceClient,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
    /// Gives one another secret, by its hash and its first characters; its access tokens are refused from then on.
    async fn renew_secret(
        &self,
        scope: &Scope,
        id: ClientId,
        secret: (&SecretHash, &str),
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
    /// Refuses one, or takes it again when `since` is `None`; its access tokens are refused either way.
    async fn disable_client(
        &self,
        scope: &Scope,
        id: ClientId,
        since: Option<Timestamp>,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
    /// Removes one for good.
    async fn remove_client(&self, scope: &Scope, id: ClientId, audit: &AuditEntry) -> Result<(), StoreError>;
}

/// The tree of units. It is read with everything else that access rests on; see [`crate::access::Access::units`].
#[async_trait]
pub trait OrgUnits: Send + Sync {
    /// Adds a unit, or renames or moves the one with this id. [`StoreError::Conflict`] when that makes no tree.
    async fn save(&self, scope: &Scope, unit: &OrgUnit, audit: &AuditEntry) -> Result<(), StoreError>;
    /// Removes a unit. [`StoreError::Conflict`] when something belongs to it, now or in its history.
    async fn remove(&self, scope: &Scope, unit: UnitId, audit: &AuditEntry) -> Result<(), StoreError>;
}

/// Roles: the hospital's own, and who holds which. What every change must do, too: decisions made before it are
/// no longer taken for true.
#[async_trait]
pub trait Roles: Send + Sync {
    /// The hospital's own roles, by name.
    async fn own(&self, scope: &Scope) -> Result<Vec<OwnRole>, StoreError>;
    /// Adds a role in version 1, or replaces it by its next version. [`StoreError::Conflict`] when it was changed
    /// meanwhile.
    async fn save(&self, scope: &Scope, role: &OwnRole, audit: &AuditEntry) -> Result<(), StoreError>;
    /// Removes a role. [`StoreError::Conflict`] while somebody holds it.
    async fn remove(&self, scope: &Scope, role: &RoleName, audit: &AuditEntry) -> Result<(), StoreError>;
    /// Gives a user a role in a unit; again, to set another end.
    async fn grant(
        &self,
        scope: &Scope,
        user: UserId,
        grant: &RoleGrant,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
    /// Takes it away; with the last role of a user their sessions end. [`StoreError::NotFound`] when the user does not hold
    /// it there.
    async fn revoke(
        &self,
        scope: &Scope,
        user: UserId,
        grant: &RoleGrant,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
}

/// A row that policies are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyRow {
    /// A patient.
    Patient(Uuid),
    /// A device.
    Device(DeviceId),
    /// An alarm.
    Alarm(Uuid),
}

impl PolicyRow {
    /// What it is.
    pub const fn object(&self) -> Object {
        match self {
            Self::Patient(_) => Object::Patient,
            Self::Device(_) => Object::Device,
            Self::Alarm(_) => Object::Alarm,
        }
    }
}

/// What policies come to in the rows that there are, to explain them to whoever makes them. Tells nothing else about
/// a row.
#[async_trait]
pub trait PolicyEffects: Send + Sync {
    /// Whether each of some clauses covers a row; `None` when there is no such row.
    async fn covered(
        &self,
        scope: &Scope,
        row: &PolicyRow,
        clauses: &[Clause],
    ) -> Result<Option<Vec<bool>>, StoreError>;
    /// How many rows of an object are covered; `None` when it is not counted in rows.
    async fn count(&self, scope: &Scope, object: Object, rows: &Rows) -> Result<Option<u64>, StoreError>;
}

/// Records that people open in an emergency. Opening and closing is a change of rights: decisions made before it
/// are no longer taken for true.
#[async_trait]
pub trait Openings: Send + Sync {
    /// The patient with this medical record number or id, also outside the scope's rows; exactly as it is written,
    /// so that nobody can look around.
    async fn patient(&self, scope: &Scope, named: &str) -> Result<Option<PatientId>, StoreError>;
    /// Opens a record.
    async fn open(&self, scope: &Scope, opening: &Opening, audit: &AuditEntry) -> Result<(), StoreError>;
    /// Closes what this user has open before its time. [`StoreError::NotFound`] when it is not open.
    async fn close(
        &self,
        scope: &Scope,
        user: UserId,
        id: OpeningId,
        at: Timestamp,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
    /// What this user has open, the first to end first.
    async fn open_now(&self, scope: &Scope, user: UserId, now: Timestamp)
    -> Result<Vec<Opening>, StoreError>;
    /// One opening, of whomever.
    async fn opening(&self, scope: &Scope, id: OpeningId) -> Result<Option<Opening>, StoreError>;
    /// A page of all that were opened, newest first; of those that somebody has reviewed, or that nobody has, or of both.
    async fn openings(
        &self,
        scope: &Scope,
        reviewed: Option<bool>,
        page: &PageRequest,
    ) -> Result<Page<Opening>, StoreError>;
    /// How many nobody has reviewed.
    async fn unreviewed(&self, scope: &Scope) -> Result<u64, StoreError>;
    /// Says that somebody has looked at it. [`StoreError::Conflict`] when somebody has before, or when they opened it
    /// themselves.
    async fn review(
        &self,
        scope: &Scope,
        id: OpeningId,
        review: &Review,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
}

/// Operators who are let into hospitals. To let one in, and to end it, is a change of rights.
#[async_trait]
pub trait Elevations: Send + Sync {
    /// Asks a hospital. [`StoreError::Conflict`] when the operator waits for its answer or is let in already;
    /// [`StoreError::NotFound`] when there is no such hospital.
    async fn ask(&self, scope: &Scope, elevation: &Elevation, audit: &AuditEntry) -> Result<(), StoreError>;
    /// What an operator has asked for, of each hospital the newest, and what became of it.
    async fn asked_by(&self, scope: &Scope, operator: UserId) -> Result<Vec<Elevation>, StoreError>;
    /// One of a hospital's.
    async fn elevation(
        &self,
        scope: &Scope,
        tenant: TenantId,
        id: ElevationId,
    ) -> Result<Option<Elevation>, StoreError>;
    /// A page of what the scope's hospital was asked for, newest first.
    async fn elevations(&self, scope: &Scope, page: &PageRequest) -> Result<Page<Elevation>, StoreError>;
    /// How many of them wait for an answer.
    async fn waiting(&self, scope: &Scope, now: Timestamp) -> Result<u64, StoreError>;
    /// Answers one of the scope's hospital. [`StoreError::Conflict`] when it does not wait any more.
    async fn answer(
        &self,
        scope: &Scope,
        id: ElevationId,
        answer: &Answer,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
    /// Ends what waits or is in force. [`StoreError::Conflict`] when neither.
    async fn end(
        &self,
        scope: &Scope,
        elevation: &Elevation,
        at: Timestamp,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
}

/// Identity providers: enrolled by a hospital, looked up before there is a caller.
#[async_trait]
pub trait IdentityProviders: Send + Sync {
    /// The scope's, by name.
    async fn all(&self, scope: &Scope) -> Result<Vec<IdentityProvider>, StoreError>;
    /// Adds one in version 1, or replaces it by its next version. When it is not enabled, the sessions that came
    /// through it end. [`StoreError::Conflict`] when it was changed meanwhile, or when the audience of its access
    /// tokens belongs to somebody else.
    async fn save(
        &self,
        scope: &Scope,
        provider: &IdentityProvider,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
    /// Removes one; its sessions end, its people keep their accounts and have no way in.
    async fn remove(&self, scope: &Scope, id: ProviderId, audit: &AuditEntry) -> Result<(), StoreError>;
    /// The tenant's that are enabled, by name.
    async fn enabled(&self, tenant: TenantId) -> Result<Vec<IdentityProvider>, StoreError>;
    /// The enabled one whose access tokens for this audience are bearer tokens here, in whichever tenant.
    async fn for_audience(
        &self,
        issuer: &str,
        audience: &str,
    ) -> Result<Option<(TenantId, IdentityProvider)>, StoreError>;
}

/// People who come through an identity provider.
#[async_trait]
pub trait ExternalLogins: Send + Sync {
    /// Keeps in mind that a browser was sent to a provider, and forgets those that took too long.
    /// [`StoreError::Conflict`] when `at_most` are on their way already.
    async fn begin(&self, tenant: TenantId, attempt: &LoginAttempt, at_most: u64) -> Result<(), StoreError>;
    /// Takes an attempt out: each is given out once, whoever asks.
    async fn take(&self, tenant: TenantId, state: &SecretHash) -> Result<Option<LoginAttempt>, StoreError>;
    /// The account that is linked with somebody at a provider.
    async fn linked(
        &self,
        tenant: TenantId,
        provider: ProviderId,
        subject: &str,
    ) -> Result<Option<Linked>, StoreError>;
    /// Makes an account with its link. [`StoreError::Conflict`] when the e-mail address has an account.
    async fn join(&self, arrival: &Arrival, audit: &AuditEntry) -> Result<(), StoreError>;
    /// Brings a linked account up to date; `audit` is written when that changes something, which the answer tells.
    /// [`StoreError::Conflict`] when the e-mail address belongs to another account.
    async fn refresh(&self, arrival: &Arrival, audit: &AuditEntry) -> Result<bool, StoreError>;
    /// Keeps in mind where a session comes from.
    async fn note_session(&self, tenant: TenantId, session: &ExternalSession) -> Result<(), StoreError>;
    /// Where a session comes from, if from a provider.
    async fn origin(
        &self,
        tenant: TenantId,
        session: &SecretHash,
    ) -> Result<Option<ExternalSession>, StoreError>;
    /// Ends the sessions that a provider tells are over, and names them. [`StoreError::Conflict`] when it has told
    /// so before.
    async fn end_sessions(
        &self,
        tenant: TenantId,
        notice: &LogoutNotice,
        now: Timestamp,
        audit: &AuditEntry,
    ) -> Result<Vec<SecretHash>, StoreError>;
}

/// What devices prove themselves with.
#[async_trait]
pub trait DeviceCredentials: Send + Sync {
    /// What is known of devices that present themselves, in any order; those that are unknown are left out.
    async fn device_logins(
        &self,
        tenant: TenantId,
        devices: &[DeviceId],
    ) -> Result<Vec<DeviceLogin>, StoreError>;
    /// The device whose token has this SHA-256.
    async fn device_of_token(
        &self,
        tenant: TenantId,
        hash: &SecretHash,
    ) -> Result<Option<DeviceLogin>, StoreError>;
    /// A device has shown this certificate of its own, and named this hospital. Changes nothing where it had done so before, or
    /// does not have the certificate any more.
    async fn prove_certificate(
        &self,
        tenant: TenantId,
        device: &DeviceId,
        fingerprint: Fingerprint,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
}

/// How a device is known when it presents itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceLogin {
    /// Which.
    pub device: DeviceId,
    /// SHA-256 of its token.
    pub token: SecretHash,
    /// Certificates of its own.
    pub certificates: Vec<DeviceCertificate>,
    /// It may not connect.
    pub blocked: bool,
    /// The devices that speak through it, where it is a gateway; not those that may not connect.
    pub behind: Vec<DeviceId>,
}

/// The audit trail.
#[async_trait]
pub trait AuditTrail: Send + Sync {
    /// Appends entries; each goes to its tenant's trail.
    async fn append(&self, entries: &[AuditEntry]) -> Result<(), StoreError>;
    /// The same, each once per tenant and id: an entry whose id is in the trail is there already.
    async fn append_once(&self, entries: &[(Uuid, AuditEntry)]) -> Result<(), StoreError>;
    /// A page of the scope's trail, newest first.
    async fn page(
        &self,
        scope: &Scope,
        filter: &AuditFilter,
        page: &PageRequest,
    ) -> Result<Page<AuditEntry>, StoreError>;
}
