//! A commit that holds messages and nothing else, in one trip to the thread that SQLite runs in.
//!
//! Each trip costs two changes of threads, which on a busy machine take longer than the flush to the disk. So the whole
//! transaction is one text of several statements here. What it must hold is said as statements that fail where it does not
//! hold; which of them did is not told, so whoever is refused goes the long way (`commit.rs`) and hears it there.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
};

use ::tenants::TenantId;
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};

use crate::{commit::Share, database::Database, segments::write::row};

/// Writes what tenants have in a commit. False where nothing was written.
pub(crate) async fn write(database: &Database, epoch: i64, shares: &BTreeMap<TenantId, Share>) -> bool {
    let Some((sql, values)) = transaction(epoch, shares) else { return false };
    let _gate = database.inner.gate.lock().await;
    let writer = &database.inner.writer;
    let statement = Statement::from_sql_and_values(DbBackend::Sqlite, sql, values);
    if writer.execute_raw(statement).await.is_ok() {
        return true;
    }
    // SQLite has ended some of those that failed by itself; then there is nothing to roll back.
    let _nothing_to_roll_back = writer.execute_unprepared("ROLLBACK").await;
    false
}

/// `None` where there is more in it than messages.
fn transaction(epoch: i64, shares: &BTreeMap<TenantId, Share>) -> Option<(String, Vec<Value>)> {
    let mut values: Vec<Value> = vec![epoch.into()];
    let mut sql =
        format!("BEGIN IMMEDIATE; {}", refuse("(SELECT value FROM meta WHERE key = 'ownership') IS NOT $1"));
    for (tenant, share) in shares {
        let (span, encoded) = share.messages_alone()?;
        append(&mut sql, values.len()).ok()?;
        values.extend(row(*tenant, span.clone(), encoded.clone()));
    }
    sql.push_str("COMMIT");
    Some((sql, values))
}

/// Appends a segment, whose values stand behind so many others, where the log of its tenant ends.
fn append(sql: &mut String, behind: usize) -> fmt::Result {
    let [tenant, first, last, from, to, directory, messages] = std::array::from_fn(|at| behind + at + 1);
    let elsewhere = format!(
        "${first} - 1 IS NOT coalesce(
            (SELECT last_seq FROM segments WHERE tenant_id = ${tenant} ORDER BY first_seq DESC LIMIT 1), 0)"
    );
    sql.push_str(&refuse(&elsewhere));
    write!(
        sql,
        "INSERT INTO segments (tenant_id, first_seq, last_seq, received_from, received_to, directory, messages)
         VALUES (${tenant}, ${first}, ${last}, ${from}, ${to}, ${directory}, ${messages}); "
    )
}

/// A statement that fails where something is so: there is a row of this key already.
fn refuse(where_it_is_so: &str) -> String {
    format!("INSERT INTO meta (key, value) SELECT 'ownership', 0 WHERE {where_it_is_so}; ")
}
