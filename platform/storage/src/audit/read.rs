//! Reading the trail, for those who may.

use ::tenants::{
    CorrelationId, TenantId,
    access::{Object, Scope},
    audit::{AuditEntry, AuditFilter, Channel, Origin},
    paging::{Page, PageRequest},
};
use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder, Select};

use crate::{
    columns::{micros, parsed, timestamp},
    database::Database,
    entities::audit::{Column, Entity, Model},
    errors::StorageError,
    paging,
};

/// A page of the trail, newest first; a place in it is the number of an entry.
pub(super) async fn page(
    database: &Database,
    scope: &Scope,
    filter: &AuditFilter,
    page: &PageRequest,
) -> Result<Page<AuditEntry>, StorageError> {
    debug_assert!(scope.permission().object == Object::Audit, "the scope is for something else");
    let tx = database.begin_read(scope.tenant()).await?;
    let before = paging::key(page)?.map(|key| key.parse::<i64>().map_err(|_| paging::unknown_cursor()));
    let before = before.transpose()?.map(|seq| Condition::all().add(Column::Seq.lt(seq)));
    let list = filtered(tx.find::<Entity>(), filter);
    let rows = paging::read(&tx, list, before, page, |list| list.order_by_desc(Column::Seq)).await?;
    let found = rows.models.into_iter().map(|row| Ok((paging::cursor(&row.seq.to_string()), entry(row)?)));
    Ok(Page { rows: found.collect::<Result<_, StorageError>>()?, has_next: rows.has_next, total: rows.total })
}

fn filtered(mut list: Select<Entity>, filter: &AuditFilter) -> Select<Entity> {
    let AuditFilter { actor, subject, action, outcome, since, until } = filter;
    for (column, wanted) in [(Column::Actor, actor), (Column::Subject, subject)] {
        if let Some(wanted) = wanted {
            list = list.filter(column.eq(wanted));
        }
    }
    list = match action.as_deref() {
        // Not LIKE: an action may hold its wildcards. '/' is what follows '.'.
        Some(object) if object.ends_with('.') => {
            let end = format!("{}/", object.trim_end_matches('.'));
            list.filter(Column::Action.gte(object)).filter(Column::Action.lt(end))
        }
        Some(action) => list.filter(Column::Action.eq(action)),
        None => list,
    };
    if let Some(outcome) = outcome {
        list = list.filter(Column::Outcome.eq(outcome.as_str()));
    }
    if let Some(since) = since {
        list = list.filter(Column::At.gte(micros(*since)));
    }
    if let Some(until) = until {
        list = list.filter(Column::At.lt(micros(*until)));
    }
    list
}

fn entry(row: Model) -> Result<AuditEntry, StorageError> {
    let channel =
        [Channel::System, Channel::Ui, Channel::Graphql, Channel::Rest, Channel::Mqtt, Channel::Cli];
    let channel = channel.into_iter().find(|channel| channel.as_str() == row.channel);
    Ok(AuditEntry {
        tenant: TenantId::from_uuid(row.tenant_id),
        at: timestamp(row.at)?,
        actor: row.actor,
        actor_name: row.actor_name,
        action: row.action,
        subject: row.subject,
        outcome: parsed(row.outcome.parse(), "the outcome of an audit row")?,
        detail: row.detail,
        origin: Origin {
            channel: channel.ok_or_else(|| StorageError::corrupt("the channel of an audit row"))?,
            address: row.address.into(),
            agent: row.agent.into(),
        },
        policy: row.policy,
        facts: parsed(serde_json::from_str(&row.facts), "the facts of an audit row")?,
        correlation: CorrelationId(row.correlation.cast_unsigned()),
    })
}
