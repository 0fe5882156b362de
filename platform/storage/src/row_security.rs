//! Whether PostgreSQL really holds the tenant boundary: the tables force it, the role is bound by it.

use sea_orm::{ConnectionTrait, DatabaseConnection, QueryResult, Statement};

use crate::errors::StorageError;

/// Tables without a tenant's rows. Any other table has to force row level security, so that a new one
/// cannot be forgotten.
const GLOBAL: &str =
    "'tenants', 'login_directory', 'api_audiences', 'partitions', 'meta', 'seaql_migrations'";

/// Whether the connection's role may work as the runtime role.
pub(crate) async fn may_assume_runtime_role(connection: &DatabaseConnection) -> Result<bool, StorageError> {
    let sql = "SELECT count(*) FROM pg_roles WHERE rolname = 'iomt_app' AND pg_has_role(current_user, oid, 'MEMBER')";
    let row = one(connection, sql).await?;
    Ok(row.try_get_by_index::<i64>(0)? == 1)
}

/// Fails when a table or the role lets rows through.
pub(crate) async fn check(
    connection: &DatabaseConnection,
    assumes_runtime_role: bool,
) -> Result<(), StorageError> {
    let sql = format!(
        "SELECT c.relname::text FROM pg_class c
         WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
           AND c.relname NOT IN ({GLOBAL})
           AND NOT (c.relrowsecurity AND c.relforcerowsecurity
                    AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid))
         ORDER BY 1"
    );
    let rows = connection.query_all_raw(statement(connection, &sql)).await?;
    let tables = rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<Vec<String>, _>>()?;
    if !tables.is_empty() {
        return Err(StorageError::RowSecurityMissing { tables });
    }
    let role = if assumes_runtime_role { "'iomt_app'" } else { "current_user" };
    let sql = format!("SELECT rolname::text, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = {role}");
    let row = one(connection, &sql).await?;
    if row.try_get_by_index(1)? {
        return Err(StorageError::BypassesRowSecurity { role: row.try_get_by_index(0)? });
    }
    Ok(())
}

async fn one(connection: &DatabaseConnection, sql: &str) -> Result<QueryResult, StorageError> {
    let row = connection.query_one_raw(statement(connection, sql)).await?;
    row.ok_or_else(|| StorageError::corrupt("the role catalogue is empty"))
}

fn statement(connection: &DatabaseConnection, sql: &str) -> Statement {
    Statement::from_string(connection.get_database_backend(), sql)
}
