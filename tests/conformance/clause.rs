//! A demand of the two standards on a server, and what shows that ours meets it.
use std::fmt::Write as _;
use std::pin::Pin;

use tests::mqtt::Version;

use crate::scene::Scene;

pub(crate) type Run = fn(Scene) -> Pin<Box<dyn Future<Output = ()>>>;

/// What shows that a demand is met.
#[derive(Clone, Copy)]
pub(crate) enum Shown {
    By(Run),
    /// Why there is nothing that a server could break.
    NotHere(&'static str),
}

/// A demand under its numbers, without `MQTT-`: both standards make most of them, under numbers of their own.
#[derive(Clone, Copy)]
pub(crate) struct Clause {
    pub(crate) v311: &'static [&'static str],
    pub(crate) v5: &'static [&'static str],
    pub(crate) demands: &'static str,
    pub(crate) shown: Shown,
}

type Numbers = &'static [&'static str];

/// A demand that a test meets the server with, in each version whose numbers are given.
pub(crate) const fn clause(v311: Numbers, v5: Numbers, demands: &'static str, run: Run) -> Clause {
    Clause { v311, v5, demands, shown: Shown::By(run) }
}

/// A demand on clients alone.
pub(crate) const fn of_clients(v311: Numbers, v5: Numbers, demands: &'static str) -> Clause {
    Clause { v311, v5, demands, shown: Shown::NotHere("binds clients only") }
}

/// A demand on servers that do, or lack, something that ours does not.
pub(crate) const fn elsewhere(
    v311: Numbers,
    v5: Numbers,
    demands: &'static str,
    why: &'static str,
) -> Clause {
    Clause { v311, v5, demands, shown: Shown::NotHere(why) }
}

/// A test as a clause holds it.
macro_rules! run {
    ($test:ident) => {
        |scene| Box::pin($test(scene))
    };
}
pub(crate) use run;

/// A section's number, and how many demands the standard numbers in it from 1 on.
type Section = (&'static str, usize);

/// MQTT 3.1.1 (OASIS standard, 29 October 2014), appendix B.
const V311: &[Section] = &[
    ("1.4.0", 3),
    ("2.2.2", 2),
    ("2.3.1", 7),
    ("3.1.0", 2),
    ("3.1.2", 24),
    ("3.1.3", 11),
    ("3.1.4", 5),
    ("3.2.0", 1),
    ("3.2.2", 6),
    ("3.3.1", 12),
    ("3.3.2", 3),
    ("3.3.4", 1),
    ("3.3.5", 2),
    ("3.6.1", 1),
    ("3.8.1", 1),
    ("3.8.3", 4),
    ("3.8.4", 6),
    ("3.9.3", 2),
    ("3.10.1", 1),
    ("3.10.3", 2),
    ("3.10.4", 6),
    ("3.12.4", 1),
    ("3.14.1", 1),
    ("3.14.4", 3),
    ("4.1.0", 2),
    ("4.3.1", 1),
    ("4.3.2", 2),
    ("4.3.3", 2),
    ("4.4.0", 1),
    ("4.5.0", 2),
    ("4.6.0", 6),
    ("4.7.1", 3),
    ("4.7.2", 1),
    ("4.7.3", 4),
    ("4.8.0", 2),
    ("6.0.0", 4),
    ("7.0.0", 2),
    ("7.1.1", 1),
    ("7.1.2", 1),
];

/// MQTT 5.0 (OASIS standard, 7 March 2019), appendix B.
const V5: &[Section] = &[
    ("1.5.4", 3),
    ("1.5.5", 1),
    ("1.5.7", 1),
    ("2.1.3", 1),
    ("2.2.1", 6),
    ("2.2.2", 1),
    ("3.1.0", 2),
    ("3.1.2", 30),
    ("3.1.3", 12),
    ("3.1.4", 6),
    ("3.2.0", 2),
    ("3.2.2", 22),
    ("3.3.1", 13),
    ("3.3.2", 20),
    ("3.3.4", 10),
    ("3.4.2", 3),
    ("3.5.2", 3),
    ("3.6.1", 1),
    ("3.6.2", 3),
    ("3.7.2", 3),
    ("3.8.1", 1),
    ("3.8.3", 5),
    ("3.8.4", 8),
    ("3.9.2", 2),
    ("3.9.3", 2),
    ("3.10.1", 1),
    ("3.10.3", 2),
    ("3.10.4", 6),
    ("3.11.2", 2),
    ("3.11.3", 2),
    ("3.12.4", 1),
    ("3.14.0", 1),
    ("3.14.1", 1),
    ("3.14.2", 4),
    ("3.14.4", 3),
    ("3.15.1", 1),
    ("3.15.2", 3),
    ("4.1.0", 2),
    ("4.2", 1),
    ("4.3.1", 1),
    ("4.3.2", 5),
    ("4.3.3", 13),
    ("4.4.0", 2),
    ("4.5.0", 2),
    ("4.6.0", 6),
    ("4.7.0", 1),
    ("4.7.1", 2),
    ("4.7.2", 1),
    ("4.7.3", 4),
    ("4.8.2", 6),
    ("4.9.0", 3),
    ("4.12.0", 7),
    ("4.12.1", 2),
    ("4.13.1", 1),
    ("4.13.2", 1),
    ("6.0.0", 4),
];

/// Numbers that the standard leaves out.
const UNUSED_OF_V5: &[&str] = &["2.2.1-1"];

pub(crate) const VERSIONS: [Version; 2] = [Version::V311, Version::V5];

pub(crate) fn name_of(version: Version) -> &'static str {
    match version {
        Version::V311 => "3.1.1",
        Version::V5 => "5.0",
    }
}

/// Every number of a standard, in its order.
pub(crate) fn numbers(version: Version) -> Vec<String> {
    let (sections, unused) = match version {
        Version::V311 => (V311, &[][..]),
        Version::V5 => (V5, UNUSED_OF_V5),
    };
    let of = |&(section, count): &Section| (1..=count).map(move |at| format!("{section}-{at}"));
    sections.iter().flat_map(of).filter(|number| !unused.contains(&number.as_str())).collect()
}

impl Clause {
    pub(crate) fn numbers(&self, version: Version) -> Numbers {
        match version {
            Version::V311 => self.v311,
            Version::V5 => self.v5,
        }
    }
}

/// The clause of each number, in the order of the standard. Panics where a number has none, or two.
pub(crate) fn in_order<'a>(clauses: &[&'a [Clause]], version: Version) -> Vec<(String, &'a Clause)> {
    let clauses: Vec<&Clause> = clauses.iter().copied().flatten().collect();
    let mut ordered = Vec::new();
    for number in numbers(version) {
        let of_it = |clause: &&&Clause| clause.numbers(version).contains(&number.as_str());
        let found: Vec<_> = clauses.iter().filter(of_it).copied().collect();
        match found[..] {
            [clause] => ordered.push((number, clause)),
            _ => panic!("MQTT-{number} of {} has {} tests", name_of(version), found.len()),
        }
    }
    let known: usize = clauses.iter().map(|clause| clause.numbers(version).len()).sum();
    assert_eq!(known, ordered.len(), "numbers that {} does not have", name_of(version));
    ordered
}

/// The table of the README.
pub(crate) fn table(clauses: &[&[Clause]]) -> String {
    let mut table = String::new();
    for version in VERSIONS {
        let rows = in_order(clauses, version);
        let shown = rows.iter().filter(|(_, clause)| matches!(clause.shown, Shown::By(_))).count();
        let (name, all) = (name_of(version), rows.len());
        writeln!(table, "\n### MQTT {name}: {all} numbers, {shown} of them tested\n").unwrap();
        table.push_str("| Number | Demand | |\n|---|---|---|\n");
        for (number, Clause { demands, shown, .. }) in rows {
            let shown = match shown {
                Shown::By(_) => "tested",
                Shown::NotHere(why) => why,
            };
            writeln!(table, "| MQTT-{number} | {demands} | {shown} |").unwrap();
        }
    }
    table
}
