//! Who may do what to which rows and columns.
//!
//! [`Access`] asks casbin whether a role may act on an object and under which named row policy,
//! and turns the answer into a [`Scope`]. A `Scope` has no public constructor: holding one is the
//! proof that the check was made, and every user-facing store method asks for one.

mod permission;
mod policy;
mod predicate;
mod scope;

pub use permission::{Action, Object, Permission, Role};
pub use policy::{Access, AccessError};
pub use predicate::{Column, Predicate};
pub use scope::{Caller, Principal, Scope};
