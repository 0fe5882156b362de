//! The proof that a check was made, and the one whom it was made for.

use std::sync::Arc;

use super::{Cell, Column, Elevated, Opened, Permission, Predicate, Restriction, Subject};
use crate::ids::{ClientId, DeviceId, PatientId, RoleName, TenantId, UserId};

/// Who acts, once authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// A person, signed in or through one of their API tokens.
    User {
        /// Key within the tenant.
        id: UserId,
        /// Shown beside what they did.
        name: Arc<str>,
        /// Sign-in name.
        email: Arc<str>,
        /// What the credential is restricted to; everything that the user may do when `None`.
        restricted_to: Option<Arc<[Restriction]>>,
    },
    /// An operator of the platform who acts in a hospital that has let them in for a while.
    Operator(Arc<Elevated>),
    /// A program that acts for the hospital itself.
    Client {
        /// Key within the tenant.
        id: ClientId,
        /// What it is called.
        name: Arc<str>,
    },
    /// A device.
    Device(DeviceId),
}

/// An authenticated principal in its tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Where; [`TenantId::PLATFORM`] for operators.
    pub tenant: TenantId,
    /// Who.
    pub principal: Principal,
}

impl Caller {
    /// As audit trails name it: `user:<id>`, `operator:<id>`, `client:<id>` or `device:<id>`.
    pub fn actor(&self) -> String {
        match &self.principal {
            Principal::User { id, .. } => format!("user:{id}"),
            Principal::Operator(elevated) => format!("operator:{}", elevated.operator),
            Principal::Client { id, .. } => format!("client:{id}"),
            Principal::Device(id) => format!("device:{id}"),
        }
    }
}

impl Caller {
    /// The person, when it is one of the tenant's own.
    pub fn user(&self) -> Option<UserId> {
        match &self.principal {
            Principal::User { id, .. } => Some(*id),
            Principal::Operator(_) | Principal::Client { .. } | Principal::Device(_) => None,
        }
    }

    /// By whose key rights are held: the person, also an operator who acts here, or the program.
    pub fn holder(&self) -> Option<UserId> {
        match &self.principal {
            Principal::User { id, .. } => Some(*id),
            Principal::Operator(elevated) => Some(elevated.operator),
            Principal::Client { id, .. } => Some(id.as_holder()),
            Principal::Device(_) => None,
        }
    }

    /// How an operator came to act here.
    pub fn elevated(&self) -> Option<&Elevated> {
        match &self.principal {
            Principal::Operator(elevated) => Some(elevated),
            _ => None,
        }
    }

    /// What the credential is restricted to.
    pub(super) fn restricted_to(&self) -> Option<&Arc<[Restriction]>> {
        match &self.principal {
            Principal::User { restricted_to, .. } => restricted_to.as_ref(),
            _ => None,
        }
    }

    /// What they are called, for people.
    pub fn name(&self) -> String {
        match &self.principal {
            Principal::User { name, .. } => name.to_string(),
            Principal::Operator(elevated) => format!("{} (operator)", elevated.name),
            Principal::Client { name, .. } => name.to_string(),
            Principal::Device(id) => id.to_string(),
        }
    }
}

/// Rows that one policy covers for one user, and what it hides in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// The role whose policy it is; `None` for a device's own right.
    pub role: Option<RoleName>,
    /// Which rows.
    pub predicate: Predicate,
    /// Whom the predicate is about.
    pub subject: Subject,
    /// Columns that stay hidden.
    pub masked: Vec<Column>,
}

/// The rows of a scope: those that any of its clauses covers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows(pub(super) Vec<Clause>);

impl Rows {
    /// A text that is the same for equal rows, and another one for others.
    pub fn canonical(&self) -> String {
        let clause = |Clause { role, predicate, subject, masked }: &Clause| {
            format!("{role:?} {predicate:?} {masked:?} {}", subject.canonical())
        };
        self.0.iter().map(clause).collect::<Vec<_>>().join("; ")
    }

    /// The clauses; a row that several cover shows what any of them shows.
    pub fn clauses(&self) -> &[Clause] {
        &self.0
    }

    /// Whether a record that the user opens in an emergency is among them, wherever it belongs.
    pub fn reach_emergencies(&self) -> bool {
        self.0.iter().any(|clause| clause.predicate.breaks_glass())
    }

    /// Whether these are all rows of the tenant.
    pub fn are_all(&self) -> bool {
        self.0.iter().any(|clause| clause.predicate == Predicate::All)
    }

    /// Whether a row is covered; `row` gives its columns.
    pub fn cover<'a>(&self, row: &dyn Fn(Column) -> Option<Cell<'a>>) -> bool {
        self.0.iter().any(|clause| clause.predicate.evaluate(&clause.subject, row) == Some(true))
    }

    /// Whether a row of which only some columns are known is covered; `None` when that depends on the others.
    /// `row` gives `None` for a column that is not known.
    pub fn cover_partly<'a>(&self, row: &dyn Fn(Column) -> Option<Option<Cell<'a>>>) -> Option<bool> {
        let mut open = false;
        for clause in &self.0 {
            match clause.predicate.evaluate_partly(&clause.subject, row) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => open = true,
            }
        }
        (!open).then_some(false)
    }

    /// Whether clauses hide different columns, so that each row has to be looked at.
    pub fn masks_differ(&self) -> bool {
        self.0.windows(2).any(|pair| matches!(pair, [one, other] if one.masked != other.masked))
    }
}

/// A granted permission: which tenant, which rows, which columns stay hidden.
#[derive(Debug, Clone)]
pub struct Scope {
    caller: Caller,
    permission: Permission,
    rows: Arc<Rows>,
}

impl Scope {
    /// Only [`super::Access`] grants.
    pub(super) fn new(caller: Caller, permission: Permission, rows: Arc<Rows>) -> Self {
        Self { caller, permission, rows }
    }

    /// The tenant whose rows these are.
    pub fn tenant(&self) -> TenantId {
        self.caller.tenant
    }
    /// Whom it was granted to.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }
    /// What was granted.
    pub fn permission(&self) -> Permission {
        self.permission
    }
    /// Which rows.
    pub fn rows(&self) -> &Rows {
        &self.rows
    }
    /// The newest opening by which the caller reaches a patient whose record they have opened in an emergency.
    pub fn opening(&self, patient: PatientId) -> Option<&Opened> {
        self.rows.0.iter().find_map(|clause| clause.subject.opening(*patient.as_uuid()))
    }
    /// Whether a column is hidden in some rows: what cannot be told row by row must then not be shown at all.
    pub fn may_mask(&self, column: Column) -> bool {
        self.rows.0.iter().any(|clause| clause.masked.contains(&column))
    }
    /// Whether a column is hidden in every row.
    pub fn masks(&self, column: Column) -> bool {
        self.rows.0.iter().all(|clause| clause.masked.contains(&column))
    }
}
