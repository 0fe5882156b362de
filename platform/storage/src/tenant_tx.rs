//! The only way to a tenant's rows: a transaction that knows its tenant.
//!
//! On PostgreSQL it takes on the runtime role, which row level security binds, and names the tenant to it,
//! both for this transaction only. On both databases `find` adds the tenant to the conditions.

use futures_util::{Stream, TryStreamExt};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryResult, Select, SqliteTransactionMode, Statement, StatementBuilder,
    StreamTrait, TransactionOptions, TransactionTrait, Value, sea_query::OnConflict,
};
use tenants::TenantId;
use tokio::sync::OwnedMutexGuard;

use crate::{database::Database, entities::TenantRows, errors::StorageError};

/// Rows that one statement of a bulk write carries at most.
const ROWS_A_STATEMENT: usize = 64;

/// A transaction, rolled back unless committed.
pub(crate) struct TenantTx {
    tx: DatabaseTransaction,
    tenant: TenantId,
    /// Opens for the next writer when the transaction is over: fields are dropped in this order.
    _gate: Option<OwnedMutexGuard<()>>,
}

impl Database {
    /// For reading a tenant's rows, all as of the same moment on SQLite.
    pub(crate) async fn begin_read(&self, tenant: TenantId) -> Result<TenantTx, StorageError> {
        let tx = self.inner.readers.begin().await?;
        self.enter(TenantTx { tx, tenant, _gate: None }).await
    }

    /// Rows of one statement, to which `$1` is the tenant. On SQLite there is no transaction around it: that would be three trips to
    /// the database instead of one.
    pub(crate) async fn query_once(
        &self,
        tenant: TenantId,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<QueryResult>, StorageError> {
        let values: Vec<_> = [(*tenant.as_uuid()).into()].into_iter().chain(values).collect();
        match self.backend() {
            DbBackend::Postgres => self.begin_read(tenant).await?.query_sql(sql, values).await,
            backend => {
                let statement = Statement::from_sql_and_values(backend, sql, values);
                Ok(self.inner.readers.query_all_raw(statement).await?)
            }
        }
    }

    /// For changing a tenant's rows.
    pub(crate) async fn begin_write(&self, tenant: TenantId) -> Result<TenantTx, StorageError> {
        if self.backend() == DbBackend::Postgres {
            let tx = self.inner.writer.begin().await?;
            return self.enter(TenantTx { tx, tenant, _gate: None }).await;
        }
        let gate = self.inner.gate.clone().lock_owned().await;
        let immediate = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let tx = self.inner.writer.begin_with_options(immediate).await?;
        Ok(TenantTx { tx, tenant, _gate: Some(gate) })
    }

    async fn enter(&self, tx: TenantTx) -> Result<TenantTx, StorageError> {
        if self.backend() == DbBackend::Postgres {
            let role = if self.assumes_runtime_role() { "SET LOCAL ROLE iomt_app; " } else { "" };
            // A UUID's text cannot hold a quote. One round trip for both.
            let tenant = tx.tenant;
            let sql = format!("{role}SELECT set_config('app.tenant', '{tenant}', true)");
            tx.tx.execute_unprepared(&sql).await?;
        }
        Ok(tx)
    }
}

impl TenantTx {
    pub(crate) fn tenant(&self) -> TenantId {
        self.tenant
    }

    pub(crate) fn backend(&self) -> DbBackend {
        ConnectionTrait::get_database_backend(&self.tx)
    }

    /// Goes on with another tenant's rows. SQLite commits those of all tenants at once, for one flush.
    pub(crate) fn turn_to(&mut self, tenant: TenantId) {
        debug_assert!(self.backend() == DbBackend::Sqlite, "PostgreSQL has one transaction per tenant");
        self.tenant = tenant;
    }

    /// The tenant's rows of a table.
    pub(crate) fn find<E: TenantRows>(&self) -> Select<E> {
        E::find().filter(E::TENANT.eq(*self.tenant.as_uuid()))
    }

    pub(crate) async fn all<E: EntityTrait>(&self, select: Select<E>) -> Result<Vec<E::Model>, StorageError> {
        Ok(select.all(&self.tx).await?)
    }

    pub(crate) async fn one<E: EntityTrait>(
        &self,
        select: Select<E>,
    ) -> Result<Option<E::Model>, StorageError> {
        Ok(select.one(&self.tx).await?)
    }

    pub(crate) async fn count<E: EntityTrait>(&self, select: Select<E>) -> Result<u64, StorageError>
    where
        E::Model: Send + Sync,
    {
        Ok(select.count(&self.tx).await?)
    }

    /// Runs a statement and tells how many rows it changed.
    pub(crate) async fn execute<S: StatementBuilder>(&self, statement: &S) -> Result<u64, StorageError> {
        Ok(self.tx.execute(statement).await?.rows_affected())
    }

    /// The same for SQL text with `$1`, `$2`, ...
    pub(crate) async fn execute_sql(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<u64, StorageError> {
        let statement = Statement::from_sql_and_values(self.backend(), sql, values);
        Ok(self.tx.execute_raw(statement).await?.rows_affected())
    }

    /// Rows of SQL text with `$1`, `$2`, ...
    pub(crate) async fn query_sql(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<QueryResult>, StorageError> {
        let statement = Statement::from_sql_and_values(self.backend(), sql, values);
        Ok(self.tx.query_all_raw(statement).await?)
    }

    /// The same one after the other, for more than fit into memory.
    pub(crate) async fn stream_sql(
        &self,
        sql: String,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<impl Stream<Item = Result<QueryResult, StorageError>> + Unpin, StorageError> {
        let statement = Statement::from_sql_and_values(self.backend(), sql, values);
        let rows = self.tx.stream_raw(statement).await?;
        Ok(rows.map_err(StorageError::from))
    }

    /// Adds a row.
    pub(crate) async fn insert<E: EntityTrait>(&self, row: E::Model) -> Result<(), StorageError>
    where
        E::Model: IntoActiveModel<E::ActiveModel>,
    {
        E::insert(row.into_active_model()).exec_without_returning(&self.tx).await?;
        Ok(())
    }

    /// Adds many rows; without a rule for conflicts each must be new. The statements carry powers of two of them, so that there are few different ones to
    /// prepare.
    pub(crate) async fn insert_many<E: EntityTrait>(
        &self,
        mut rows: Vec<E::Model>,
        on_conflict: impl Into<Option<OnConflict>>,
    ) -> Result<(), StorageError>
    where
        E::Model: IntoActiveModel<E::ActiveModel>,
    {
        let on_conflict = on_conflict.into();
        while !rows.is_empty() {
            let size = ROWS_A_STATEMENT.min(1 << rows.len().ilog2());
            let rest = rows.split_off(size);
            let part = rows.into_iter().map(IntoActiveModel::into_active_model);
            let mut insert = E::insert_many(part);
            if let Some(on_conflict) = &on_conflict {
                insert = insert.on_conflict(on_conflict.clone());
            }
            insert.exec_without_returning(&self.tx).await?;
            rows = rest;
        }
        Ok(())
    }

    /// Makes what was done durable. On SQLite the next writer may begin afterwards.
    pub(crate) async fn commit(self) -> Result<(), StorageError> {
        Ok(self.tx.commit().await?)
    }
}
