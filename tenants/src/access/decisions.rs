//! One tenant's decisions: casbin says which policies a role has, the user's grants say where they count.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use casbin::{CoreApi, DefaultModel, Enforcer, MgmtApi, NullAdapter};
use jiff::Timestamp;
use moka::sync::Cache;

use super::{
    AccessData, AccessError, Action, Clause, Column, Elevated, Object, Opened, Policy, Predicate, Reach,
    Restriction, Role, RoleGrant, Rows, StoredPolicy, Subject, policy::built_in,
};
use crate::{
    ids::{RoleName, TenantId, UnitId, UserId},
    org::OrgTree,
};

/// Decisions kept per tenant; beyond it those asked for least are made again.
const CACHED_DECISIONS: u64 = 50_000;

/// What a decision depends on.
type Question = (UserId, Option<Arc<[Restriction]>>, Object, Action);

/// The rows that were granted, and until when nothing that they rest on runs out.
#[derive(Clone)]
pub(super) struct Decision {
    pub(super) rows: Option<Arc<Rows>>,
    pub(super) until: Option<Timestamp>,
}

/// Everything that decides in one tenant, as of one moment.
pub(super) struct Decisions {
    tenant: TenantId,
    pub(super) version: u64,
    pub(super) suspended: bool,
    pub(super) tree: OrgTree,
    policies: Vec<Policy>,
    enforcer: Enforcer,
    pub(super) grants: HashMap<UserId, Vec<RoleGrant>>,
    opened: HashMap<UserId, Vec<Opened>>,
    elevated: Vec<Elevated>,
    by_role: Cache<(RoleName, Object, Action), Arc<[usize]>>,
    reaches: Cache<UnitId, Reach>,
    decided: Cache<Question, Decision>,
}

impl Decisions {
    pub(super) async fn new(tenant: TenantId, data: AccessData) -> Result<Self, AccessError> {
        let mut policies = built_in(tenant == TenantId::PLATFORM).map_err(AccessError::policy)?;
        policies.extend(data.policies.into_iter().filter_map(|stored| understood(tenant, stored)));
        let model = DefaultModel::from_str(include_str!("model.conf")).await.map_err(AccessError::policy)?;
        let mut enforcer = Enforcer::new(model, NullAdapter).await.map_err(AccessError::policy)?;
        let line = |(n, policy): (usize, &Policy)| {
            let (role, object, action) = (policy.role.to_string(), policy.object, policy.action);
            vec![role, tenant.to_string(), object.to_string(), action.to_string(), n.to_string()]
        };
        let lines = policies.iter().enumerate().map(line).collect();
        enforcer.add_policies(lines).await.map_err(AccessError::policy)?;
        let mut grants = HashMap::<_, Vec<_>>::new();
        for (user, grant) in data.grants {
            grants.entry(user).or_default().push(grant);
        }
        for Elevated { operator, role, until, .. } in &data.elevated {
            let (unit, until) = (UnitId::root(tenant), Some(*until));
            grants.entry(*operator).or_default().push(RoleGrant { role: role.clone(), unit, until });
        }
        let mut opened = HashMap::<_, Vec<_>>::new();
        for record in data.opened {
            opened.entry(record.user).or_default().push(record);
        }
        Ok(Self {
            tenant,
            version: data.version,
            suspended: data.suspended,
            tree: OrgTree::build(tenant, data.units).map_err(AccessError::policy)?,
            policies,
            enforcer,
            grants,
            opened,
            elevated: data.elevated,
            by_role: Cache::new(CACHED_DECISIONS),
            reaches: Cache::new(CACHED_DECISIONS),
            decided: Cache::new(CACHED_DECISIONS),
        })
    }

    /// The hospital's own roles that may do something, by name.
    pub(super) fn own_roles(&self) -> BTreeSet<RoleName> {
        let built_in = |name: &RoleName| Role::ALL.iter().any(|role| role.as_str() == name.as_str());
        self.policies.iter().map(|policy| &policy.role).filter(|name| !built_in(name)).cloned().collect()
    }

    /// The rows in which the user may act, from memory where they were asked for before.
    pub(super) fn decide(
        &self,
        user: UserId,
        restricted_to: Option<&Arc<[Restriction]>>,
        (object, action): (Object, Action),
        now: Timestamp,
    ) -> Result<Option<Arc<Rows>>, AccessError> {
        if self.suspended {
            return Ok(None);
        }
        let question = (user, restricted_to.cloned(), object, action);
        if let Some(known) = self.decided.get(&question)
            && known.until.is_none_or(|until| now < until)
        {
            return Ok(known.rows);
        }
        let decision = self.evaluate(user, restricted_to, (object, action), now)?;
        self.decided.insert(question, decision.clone());
        Ok(decision.rows)
    }

    fn evaluate(
        &self,
        user: UserId,
        restricted_to: Option<&Arc<[Restriction]>>,
        (object, action): (Object, Action),
        now: Timestamp,
    ) -> Result<Decision, AccessError> {
        let held = self.held(user, restricted_to, now);
        let ends = held.iter().filter_map(|grant| grant.until);
        let until = ends.chain(self.open_records(user, now).map(|opened| opened.until)).min();
        let mut clauses: Vec<Clause> = Vec::new();
        for (_, clause) in self.clauses(user, restricted_to, (object, action), now)? {
            if !clauses.contains(&clause) {
                clauses.push(clause);
            }
        }
        let rows = (!clauses.is_empty()).then(|| Arc::new(Rows(simplified(clauses))));
        Ok(Decision { rows, until })
    }

    /// What each role that counts now lets the user do.
    pub(super) fn clauses(
        &self,
        user: UserId,
        restricted_to: Option<&Arc<[Restriction]>>,
        (object, action): (Object, Action),
        now: Timestamp,
    ) -> Result<Vec<(RoleGrant, Clause)>, AccessError> {
        let opened: Arc<[Opened]> = self.open_records(user, now).cloned().collect();
        let mut clauses = Vec::new();
        for grant in self.held(user, restricted_to, now) {
            for n in self.policies_of(&grant.role, object, action)?.iter() {
                let policy =
                    self.policies.get(*n).ok_or_else(|| AccessError::policy("a policy went missing"))?;
                let subject = Subject::new(user, self.reach(grant.unit), opened.clone());
                let Some(predicate) = placed(policy, subject.reach()) else { continue };
                let (role, masked) = (Some(policy.role.clone()), policy.masked.clone());
                clauses.push((grant.clone(), Clause { role, predicate, subject, masked }));
            }
        }
        Ok(clauses)
    }

    /// The records that the user has open in an emergency.
    fn open_records(&self, user: UserId, now: Timestamp) -> impl Iterator<Item = &Opened> {
        let opened = self.opened.get(&user).map(Vec::as_slice).unwrap_or_default();
        opened.iter().filter(move |opened| now < opened.until)
    }

    /// How an operator comes to act here now.
    pub(super) fn elevated(&self, operator: UserId, now: Timestamp) -> Option<&Elevated> {
        self.elevated.iter().find(|elevated| elevated.operator == operator && now < elevated.until)
    }

    /// Whether something that was given for a time has run out since then.
    pub(super) fn ran_out(&self, since: Timestamp, now: Timestamp) -> bool {
        let grants = self.grants.values().flatten().filter_map(|grant| grant.until);
        let opened = self.opened.values().flatten().map(|opened| opened.until);
        grants.chain(opened).any(|until| since < until && until <= now)
    }

    /// The roles that count for a credential now.
    pub(super) fn held(
        &self,
        user: UserId,
        restricted_to: Option<&Arc<[Restriction]>>,
        now: Timestamp,
    ) -> Vec<RoleGrant> {
        let all = self.grants.get(&user).map(Vec::as_slice).unwrap_or_default();
        let current = all.iter().filter(|grant| grant.until.is_none_or(|until| now < until));
        let Some(restrictions) = restricted_to else { return current.cloned().collect() };
        let narrowed = |grant: &RoleGrant| {
            let of_role = restrictions.iter().filter(|restriction| restriction.role == grant.role);
            let units = of_role.filter_map(|restriction| {
                // The lower of the two, where one is within the other.
                if self.tree.within(restriction.unit, grant.unit) {
                    Some(restriction.unit)
                } else {
                    self.tree.within(grant.unit, restriction.unit).then_some(grant.unit)
                }
            });
            units.map(|unit| RoleGrant { unit, ..grant.clone() }).collect::<Vec<_>>()
        };
        current.flat_map(narrowed).collect()
    }

    /// The policies that let a role act, by casbin.
    fn policies_of(
        &self,
        role: &RoleName,
        object: Object,
        action: Action,
    ) -> Result<Arc<[usize]>, AccessError> {
        let key = (role.clone(), object, action);
        if let Some(known) = self.by_role.get(&key) {
            return Ok(known);
        }
        let request = [role.to_string(), self.tenant.to_string(), object.to_string(), action.to_string()];
        let [role, tenant, of, to] = &request;
        let found = if self.enforcer.enforce((role, tenant, of, to)).map_err(AccessError::policy)? {
            let lines = self.enforcer.get_filtered_policy(0, request.to_vec());
            let number = |line: &Vec<String>| line.get(4).and_then(|number| number.parse().ok());
            lines
                .iter()
                .map(number)
                .collect::<Option<Vec<usize>>>()
                .ok_or_else(|| AccessError::policy("a line of the policy has no number"))?
        } else {
            Vec::new()
        };
        let found: Arc<[usize]> = found.into();
        self.by_role.insert(key, found.clone());
        Ok(found)
    }

    fn reach(&self, unit: UnitId) -> Reach {
        if unit == UnitId::root(self.tenant) {
            return Reach::Hospital;
        }
        self.reaches.get_with(unit, || {
            // A unit that is not there any more reaches nothing.
            let all: HashSet<UnitId> = self.tree.below(unit);
            Reach::Unit { top: unit, all: Arc::new(all) }
        })
    }
}

/// A policy in the part of the hospital in which its role is held; `None` where it does not count. A role that may
/// open records in an emergency may do so outside its part, too: that is what emergencies are like.
fn placed(policy: &Policy, reach: &Reach) -> Option<Predicate> {
    match (reach, Column::place(policy.object)) {
        (Reach::Hospital, _) => Some(policy.rows.clone()),
        (Reach::Unit { .. }, Some(place)) if policy.rows.breaks_glass() => {
            let here = Predicate::Or(vec![Predicate::Within(place), Predicate::BreakGlass]);
            Some(policy.rows.clone().and(here))
        }
        (Reach::Unit { .. }, Some(place)) => Some(policy.rows.clone().and(Predicate::Within(place))),
        (Reach::Unit { .. }, None) => {
            (policy.object.is_shared() && policy.action == Action::Read).then(|| policy.rows.clone())
        }
    }
}

/// One clause that covers everything and hides nothing makes all others needless.
fn simplified(clauses: Vec<Clause>) -> Vec<Clause> {
    let everything =
        clauses.iter().find(|clause| clause.predicate == Predicate::All && clause.masked.is_empty());
    match everything {
        Some(clause) => vec![clause.clone()],
        None => clauses,
    }
}

/// A stored policy that this version cannot read grants nothing, and says so.
fn understood(tenant: TenantId, stored: StoredPolicy) -> Option<Policy> {
    let StoredPolicy { role, object, action, rows, masked } = stored;
    let name = role.clone();
    match Policy::parse(role, object, action, &rows, &masked).and_then(Policy::of_hospital) {
        Ok(policy) => Some(policy),
        Err(error) => {
            tracing::error!(%tenant, role = %name, %object, %action, %error, "a policy is not understood and grants nothing");
            None
        }
    }
}
