//! Users and sessions.

use ::tenants::{
    RoleName, StoreError, TenantId, UnitId, User, UserId,
    access::{Caller, RoleGrant, Scope},
    account::{Invitation, Login, Session, SomeSessions},
    audit::AuditEntry,
    credentials::SecretHash,
    stores::Accounts,
};
use jiff::Timestamp;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::{
    access_rules, audit,
    columns::{micros, parsed, storable, timestamp},
    credentials,
    database::Database,
    entities::{invitations, login_directory, sessions, users},
    errors::StorageError,
    quotas::{self, Counted},
    tenant_tx::TenantTx,
};

pub(crate) const EMAIL_TAKEN: &str = "a user with this e-mail address exists already";

#[async_trait::async_trait]
impl Accounts for Database {
    async fn login(&self, email: &str) -> Result<Option<Login>, StoreError> {
        // The tenant is not known yet: the directory names it, and then its rows are read as always.
        let tx = self.begin_read(TenantId::PLATFORM).await?;
        let entry = tx.one(login_directory::Entity::find_by_id(storable(email))).await?;
        drop(tx);
        let Some(entry) = entry else { return Ok(None) };
        let tx = self.begin_read(TenantId::from_uuid(entry.tenant)).await?;
        let user = tx.find::<users::Entity>().filter(users::Column::Id.eq(entry.user_id));
        Ok(tx.one(user).await?.map(login))
    }

    async fn user(&self, tenant: TenantId, id: UserId) -> Result<Option<User>, StoreError> {
        let tx = self.begin_read(tenant).await?;
        let user = tx.find::<users::Entity>().filter(users::Column::Id.eq(*id.as_uuid()));
        Ok(tx.one(user).await?.map(login).map(|login| login.user))
    }

    async fn users(&self, scope: &Scope) -> Result<Vec<User>, StoreError> {
        let tx = self.begin_read(scope.tenant()).await?;
        let all = tx.all(tx.find::<users::Entity>().order_by_asc(users::Column::Email)).await?;
        Ok(all.into_iter().map(|row| login(row).user).collect())
    }

    async fn is_empty(&self) -> Result<bool, StoreError> {
        let tx = self.begin_read(TenantId::PLATFORM).await?;
        Ok(tx.count(login_directory::Entity::find()).await? == 0)
    }

    async fn create_user(&self, login: &Login, grants: &[RoleGrant]) -> Result<(), StoreError> {
        let tx = self.begin_write(login.user.tenant).await?;
        add_user(&tx, login, grants).await?;
        Ok(tx.commit().await?)
    }

    async fn invite(&self, invitation: &Invitation, audit: &AuditEntry) -> Result<(), StoreError> {
        let tx = self.begin_write(invitation.tenant).await?;
        let email = storable(&invitation.email);
        if tx.one(login_directory::Entity::find_by_id(email.clone())).await?.is_some() {
            return Err(StorageError::Conflict { what: EMAIL_TAKEN.to_owned() }.into());
        }
        quotas::room_for(&tx, Counted::Users, 1).await?;
        let (tenant_id, hash) = (*invitation.tenant.as_uuid(), invitation.hash.as_bytes().to_vec());
        let earlier = "DELETE FROM invitations WHERE tenant_id = $1 AND email = $2";
        tx.execute_sql(earlier, [tenant_id.into(), email.clone().into()]).await?;
        let row = invitations::Model {
            tenant_id,
            hash,
            email,
            role: invitation.grant.role.as_str().to_owned(),
            unit_id: *invitation.grant.unit.as_uuid(),
            until: invitation.grant.until.map(micros),
            expires_at: micros(invitation.expires_at),
        };
        tx.insert::<invitations::Entity>(row).await.map_err(|error| error.dangling_as("unit"))?;
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }

    async fn invitation(
        &self,
        tenant: TenantId,
        hash: &SecretHash,
    ) -> Result<Option<Invitation>, StoreError> {
        let tx = self.begin_read(tenant).await?;
        let list = tx.find::<invitations::Entity>();
        let found = tx.one(list.filter(invitations::Column::Hash.eq(hash.as_bytes().to_vec()))).await?;
        Ok(found.map(invitation).transpose()?)
    }

    async fn accept(
        &self,
        invitation: &Invitation,
        login: &Login,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let tx = self.begin_write(invitation.tenant).await?;
        let sql = "DELETE FROM invitations WHERE tenant_id = $1 AND hash = $2";
        let key = [(*invitation.tenant.as_uuid()).into(), invitation.hash.as_bytes().to_vec().into()];
        if tx.execute_sql(sql, key).await? == 0 {
            return Err(StorageError::NotFound { what: "invitation" }.into());
        }
        add_user(&tx, login, std::slice::from_ref(&invitation.grant)).await?;
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }

    async fn session(&self, tenant: TenantId, hash: &SecretHash) -> Result<Option<Session>, StoreError> {
        let tx = self.begin_read(tenant).await?;
        let session = tx.find::<sessions::Entity>();
        let found = tx.one(session.filter(sessions::Column::Hash.eq(hash.as_bytes().to_vec()))).await?;
        Ok(found.map(session_of).transpose()?)
    }

    async fn create_session(&self, tenant: TenantId, session: &Session) -> Result<(), StoreError> {
        let tx = self.begin_write(tenant).await?;
        let row = sessions::Model {
            tenant_id: *tenant.as_uuid(),
            hash: session.hash.as_bytes().to_vec(),
            user_id: *session.user.as_uuid(),
            csrf: session.csrf.clone(),
            created_at: micros(session.created_at),
            expires_at: micros(session.expires_at),
            last_used_at: micros(session.last_used_at),
            address: storable(&session.address),
            agent: storable(&session.agent),
        };
        tx.insert::<sessions::Entity>(row).await.map_err(|error| error.dangling_as("user"))?;
        Ok(tx.commit().await?)
    }

    async fn note_session_use(
        &self,
        tenant: TenantId,
        hash: &SecretHash,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let tx = self.begin_write(tenant).await?;
        let sql = "UPDATE sessions SET last_used_at = $3
                   WHERE tenant_id = $1 AND hash = $2 AND last_used_at < $3";
        let key = [(*tenant.as_uuid()).into(), hash.as_bytes().to_vec().into(), micros(at).into()];
        tx.execute_sql(sql, key).await?;
        Ok(tx.commit().await?)
    }

    async fn own_sessions(&self, caller: &Caller, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let Some(user) = caller.user() else { return Ok(Vec::new()) };
        let tx = self.begin_read(caller.tenant).await?;
        Ok(sessions_that_count(&tx, user, now).await?)
    }

    async fn sessions_of(
        &self,
        scope: &Scope,
        user: UserId,
        now: Timestamp,
    ) -> Result<Vec<Session>, StoreError> {
        let tx = self.begin_read(scope.tenant()).await?;
        Ok(sessions_that_count(&tx, user, now).await?)
    }

    async fn end_own_sessions(
        &self,
        caller: &Caller,
        which: SomeSessions,
        audit: &AuditEntry,
    ) -> Result<u64, StoreError> {
        let Some(user) = caller.user() else { return Ok(0) };
        Ok(end_sessions(self.begin_write(caller.tenant).await?, user, which, audit).await?)
    }

    async fn end_sessions_of(
        &self,
        scope: &Scope,
        user: UserId,
        audit: &AuditEntry,
    ) -> Result<u64, StoreError> {
        let tx = self.begin_write(scope.tenant()).await?;
        Ok(end_sessions(tx, user, SomeSessions::All, audit).await?)
    }

    async fn delete_session(
        &self,
        tenant: TenantId,
        hash: &SecretHash,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let tx = self.begin_write(tenant).await?;
        let sql = "DELETE FROM sessions WHERE tenant_id = $1 AND hash = $2";
        let key = [(*tenant.as_uuid()).into(), hash.as_bytes().to_vec().into()];
        if tx.execute_sql(sql, key).await? == 0 {
            return Ok(false);
        }
        credentials::revoked(&tx).await?;
        audit::note(&tx, audit).await?;
        tx.commit().await?;
        Ok(true)
    }
}

async fn sessions_that_count(
    tx: &TenantTx,
    user: UserId,
    now: Timestamp,
) -> Result<Vec<Session>, StorageError> {
    let list = tx.find::<sessions::Entity>().filter(sessions::Column::UserId.eq(*user.as_uuid()));
    let found = tx.all(list.order_by_desc(sessions::Column::LastUsedAt)).await?.into_iter().map(session_of);
    let mut found = found.collect::<Result<Vec<_>, _>>()?;
    found.retain(|session| session.counts(now));
    Ok(found)
}

async fn end_sessions(
    tx: TenantTx,
    user: UserId,
    which: SomeSessions,
    audit: &AuditEntry,
) -> Result<u64, StorageError> {
    let ended = end_sessions_in(&tx, user, which).await?;
    if ended > 0 {
        audit::note(&tx, audit).await?;
    }
    tx.commit().await?;
    Ok(ended)
}

/// In the transaction of what ends them; returns how many there were.
pub(crate) async fn end_sessions_in(
    tx: &TenantTx,
    user: UserId,
    which: SomeSessions,
) -> Result<u64, StorageError> {
    let list = tx.find::<sessions::Entity>().filter(sessions::Column::UserId.eq(*user.as_uuid()));
    let mut ended = 0;
    for row in tx.all(list).await? {
        let session = session_of(row)?;
        if which.contain(session.id()) {
            let sql = "DELETE FROM sessions WHERE tenant_id = $1 AND hash = $2";
            let key = [(*tx.tenant().as_uuid()).into(), session.hash.as_bytes().to_vec().into()];
            ended += tx.execute_sql(sql, key).await?;
        }
    }
    if ended > 0 {
        credentials::revoked(tx).await?;
    }
    Ok(ended)
}

pub(crate) async fn add_user(tx: &TenantTx, login: &Login, grants: &[RoleGrant]) -> Result<(), StorageError> {
    let user = &login.user;
    quotas::room_for(tx, Counted::Users, 1).await?;
    let entry = login_directory::Model {
        email: storable(&user.email),
        tenant: *user.tenant.as_uuid(),
        user_id: *user.id.as_uuid(),
    };
    tx.insert::<login_directory::Entity>(entry)
        .await
        .map_err(|error| error.duplicate_as(EMAIL_TAKEN).dangling_as("tenant"))?;
    let row = users::Model {
        tenant_id: *user.tenant.as_uuid(),
        id: *user.id.as_uuid(),
        email: storable(&user.email),
        display_name: storable(&user.display_name),
        password_hash: login.password_hash.clone(),
    };
    tx.insert::<users::Entity>(row)
        .await
        .map_err(|error| error.duplicate_as("a user with this id exists already"))?;
    for grant in grants {
        access_rules::add_grant(tx, user.id, grant).await?;
    }
    access_rules::changed(tx).await
}

fn invitation(row: invitations::Model) -> Result<Invitation, StorageError> {
    Ok(Invitation {
        hash: secret_hash(&row.hash)?,
        tenant: TenantId::from_uuid(row.tenant_id),
        grant: RoleGrant {
            role: parsed(RoleName::parse(&row.role), "a role's name")?,
            unit: UnitId::from_uuid(row.unit_id),
            until: row.until.map(timestamp).transpose()?,
        },
        expires_at: timestamp(row.expires_at)?,
        email: row.email,
    })
}

fn login(row: users::Model) -> Login {
    let user = User {
        id: UserId::from_uuid(row.id),
        tenant: TenantId::from_uuid(row.tenant_id),
        email: row.email,
        display_name: row.display_name,
    };
    Login { user, password_hash: row.password_hash }
}

fn session_of(row: sessions::Model) -> Result<Session, StorageError> {
    Ok(Session {
        hash: secret_hash(&row.hash)?,
        user: UserId::from_uuid(row.user_id),
        csrf: row.csrf,
        created_at: timestamp(row.created_at)?,
        expires_at: timestamp(row.expires_at)?,
        last_used_at: timestamp(row.last_used_at)?,
        address: row.address,
        agent: row.agent,
    })
}

pub(crate) fn secret_hash(bytes: &[u8]) -> Result<SecretHash, StorageError> {
    SecretHash::from_bytes(bytes).ok_or_else(|| StorageError::corrupt("a secret's hash"))
}
