//! The cases on PostgreSQL, and what only it can do: hold the tenant boundary by itself.

use std::panic::AssertUnwindSafe;

use futures_util::{FutureExt, StreamExt, stream};
use sea_orm::ConnectionTrait;
use twins::store::journal::Journal;

use super::{
    CASES, Case,
    postgres_server::Server,
    world::{World, segment, unhurried},
};
use crate::{
    database::{Database, DatabaseOptions},
    entities::devices,
    errors::StorageError,
};

/// Databases in use at the same time.
const AT_ONCE: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_on_postgres() {
    let Some(server) = Server::start() else { return };
    let template = connect(&server.url("postgres", "postgres")).await;
    template.inner.writer.execute_unprepared("CREATE DATABASE template_of_cases").await.unwrap();
    let migrated = connect(&server.url("postgres", "template_of_cases")).await;
    migrated.migrate().await.unwrap();
    migrated.close().await.unwrap();

    let own: &[(&str, Case)] = &[
        ("a_forgotten_condition_shows_nobody_elses_rows", |w| Box::pin(a_forgotten_condition(w))),
        ("a_table_without_row_security_is_named", |w| Box::pin(a_table_without_row_security(w))),
        ("the_log_and_the_trail_are_append_only", |w| Box::pin(append_only(w))),
    ];
    let cases = CASES.iter().chain(own).map(|(name, case)| run(&server, &template, name, *case));
    let failed = stream::iter(cases).buffer_unordered(AT_ONCE);
    let failed: Vec<&str> = failed.filter_map(async |name| name).collect().await;
    an_ordinary_owner_is_bound_too(&server, &template).await;
    a_server_without_ddl_rights_works(&server, &template).await;
    an_ordinary_owner_carries_the_trail_over(&server, &template).await;
    template.close().await.unwrap();
    assert!(failed.is_empty(), "failed on PostgreSQL: {failed:?}");
}

/// Runs a case on a database of its own; tells its name when it fails.
async fn run<'a>(server: &Server, admin: &Database, name: &'a str, case: Case) -> Option<&'a str> {
    let sql = format!("CREATE DATABASE {name} TEMPLATE template_of_cases");
    admin.inner.writer.execute_unprepared(&sql).await.unwrap();
    let url = server.url("postgres", name);
    let world = World::of(connect(&url).await, url, None).await;
    let passed = AssertUnwindSafe(case(world)).catch_unwind().await.is_ok();
    // Each is a copy of the template: all of them together would take half a gigabyte.
    admin.inner.writer.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
    eprintln!("{} {name}", if passed { "ok    " } else { "FAILED" });
    (!passed).then_some(name)
}

async fn connect(url: &str) -> Database {
    let options = DatabaseOptions { max_connections: 6, ..unhurried() };
    Database::connect(url, &options).await.unwrap()
}

async fn count(world: &World, sql: &str) -> i64 {
    let tx = world.database.begin_read(world.a).await.unwrap();
    tx.query_sql(sql, []).await.unwrap()[0].try_get_by_index(0).unwrap()
}

async fn a_forgotten_condition(world: World) {
    world.claim().await;
    for (tenant, id) in [(world.a, "m-1"), (world.b, "m-2"), (world.b, "m-3")] {
        world.add_device(tenant, id, id, None).await;
    }
    world.commit(vec![segment(world.b, 1, &[("m-2", &[1])])]).await;
    assert_eq!(count(&world, "SELECT count(*) FROM devices").await, 1);
    assert_eq!(count(&world, "SELECT count(*) FROM segments").await, 0);
    assert_eq!(count(&world, "SELECT count(*) FROM audit_trail").await, 2, "of the tenant and of its device");

    // Nor can a row be put into another tenant, or changed there.
    let tx = world.database.begin_write(world.a).await.unwrap();
    let row = devices::Model {
        tenant_id: *world.b.as_uuid(),
        id: "m-4".into(),
        name: "x".into(),
        name_search: "x".into(),
        template: "t".into(),
        kind: "t".into(),
        unit_id: Some(*world.b.as_uuid()),
        blocked_since: None,
        gateway_id: None,
    };
    assert!(tx.insert::<devices::Entity>(row).await.is_err());
    drop(tx);
    let tx = world.database.begin_write(world.a).await.unwrap();
    assert_eq!(tx.execute_sql("UPDATE devices SET name = 'mine'", []).await.unwrap(), 1);
    drop(tx);
    // The tenant of one transaction does not outlive it on its connection.
    let tenants = world.database.inner.readers.query_all_raw(sea_orm::Statement::from_string(
        sea_orm::DbBackend::Postgres,
        "SELECT coalesce(nullif(current_setting('app.tenant', true), ''), 'none'), current_user::text",
    ));
    let row = &tenants.await.unwrap()[0];
    assert_eq!(row.try_get_by_index::<String>(0).unwrap(), "none");
    assert_eq!(row.try_get_by_index::<String>(1).unwrap(), "postgres");
}

async fn a_table_without_row_security(world: World) {
    world.database.check_row_level_security().await.unwrap();
    let owner = &world.database.inner.writer;
    for sql in [
        "CREATE TABLE forgotten (tenant_id uuid, id uuid)",
        "ALTER TABLE users NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE alarms DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant_rows ON patients",
    ] {
        owner.execute_unprepared(sql).await.unwrap();
    }
    match world.database.check_row_level_security().await {
        Err(StorageError::RowSecurityMissing { tables }) => {
            assert_eq!(tables, ["alarms", "forgotten", "patients", "users"]);
        }
        other => panic!("{other:?}"),
    }
}

async fn append_only(world: World) {
    world.claim().await;
    world.add_device(world.a, "m-1", "One", None).await;
    world.commit(vec![segment(world.a, 1, &[("m-1", &[1])])]).await;
    for sql in [
        "UPDATE segments SET messages = ''",
        "UPDATE audit_trail SET actor = 'nobody'",
        "DELETE FROM audit_trail",
        "DELETE FROM audit_heads",
        "TRUNCATE segments",
        "DROP TABLE audit_trail",
        "CREATE TABLE mine (id int)",
        "ALTER TABLE audit_trail DISABLE ROW LEVEL SECURITY",
    ] {
        let tx = world.database.begin_write(world.a).await.unwrap();
        assert!(tx.execute_sql(sql, []).await.is_err(), "{sql}");
    }
}

/// A role that owns the tables and may not become the runtime role is bound by them all the same.
async fn an_ordinary_owner_is_bound_too(server: &Server, admin: &Database) {
    for sql in [
        "CREATE ROLE clinic LOGIN NOSUPERUSER",
        "CREATE DATABASE clinic OWNER clinic",
        "CREATE ROLE careless LOGIN NOSUPERUSER BYPASSRLS",
        "CREATE DATABASE careless OWNER careless",
    ] {
        admin.inner.writer.execute_unprepared(sql).await.unwrap();
    }
    let url = server.url("clinic", "clinic");
    let database = connect(&url).await;
    database.migrate().await.unwrap();
    assert!(!database.assumes_runtime_role());
    database.check_row_level_security().await.unwrap();
    let world = World::of(database, url, None).await;
    world.claim().await;
    world.add_device(world.b, "m-1", "One", None).await;
    assert_eq!(count(&world, "SELECT count(*) FROM devices").await, 0);
    world.database.heads().await.unwrap();
    world.database.clone().close().await.unwrap();

    let careless = connect(&server.url("careless", "careless")).await;
    careless.migrate().await.unwrap();
    let checked = careless.check_row_level_security().await;
    assert!(matches!(checked, Err(StorageError::BypassesRowSecurity { .. })), "{checked:?}");
    careless.close().await.unwrap();
}

/// Row level security binds the owner, also while it migrates.
async fn an_ordinary_owner_carries_the_trail_over(server: &Server, admin: &Database) {
    for sql in ["CREATE ROLE heir LOGIN NOSUPERUSER", "CREATE DATABASE heir OWNER heir"] {
        admin.inner.writer.execute_unprepared(sql).await.unwrap();
    }
    let database = connect(&server.url("heir", "heir")).await;
    super::audit::the_first_trail_is_carried_over(&database).await;
    database.close().await.unwrap();
}

/// As recommended: one role migrates, the server's own has no more than the runtime role's rights.
async fn a_server_without_ddl_rights_works(server: &Server, admin: &Database) {
    for sql in
        ["CREATE ROLE runtime LOGIN IN ROLE iomt_app", "CREATE DATABASE lean TEMPLATE template_of_cases"]
    {
        admin.inner.writer.execute_unprepared(sql).await.unwrap();
    }
    let url = server.url("runtime", "lean");
    let database = connect(&url).await;
    database.migrate().await.unwrap();
    database.check_row_level_security().await.unwrap();
    let world = World::of(database, url, None).await;
    world.claim().await;
    world.add_device(world.a, "m-1", "One", None).await;
    world.commit(vec![segment(world.a, 1, &[("m-1", &[1])])]).await;
    world.database.probe().await.unwrap();
    assert!(world.database.inner.writer.execute_unprepared("CREATE TABLE mine (id int)").await.is_err());
    world.database.close().await.unwrap();
}
