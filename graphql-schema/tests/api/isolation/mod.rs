//! The isolation matrix: every field, argument, mutation and subscription of the schema, asked by every role in one ward
//! of one of two hospitals, with canaries in whatever could be seen. What each role gets stands in the snapshots, to be
//! read by whoever must sign for it; that nothing crosses is asserted here, by the class that `classes.txt` gives each
//! part of the schema. A part that nobody has classified fails the build.

mod walk;
mod world;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use serde_json::{Map, Value};
use tenants::access::{Caller, Role};

use self::{
    walk::{Path, Walk, variable},
    world::{ASH_EAST, BIRCH_WEST, Ward, World},
};
use crate::answers::code;

const CLASSES: &str = include_str!("classes.txt");

/// Who asks: somebody with a role in one ward, or in the whole hospital.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Asker {
    role: Role,
    everywhere: bool,
}

const ASKERS: [Asker; 14] = {
    const fn ward(role: Role) -> Asker {
        Asker { role, everywhere: false }
    }
    const fn hospital(role: Role) -> Asker {
        Asker { role, everywhere: true }
    }
    use Role::{Admin, Auditor, Clinician, Integrator, Nurse, Operator, Researcher, Technician};
    [
        hospital(Operator),
        hospital(Admin),
        hospital(Clinician),
        hospital(Nurse),
        hospital(Researcher),
        hospital(Integrator),
        hospital(Auditor),
        ward(Admin),
        ward(Clinician),
        ward(Nurse),
        ward(Technician),
        ward(Researcher),
        ward(Integrator),
        ward(Auditor),
    ]
};

impl std::fmt::Display for Asker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&format!("{}{}", if self.everywhere { "" } else { "ward " }, self.role.as_str()))
    }
}

/// What a part of the schema may tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Rows that policies decide on: of the caller's own ward.
    Rows,
    /// What is one for the whole hospital, and of the caller's own ward.
    Shared,
    /// What everybody in the hospital may know whom the role lets ask: of any ward, of no other hospital.
    Hospital,
    /// The caller themselves.
    Caller,
    /// Hospitals: operators see all, everybody else their own.
    Platform,
    /// Nothing that somebody has put in.
    Fixed,
    /// An argument, or a field of one: names a row.
    Target,
    /// An argument, or a field of one: says what is written.
    Content,
    /// An argument that only narrows or orders what is answered.
    Filter,
}

impl Class {
    fn parse(word: &str) -> Self {
        match word {
            "rows" => Self::Rows,
            "shared" => Self::Shared,
            "hospital" => Self::Hospital,
            "caller" => Self::Caller,
            "platform" => Self::Platform,
            "fixed" => Self::Fixed,
            "target" => Self::Target,
            "content" => Self::Content,
            "filter" => Self::Filter,
            other => panic!("classes.txt: {other} is no class"),
        }
    }

    /// Whose canaries a role may be shown.
    fn allows(self, asker: Asker, whose: &str) -> bool {
        match self {
            Self::Rows => whose == "own" || asker.everywhere && whose == "neighbour",
            Self::Hospital => matches!(whose, "own" | "neighbour" | "hospital"),
            Self::Shared => Self::Rows.allows(asker, whose) || whose == "hospital",
            Self::Caller => matches!(whose, "own" | "hospital"),
            Self::Platform => asker.role == Role::Operator || whose == "hospital",
            Self::Fixed | Self::Target | Self::Content | Self::Filter => false,
        }
    }
}

fn classes() -> BTreeMap<&'static str, Class> {
    let lines = CLASSES.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let classes = lines.map(|line| {
        let (coordinate, class) = line.split_once(' ').unwrap_or_else(|| panic!("classes.txt: {line}"));
        (coordinate, Class::parse(class.trim()))
    });
    classes.collect()
}

/// A document that asks for the end of a path, with its variables.
struct Question {
    document: String,
    variables: Map<String, Value>,
}

impl Question {
    /// Somebody of `own` asks. Arguments name rows of `target`; without one only those are given that must be.
    fn new(world: &World, walk: &Walk, path: &Path, own: Ward, target: Option<Ward>) -> Self {
        let mut variables = Map::new();
        for (ty, name) in path {
            let arguments = walk.field(ty, name).arguments.iter();
            for argument in arguments.filter(|argument| argument.required || target.is_some()) {
                let coordinate = format!("{ty}.{name}({})", argument.name);
                if let Some(value) = world.argument(&coordinate, own, target.unwrap_or(own)) {
                    variables.insert(variable(&coordinate), value);
                }
            }
        }
        let given = |coordinate: &str| variables.contains_key(&variable(coordinate));
        let document = walk.document(&path[0].0.to_lowercase(), path, &given);
        Self { document, variables }
    }

    async fn ask(&self, world: &World, caller: Caller) -> Value {
        world.hospital.in_session(caller, &self.document, self.variables.clone().into()).await
    }
}

/// Looks at every leaf of an answer, and fails where one holds what its class does not allow. Returns whose canaries
/// there were.
struct Judge<'a> {
    world: &'a World,
    walk: &'a Walk,
    classes: &'a BTreeMap<&'static str, Class>,
    own: Ward,
    asker: Asker,
}

impl Judge<'_> {
    fn judge(&self, ty: &str, value: &Value, whose: &mut BTreeSet<&'static str>) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| self.judge(ty, value, whose)),
            Value::Object(fields) => {
                for (name, value) in fields.iter().filter(|(name, _)| *name != "__typename") {
                    let field = self.walk.field(ty, name);
                    if !self.walk.fields(&field.ty).is_empty() {
                        self.judge(&field.ty, value, whose);
                        continue;
                    }
                    for one in self.world.canaries(value, self.own) {
                        let (class, asker) = (self.classes[format!("{ty}.{name}").as_str()], self.asker);
                        let fits = class.allows(asker, one);
                        assert!(fits, "{ty}.{name} shows: {asker}, what is of: {one}\n{value:#}");
                        whose.insert(one);
                    }
                }
            }
            _ => {}
        }
    }
}

/// What is found at the end of a path, of each row on the way.
fn at_end<'a>(answer: &'a Value, path: &Path) -> Vec<&'a Value> {
    let mut found = vec![&answer["data"]];
    for (_, field) in path {
        let next = found.into_iter().map(|value| &value[field]);
        found = next
            .flat_map(|value| value.as_array().map_or_else(|| vec![value], |all| all.iter().collect()))
            .collect();
    }
    found
}

/// What a role got, in a word: the refusal, or whose canaries, or whether there was anything.
fn in_a_word(answer: &Value, path: &Path, whose: &BTreeSet<&'static str>) -> String {
    let values = at_end(answer, path);
    let reach = ["ABROAD", "neighbour", "own", "hospital"].into_iter().find(|reach| whose.contains(reach));
    match (code(answer), reach) {
        (Some(code), _) if code == "INTERNAL" => panic!("{path:?}: {answer:#}"),
        (Some(code), _) if code == "FORBIDDEN" => "-".to_owned(),
        (Some(code), _) => code.to_lowercase().replace('_', " "),
        (None, _) if values.iter().all(|value| value["totalCount"] == 0) => "nothing".to_owned(),
        (None, Some(reach)) => in_words(reach).to_owned(),
        (None, None) if values.iter().all(|value| value.is_null()) => "hidden".to_owned(),
        (None, None) => "shown".to_owned(),
    }
}

/// The furthest that an answer reached.
fn in_words(reach: &str) -> &str {
    match reach {
        "ABROAD" => "all hospitals",
        "neighbour" => "all wards",
        "own" => "own ward",
        other => other,
    }
}

struct Table(String);

impl Table {
    fn new() -> Self {
        let mut header = format!("{:44}", "");
        for asker in &ASKERS {
            write!(header, "{asker:17}").unwrap();
        }
        Self(header)
    }
    fn row(&mut self, name: &str) {
        write!(self.0, "\n{name:44}").unwrap();
    }
    fn cell(&mut self, word: &str) {
        write!(self.0, "{word:17}").unwrap();
    }
    fn text(&self) -> String {
        self.0.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }
}

#[test]
fn every_part_of_the_schema_is_classified() {
    let (walk, classes) = (Walk::new(), classes());
    let known = walk.coordinates();
    let missing: Vec<_> = known.iter().filter(|part| !classes.contains_key(part.as_str())).collect();
    let gone: Vec<_> = classes.keys().filter(|part| !known.iter().any(|known| known == *part)).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "classes.txt: say what these may tell: {missing:#?}\nand remove what is gone: {gone:#?}"
    );
    // What is reached by no query is reached by a mutation or a subscription, whose own tests ask for it.
    let roots = ["Query", "Mutation", "Subscription"].map(|root| walk.paths(root));
    for part in known.iter().filter(|part| !part.contains('(')) {
        let (ty, _) = part.split_once('.').unwrap();
        let input = ty.ends_with("Input");
        assert!(input || roots.iter().any(|paths| paths.contains_key(ty)), "nothing leads to {ty}");
    }
}

#[tokio::test]
async fn without_a_caller_or_as_a_device_there_is_nothing() {
    let (world, walk) = (World::open().await, Walk::new());
    let device = Some(world.device(ASH_EAST));
    for root in ["Query", "Mutation", "Subscription"] {
        for field in walk.fields(root) {
            let path = vec![(root.to_owned(), field.name.clone())];
            let question = Question::new(&world, &walk, &path, ASH_EAST, Some(ASH_EAST));
            for (caller, refused) in [(None, "UNAUTHENTICATED"), (device.clone(), "FORBIDDEN")] {
                let (document, variables) = (&question.document, question.variables.clone().into());
                let answer = match root {
                    "Subscription" => world.hospital.follow(caller, document, variables).next().await,
                    _ => world.hospital.answer(caller, document, variables).await,
                };
                assert_eq!(code(&answer).as_deref(), Some(refused), "{root}.{}: {answer:#}", field.name);
            }
        }
    }
}

/// The matrix of fields as somebody of a ward sees it.
async fn fields(world: &World, own: Ward) -> String {
    let (walk, classes, mut table) = (Walk::new(), classes(), Table::new());
    for (ty, path) in walk.paths("Query") {
        for field in walk.fields(&ty) {
            let part = format!("{ty}.{}", field.name);
            let path: Path = path.iter().cloned().chain([(ty.clone(), field.name.clone())]).collect();
            let question = Question::new(world, &walk, &path, own, None);
            table.row(&part);
            for asker in &ASKERS {
                let answer = question.ask(world, world.caller(own, asker)).await;
                assert!(code(&answer).as_deref() != Some("BAD_INPUT"), "{part}: {answer:#}");
                let mut whose = BTreeSet::new();
                let judge = Judge { world, walk: &walk, classes: &classes, own, asker: *asker };
                judge.judge("Query", &answer["data"], &mut whose);
                table.cell(&in_a_word(&answer, &path, &whose));
            }
        }
    }
    table.text()
}

#[tokio::test]
async fn no_field_shows_what_is_not_for_the_role() {
    let world = World::open().await;
    let ash = fields(&world, ASH_EAST).await;
    insta::assert_snapshot!("fields", ash);
    assert_eq!(fields(&world, BIRCH_WEST).await, ash, "one hospital is as the other");
}

/// The fields of a root that are asked with the name of a row: once of the caller's own ward, of the neighbour's, and of
/// another hospital's.
async fn arguments(world: &World, root: &str, own: Ward, table: &mut Table, askers: &[Asker]) {
    let (walk, classes) = (Walk::new(), classes());
    for field in walk.fields(root) {
        let part = format!("{root}.{}", field.name);
        let class = classes[part.as_str()];
        let path = vec![(root.to_owned(), field.name.clone())];
        let named = field
            .arguments
            .iter()
            .any(|argument| classes[format!("{part}({})", argument.name).as_str()] == Class::Target);
        let targets = [("own", own), ("neighbour", own.neighbour()), ("abroad", own.abroad())];
        for (name, target) in targets.into_iter().take(if named { 3 } else { 1 }) {
            let question = Question::new(world, &walk, &path, own, Some(target));
            table.row(&if named { format!("{part} {name}") } else { part.clone() });
            for asker in askers {
                let answer = question.ask(world, world.caller(own, asker)).await;
                let mut whose = BTreeSet::new();
                let judge = Judge { world, walk: &walk, classes: &classes, own, asker: *asker };
                judge.judge(root, &answer["data"], &mut whose);
                let word = in_a_word(&answer, &path, &whose);
                let refused = code(&answer).is_some() || matches!(word.as_str(), "hidden" | "nothing");
                let beyond = target == own.abroad() || target != own && !asker.everywhere;
                if beyond && class == Class::Rows {
                    assert!(refused, "{part} of {name} is done for: {asker}: {answer:#}");
                }
                if name == "abroad" && root == "Mutation" && asker.role != Role::Operator {
                    assert!(refused, "{part} is done in another hospital for: {asker}: {answer:#}");
                }
                table.cell(&word);
            }
        }
    }
}

#[tokio::test]
async fn no_argument_reaches_beyond_the_role() {
    let world = World::open().await;
    let mut table = Table::new();
    arguments(&world, "Query", ASH_EAST, &mut table, &ASKERS).await;
    insta::assert_snapshot!("arguments", table.text());
}

/// Everything that a hospital's founder sees of it.
async fn picture(world: &World, ward: Ward) -> Vec<(String, Value)> {
    let walk = Walk::new();
    let mut seen = Vec::new();
    for (ty, path) in walk.paths("Query") {
        for field in walk.fields(&ty) {
            let part = format!("{ty}.{}", field.name);
            let path: Path = path.iter().cloned().chain([(ty.clone(), field.name.clone())]).collect();
            // Looking is written down, too.
            if !part.starts_with("Audit")
                && !part.starts_with("PatientAccess")
                && part != "Query.auditLog"
                && part != "Query.patientAccessReport"
            {
                let question = Question::new(world, &walk, &path, ward, None);
                seen.push((part, question.ask(world, world.founder(ward)).await));
            }
        }
    }
    seen
}

#[tokio::test]
async fn no_mutation_reaches_beyond_the_role() {
    let mut columns = Vec::new();
    for asker in &ASKERS {
        // What one role changes must not be what the next one finds.
        let world = World::open().await;
        let before = picture(&world, ASH_EAST.abroad()).await;
        let mut table = Table(String::new());
        arguments(&world, "Mutation", ASH_EAST, &mut table, &[*asker]).await;
        if asker.role != Role::Operator {
            for (now, was) in picture(&world, ASH_EAST.abroad()).await.iter().zip(&before) {
                assert_eq!(now, was, "{asker} has changed another hospital");
            }
        }
        columns.push(table.text());
    }
    let mut table = Table::new();
    for row in 0..columns[0].lines().count() {
        for (column, text) in columns.iter().enumerate() {
            let line = text.lines().nth(row).unwrap();
            let (name, word) = line.split_at(line.len().min(44));
            if column == 0 && !name.trim().is_empty() {
                table.row(name.trim_end());
            }
            if !name.trim().is_empty() {
                table.cell(word);
            }
        }
    }
    insta::assert_snapshot!("mutations", table.text());
}

#[tokio::test]
async fn no_subscription_reaches_beyond_the_role() {
    let world = World::open().await;
    let (walk, classes, own, mut table) = (Walk::new(), classes(), ASH_EAST, Table::new());
    for field in walk.fields("Subscription") {
        let part = format!("Subscription.{}", field.name);
        assert_eq!(classes[part.as_str()], Class::Rows, "{part}");
        let path = vec![("Subscription".to_owned(), field.name.clone())];
        let named = !field.arguments.is_empty();
        let targets = [("own", own), ("neighbour", own.neighbour()), ("abroad", own.abroad())];
        for (name, target) in targets.into_iter().take(if named { 3 } else { 1 }) {
            table.row(&if named { format!("{part} {name}") } else { part.clone() });
            for asker in &ASKERS {
                let Question { document, variables, .. } =
                    Question::new(&world, &walk, &path, own, Some(target));
                let mut following =
                    world.hospital.follow(Some(world.caller(own, asker)), &document, variables.into());
                let told = tokio::spawn(async move {
                    // The first answer may be what there was before; by the third everything has been sent.
                    let mut told = vec![following.next().await];
                    while code(&told[0]).is_none() && told.len() < 3 {
                        told.push(following.next().await);
                    }
                    if code(&told[0]).as_deref() == Some("NOT_FOUND") {
                        assert!(following.ends().await, "there is nothing to wait for");
                    }
                    told
                });
                // Others first, so that what crosses comes before what is waited for.
                let mut step = 0;
                while !told.is_finished() {
                    for ward in [own.abroad(), own.neighbour(), own] {
                        world.happen(ward, step).await;
                    }
                    step += 1;
                }
                let told = Value::Array(told.await.unwrap());
                let mut whose = BTreeSet::new();
                let judge = Judge { world: &world, walk: &walk, classes: &classes, own, asker: *asker };
                for answer in told.as_array().unwrap() {
                    judge.judge("Subscription", &answer["data"], &mut whose);
                }
                assert!(
                    whose.is_empty() || target == own || asker.everywhere,
                    "{part} of {name} tells: {asker}: {told:#}"
                );
                table.cell(&in_a_word(&told[0], &path, &whose));
            }
        }
    }
    insta::assert_snapshot!("subscriptions", table.text());
}
