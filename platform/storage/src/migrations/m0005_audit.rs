//! The audit trail becomes a chain per tenant. What was written before is carried over in its order: it gets
//! no proof of what happened to it earlier, but nothing can happen to it from here on.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, EntityTrait, IntoActiveModel, Statement, Value};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, SchemaManagerConnection};
use uuid::Uuid;

use super::dialect::{self, Table};
use crate::{
    audit::{encoding::NOTHING, link},
    entities::audit::{Entity, Model},
    errors::StorageError,
};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0005_audit"
    }
}

#[allow(elided_lifetimes_in_paths, reason = "the trait is declared so")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::create(manager, CHAIN, &TABLES).await?;
        let connection = manager.get_connection();
        carry_over(connection).await?;
        connection.execute_unprepared("DROP TABLE audit").await?;
        Ok(())
    }
}

const CHAIN: &str = "
CREATE TABLE audit_trail (
    tenant_id {uuid} NOT NULL,
    seq {int} NOT NULL,
    id {uuid} NOT NULL,
    at {int} NOT NULL,
    actor {text} NOT NULL,
    actor_name {text} NOT NULL,
    action {text} NOT NULL,
    subject {text} NOT NULL,
    outcome {text} NOT NULL,
    detail {text} NOT NULL,
    channel {text} NOT NULL,
    address {text} NOT NULL,
    agent {text} NOT NULL,
    policy {text},
    facts {text} NOT NULL,
    correlation {int} NOT NULL,
    version {int} NOT NULL,
    previous {blob} NOT NULL,
    hash {blob} NOT NULL,
    PRIMARY KEY (tenant_id, seq),
    UNIQUE (tenant_id, id)
){strict};
CREATE INDEX audit_trail_by_subject ON audit_trail (tenant_id, subject, seq);
CREATE INDEX audit_trail_by_actor ON audit_trail (tenant_id, actor, seq);
CREATE TABLE audit_heads (
    tenant_id {uuid} NOT NULL PRIMARY KEY,
    seq {int} NOT NULL,
    hash {blob} NOT NULL
){strict};";

/// The trail is append-only: nobody may change a row. The head moves with each.
const TABLES: [Table; 2] = [
    Table { name: "audit_trail", rights: "SELECT, INSERT" },
    Table { name: "audit_heads", rights: "SELECT, INSERT, UPDATE" },
];

/// Rows that are carried over at once.
const PAGE: i64 = 500;

async fn carry_over(connection: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
    let backend = connection.get_database_backend();
    let tenants = connection.query_all_raw(Statement::from_string(backend, "SELECT id FROM tenants")).await?;
    for row in tenants {
        let tenant: Uuid = row.try_get_by_index(0)?;
        if backend == DbBackend::Postgres {
            // Row level security binds the owner, too.
            let sql = format!("SELECT set_config('app.tenant', '{tenant}', true)");
            connection.execute_unprepared(&sql).await?;
        }
        carry_over_tenant(connection, tenant).await?;
    }
    if backend == DbBackend::Postgres {
        connection.execute_unprepared("SELECT set_config('app.tenant', '', true)").await?;
    }
    Ok(())
}

async fn carry_over_tenant(connection: &SchemaManagerConnection<'_>, tenant: Uuid) -> Result<(), DbErr> {
    let backend = connection.get_database_backend();
    let run = |sql: &str, values: Vec<Value>| Statement::from_sql_and_values(backend, sql, values);
    let (mut seq, mut hash) = (0, NOTHING);
    let mut after = (i64::MIN, Uuid::nil());
    loop {
        let sql = "SELECT id, at, actor, action, subject, outcome, detail, correlation FROM audit
                   WHERE tenant_id = $1 AND (at > $2 OR (at = $2 AND id > $3)) ORDER BY at, id LIMIT $4";
        let values = vec![tenant.into(), after.0.into(), after.1.into(), PAGE.into()];
        let old = connection.query_all_raw(run(sql, values)).await?;
        if old.is_empty() {
            break;
        }
        let mut rows = Vec::with_capacity(old.len());
        for old in &old {
            let mut row = Model {
                tenant_id: tenant,
                seq: 0,
                id: old.try_get_by_index(0)?,
                at: old.try_get_by_index(1)?,
                actor: old.try_get_by_index(2)?,
                actor_name: String::new(),
                action: old.try_get_by_index(3)?,
                subject: old.try_get_by_index(4)?,
                outcome: old.try_get_by_index(5)?,
                detail: old.try_get_by_index(6)?,
                channel: "system".to_owned(),
                address: String::new(),
                agent: String::new(),
                policy: None,
                facts: "{}".to_owned(),
                correlation: old.try_get_by_index(7)?,
                version: 0,
                previous: Vec::new(),
                hash: Vec::new(),
            };
            seq += 1;
            hash =
                link(&mut row, seq, hash).map_err(|error: StorageError| DbErr::Custom(error.to_string()))?;
            after = (row.at, row.id);
            rows.push(row);
        }
        for row in rows {
            Entity::insert(row.into_active_model()).exec_without_returning(connection).await?;
        }
    }
    if seq > 0 {
        let sql = "INSERT INTO audit_heads (tenant_id, seq, hash) VALUES ($1, $2, $3)";
        connection.execute_raw(run(sql, vec![tenant.into(), seq.into(), hash.0.to_vec().into()])).await?;
    }
    Ok(())
}
