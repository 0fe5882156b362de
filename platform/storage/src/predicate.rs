//! Row policies as conditions. The same `Predicate` is checked in memory by `Predicate::evaluate`, and both must
//! agree: a test that is unknown there is NULL here. Where nothing is negated, NULL and false both leave the row
//! out, so the plainer form is used, which indexes can serve.

use sea_orm::{
    ColumnTrait, Condition, DbBackend, EntityName,
    sea_query::{Expr, ExprTrait, IntoTableRef, SelectStatement, SimpleExpr},
};
use tenants::{
    TenantId,
    access::{Clause, Column, Predicate, Reach, Rows, Scope, Subject, Value},
};

use crate::{
    columns::storable,
    entities::{PatientLink, PolicyRows, assignments, care_team, org_unit_closure, patients},
};

/// The rows of a table that the scope covers, within its tenant.
pub(crate) fn rows<E: PolicyRows>(scope: &Scope, backend: DbBackend) -> Condition {
    any_of::<E>(scope.tenant(), scope.rows(), backend)
}

/// The tenant's rows that any clause covers.
pub(crate) fn any_of<E: PolicyRows>(tenant: TenantId, rows: &Rows, backend: DbBackend) -> Condition {
    if rows.are_all() {
        return Condition::all();
    }
    rows.clauses()
        .iter()
        .fold(Condition::any().add(fact(false)), |any, clause| any.add(covered::<E>(tenant, backend, clause)))
}

/// The rows that one clause covers.
pub(crate) fn covered<E: PolicyRows>(tenant: TenantId, backend: DbBackend, clause: &Clause) -> SimpleExpr {
    Writer::<E> { tenant, backend, subject: &clause.subject, table: std::marker::PhantomData }
        .write(&clause.predicate, false)
}

struct Writer<'a, E> {
    tenant: TenantId,
    backend: DbBackend,
    subject: &'a Subject,
    table: std::marker::PhantomData<E>,
}

fn fact(holds: bool) -> SimpleExpr {
    Expr::cust(if holds { "1 = 1" } else { "1 = 0" })
}

impl<E: PolicyRows> Writer<'_, E> {
    /// `exact`: below a negation, where unknown must not pass for false.
    fn write(&self, predicate: &Predicate, exact: bool) -> SimpleExpr {
        match predicate {
            Predicate::All => fact(true),
            Predicate::Not(inner) => self.write(inner, true).not(),
            Predicate::And(parts) => self.join(parts, exact, |one, other| one.and(other)),
            Predicate::Or(parts) => self.join(parts, exact, |one, other| one.or(other)),
            Predicate::Missing(column) => self.missing(*column),
            Predicate::Equals(column, value) => self.one_of(*column, std::slice::from_ref(value), exact),
            Predicate::In(column, values) => self.one_of(*column, values, exact),
            Predicate::Is(column) => match E::own(*column) {
                Some(own) => own.eq(true),
                None => self.of_patient(self.flagged(*column), exact),
            },
            Predicate::Within(column) => self.within(*column, exact),
            Predicate::Contains(Column::PatientCareTeam) => match E::PATIENT {
                PatientLink::Key(key) if self.backend == DbBackend::Sqlite => self.treats(key, exact),
                _ => self.of_patient(Some(self.treated()), exact),
            },
            Predicate::Contains(_) => self.unknown(),
            Predicate::BreakGlass => {
                let opened: Vec<_> = self.subject.opened_patients().map(Value::Patient).collect();
                if opened.is_empty() && !exact {
                    fact(false)
                } else {
                    self.one_of(Column::PatientId, &opened, exact)
                }
            }
        }
    }

    fn join(
        &self,
        parts: &[Predicate],
        exact: bool,
        join: impl Fn(SimpleExpr, SimpleExpr) -> SimpleExpr,
    ) -> SimpleExpr {
        let parts = parts.iter().map(|part| self.write(part, exact));
        parts.reduce(join).unwrap_or_else(|| self.unknown())
    }

    fn unknown(&self) -> SimpleExpr {
        Expr::cust(if self.backend == DbBackend::Postgres { "CAST(NULL AS boolean)" } else { "NULL" })
    }

    /// NULL where `known` does not hold.
    fn where_known(&self, known: SimpleExpr, test: SimpleExpr, exact: bool) -> SimpleExpr {
        if exact { Expr::case(known, test).finally(self.unknown()).into() } else { known.and(test) }
    }

    fn missing(&self, column: Column) -> SimpleExpr {
        match E::own(column) {
            Some(own) => own.is_null(),
            None if is_of_patient(column) => match E::PATIENT {
                PatientLink::Key(key) => key.is_null(),
                PatientLink::Device(device) => device.not_in_subquery(self.assigned(None)),
                PatientLink::None => fact(true),
            },
            None => fact(true),
        }
    }

    fn one_of(&self, column: Column, values: &[Value], exact: bool) -> SimpleExpr {
        if let Some(own) = E::own(column) {
            // An empty list is false, but not for a row without a value.
            let listed =
                if values.is_empty() { fact(false) } else { own.is_in(values.iter().map(sql_value)) };
            return if values.is_empty() {
                self.where_known(own.is_not_null(), listed, exact)
            } else {
                listed
            };
        }
        if column != Column::PatientId {
            return self.unknown();
        }
        let listed = patients::Column::Id.is_in(values.iter().map(sql_value));
        let patients = self.keys(patients::Entity, patients::Column::Id, patients::Column::TenantId, listed);
        self.of_patient(Some(patients), exact)
    }

    fn within(&self, column: Column, exact: bool) -> SimpleExpr {
        let Some(own) = E::own(column) else { return self.unknown() };
        match self.subject.reach() {
            Reach::Hospital => self.where_known(own.is_not_null(), fact(true), exact),
            Reach::Unit { top, .. } => {
                use org_unit_closure::Column as C;
                let above = C::AncestorId.eq(*top.as_uuid());
                let below = self.keys(org_unit_closure::Entity, C::UnitId, C::TenantId, above);
                let test = own.in_subquery(below);
                if exact { self.where_known(own.is_not_null(), test, true) } else { test }
            }
        }
    }

    /// Whether the row's patient is among those that a query of their keys finds.
    fn of_patient(&self, keys: Option<SelectStatement>, exact: bool) -> SimpleExpr {
        let Some(keys) = keys else { return self.unknown() };
        match E::PATIENT {
            PatientLink::None => self.unknown(),
            PatientLink::Key(key) => {
                let test = key.in_subquery(keys);
                if exact { self.where_known(key.is_not_null(), test, true) } else { test }
            }
            PatientLink::Device(device) => {
                let known = device.in_subquery(self.assigned(None));
                let test = device.in_subquery(self.assigned(Some(keys)));
                if exact { self.where_known(known, test, true) } else { test }
            }
        }
    }

    /// Devices that measure somebody now, or somebody among these.
    fn assigned(&self, patients: Option<SelectStatement>) -> SelectStatement {
        use assignments::Column as C;
        let now = match patients {
            None => C::Until.is_null(),
            Some(patients) => C::Until.is_null().and(C::PatientId.in_subquery(patients)),
        };
        self.keys(assignments::Entity, C::DeviceId, C::TenantId, now)
    }

    /// Patients whom the user treats.
    fn treated(&self) -> SelectStatement {
        use care_team::Column as C;
        self.keys(care_team::Entity, C::PatientId, C::TenantId, C::UserId.eq(*self.subject.user().as_uuid()))
    }

    /// Whether the user treats the patient of the row, asked row by row. SQLite would put all patients whom the user
    /// treats into a table first, for each list; PostgreSQL hashes them, and is slower row by row.
    fn treats(&self, key: E::Column, exact: bool) -> SimpleExpr {
        use care_team::Column as C;
        let user = C::UserId.eq(*self.subject.user().as_uuid());
        let mut row = self.keys(
            care_team::Entity,
            C::PatientId,
            C::TenantId,
            C::PatientId.into_expr().eq(key.into_expr()),
        );
        let test = Expr::exists(row.and_where(user).take());
        if exact { self.where_known(key.is_not_null(), test, true) } else { test }
    }

    /// Patients whose flag is set.
    fn flagged(&self, flag: Column) -> Option<SelectStatement> {
        use patients::Column as C;
        let flag = patients::Entity::own(flag)?;
        Some(self.keys(patients::Entity, C::Id, C::TenantId, flag.eq(true)))
    }

    /// Keys of the tenant's rows of another table.
    fn keys<T: EntityName + IntoTableRef, C: ColumnTrait>(
        &self,
        table: T,
        key: C,
        tenant: C,
        test: SimpleExpr,
    ) -> SelectStatement {
        let mut query = SelectStatement::new();
        query.column(key).from(table).and_where(tenant.eq(*self.tenant.as_uuid())).and_where(test);
        query
    }
}

fn is_of_patient(column: Column) -> bool {
    matches!(column, Column::PatientId | Column::PatientRestricted | Column::PatientCareTeam)
}

fn sql_value(value: &Value) -> sea_orm::Value {
    match value {
        Value::Text(text) => storable(text).into(),
        Value::Number(number) => (*number).into(),
        Value::Patient(id) => (*id).into(),
    }
}
