//! The tree of a hospital: the hospital itself, its departments, their wards, as deep as it is.

use std::collections::{HashMap, HashSet};

use crate::{
    errors::ErrorKind,
    ids::{TenantId, UnitId},
};

/// Levels below the hospital itself.
pub const MAX_DEPTH: usize = 10;
/// Units of one hospital.
pub const MAX_UNITS: usize = 20_000;
/// Characters of a unit's name.
pub const MAX_NAME: usize = 100;

/// What a unit is, for people; it changes nothing about rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitKind {
    /// The hospital as a whole, or one of several under one roof.
    Hospital,
    /// E.g. cardiology.
    Department,
    /// Where patients lie.
    Ward,
}

impl UnitKind {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Hospital, Self::Department, Self::Ward];

    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hospital => "hospital",
            Self::Department => "department",
            Self::Ward => "ward",
        }
    }

    /// Reads what was stored or imported.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A unit of a hospital.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgUnit {
    /// Key within the tenant.
    pub id: UnitId,
    /// What it belongs to; `None` for the hospital as a whole.
    pub parent: Option<UnitId>,
    /// For people; unique among the units of one parent.
    pub name: String,
    /// For people.
    pub kind: UnitKind,
}

/// Why units do not make a tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrgError {
    /// A name that cannot be shown or found.
    #[error("unit {unit}: the name must have 1 to {MAX_NAME} characters and no control characters")]
    Name {
        /// Which.
        unit: String,
    },
    /// Two units of one parent with one name.
    #[error("unit {unit}: its parent has a unit named {name:?} already; names must differ within a parent")]
    SameName {
        /// The second.
        unit: String,
        /// The name.
        name: String,
    },
    /// An id that is given twice.
    #[error("unit {unit} is given twice")]
    Twice {
        /// Which.
        unit: String,
    },
    /// A parent that is not there.
    #[error("unit {unit}: its parent {parent} does not exist")]
    NoParent {
        /// Which.
        unit: String,
        /// The missing parent.
        parent: String,
    },
    /// A unit that would be below itself.
    #[error("unit {unit} would be below itself; put it under another unit")]
    Cycle {
        /// Which.
        unit: String,
    },
    /// Too many levels.
    #[error("unit {unit} would be more than {MAX_DEPTH} levels below the hospital")]
    TooDeep {
        /// Which.
        unit: String,
    },
    /// Too many units.
    #[error("a hospital has at most {MAX_UNITS} units")]
    TooMany,
    /// The hospital as a whole cannot be moved or removed.
    #[error("the hospital as a whole cannot be moved or removed; rename it instead")]
    Root,
}

impl OrgError {
    /// What the error means to a caller.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::TooMany => ErrorKind::TooLarge,
            Self::SameName { .. } => ErrorKind::Conflict,
            Self::NoParent { .. } => ErrorKind::NotFound,
            _ => ErrorKind::BadInput,
        }
    }
}

/// A name as it is kept: without spaces around it.
///
/// # Errors
/// [`OrgError::Name`] when it is empty, too long or not printable.
pub fn unit_name(name: &str) -> Result<&str, OrgError> {
    let name = name.trim();
    let fits = (1..=MAX_NAME).contains(&name.chars().count()) && !name.contains(char::is_control);
    if fits { Ok(name) } else { Err(OrgError::Name { unit: format!("{:.40}", name.escape_default()) }) }
}

/// The units of a hospital, checked to be one tree under the hospital as a whole.
#[derive(Debug, Clone, Default)]
pub struct OrgTree {
    units: HashMap<UnitId, OrgUnit>,
}

impl OrgTree {
    /// Checks units, in any order. The root must be among them.
    ///
    /// # Errors
    /// [`OrgError`] naming the first unit that is out of place.
    pub fn build(tenant: TenantId, units: Vec<OrgUnit>) -> Result<Self, OrgError> {
        if units.len() > MAX_UNITS {
            return Err(OrgError::TooMany);
        }
        let mut tree = Self { units: HashMap::with_capacity(units.len()) };
        for unit in units {
            unit_name(&unit.name)?;
            if let Some(known) = tree.units.insert(unit.id, unit) {
                return Err(OrgError::Twice { unit: known.id.to_string() });
            }
        }
        let root = UnitId::root(tenant);
        let mut names = HashSet::new();
        for unit in tree.units.values() {
            if !names.insert((unit.parent, unit.name.trim().to_lowercase())) {
                return Err(OrgError::SameName { unit: unit.id.to_string(), name: unit.name.clone() });
            }
            tree.check_place(unit, root)?;
        }
        Ok(tree)
    }

    fn check_place(&self, unit: &OrgUnit, root: UnitId) -> Result<(), OrgError> {
        let mut at = unit;
        for _ in 0..=MAX_DEPTH {
            match at.parent {
                None if at.id == root => return Ok(()),
                None => {
                    return Err(OrgError::NoParent { unit: at.id.to_string(), parent: "(none)".into() });
                }
                Some(parent) if parent == unit.id => {
                    return Err(OrgError::Cycle { unit: unit.id.to_string() });
                }
                Some(parent) => {
                    at = self.units.get(&parent).ok_or_else(|| OrgError::NoParent {
                        unit: at.id.to_string(),
                        parent: parent.to_string(),
                    })?;
                }
            }
        }
        // Longer than any path that is allowed: either too deep, or into a circle further up.
        if self.path(unit.id).len() > self.units.len() {
            return Err(OrgError::Cycle { unit: unit.id.to_string() });
        }
        Err(OrgError::TooDeep { unit: unit.id.to_string() })
    }

    /// A unit by its id.
    pub fn get(&self, id: UnitId) -> Option<&OrgUnit> {
        self.units.get(&id)
    }

    /// All units, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &OrgUnit> {
        self.units.values()
    }

    /// All units, each behind what it belongs to, those of one parent by name.
    pub fn in_order(&self) -> Vec<&OrgUnit> {
        let mut of_parent = HashMap::<_, Vec<_>>::new();
        for unit in self.units.values() {
            of_parent.entry(unit.parent).or_default().push(unit);
        }
        for units in of_parent.values_mut() {
            // The last is taken first.
            units.sort_by(|one, other| (&other.name, other.id).cmp(&(&one.name, one.id)));
        }
        let mut waiting = of_parent.remove(&None).unwrap_or_default();
        let mut ordered = Vec::with_capacity(self.units.len());
        while let Some(unit) = waiting.pop() {
            ordered.push(unit);
            waiting.extend(of_parent.remove(&Some(unit.id)).unwrap_or_default());
        }
        ordered
    }

    /// The unit and everything above it, the hospital last; empty for a unit that is not there.
    pub fn path(&self, id: UnitId) -> Vec<UnitId> {
        let mut path = Vec::new();
        let mut at = self.units.get(&id);
        while let Some(unit) = at {
            path.push(unit.id);
            if path.len() > self.units.len() {
                break;
            }
            at = unit.parent.and_then(|parent| self.units.get(&parent));
        }
        path
    }

    /// Whether `unit` is `above` or somewhere below it.
    pub fn within(&self, unit: UnitId, above: UnitId) -> bool {
        self.path(unit).contains(&above)
    }

    /// `above` and everything below it.
    pub fn below(&self, above: UnitId) -> HashSet<UnitId> {
        self.units.keys().copied().filter(|unit| self.within(*unit, above)).collect()
    }

    /// The tree after a unit was added, renamed or moved.
    ///
    /// # Errors
    /// [`OrgError`] when that makes no tree; nothing is changed then.
    pub fn with(&self, tenant: TenantId, unit: &OrgUnit) -> Result<Self, OrgError> {
        if unit.id == UnitId::root(tenant) && unit.parent.is_some() {
            return Err(OrgError::Root);
        }
        let others = self.units.values().filter(|known| known.id != unit.id).cloned();
        Self::build(tenant, others.chain([unit.clone()]).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const TENANT: TenantId = TenantId::from_uuid(Uuid::from_u128(1));

    fn id(n: u128) -> UnitId {
        UnitId::from_uuid(Uuid::from_u128(n))
    }

    fn unit(n: u128, parent: u128) -> OrgUnit {
        let parent = (n != 1).then(|| id(parent));
        OrgUnit { id: id(n), parent, name: format!("Unit {n}"), kind: UnitKind::Ward }
    }

    fn tree(units: &[(u128, u128)]) -> Result<OrgTree, OrgError> {
        OrgTree::build(TENANT, units.iter().map(|(n, parent)| unit(*n, *parent)).collect())
    }

    #[test]
    fn what_is_within_what() {
        let tree = tree(&[(1, 0), (2, 1), (3, 2), (4, 1)]).unwrap();
        assert!(tree.within(id(3), id(1)) && tree.within(id(3), id(2)) && tree.within(id(3), id(3)));
        assert!(!tree.within(id(3), id(4)) && !tree.within(id(2), id(3)) && !tree.within(id(9), id(1)));
        assert_eq!(tree.below(id(2)), HashSet::from([id(2), id(3)]));
        assert_eq!(tree.path(id(3)), [id(3), id(2), id(1)]);
    }

    #[test]
    fn what_is_no_tree_is_refused() {
        let deep: Vec<_> = (1..=13).map(|n| (n, n - 1)).collect();
        for (units, expected) in [
            (vec![(1, 0), (2, 9)], "does not exist"),
            (vec![(1, 0), (2, 3), (3, 2)], "below itself"),
            (vec![(1, 0), (2, 2)], "below itself"),
            (vec![(1, 0), (2, 3), (3, 4), (4, 3)], "below itself"),
            (vec![(1, 0), (2, 1), (2, 1)], "given twice"),
            (vec![(2, 1)], "does not exist"),
            (deep, "levels below"),
        ] {
            let error = tree(&units).unwrap_err().to_string();
            assert!(error.contains(expected), "{units:?}: {error}");
        }
        let twins = vec![
            unit(1, 0),
            OrgUnit { name: "A".into(), ..unit(2, 1) },
            OrgUnit { name: " a ".into(), ..unit(3, 1) },
        ];
        assert!(matches!(OrgTree::build(TENANT, twins), Err(OrgError::SameName { .. })));
        for name in ["", "  ", "a\nb", &"x".repeat(101)] {
            let named = vec![unit(1, 0), OrgUnit { name: name.into(), ..unit(2, 1) }];
            assert!(matches!(OrgTree::build(TENANT, named), Err(OrgError::Name { .. })), "{name:?}");
        }
    }

    #[test]
    fn each_unit_stands_behind_its_parent() {
        let tree = tree(&[(1, 0), (2, 1), (3, 2), (4, 1), (5, 2)]).unwrap();
        let order: Vec<_> = tree.in_order().iter().map(|unit| unit.id).collect();
        assert_eq!(order, [1, 2, 3, 5, 4].map(id));
    }

    #[test]
    fn a_move_is_checked_as_a_whole() {
        let tree = tree(&[(1, 0), (2, 1), (3, 2)]).unwrap();
        assert!(tree.with(TENANT, &unit(3, 1)).is_ok());
        assert!(matches!(tree.with(TENANT, &unit(2, 3)), Err(OrgError::Cycle { .. })));
        let root = OrgUnit { parent: Some(id(2)), ..unit(1, 0) };
        assert_eq!(tree.with(TENANT, &root).unwrap_err(), OrgError::Root);
    }

    proptest! {
        /// However units are linked: building ends, and what it lets through reaches the root.
        #[test]
        fn any_links_are_a_tree_or_refused(parents in proptest::collection::vec(0_u128..12, 1..12)) {
            let units: Vec<_> = parents.iter().enumerate().map(|(n, parent)| (n as u128 + 2, *parent)).collect();
            let all = [(1, 0)].into_iter().chain(units.iter().copied()).collect::<Vec<_>>();
            if let Ok(tree) = tree(&all) {
                prop_assert!(units.iter().all(|(n, _)| tree.within(id(*n), id(1))));
            }
        }
    }
}
