//! The rules of a tenant, found by the path they judge.

use std::sync::Arc;

use ahash::AHashMap;
use readings::Path;
use tenants::RuleId;

use crate::Rule;

/// The rules that apply together. Immutable: a change makes a new set, which twins swap in.
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    by_id: AHashMap<RuleId, Arc<Rule>>,
    /// Disabled rules are not here, so that the hot path never meets one.
    by_path: AHashMap<Path, Vec<Arc<Rule>>>,
}

impl RuleSet {
    /// The set of these rules; of two with one id the later counts.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        let by_id: AHashMap<_, _> = rules.into_iter().map(|rule| (rule.id, Arc::new(rule))).collect();
        let mut by_path: AHashMap<Path, Vec<Arc<Rule>>> = AHashMap::new();
        for rule in by_id.values().filter(|rule| rule.enabled) {
            by_path.entry(rule.path.clone()).or_default().push(rule.clone());
        }
        for rules in by_path.values_mut() {
            // Always in the same order, so that the same fold makes the same events in the same order.
            rules.sort_by_key(|rule| (rule.priority, rule.id));
        }
        Self { by_id, by_path }
    }

    /// The enabled rules of a path, the most urgent first. One hash look-up.
    pub fn for_path(&self, path: &Path) -> &[Arc<Rule>] {
        self.by_path.get(path).map_or(&[], Vec::as_slice)
    }

    /// A rule, whether enabled or not.
    pub fn get(&self, id: RuleId) -> Option<&Arc<Rule>> {
        self.by_id.get(&id)
    }

    /// All rules, enabled or not, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.by_id.values()
    }

    /// How many rules there are, enabled or not.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }
}

impl From<Vec<Rule>> for RuleSet {
    fn from(rules: Vec<Rule>) -> Self {
        Self::new(rules)
    }
}

impl FromIterator<Rule> for RuleSet {
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Self {
        Self::new(rules)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::tests::tachycardia;
    use care::Priority;
    use uuid::Uuid;

    fn rule(id: u128, path: &str, priority: Priority, enabled: bool) -> Rule {
        let path = Path::parse(path).unwrap();
        Rule { id: RuleId::from_uuid(Uuid::from_u128(id)), path, priority, enabled, ..tachycardia() }
    }

    #[test]
    fn rules_are_found_by_path_the_most_urgent_first() {
        let set = RuleSet::new([
            rule(1, "heartRate", Priority::Low, true),
            rule(3, "heartRate", Priority::High, true),
            rule(2, "heartRate", Priority::High, true),
            rule(4, "spo2", Priority::High, true),
            rule(5, "heartRate", Priority::High, false),
        ]);
        let found = |path: &str| -> Vec<u128> {
            set.for_path(&Path::parse(path).unwrap()).iter().map(|rule| rule.id.as_uuid().as_u128()).collect()
        };
        assert_eq!(found("heartRate"), [2, 3, 1]);
        assert_eq!(found("spo2"), [4]);
        assert_eq!(found("temperature"), [0_u128; 0]);
        assert_eq!((set.len(), set.is_empty(), set.iter().count()), (5, false, 5));
        assert!(!set.get(RuleId::from_uuid(Uuid::from_u128(5))).unwrap().enabled);
        assert!(RuleSet::default().is_empty());
    }

    #[test]
    fn of_two_with_one_id_the_later_counts() {
        let set = RuleSet::from(vec![
            rule(1, "heartRate", Priority::Low, true),
            rule(1, "spo2", Priority::Low, true),
        ]);
        assert!(set.for_path(&Path::parse("heartRate").unwrap()).is_empty());
        assert_eq!(set.len(), 1);
    }
}
