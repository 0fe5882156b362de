//! The audit trail: rows are added, never changed.

use std::collections::BTreeMap;

use ::tenants::{
    CorrelationId, StoreError, TenantId,
    access::Scope,
    audit::{AuditEntry, AuditFilter, Outcome},
    paging::{Page, PageRequest},
    stores::AuditTrail,
};
use sea_orm::{
    ColumnTrait, Condition, QueryFilter, QueryOrder,
    sea_query::{Expr, ExprTrait, OnConflict, SimpleExpr},
};
use uuid::Uuid;

use crate::{
    columns::{correlation_bits, micros, storable, timestamp},
    database::Database,
    entities::audit::{Column, Entity, Model},
    errors::StorageError,
    paging,
    tenant_tx::TenantTx,
};

#[async_trait::async_trait]
impl AuditTrail for Database {
    async fn append(&self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let mut by_tenant = BTreeMap::<_, Vec<_>>::new();
        for entry in entries {
            by_tenant.entry(entry.tenant).or_default().push(row(new_id(entry), entry));
        }
        for (tenant, rows) in by_tenant {
            let tx = self.begin_write(tenant).await?;
            add(&tx, rows).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    async fn page(
        &self,
        scope: &Scope,
        filter: &AuditFilter,
        page: &PageRequest,
    ) -> Result<Page<AuditEntry>, StoreError> {
        let tx = self.begin_read(scope.tenant()).await?;
        let list = tx.find::<Entity>().filter(wanted(filter));
        let after = after(page)?.map(|after| Condition::all().add(after));
        let rows = paging::read(&tx, list, after, page.first, |list| {
            list.order_by_desc(Column::At).order_by_desc(Column::Id)
        })
        .await?;
        let found = rows.models.into_iter().map(entry).collect::<Result<_, _>>()?;
        Ok(Page { rows: found, has_next: rows.has_next, total: rows.total })
    }
}

/// Newest first; a place in the trail is a time and an id.
fn after(page: &PageRequest) -> Result<Option<SimpleExpr>, StorageError> {
    let Some(key) = paging::key(page)? else { return Ok(None) };
    let place =
        key.split_once(' ').and_then(|(at, id)| Some((at.parse::<i64>().ok()?, Uuid::parse_str(id).ok()?)));
    let (at, id) = place.ok_or_else(paging::unknown_cursor)?;
    let columns = Expr::tuple([Expr::col(Column::At), Expr::col(Column::Id)]);
    Ok(Some(columns.lt(Expr::tuple([Expr::val(at), Expr::val(id)]))))
}

fn wanted(filter: &AuditFilter) -> Condition {
    let exactly = |column: Column, text: &Option<String>| text.as_ref().map(|text| column.eq(storable(text)));
    let action = filter.action.as_ref().map(|action| match action.strip_suffix('.') {
        // A range rather than a pattern: the index serves it, and nothing in it is a wildcard.
        Some(_) => Column::Action
            .gte(storable(action))
            .and(Column::Action.lt(format!("{}/", storable(&action[..action.len() - 1])))),
        None => Column::Action.eq(storable(action)),
    });
    Condition::all()
        .add_option(exactly(Column::Actor, &filter.actor))
        .add_option(action)
        .add_option(exactly(Column::Subject, &filter.subject))
        .add_option(filter.outcome.map(|outcome| Column::Outcome.eq(outcome.as_str())))
        .add_option(filter.since.map(|since| Column::At.gte(micros(since))))
        .add_option(filter.until.map(|until| Column::At.lt(micros(until))))
}

fn entry(row: Model) -> Result<(String, AuditEntry), StorageError> {
    let cursor = paging::cursor(&format!("{} {}", row.at, row.id));
    let outcome =
        Outcome::parse(&row.outcome).ok_or_else(|| StorageError::corrupt("an audit entry's outcome"))?;
    let entry = AuditEntry {
        tenant: TenantId::from_uuid(row.tenant_id),
        at: timestamp(row.at)?,
        actor: row.actor,
        action: row.action,
        subject: row.subject,
        outcome,
        detail: row.detail,
        correlation: CorrelationId(row.correlation.cast_unsigned()),
    };
    Ok((cursor, entry))
}

/// Adds an entry in the transaction of what it is about.
pub(crate) async fn note(tx: &TenantTx, entry: &AuditEntry) -> Result<(), StorageError> {
    let mut row = row(new_id(entry), entry);
    // What is done in a tenant's transaction stands in that tenant's trail.
    row.tenant_id = *tx.tenant().as_uuid();
    add(tx, vec![row]).await
}

/// Adds entries, each once per id.
pub(crate) async fn add(tx: &TenantTx, rows: Vec<Model>) -> Result<(), StorageError> {
    let once = OnConflict::columns([Column::TenantId, Column::Id]).do_nothing().to_owned();
    tx.insert_many::<Entity>(rows, once).await
}

pub(crate) fn row(id: Uuid, entry: &AuditEntry) -> Model {
    Model {
        tenant_id: *entry.tenant.as_uuid(),
        id,
        at: micros(entry.at),
        actor: storable(&entry.actor),
        action: storable(&entry.action),
        subject: storable(&entry.subject),
        outcome: entry.outcome.as_str().to_owned(),
        detail: storable(&entry.detail),
        correlation: correlation_bits(entry.correlation),
    }
}

/// An id that sorts by the entry's own time.
fn new_id(entry: &AuditEntry) -> Uuid {
    let seconds = u64::try_from(entry.at.as_second()).unwrap_or_default();
    let nanoseconds = u32::try_from(entry.at.subsec_nanosecond()).unwrap_or_default();
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanoseconds))
}
