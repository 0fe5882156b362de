//! What SQLite and PostgreSQL call the same thing, and how PostgreSQL guards a tenant's table.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::SchemaManager;

/// Replaces the type names in braces by the database's own.
///
/// Text is compared by its bytes on both, so that lists have the same order everywhere; SQLite tables are
/// STRICT, so that a column holds what it says.
pub(super) fn render(sql: &str, backend: DbBackend) -> String {
    let words: &[(&str, &str)] = match backend {
        DbBackend::Postgres => &[
            ("{uuid}", "uuid"),
            ("{text}", "text COLLATE \"C\""),
            ("{int}", "bigint"),
            ("{real}", "double precision"),
            ("{bool}", "boolean"),
            ("{blob}", "bytea"),
            ("{strict}", ""),
            ("{false}", "false"),
            ("{template_name}", "split_part(split_part(template, ';', 1), ':', -1)"),
            (
                "{identity_json}",
                "convert_to(json_build_object('name', name, 'mrn', mrn, 'birthDate', birth_date)::text, 'UTF8')",
            ),
            ("{nil}", "'00000000-0000-0000-0000-000000000000'"),
        ],
        _ => &[
            ("{uuid}", "BLOB"),
            ("{text}", "TEXT"),
            ("{int}", "INTEGER"),
            ("{real}", "REAL"),
            ("{bool}", "INTEGER"),
            ("{blob}", "BLOB"),
            ("{strict}", " STRICT"),
            ("{false}", "0"),
            // What follows the last colon, without the version.
            (
                "{template_name}",
                "replace(substr(template, 1, instr(template || ';', ';') - 1),
                 rtrim(substr(template, 1, instr(template || ';', ';') - 1),
                       replace(substr(template, 1, instr(template || ';', ';') - 1), ':', '')), '')",
            ),
            (
                "{identity_json}",
                "CAST(json_object('name', name, 'mrn', mrn, 'birthDate', birth_date) AS BLOB)",
            ),
            ("{nil}", "X'00000000000000000000000000000000'"),
        ],
    };
    words.iter().fold(sql.to_owned(), |sql, (word, own)| sql.replace(word, own))
}

/// What the runtime role may do with a table.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) rights: &'static str,
}

/// Row level security that binds the owner too. After a transaction the setting is '' rather than null, so
/// both mean: no tenant, no rows.
pub(super) fn row_security(table: &str) -> String {
    format!(
        "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
         ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
         CREATE POLICY tenant_rows ON {table}
            USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid)
            WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);"
    )
}

/// The role that the server works under: no login, no DDL, bound by row level security. Where the
/// migration may not create it, the server's own role must be bound already, which is checked at start-up.
pub(super) const RUNTIME_ROLE: &str = "
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'iomt_app') THEN
        CREATE ROLE iomt_app NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
    END IF;
    IF NOT pg_has_role(current_user, 'iomt_app', 'MEMBER') THEN
        EXECUTE format('GRANT iomt_app TO %I', current_user);
    END IF;
EXCEPTION
    WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN NULL;
END $$;";

/// Runs `sql` and, on PostgreSQL, guards the tenants' tables that it creates and opens them to the runtime role.
pub(super) async fn create(manager: &SchemaManager<'_>, sql: &str, tables: &[Table]) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let backend = connection.get_database_backend();
    connection.execute_unprepared(&render(sql, backend)).await?;
    if backend == DbBackend::Postgres {
        for table in tables {
            connection.execute_unprepared(&row_security(table.name)).await?;
            connection.execute_unprepared(&grant(table)).await?;
        }
    }
    Ok(())
}

/// Gives the runtime role its rights to a table, where there is such a role.
pub(super) fn grant(table: &Table) -> String {
    let Table { name, rights } = table;
    format!(
        "DO $$
        BEGIN
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'iomt_app') THEN
                GRANT {rights} ON {name} TO iomt_app;
            END IF;
        END $$;"
    )
}
