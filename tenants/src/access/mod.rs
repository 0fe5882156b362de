//! Who may do what to which rows and columns.
//!
//! [`Access`] asks casbin which policies the caller's roles have for an action on an object, binds them to the
//! units in which the roles are held, and turns the answer into a [`Scope`]. A `Scope` has no public
//! constructor: holding one is the proof that the check was made, and every user-facing store method asks for
//! one. Start reading at `access.rs`; `predicate/` is the language in which policies name rows.

#[allow(clippy::module_inception, reason = "the type that everything here is for")]
mod access;
mod column;
mod decisions;
mod effect;
mod own_role;
mod permission;
mod policy;
mod predicate;
mod rules;
mod scope;
mod subject;

pub use access::{Access, AccessError};
pub use column::{Column, ColumnType};
pub use effect::{Change, Explained, Reason};
pub use own_role::{OwnRole, RoleError};
pub use permission::{Action, Object, Permission, Role};
pub use policy::{Policy, PolicyError, built_in};
pub use predicate::{Cell, MAX_CHARACTERS, Predicate, PredicateError, Value};
pub use rules::{
    AccessData, AccessRules, Elevated, FixedRules, Opened, Restriction, RoleGrant, StoredPolicy,
};
pub use scope::{Caller, Clause, Principal, Rows, Scope};
pub use subject::{Reach, Subject};
