//! People who come through an identity provider: on their way, arrived, and gone again.

use ::tenants::{
    ProviderId, RoleName, StoreError, TenantId, UnitId, UserId,
    access::RoleGrant,
    audit::AuditEntry,
    credentials::SecretHash,
    identity_provider::{Arrival, ExternalSession, Linked, LoginAttempt, LogoutNotice},
    stores::ExternalLogins,
};
use jiff::Timestamp;
use sea_orm::{ColumnTrait, QueryFilter};
use uuid::Uuid;

use crate::{
    access_rules,
    accounts::{self, secret_hash},
    audit,
    columns::{micros, parsed, storable, timestamp},
    credentials,
    database::Database,
    entities::{external_identities, external_sessions, login_attempts, role_grants, users},
    errors::StorageError,
    tenant_tx::TenantTx,
};

#[async_trait::async_trait]
impl ExternalLogins for Database {
    async fn begin(&self, tenant: TenantId, attempt: &LoginAttempt, at_most: u64) -> Result<(), StoreError> {
        let tx = self.begin_write(tenant).await?;
        let tenant_id = *tenant.as_uuid();
        let over = "DELETE FROM login_attempts WHERE tenant_id = $1 AND expires_at <= $2";
        tx.execute_sql(over, [tenant_id.into(), micros(attempt.started_at).into()]).await?;
        if tx.count(tx.find::<login_attempts::Entity>()).await? >= at_most {
            let what = "too many people are signing in at this hospital".to_owned();
            return Err(StorageError::Conflict { what }.into());
        }
        let row = login_attempts::Model {
            tenant_id,
            state: attempt.state.as_bytes().to_vec(),
            browser: attempt.browser.as_bytes().to_vec(),
            provider_id: *attempt.provider.as_uuid(),
            provider_version: i64::from(attempt.provider_version),
            nonce: attempt.nonce.clone(),
            pkce_verifier: attempt.pkce_verifier.clone(),
            next: storable(&attempt.next),
            started_at: micros(attempt.started_at),
            expires_at: micros(attempt.expires_at),
        };
        let put = tx.insert::<login_attempts::Entity>(row).await;
        put.map_err(|error| error.dangling_as("identity provider"))?;
        Ok(tx.commit().await?)
    }

    async fn take(&self, tenant: TenantId, state: &SecretHash) -> Result<Option<LoginAttempt>, StoreError> {
        let tx = self.begin_write(tenant).await?;
        let hash = state.as_bytes().to_vec();
        let row = tx.find::<login_attempts::Entity>().filter(login_attempts::Column::State.eq(hash.clone()));
        let Some(row) = tx.one(row).await? else { return Ok(None) };
        let sql = "DELETE FROM login_attempts WHERE tenant_id = $1 AND state = $2";
        // Of several who read the row, one deletes it.
        let taken = tx.execute_sql(sql, [(*tenant.as_uuid()).into(), hash.into()]).await? == 1;
        tx.commit().await?;
        Ok(if taken { Some(attempt(row)?) } else { None })
    }

    async fn linked(
        &self,
        tenant: TenantId,
        provider: ProviderId,
        subject: &str,
    ) -> Result<Option<Linked>, StoreError> {
        let tx = self.begin_read(tenant).await?;
        let Some(row) = identity(&tx, provider, subject).await? else { return Ok(None) };
        Ok(Some(Linked { user: UserId::from_uuid(row.user_id), granted: parse_grants(&row.granted)? }))
    }

    async fn join(&self, arrival: &Arrival, audit: &AuditEntry) -> Result<(), StoreError> {
        let tx = self.begin_write(arrival.login.user.tenant).await?;
        accounts::add_user(&tx, &arrival.login, &arrival.grants).await?;
        let row = external_identities::Model {
            tenant_id: *tx.tenant().as_uuid(),
            provider_id: *arrival.provider.as_uuid(),
            subject: storable(&arrival.subject),
            user_id: *arrival.login.user.id.as_uuid(),
            granted: print_grants(&arrival.grants),
        };
        let linked = tx.insert::<external_identities::Entity>(row).await;
        linked.map_err(|error| {
            error
                .duplicate_as("somebody is signing in as this person already")
                .dangling_as("identity provider")
        })?;
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }

    async fn refresh(&self, arrival: &Arrival, audit: &AuditEntry) -> Result<bool, StoreError> {
        let tx = self.begin_write(arrival.login.user.tenant).await?;
        let row = identity(&tx, arrival.provider, &arrival.subject).await?;
        let row = row.ok_or(StorageError::NotFound { what: "link with the identity provider" })?;
        let renamed = rename(&tx, arrival, row.user_id).await?;
        let regranted = regrant(&tx, arrival, &row).await?;
        if renamed || regranted {
            audit::note(&tx, audit).await?;
            tx.commit().await?;
        }
        Ok(renamed || regranted)
    }

    async fn note_session(&self, tenant: TenantId, session: &ExternalSession) -> Result<(), StoreError> {
        let tx = self.begin_write(tenant).await?;
        let row = external_sessions::Model {
            tenant_id: *tenant.as_uuid(),
            hash: session.hash.as_bytes().to_vec(),
            provider_id: *session.provider.as_uuid(),
            subject: storable(&session.subject),
            sid: session.sid.as_deref().map(storable),
        };
        let put = tx.insert::<external_sessions::Entity>(row).await;
        put.map_err(|error| error.dangling_as("session or identity provider"))?;
        Ok(tx.commit().await?)
    }

    async fn origin(
        &self,
        tenant: TenantId,
        session: &SecretHash,
    ) -> Result<Option<ExternalSession>, StoreError> {
        let tx = self.begin_read(tenant).await?;
        let of = external_sessions::Column::Hash.eq(session.as_bytes().to_vec());
        let found = tx.one(tx.find::<external_sessions::Entity>().filter(of)).await?;
        let origin = |row: external_sessions::Model| {
            Ok::<_, StorageError>(ExternalSession {
                hash: secret_hash(&row.hash)?,
                provider: ProviderId::from_uuid(row.provider_id),
                subject: row.subject,
                sid: row.sid,
            })
        };
        Ok(found.map(origin).transpose()?)
    }

    async fn end_sessions(
        &self,
        tenant: TenantId,
        notice: &LogoutNotice,
        now: Timestamp,
        audit: &AuditEntry,
    ) -> Result<Vec<SecretHash>, StoreError> {
        let tx = self.begin_write(tenant).await?;
        count_once(&tx, notice, now).await?;
        use external_sessions::Column as C;
        let mut those = tx.find::<external_sessions::Entity>();
        those = those.filter(C::ProviderId.eq(*notice.provider.as_uuid()));
        if let Some(subject) = &notice.subject {
            those = those.filter(C::Subject.eq(storable(subject)));
        }
        if let Some(sid) = &notice.sid {
            those = those.filter(C::Sid.eq(storable(sid)));
        }
        let mut ended = Vec::new();
        for session in tx.all(those).await? {
            let sql = "DELETE FROM sessions WHERE tenant_id = $1 AND hash = $2";
            ended.push(secret_hash(&session.hash)?);
            tx.execute_sql(sql, [session.tenant_id.into(), session.hash.into()]).await?;
        }
        credentials::revoked(&tx).await?;
        audit::note(&tx, audit).await?;
        tx.commit().await?;
        Ok(ended)
    }
}

/// Ends whatever came through a provider.
pub(crate) async fn end_all(tx: &TenantTx, provider: ProviderId) -> Result<(), StorageError> {
    let sql = "DELETE FROM sessions WHERE tenant_id = $1 AND hash IN
        (SELECT hash FROM external_sessions WHERE tenant_id = $1 AND provider_id = $2)";
    let key = [(*tx.tenant().as_uuid()).into(), (*provider.as_uuid()).into()];
    tx.execute_sql(sql, key).await?;
    credentials::revoked(tx).await
}

async fn count_once(tx: &TenantTx, notice: &LogoutNotice, now: Timestamp) -> Result<(), StorageError> {
    let tenant = *tx.tenant().as_uuid();
    let over = "DELETE FROM logout_tokens WHERE tenant_id = $1 AND expires_at <= $2";
    tx.execute_sql(over, [tenant.into(), micros(now).into()]).await?;
    let sql = "INSERT INTO logout_tokens (tenant_id, provider_id, jti, expires_at) VALUES ($1, $2, $3, $4)";
    let values = [
        tenant.into(),
        (*notice.provider.as_uuid()).into(),
        storable(&notice.jti).into(),
        micros(notice.expires_at).into(),
    ];
    let used = tx.execute_sql(sql, values).await.map(drop);
    used.map_err(|error| {
        error.duplicate_as("this logout token was used before").dangling_as("identity provider")
    })
}

async fn identity(
    tx: &TenantTx,
    provider: ProviderId,
    subject: &str,
) -> Result<Option<external_identities::Model>, StorageError> {
    use external_identities::Column as C;
    let one = tx.find::<external_identities::Entity>().filter(C::ProviderId.eq(*provider.as_uuid()));
    tx.one(one.filter(C::Subject.eq(storable(subject)))).await
}

/// Name and address as the provider has them now.
async fn rename(tx: &TenantTx, arrival: &Arrival, user: Uuid) -> Result<bool, StorageError> {
    let known = tx.one(tx.find::<users::Entity>().filter(users::Column::Id.eq(user))).await?;
    let known = known.ok_or(StorageError::NotFound { what: "user" })?;
    let (email, name) = (storable(&arrival.login.user.email), storable(&arrival.login.user.display_name));
    if (&known.email, &known.display_name) == (&email, &name) {
        return Ok(false);
    }
    if known.email != email {
        let sql = "UPDATE login_directory SET email = $1 WHERE email = $2 AND user_id = $3";
        let moved = tx.execute_sql(sql, [email.clone().into(), known.email.into(), user.into()]).await;
        moved.map_err(|error| error.duplicate_as(accounts::EMAIL_TAKEN))?;
    }
    let sql = "UPDATE users SET email = $3, display_name = $4 WHERE tenant_id = $1 AND id = $2";
    tx.execute_sql(sql, [known.tenant_id.into(), user.into(), email.into(), name.into()]).await?;
    Ok(true)
}

/// Takes away what the groups gave and give no more, and adds what they give now. What somebody of the hospital
/// gave stays: it is neither taken away nor counted as the provider's.
async fn regrant(
    tx: &TenantTx,
    arrival: &Arrival,
    row: &external_identities::Model,
) -> Result<bool, StorageError> {
    let before = parse_grants(&row.granted)?;
    let held = tx.find::<role_grants::Entity>().filter(role_grants::Column::UserId.eq(row.user_id));
    let held = tx.all(held).await?;
    let holds = |grant: &RoleGrant| {
        held.iter().any(|row| row.role == grant.role.as_str() && row.unit_id == *grant.unit.as_uuid())
    };
    let lost: Vec<_> = before.iter().filter(|grant| !arrival.grants.contains(grant)).collect();
    let new: Vec<_> = arrival.grants.iter().filter(|grant| !holds(grant)).cloned().collect();
    if lost.is_empty() && new.is_empty() {
        return Ok(false);
    }
    access_rules::changed(tx).await?;
    for grant in lost {
        let sql =
            "DELETE FROM role_grants WHERE tenant_id = $1 AND user_id = $2 AND role = $3 AND unit_id = $4";
        let key = [
            row.tenant_id.into(),
            row.user_id.into(),
            grant.role.as_str().into(),
            (*grant.unit.as_uuid()).into(),
        ];
        tx.execute_sql(sql, key).await?;
    }
    for grant in &new {
        access_rules::add_grant(tx, UserId::from_uuid(row.user_id), grant).await?;
    }
    let kept = before.into_iter().filter(|grant| arrival.grants.contains(grant) && !new.contains(grant));
    let granted = print_grants(&kept.chain(new.iter().cloned()).collect::<Vec<_>>());
    let sql = "UPDATE external_identities SET granted = $4
        WHERE tenant_id = $1 AND provider_id = $2 AND subject = $3";
    let key = [row.tenant_id.into(), row.provider_id.into(), row.subject.clone().into(), granted.into()];
    tx.execute_sql(sql, key).await?;
    Ok(true)
}

/// A role's name has no blank and no comma.
fn print_grants(grants: &[RoleGrant]) -> String {
    grants.iter().map(|grant| format!("{} {}", grant.role, grant.unit)).collect::<Vec<_>>().join(",")
}

fn parse_grants(text: &str) -> Result<Vec<RoleGrant>, StorageError> {
    let what = "roles given by an identity provider";
    let grant = |one: &str| {
        let (role, unit) = one.split_once(' ').ok_or_else(|| StorageError::corrupt(what))?;
        let (role, unit): (_, UnitId) = (parsed(RoleName::parse(role), what)?, parsed(unit.parse(), what)?);
        Ok(RoleGrant { role, unit, until: None })
    };
    text.split(',').filter(|one| !one.is_empty()).map(grant).collect()
}

fn attempt(row: login_attempts::Model) -> Result<LoginAttempt, StorageError> {
    Ok(LoginAttempt {
        state: secret_hash(&row.state)?,
        browser: secret_hash(&row.browser)?,
        provider: ProviderId::from_uuid(row.provider_id),
        provider_version: parsed(u32::try_from(row.provider_version), "an identity provider's version")?,
        nonce: row.nonce,
        pkce_verifier: row.pkce_verifier,
        next: row.next,
        started_at: timestamp(row.started_at)?,
        expires_at: timestamp(row.expires_at)?,
    })
}
