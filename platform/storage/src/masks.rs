//! Columns that stay hidden. Where a user's policies hide different ones, each row is asked about: it shows what
//! any policy that covers it shows.

use std::collections::{HashMap, HashSet};

use ::tenants::access::{Column, Scope};
use sea_orm::{
    ColumnTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, SimpleExpr},
};
use uuid::Uuid;

use crate::{entities::PolicyRows, errors::StorageError, predicate, tenant_tx::TenantTx};

/// What is hidden in rows that the scope covers.
pub(crate) struct Masks<'a> {
    scope: &'a Scope,
    /// The columns shown in each row; `None` when they are the same in all.
    shown: Option<HashMap<Uuid, HashSet<Column>>>,
}

impl<'a> Masks<'a> {
    /// For rows with these keys, which stand in the column `key`.
    pub(crate) async fn of<E: PolicyRows>(
        tx: &TenantTx,
        scope: &'a Scope,
        key: E::Column,
        ids: Vec<Uuid>,
        id: impl Fn(&E::Model) -> Uuid,
    ) -> Result<Self, StorageError> {
        if !scope.rows().masks_differ() {
            return Ok(Self { scope, shown: None });
        }
        let mut shown = HashMap::<_, HashSet<_>>::new();
        for clause in scope.rows().clauses() {
            let covered = predicate::covered::<E>(tx.tenant(), tx.backend(), clause);
            let list = tx.find::<E>().filter(key.is_in(ids.iter().copied())).filter(covered);
            let all = Column::maskable(scope.permission().object).iter().copied();
            let clear: Vec<_> = all.filter(|column| !clause.masked.contains(column)).collect();
            for row in tx.all(list).await? {
                shown.entry(id(&row)).or_default().extend(clear.iter().copied());
            }
        }
        Ok(Self { scope, shown: Some(shown) })
    }

    pub(crate) fn hide(&self, row: Uuid, column: Column) -> bool {
        match &self.shown {
            None => self.scope.masks(column),
            Some(shown) => !shown.get(&row).is_some_and(|columns| columns.contains(&column)),
        }
    }
}

/// The text of a column where the scope shows it, and nothing elsewhere: a search must not find what is hidden.
/// `None` when it shows it nowhere.
pub(crate) fn searchable<E: PolicyRows>(
    tx: &TenantTx,
    scope: &Scope,
    column: Column,
    text: SimpleExpr,
) -> Option<SimpleExpr> {
    if scope.masks(column) {
        return None;
    }
    if !scope.may_mask(column) {
        return Some(text);
    }
    let showing = scope.rows().clauses().iter().filter(|clause| !clause.masked.contains(&column));
    let shown = showing
        .map(|clause| predicate::covered::<E>(tx.tenant(), tx.backend(), clause))
        .reduce(ExprTrait::or)?;
    Some(Expr::case(shown, text).finally("").into())
}
