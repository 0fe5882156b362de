//! API tokens.

use ::tenants::{
    RoleName, StoreError, TenantId, TokenId, UnitId, UserId,
    access::{Caller, Principal, Restriction, Scope},
    api_token::ApiToken,
    audit::AuditEntry,
    credentials::SecretHash,
    stores::ApiTokens,
    topics::TopicFilters,
};
use jiff::{SignedDuration, Timestamp};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder};

use crate::{
    accounts::secret_hash,
    audit,
    columns::{micros, parsed, storable, timestamp},
    credentials,
    database::Database,
    entities::api_tokens::{Column, Entity, Model},
    errors::StorageError,
    tenant_tx::TenantTx,
};

/// How exactly it is known when a token was presented.
const USE_NOTED_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// What is damaged where they cannot be read.
const TOPICS: &str = "the topics of an API token";

#[async_trait::async_trait]
impl ApiTokens for Database {
    async fn token(&self, tenant: TenantId, hash: &SecretHash) -> Result<Option<ApiToken>, StoreError> {
        let tx = self.begin_read(tenant).await?;
        let row = tx.find::<Entity>().filter(Column::Hash.eq(hash.as_bytes().to_vec()));
        Ok(tx.one(row).await?.map(token).transpose()?)
    }

    async fn create_token(
        &self,
        tenant: TenantId,
        token: &ApiToken,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let tx = self.begin_write(tenant).await?;
        let of_owner = tx.find::<Entity>().filter(Column::UserId.eq(*token.user.as_uuid()));
        if tx.count(of_owner).await? >= ApiToken::MAX_OF_ONE {
            let most = ApiToken::MAX_OF_ONE;
            let what = format!("one person can have {most} API tokens; revoke one that is not used");
            return Err(StorageError::Conflict { what }.into());
        }
        let restriction = token.restriction.as_ref();
        let row = Model {
            tenant_id: *tenant.as_uuid(),
            id: *token.id.as_uuid(),
            user_id: *token.user.as_uuid(),
            name: storable(&token.name),
            hash: token.hash.as_bytes().to_vec(),
            prefix: token.prefix.clone(),
            role: restriction.map(|of| of.role.as_str().to_owned()),
            unit_id: restriction.map(|of| *of.unit.as_uuid()),
            topics: token
                .topics
                .as_ref()
                .map(serde_json::to_string)
                .transpose()
                .map_err(|_| StorageError::corrupt(TOPICS))?,
            created_at: micros(token.created_at),
            last_used_at: token.last_used_at.map(micros),
            expires_at: token.expires_at.map(micros),
        };
        tx.insert::<Entity>(row).await.map_err(|error| error.dangling_as("user"))?;
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }

    async fn note_use(&self, tenant: TenantId, token: TokenId, at: Timestamp) -> Result<(), StoreError> {
        let tx = self.begin_write(tenant).await?;
        let sql = "UPDATE api_tokens SET last_used_at = $3
            WHERE tenant_id = $1 AND id = $2 AND (last_used_at IS NULL OR last_used_at <= $4)";
        let before = at.checked_sub(USE_NOTED_EVERY).unwrap_or(at);
        let [tenant, id] = key(&tx, token);
        tx.execute_sql(sql, [tenant, id, micros(at).into(), micros(before).into()]).await?;
        Ok(tx.commit().await?)
    }

    async fn own_tokens(&self, caller: &Caller) -> Result<Vec<ApiToken>, StoreError> {
        let Principal::User { id, .. } = &caller.principal else { return Ok(Vec::new()) };
        Ok(of_user(&self.begin_read(caller.tenant).await?, *id).await?)
    }

    async fn tokens_of(&self, scope: &Scope, user: UserId) -> Result<Vec<ApiToken>, StoreError> {
        Ok(of_user(&self.begin_read(scope.tenant()).await?, user).await?)
    }

    async fn revoke_own_token(
        &self,
        caller: &Caller,
        token: TokenId,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let Principal::User { id, .. } = &caller.principal else { return Err(not_found().into()) };
        let tx = self.begin_write(caller.tenant).await?;
        let own = tx.find::<Entity>().filter(Column::Id.eq(*token.as_uuid()));
        tx.one(own.filter(Column::UserId.eq(*id.as_uuid()))).await?.ok_or_else(not_found)?;
        Ok(revoke(tx, token, audit).await?)
    }

    async fn revoke_token(
        &self,
        scope: &Scope,
        token: TokenId,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        Ok(revoke(self.begin_write(scope.tenant()).await?, token, audit).await?)
    }
}

async fn of_user(tx: &TenantTx, user: UserId) -> Result<Vec<ApiToken>, StorageError> {
    let rows = tx.find::<Entity>().filter(Column::UserId.eq(*user.as_uuid()));
    let newest_first = rows.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id);
    tx.all(newest_first).await?.into_iter().map(token).collect()
}

async fn revoke(tx: TenantTx, token: TokenId, audit: &AuditEntry) -> Result<(), StorageError> {
    let sql = "DELETE FROM api_tokens WHERE tenant_id = $1 AND id = $2";
    if tx.execute_sql(sql, key(&tx, token)).await? == 0 {
        return Err(not_found());
    }
    credentials::revoked(&tx).await?;
    audit::note(&tx, audit).await?;
    tx.commit().await
}

const fn not_found() -> StorageError {
    StorageError::NotFound { what: "API token" }
}

fn key(tx: &TenantTx, token: TokenId) -> [sea_orm::Value; 2] {
    [(*tx.tenant().as_uuid()).into(), (*token.as_uuid()).into()]
}

fn token(row: Model) -> Result<ApiToken, StorageError> {
    let restriction = match (row.role, row.unit_id) {
        (None, None) => None,
        (Some(role), Some(unit)) => Some(Restriction {
            role: parsed(RoleName::parse(&role), "a role's name")?,
            unit: UnitId::from_uuid(unit),
        }),
        // Half a restriction must not be read as none.
        _ => return Err(StorageError::corrupt("what an API token is restricted to")),
    };
    Ok(ApiToken {
        id: TokenId::from_uuid(row.id),
        user: UserId::from_uuid(row.user_id),
        name: row.name,
        hash: secret_hash(&row.hash)?,
        prefix: row.prefix,
        restriction,
        topics: row.topics.map(|text| topics(&text)).transpose()?,
        created_at: timestamp(row.created_at)?,
        last_used_at: row.last_used_at.map(timestamp).transpose()?,
        expires_at: row.expires_at.map(timestamp).transpose()?,
    })
}

fn topics(text: &str) -> Result<TopicFilters, StorageError> {
    serde_json::from_str(text).map_err(|_| StorageError::corrupt(TOPICS))
}
