//! The chain of the audit trail: whole under many writers, and broken by whatever is done to it.

use std::sync::Arc;

use ::tenants::{
    DeviceId, TenantId, UnitId,
    access::{Action, Object, Role},
    audit::{AuditEntry, AuditFilter, Channel, Head, Origin, Outcome},
    credentials::SecretHash,
    paging::PageRequest,
    stores::AuditTrail,
};
use sea_orm::{ConnectionTrait, Statement, Value};
use sea_orm_migration::MigratorTrait;
use twins::store::directory::{DeviceRecord, Devices};

use super::world::{World, at, entry, tenant_id};
use crate::{
    audit::{audit_hash, link},
    database::Database,
    entities::audit::{Entity, Model},
    migrations::Migrator,
};

fn patient_read(tenant: TenantId, n: i64) -> AuditEntry {
    AuditEntry {
        actor_name: "N. N.".into(),
        origin: Origin::new(Channel::Ui, "192.0.2.1", "Firefox"),
        policy: Some("nurse".into()),
        outcome: if n % 3 == 0 { Outcome::Denied } else { Outcome::Success },
        ..AuditEntry::new(tenant, at(n), format!("user:{}", n % 2), "patient.read", format!("patient:{n}"))
    }
    .with("rows", n)
}

/// A chain of six entries, in a tenant of its own.
async fn six(world: &World, n: u128) -> TenantId {
    let tenant = tenant_id(0x100 + n);
    let entries: Vec<_> = (1..=6).map(|n| patient_read(tenant, n)).collect();
    world.database.append(&entries).await.unwrap();
    tenant
}

/// Done by somebody who has the database in their hands.
async fn tamper(database: &Database, sql: &str, values: impl IntoIterator<Item = Value>) {
    let owner = &database.inner.writer;
    let statement = Statement::from_sql_and_values(owner.get_database_backend(), sql, values);
    owner.execute_raw(statement).await.unwrap();
}

async fn rows(world: &World, tenant: TenantId) -> Vec<Model> {
    let tx = world.database.begin_read(tenant).await.unwrap();
    let mut rows = tx.all(tx.find::<Entity>()).await.unwrap();
    rows.sort_by_key(|row| row.seq);
    rows
}

/// Writes a row over the one at its place, as somebody would who knows how rows are hashed.
async fn write_over(database: &Database, row: &Model) {
    let sql = "UPDATE audit_trail SET actor = $3, previous = $4, hash = $5 WHERE tenant_id = $1 AND seq = $2";
    let values: [Value; 5] = [
        row.tenant_id.into(),
        row.seq.into(),
        row.actor.clone().into(),
        row.previous.clone().into(),
        row.hash.clone().into(),
    ];
    tamper(database, sql, values).await;
}

pub(super) async fn entries_are_read_newest_first_and_filtered(world: World) {
    let database = &world.database;
    let tenant = tenant_id(0x200);
    let entries: Vec<_> = (1..=6).map(|n| patient_read(tenant, n)).collect();
    database.append(&entries).await.unwrap();
    database.append(&[patient_read(world.b, 1)]).await.unwrap();
    let scope = world.scope(tenant, Role::Auditor, Object::Audit, Action::Read).await;
    let read = async |filter: AuditFilter, after, first| {
        let page = PageRequest { first, after, search: None, count: true };
        AuditTrail::page(database, &scope, &filter, &page).await.unwrap()
    };
    let all = read(AuditFilter::default(), None, 50).await;
    let found: Vec<_> = all.rows.iter().map(|(_, entry)| entry.clone()).collect();
    let expected: Vec<_> = entries.into_iter().rev().collect();
    assert_eq!((found, all.has_next), (expected, false), "what comes back is what was written");
    let after = Some(all.rows[0].0.clone());
    let part = read(AuditFilter::default(), after, 2).await;
    assert_eq!((&part.rows[..], part.has_next, part.total), (&all.rows[1..3], true, Some(6)));

    let places = async |filter| {
        let found = read(filter, None, 50).await.rows.into_iter();
        found.map(|(_, entry)| entry.facts["rows"].parse::<u64>().unwrap()).collect::<Vec<_>>()
    };
    let filter = AuditFilter::default;
    assert_eq!(places(AuditFilter { actor: Some("user:1".into()), ..filter() }).await, [5, 3, 1]);
    assert_eq!(places(AuditFilter { subject: Some("patient:2".into()), ..filter() }).await, [2]);
    assert_eq!(places(AuditFilter { outcome: Some(Outcome::Denied), ..filter() }).await, [6, 3]);
    assert_eq!(places(AuditFilter { since: Some(at(3)), until: Some(at(5)), ..filter() }).await, [4, 3]);
    for (action, found) in [("patient.read", 6), ("patient.", 6), ("patient", 0), ("alarm.", 0), ("%", 0)] {
        assert_eq!(
            places(AuditFilter { action: Some(action.into()), ..filter() }).await.len(),
            found,
            "{action}"
        );
    }
}

pub(super) async fn whatever_is_done_to_a_chain_is_found(world: World) {
    let database = &world.database;
    let mut cases: Vec<(String, u64)> = [
        ("DELETE FROM audit_trail WHERE tenant_id = $1 AND seq = 1", 1),
        ("DELETE FROM audit_trail WHERE tenant_id = $1 AND seq = 4", 4),
        ("DELETE FROM audit_trail WHERE tenant_id = $1 AND seq = 6", 6),
        ("DELETE FROM audit_trail WHERE tenant_id = $1 AND seq > 3", 4),
        ("DELETE FROM audit_trail WHERE tenant_id = $1", 1),
        ("DELETE FROM audit_heads WHERE tenant_id = $1", 1),
        ("UPDATE audit_trail SET seq = seq + 1000 WHERE tenant_id = $1 AND seq = 2", 2),
        ("UPDATE audit_heads SET seq = 5 WHERE tenant_id = $1", 5),
        ("UPDATE audit_trail SET previous = hash WHERE tenant_id = $1 AND seq = 3", 3),
        ("UPDATE audit_trail SET hash = previous WHERE tenant_id = $1 AND seq = 3", 3),
    ]
    .map(|(sql, seq)| (sql.to_owned(), seq))
    .into();
    for column in
        ["actor", "actor_name", "action", "subject", "outcome", "detail", "channel", "address", "agent"]
            .into_iter()
            .chain(["policy", "facts"])
    {
        cases.push((format!("UPDATE audit_trail SET {column} = 'x' WHERE tenant_id = $1 AND seq = 3"), 3));
    }
    for column in ["at", "correlation", "version"] {
        cases.push((
            format!("UPDATE audit_trail SET {column} = {column} + 1 WHERE tenant_id = $1 AND seq = 6"),
            6,
        ));
    }
    cases.push(("UPDATE audit_trail SET policy = NULL WHERE tenant_id = $1 AND seq = 1".to_owned(), 1));
    for (n, (sql, seq)) in cases.iter().enumerate() {
        let tenant = six(&world, n as u128).await;
        let report = database.verify_audit(tenant, None).await.unwrap();
        assert!(report.broken.is_none() && report.whole == 6, "{report:?}");
        tamper(database, sql, [(*tenant.as_uuid()).into()]).await;
        let broken = database.verify_audit(tenant, None).await.unwrap().broken;
        assert_eq!(broken.as_ref().map(|broken| broken.seq), Some(*seq), "{sql}: {broken:?}");
    }
}

pub(super) async fn a_clever_forger_is_found(world: World) {
    let database = &world.database;
    // Two rows change places, each hashed anew: the row behind them no longer follows.
    let tenant = six(&world, 1).await;
    let mut rows_now = rows(&world, tenant).await;
    let (second, third) = (rows_now[1].actor.clone(), rows_now[2].actor.clone());
    (rows_now[1].actor, rows_now[2].actor) = (third, second);
    let mut hash = audit_hash(&rows_now[0].hash).unwrap();
    for row in &mut rows_now[1..3] {
        let seq = row.seq;
        hash = link(row, seq, hash).unwrap();
        write_over(database, row).await;
    }
    assert_eq!(database.verify_audit(tenant, None).await.unwrap().broken.unwrap().seq, 4);

    // A row is put behind the last one without the head.
    let tenant = six(&world, 2).await;
    let mut forged = rows(&world, tenant).await.pop().unwrap();
    let hash = audit_hash(&forged.hash).unwrap();
    forged.id = uuid::Uuid::from_u128(99);
    link(&mut forged, 7, hash).unwrap();
    let tx = database.begin_write(tenant).await.unwrap();
    tx.insert::<Entity>(forged).await.unwrap();
    tx.commit().await.unwrap();
    let broken = database.verify_audit(tenant, None).await.unwrap().broken.unwrap();
    assert!(broken.seq == 7 && broken.problem.contains("head"), "{broken:?}");

    // The whole chain from a row on is written anew, with its head: only who kept the head elsewhere sees it.
    let tenant = six(&world, 3).await;
    let kept = database.verify_audit(tenant, None).await.unwrap().head.unwrap();
    let mut all = rows(&world, tenant).await;
    all[4].actor = "user:somebody-else".into();
    let mut hash = audit_hash(&all[3].hash).unwrap();
    for row in &mut all[4..] {
        let seq = row.seq;
        hash = link(row, seq, hash).unwrap();
        write_over(database, row).await;
    }
    let head = "UPDATE audit_heads SET hash = $2 WHERE tenant_id = $1";
    tamper(database, head, [(*tenant.as_uuid()).into(), hash.0.to_vec().into()]).await;
    assert!(database.verify_audit(tenant, None).await.unwrap().broken.is_none(), "it looks whole");
    assert_eq!(database.verify_audit(tenant, Some(&kept)).await.unwrap().broken.unwrap().seq, 6);

    // The same by cutting it short.
    let tenant = six(&world, 4).await;
    let kept = database.verify_audit(tenant, None).await.unwrap().head.unwrap();
    let all = rows(&world, tenant).await;
    let own: Value = (*tenant.as_uuid()).into();
    tamper(database, "DELETE FROM audit_trail WHERE tenant_id = $1 AND seq > 4", [own.clone()]).await;
    let head = "UPDATE audit_heads SET seq = 4, hash = $2 WHERE tenant_id = $1";
    tamper(database, head, [own, all[3].hash.clone().into()]).await;
    assert!(database.verify_audit(tenant, None).await.unwrap().broken.is_none());
    assert_eq!(database.verify_audit(tenant, Some(&kept)).await.unwrap().broken.unwrap().seq, 5);
    let earlier = Head { seq: 4, hash: audit_hash(&all[3].hash).unwrap(), ..kept };
    assert!(database.verify_audit(tenant, Some(&earlier)).await.unwrap().broken.is_none());
}

pub(super) async fn many_writers_keep_the_chain_whole(world: World) {
    let world = Arc::new(world);
    let writer = |n: i64| {
        let world = Arc::clone(&world);
        async move {
            for k in 0..5 {
                let entries = [patient_read(world.a, n), patient_read(world.b, k)];
                world.database.append(&entries).await.unwrap();
                let record = DeviceRecord {
                    id: DeviceId::parse(&format!("m-{n}-{k}")).unwrap(),
                    name: "x".into(),
                    template: "dtmi:test;1".into(),
                    patient: None,
                    unit: UnitId::root(world.a),
                    blocked_since: None,
                    gateway: None,
                };
                let scope = world.write(world.a, Object::Device).await;
                let hash = SecretHash::of(b"x");
                Devices::create(&world.database, &scope, &record, &hash, &entry(world.a)).await.unwrap();
            }
        }
    };
    let writers: Vec<_> = (0..8).map(|n| tokio::spawn(writer(n))).collect();
    for writer in writers {
        writer.await.unwrap();
    }
    // One more each: that the hospital came aboard.
    for (tenant, length) in [(world.a, 81), (world.b, 41)] {
        let report = world.database.verify_audit(tenant, None).await.unwrap();
        assert!(report.broken.is_none() && report.whole == length, "{report:?}");
    }
    let heads = world.database.audit_heads().await.unwrap();
    let of = |tenant| heads.iter().find(|head| head.tenant == tenant).map(|head| head.seq);
    assert_eq!((of(world.a), of(world.b)), (Some(81), Some(41)));
}

/// An entry that is not committed leaves no gap.
pub(super) async fn what_is_rolled_back_leaves_no_gap(world: World) {
    let database = &world.database;
    world.add_device(world.a, "m-1", "One", None).await;
    let tx = database.begin_write(world.a).await.unwrap();
    crate::audit::note(&tx, &entry(world.a)).await.unwrap();
    drop(tx);
    world.add_device(world.a, "m-2", "Two", None).await;
    let report = database.verify_audit(world.a, None).await.unwrap();
    assert!(report.broken.is_none() && report.whole == 3, "{report:?}");
}

/// Several processes may write down the same read at the same time.
pub(super) async fn what_is_appended_again_is_there_once(world: World) {
    let id = uuid::Uuid::from_u128;
    let entries = [
        (id(1), patient_read(world.a, 1)),
        (id(2), patient_read(world.a, 2)),
        (id(1), patient_read(world.b, 3)),
        (id(2), patient_read(world.a, 4)),
    ];
    let writing = (0..4).map(|_| world.database.append_once(&entries));
    for written in futures_util::future::join_all(writing).await {
        written.unwrap();
    }
    // One more each: that the hospital came aboard.
    for (tenant, length) in [(world.a, 3), (world.b, 2)] {
        let report = world.database.verify_audit(tenant, None).await.unwrap();
        assert!(report.broken.is_none() && report.whole == length, "{report:?}");
    }
}

/// Fills the trail of the first schema, brings it up to date, and looks for every row in the chain.
pub(super) async fn the_first_trail_is_carried_over(database: &Database) {
    let owner = &database.inner.writer;
    Migrator::up(owner, Some(1)).await.unwrap();
    let backend = owner.get_database_backend();
    let sqlite = backend == sea_orm::DbBackend::Sqlite;
    let platform = TenantId::PLATFORM;
    // Out of their order, and more than are carried over at once.
    for n in (0..1_203_i64).rev() {
        let name =
            if sqlite { "" } else { "WITH t AS (SELECT set_config('app.tenant', $1::uuid::text, true)) " };
        let from = if sqlite { "" } else { " FROM t" };
        let sql = format!(
            "{name}INSERT INTO audit (tenant_id, id, at, actor, action, subject, outcome, detail, correlation)
             SELECT $1, $2, $3, 'user:1', 'rule.save', 'rule:1', 'success', 'why', $3{from}"
        );
        let id = uuid::Uuid::from_u128(n as u128);
        let values: [Value; 3] = [(*platform.as_uuid()).into(), id.into(), (n / 2).into()];
        owner.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await.unwrap();
    }
    database.migrate().await.unwrap();
    let report = database.verify_audit(platform, None).await.unwrap();
    assert!(report.broken.is_none() && report.whole == 1_203, "{report:?}");
    let tx = database.begin_read(platform).await.unwrap();
    let mut rows = tx.all(tx.find::<Entity>()).await.unwrap();
    rows.sort_by_key(|row| row.seq);
    assert!(rows.iter().zip(0..).all(|(row, n)| row.at == n / 2 && row.id.as_u128() == n as u128));
    drop(tx);
    database.append(&[entry(platform)]).await.unwrap();
    assert_eq!(database.verify_audit(platform, None).await.unwrap().whole, 1_204);
}

#[tokio::test]
async fn the_first_trail_is_carried_over_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("store.db").display());
    let database = Database::connect(&url, &crate::DatabaseOptions::default()).await.unwrap();
    the_first_trail_is_carried_over(&database).await;
}
