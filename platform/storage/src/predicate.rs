//! Row policies as conditions. The same `Predicate` is checked in memory by `Predicate::matches`.

use sea_orm::{ColumnTrait, Condition, sea_query::Expr};
use tenants::access::{Predicate, Scope};

use crate::entities::TenantRows;

/// The rows of a table that the scope covers, within its tenant. A column that the table does not have
/// matches nothing.
pub(crate) fn rows<E: TenantRows>(scope: &Scope) -> Condition {
    match scope.rows() {
        Predicate::All => Condition::all(),
        Predicate::Equals(column, wanted) => match E::policy_column(*column) {
            Some(column) => Condition::all().add(column.eq(wanted.as_str())),
            None => Condition::all().add(Expr::cust("1 = 0")),
        },
    }
}
