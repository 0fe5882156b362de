//! Opening a database, and the one place that holds its connections.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DbBackend,
    sqlx::{
        self,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
    },
};
use sea_orm_migration::MigratorTrait;
use tenants::{
    TenantId,
    keys::{Keyring, NoKeys, TenantKeys},
};

use crate::{
    errors::StorageError,
    migrations::{self, Migrator},
    row_security,
};

/// Pages of the write-ahead log after which SQLite writes them back: 8 MB. Larger makes the occasional
/// commit that does it slower, smaller makes it more frequent.
const SQLITE_CHECKPOINT_PAGES: &str = "2000";
/// Prepared statements kept per connection. Bulk writes come in sizes of powers of two, so few suffice.
const PREPARED_STATEMENTS: usize = 256;

/// How to open a database.
#[derive(Debug, Clone)]
pub struct DatabaseOptions {
    /// Connections at most; SQLite has one more, for writing.
    pub max_connections: u32,
    /// How long to wait for a connection, or for another process's lock on the SQLite file.
    pub busy_timeout: Duration,
}

impl Default for DatabaseOptions {
    fn default() -> Self {
        Self { max_connections: 8, busy_timeout: Duration::from_secs(5) }
    }
}

/// One SQLite file or one PostgreSQL database. Cheap to clone; implements every store trait.
#[derive(Clone)]
pub struct Database {
    pub(crate) inner: Arc<Inner>,
    keys: Arc<dyn Keyring>,
}

pub(crate) struct Inner {
    /// On PostgreSQL the same pool as `readers`; on SQLite a single connection.
    pub(crate) writer: DatabaseConnection,
    pub(crate) readers: DatabaseConnection,
    /// SQLite has one writer. Waiting here is fair; waiting in SQLite is not.
    pub(crate) gate: Arc<tokio::sync::Mutex<()>>,
    pub(crate) backend: DbBackend,
    /// Whether transactions take on PostgreSQL's runtime role.
    pub(crate) assume_runtime_role: AtomicBool,
    /// The epoch in which this node owns the partitions, once claimed.
    pub(crate) epoch: Mutex<Option<i64>>,
    /// Memory of the last segment, used again for the next.
    pub(crate) scratch: Mutex<crate::segments::Scratch>,
}

impl Database {
    /// Opens `sqlite://PATH` (creating the file) or `postgres://...`.
    ///
    /// # Errors
    /// [`StorageError::Address`] for another kind of address; [`StorageError::Database`] when it cannot be
    /// opened or reached.
    pub async fn connect(url: &str, options: &DatabaseOptions) -> Result<Self, StorageError> {
        let (writer, readers, backend) = if url.starts_with("sqlite:") {
            let writer = sqlite(url, options, 1, false).await?;
            let readers = sqlite(url, options, options.max_connections, true).await?;
            (writer, readers, DbBackend::Sqlite)
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let pool = postgres(url, options).await?;
            (pool.clone(), pool, DbBackend::Postgres)
        } else {
            return Err(StorageError::Address);
        };
        let inner = Arc::new(Inner {
            writer,
            readers,
            gate: Arc::default(),
            backend,
            assume_runtime_role: AtomicBool::new(false),
            epoch: Mutex::new(None),
            scratch: Mutex::default(),
        });
        let database = Self { inner, keys: Arc::new(NoKeys) };
        database.look_up_runtime_role().await?;
        Ok(database)
    }

    /// With the keys that seal what identifies patients. Without any it stands there for everybody to read who has the
    /// database.
    #[must_use]
    pub fn with_keys(self, keys: Arc<dyn Keyring>) -> Self {
        Self { keys, ..self }
    }

    /// The tenant's keys. To be had before a transaction begins: they may have to be read, or made.
    pub(crate) async fn keys_of(&self, tenant: TenantId) -> Result<Arc<dyn TenantKeys>, StorageError> {
        Ok(self.keys.of(tenant).await?)
    }

    /// Brings the schema up to this version. Safe to call from several nodes at once, and again. A role that
    /// may not change the schema can call it when there is nothing to do.
    ///
    /// # Errors
    /// [`StorageError::Database`] when a step fails; what was done before stays done.
    pub async fn migrate(&self) -> Result<(), StorageError> {
        let _gate = self.inner.gate.lock().await;
        if self.inner.backend == DbBackend::Postgres {
            if migrations::is_current(&self.inner.writer).await? {
                return self.look_up_runtime_role().await;
            }
            // The lock ends with its transaction, however that ends.
            let lock = sea_orm::TransactionTrait::begin(&self.inner.writer).await?;
            lock.execute_unprepared("SELECT pg_advisory_xact_lock(4815162342)").await?;
            Migrator::up(&self.inner.writer, None).await?;
            lock.commit().await?;
        } else {
            Migrator::up(&self.inner.writer, None).await?;
        }
        self.look_up_runtime_role().await
    }

    /// Fails unless every tenant's table forces row level security and the server's role is bound by it.
    /// SQLite has none; there the conditions that stores add are all there is.
    ///
    /// # Errors
    /// [`StorageError::RowSecurityMissing`] naming the tables, or [`StorageError::BypassesRowSecurity`].
    pub async fn check_row_level_security(&self) -> Result<(), StorageError> {
        match self.inner.backend {
            DbBackend::Postgres => {
                row_security::check(&self.inner.readers, self.assumes_runtime_role()).await
            }
            _ => Ok(()),
        }
    }

    /// Ends all connections; on SQLite the write-ahead log is written back.
    ///
    /// # Errors
    /// [`StorageError::Database`] when that fails; nothing that was committed is lost.
    pub async fn close(self) -> Result<(), StorageError> {
        self.inner.readers.close_by_ref().await?;
        self.inner.writer.close_by_ref().await?;
        Ok(())
    }

    pub(crate) fn backend(&self) -> DbBackend {
        self.inner.backend
    }

    pub(crate) fn assumes_runtime_role(&self) -> bool {
        self.inner.assume_runtime_role.load(Ordering::Relaxed)
    }

    async fn look_up_runtime_role(&self) -> Result<(), StorageError> {
        if self.inner.backend == DbBackend::Postgres {
            let may = row_security::may_assume_runtime_role(&self.inner.readers).await?;
            self.inner.assume_runtime_role.store(may, Ordering::Relaxed);
        }
        Ok(())
    }
}

async fn sqlite(
    url: &str,
    options: &DatabaseOptions,
    connections: u32,
    read_only: bool,
) -> Result<DatabaseConnection, StorageError> {
    let mut connect = ConnectOptions::new(url);
    let busy_timeout = options.busy_timeout;
    connect
        .max_connections(connections)
        .acquire_timeout(busy_timeout)
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |sqlite| durable(sqlite, busy_timeout, read_only))
        .map_sqlx_sqlite_before_acquire(|connection, _| {
            // After a failed write SQLite may have ended the transaction by itself, which the driver does
            // not notice: it would take the next transaction for a nested one, whose commit is none.
            let usable = !sqlx::Connection::is_in_transaction(connection);
            Box::pin(async move { Ok(usable) })
        });
    Ok(sea_orm::Database::connect(connect).await?)
}

/// A commit returns only after its bytes are on the disk: `synchronous=FULL`.
fn durable(sqlite: SqliteConnectOptions, busy_timeout: Duration, read_only: bool) -> SqliteConnectOptions {
    let sqlite = sqlite
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(busy_timeout)
        .statement_cache_capacity(PREPARED_STATEMENTS)
        .pragma("cache_size", "-16000")
        .pragma("wal_autocheckpoint", SQLITE_CHECKPOINT_PAGES);
    if read_only { sqlite.pragma("query_only", "ON") } else { sqlite }
}

async fn postgres(url: &str, options: &DatabaseOptions) -> Result<DatabaseConnection, StorageError> {
    let mut connect = ConnectOptions::new(url);
    connect
        .max_connections(options.max_connections)
        .acquire_timeout(options.busy_timeout)
        .sqlx_logging(false)
        .map_sqlx_postgres_opts(|postgres| {
            // Whatever the server's default is: an acknowledged message must survive a power cut.
            postgres
                .application_name("iomt")
                .options([("synchronous_commit", "on")])
                .statement_cache_capacity(PREPARED_STATEMENTS)
        });
    Ok(sea_orm::Database::connect(connect).await?)
}
