//! Roles held per unit, and the row policies that they bring: an engine of decisions for whole hospitals.
//!
//! A user holds any number of roles, each in the hospital or in one of its units and everything below; a role is a
//! set of policies, each a permission under a predicate over the row and the user, with columns that stay hidden;
//! a credential can be restricted to fewer roles and units than its owner has. [`Access`] asks casbin which
//! policies a role has, binds them to the units in which it is held, remembers, and notices changes.
//!
//! What the server asks today is [`crate::access`], with one role per user; it shares its words (objects, actions,
//! roles) with this module, whose place it leaves as soon as the stores keep units and grants.
//! Start reading at `access.rs`; `predicate/` is the language in which policies name rows.

mod access;
mod column;
mod decisions;
mod policy;
mod predicate;
mod rules;
mod scope;
mod subject;

pub use access::{Access, AccessError};
pub use column::{Column, ColumnType};
pub use policy::{Policy, PolicyError, built_in};
pub use predicate::{Cell, MAX_CHARACTERS, Predicate, PredicateError, Value};
pub use rules::{AccessData, AccessRules, FixedRules, Opened, Restriction, RoleGrant, StoredPolicy};
pub use scope::{Caller, Clause, Principal, Rows, Scope};
pub use subject::{Reach, Subject};

use crate::access::{Action, Object, Permission, Role};
