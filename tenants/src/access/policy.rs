//! The built-in policy and the decision.

use std::sync::Arc;

use casbin::{CoreApi, DefaultModel, Enforcer, MgmtApi, StringAdapter};
use moka::sync::Cache;

use super::{
    permission::{Action, Object, Permission, Role},
    predicate::{Column, Predicate},
    scope::{Caller, Principal, Scope},
};
use crate::{errors::ErrorKind, ids::DeviceId, ids::TenantId};

/// Distinct decisions kept; there are roles x objects x actions of them, so nothing is ever evicted.
const CACHED_DECISIONS: u64 = 10_000;

/// Why a permission was not granted.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The role does not have it.
    #[error("the role {role} may not {action} a {object}")]
    Forbidden {
        /// The caller's role, or "device".
        role: &'static str,
        /// What was asked for.
        action: Action,
        /// On what.
        object: Object,
    },
    /// The policy itself is broken; nothing is granted.
    #[error("the access policy cannot be evaluated")]
    Policy(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl AccessError {
    /// What the error means to a caller.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Forbidden { .. } => ErrorKind::Forbidden,
            Self::Policy(_) => ErrorKind::Internal,
        }
    }
}

/// A policy line that applies: rows by name, columns that stay hidden.
#[derive(Clone)]
struct Decision {
    rows: Predicate,
    masked: Arc<[Column]>,
}

/// Decides by casbin, remembers, and grants.
pub struct Access {
    enforcer: Enforcer,
    decisions: Cache<(Role, Object, Action), Option<Decision>>,
}

impl Access {
    /// With the built-in roles.
    ///
    /// # Errors
    /// [`AccessError::Policy`] when the built-in policy does not load.
    pub async fn new() -> Result<Self, AccessError> {
        let model = DefaultModel::from_str(include_str!("model.conf")).await.map_err(policy_error)?;
        let adapter = StringAdapter::new(include_str!("policy.csv"));
        let enforcer = Enforcer::new(model, adapter).await.map_err(policy_error)?;
        Ok(Self { enforcer, decisions: Cache::new(CACHED_DECISIONS) })
    }

    /// The scope in which the caller may act, or why it may not.
    ///
    /// # Errors
    /// [`AccessError::Forbidden`] when the role lacks the permission; devices have none here.
    pub fn grant(&self, caller: &Caller, object: Object, action: Action) -> Result<Scope, AccessError> {
        let Principal::User { role, .. } = caller.principal else {
            return Err(AccessError::Forbidden { role: "device", action, object });
        };
        match self.decide(role, object, action)? {
            Some(Decision { rows, masked }) => {
                Ok(Scope::new(caller.clone(), Permission { object, action }, rows, masked))
            }
            None => Err(AccessError::Forbidden { role: role.as_str(), action, object }),
        }
    }

    /// The scope of an authenticated device: it may send its own readings, nothing else.
    pub fn device(&self, tenant: TenantId, device: &DeviceId) -> Scope {
        Scope::new(
            Caller { tenant, principal: Principal::Device(device.clone()) },
            Permission { object: Object::Device, action: Action::Publish },
            Predicate::Equals(Column::DeviceId, device.as_str().to_owned()),
            Arc::new([]),
        )
    }

    /// Everything the caller may do, for a user interface that shows only that.
    ///
    /// # Errors
    /// [`AccessError::Policy`] when the policy is broken.
    pub fn permissions(&self, caller: &Caller) -> Result<Vec<Permission>, AccessError> {
        let Principal::User { role, .. } = caller.principal else { return Ok(Vec::new()) };
        let mut granted = Vec::new();
        for &object in Object::ALL {
            for &action in Action::ALL {
                if self.decide(role, object, action)?.is_some() {
                    granted.push(Permission { object, action });
                }
            }
        }
        Ok(granted)
    }

    fn decide(&self, role: Role, object: Object, action: Action) -> Result<Option<Decision>, AccessError> {
        if let Some(known) = self.decisions.get(&(role, object, action)) {
            return Ok(known);
        }
        let decision = self.evaluate(role, object, action)?;
        self.decisions.insert((role, object, action), decision.clone());
        Ok(decision)
    }

    fn evaluate(&self, role: Role, object: Object, action: Action) -> Result<Option<Decision>, AccessError> {
        let request = [role.as_str(), object.as_str(), action.as_str()];
        if !self.enforcer.enforce((request[0], request[1], request[2])).map_err(policy_error)? {
            return Ok(None);
        }
        let lines = self.enforcer.get_filtered_policy(0, request.map(str::to_owned).to_vec());
        match lines.as_slice() {
            [line] => parse(line).map(Some),
            // Two lines would leave open which rows are meant.
            _ => Err(policy_error(format!("{} lines grant {}", lines.len(), request.join(" ")))),
        }
    }
}

/// Reads `rows` and `masked` of a policy line. What it does not know is an error, never "all".
fn parse(line: &[String]) -> Result<Decision, AccessError> {
    let [_, _, _, rows, masked] = line else {
        return Err(policy_error(format!("a line has {} fields, not 5", line.len())));
    };
    let rows = match rows.as_str() {
        "all" => Predicate::All,
        other => return Err(policy_error(format!("unknown row policy {other:?}"))),
    };
    let masked = match masked.as_str() {
        "none" => Vec::new(),
        names => names
            .split('|')
            .map(|name| Column::parse(name).ok_or_else(|| policy_error(format!("unknown column {name:?}"))))
            .collect::<Result<_, _>>()?,
    };
    Ok(Decision { rows, masked: masked.into() })
}

fn policy_error(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> AccessError {
    AccessError::Policy(cause.into())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::ids::UserId;

    fn caller(role: Role) -> Caller {
        Caller {
            tenant: TenantId::from_uuid(Uuid::from_u128(1)),
            principal: Principal::User {
                id: UserId::from_uuid(Uuid::from_u128(2)),
                role,
                name: "N. N.".into(),
                email: "n@example.org".into(),
            },
        }
    }

    #[tokio::test]
    async fn the_role_matrix() {
        let access = Access::new().await.unwrap();
        let rights = |role| {
            let granted = access.permissions(&caller(role)).unwrap();
            granted.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(rights(Role::Operator), "tenant:read tenant:write");
        assert_eq!(
            rights(Role::Admin),
            "settings:read settings:write org_unit:read org_unit:write user:read user:write role:read role:write \
             token:read token:write identity_provider:read identity_provider:write audit:read \
             device:read device:write patient:read patient:write alarm:read rule:read rule:write"
        );
        assert_eq!(
            rights(Role::Clinician),
            "org_unit:read device:read patient:read alarm:read alarm:acknowledge rule:read rule:write"
        );
        assert_eq!(
            rights(Role::Nurse),
            "org_unit:read device:read patient:read alarm:read alarm:acknowledge rule:read"
        );
        assert_eq!(rights(Role::Technician), "org_unit:read device:read device:write alarm:read rule:read");
        assert_eq!(rights(Role::Researcher), "org_unit:read device:read patient:read alarm:read");
        assert_eq!(
            rights(Role::Integrator),
            "org_unit:read device:read device:write patient:read alarm:read rule:read"
        );
        assert_eq!(rights(Role::Auditor), "org_unit:read user:read role:read audit:read");
    }

    #[tokio::test]
    async fn a_researcher_sees_patients_without_names() {
        let access = Access::new().await.unwrap();
        let scope = access.grant(&caller(Role::Researcher), Object::Patient, Action::Read).unwrap();
        assert!(scope.masks(Column::PatientName) && scope.masks(Column::PatientMrn));
        assert!(!scope.masks(Column::PatientWard));
        let scope = access.grant(&caller(Role::Nurse), Object::Patient, Action::Read).unwrap();
        assert!(!scope.masks(Column::PatientName));
    }

    #[tokio::test]
    async fn a_device_may_only_publish_its_own() {
        let access = Access::new().await.unwrap();
        let device = DeviceId::parse("monitor-1").unwrap();
        let scope = access.device(TenantId::PLATFORM, &device);
        assert!(scope.rows().matches(|_| Some("monitor-1")));
        assert!(!scope.rows().matches(|_| Some("monitor-2")));
        for &object in Object::ALL {
            for &action in Action::ALL {
                assert!(access.grant(scope.caller(), object, action).is_err());
            }
        }
    }

    #[test]
    fn a_policy_line_that_is_not_understood_grants_nothing() {
        let line = |rows: &str, masked: &str| {
            parse(&["nurse", "patient", "read", rows, masked].map(str::to_owned)).is_ok()
        };
        assert!(line("all", "none"));
        assert!(!line("al", "none") && !line("", "none") && !line("all", "") && !line("all", "patient.nam"));
    }
}
