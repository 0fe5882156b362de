//! What policies come to: why somebody sees a row, and whose access a change of a role would change.

use std::sync::Arc;

use super::{
    Access, AccessError, Action, Clause, Object, OwnRole, Permission, RoleGrant, Rows, Scope,
    decisions::Decisions,
};
use crate::{
    ids::{RoleName, UserId},
    org::OrgTree,
};

/// A policy that lets a user do something in some rows, and the role through which it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// What is held, and where.
    pub grant: RoleGrant,
    /// What it lets the user do.
    pub action: Action,
    /// In which rows, and without which columns.
    pub clause: Clause,
}

/// What a change of a role changes for one user or service client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// For whom; for a service client its key as a holder.
    pub user: UserId,
    /// What may be done in other rows, or with other columns, than before.
    pub permission: Permission,
    /// In which rows it could be done; `None` when in none.
    pub before: Option<Arc<Rows>>,
    /// In which rows it could be done afterwards.
    pub after: Option<Arc<Rows>>,
}

/// What a user holds, and what that comes to.
#[derive(Debug, Clone)]
pub struct Explained {
    /// The roles that count now.
    pub held: Vec<RoleGrant>,
    /// Why the user may act on some rows of an object; nothing else lets them.
    pub reasons: Vec<Reason>,
    /// The tree of units, in which roles are held.
    pub units: OrgTree,
}

impl Access {
    /// Why a user of the scope's tenant may do what to an object, row policies included.
    ///
    /// # Errors
    /// As for [`Access::permissions`].
    pub async fn explain(
        &self,
        scope: &Scope,
        user: UserId,
        object: Object,
    ) -> Result<Explained, AccessError> {
        let decisions = self.decisions_of(scope.tenant(), user).await?;
        let now = self.now();
        let mut reasons = Vec::new();
        for &action in object.actions() {
            for (grant, clause) in decisions.clauses(user, None, (object, action), now)? {
                reasons.push(Reason { grant, action, clause });
            }
        }
        let held = decisions.held(user, None, now);
        Ok(Explained { held, reasons, units: decisions.tree.clone() })
    }

    /// Whose access would change how if a role of the hospital's own were as given, or gone when its policies are
    /// none. Changes nothing.
    ///
    /// # Errors
    /// As for [`Access::permissions`].
    pub async fn preview(&self, scope: &Scope, role: &OwnRole) -> Result<Vec<Change>, AccessError> {
        let tenant = scope.tenant();
        let data = self.data(tenant).await?;
        let mut changed = data.clone();
        changed.policies.retain(|policy| policy.role != role.name);
        changed.policies.extend(role.policies.iter().cloned());
        let before = Decisions::new(tenant, data).await?;
        let after = Decisions::new(tenant, changed).await?;
        self.differences(&before, &after, &role.name)
    }

    fn differences(
        &self,
        before: &Decisions,
        after: &Decisions,
        role: &RoleName,
    ) -> Result<Vec<Change>, AccessError> {
        let now = self.now();
        let holds = |user: UserId| before.held(user, None, now).iter().any(|grant| grant.role == *role);
        let mut users: Vec<UserId> = before.grants.keys().copied().filter(|user| holds(*user)).collect();
        users.sort_unstable();
        let mut changes = Vec::new();
        for user in users {
            for &object in Object::ALL {
                for &action in object.actions() {
                    let question = (object, action);
                    let was = before.decide(user, None, question, now)?;
                    let is = after.decide(user, None, question, now)?;
                    if !same(was.as_deref(), is.as_deref()) {
                        let permission = Permission { object, action };
                        changes.push(Change { user, permission, before: was, after: is });
                    }
                }
            }
        }
        Ok(changes)
    }
}

/// Whether the same rows are covered and the same columns hidden, through whichever role.
fn same(one: Option<&Rows>, other: Option<&Rows>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return one.is_none() && other.is_none() };
    let within = |some: &Rows, all: &Rows| {
        some.clauses().iter().all(|clause| {
            all.clauses().iter().any(|known| {
                (&known.predicate, &known.subject, &known.masked)
                    == (&clause.predicate, &clause.subject, &clause.masked)
            })
        })
    };
    within(one, other) && within(other, one)
}
