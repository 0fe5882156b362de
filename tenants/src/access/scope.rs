//! The proof that a check was made, and the one whom it was made for.

use std::sync::Arc;

use super::{
    permission::{Permission, Role},
    predicate::{Column, Predicate},
};
use crate::ids::{DeviceId, TenantId, UserId};

/// Who acts, once authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// A person, signed in or through one of their API tokens.
    User {
        /// Key within the tenant.
        id: UserId,
        /// What they may do.
        role: Role,
        /// Shown beside what they did.
        name: Arc<str>,
        /// Sign-in name.
        email: Arc<str>,
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
    /// As audit trails name it: `user:<id>` or `device:<id>`.
    pub fn actor(&self) -> String {
        match &self.principal {
            Principal::User { id, .. } => format!("user:{id}"),
            Principal::Device(id) => format!("device:{id}"),
        }
    }
}

/// A granted permission: which tenant, which rows, which columns stay hidden.
#[derive(Debug, Clone)]
pub struct Scope {
    caller: Caller,
    permission: Permission,
    rows: Predicate,
    masked: Arc<[Column]>,
}

impl Scope {
    /// Only [`super::Access`] grants.
    pub(super) fn new(
        caller: Caller,
        permission: Permission,
        rows: Predicate,
        masked: Arc<[Column]>,
    ) -> Self {
        Self { caller, permission, rows, masked }
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
    pub fn rows(&self) -> &Predicate {
        &self.rows
    }
    /// Whether a column must not be shown.
    pub fn masks(&self, column: Column) -> bool {
        self.masked.contains(&column)
    }
}
