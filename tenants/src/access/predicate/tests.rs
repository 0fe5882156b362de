use std::{collections::HashSet, sync::Arc};

use proptest::prelude::*;

use super::*;
use crate::{
    access::{Object, Opened, Reach},
    ids::OpeningId,
};

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

/// User 1 of unit 5, who has opened patient 9.
fn subject() -> Subject {
    let unit = |n| UnitId::from_uuid(id(n));
    let reach = Reach::Unit { top: unit(5), all: Arc::new(HashSet::from([unit(5), unit(6)])) };
    let user = UserId::from_uuid(id(1));
    let opened = Opened {
        id: OpeningId::from_uuid(id(2)),
        user,
        patient: id(9),
        reason: "unconscious".into(),
        until: jiff::Timestamp::MAX,
    };
    Subject::new(user, reach, Arc::from([opened]))
}

fn row(column: Column) -> Option<Cell<'static>> {
    const TEAM: &[UserId] = &[UserId::from_uuid(Uuid::from_u128(1))];
    match column {
        Column::PatientUnit => Some(Cell::Unit(UnitId::from_uuid(id(6)))),
        Column::PatientWard => Some(Cell::Text("4 West")),
        Column::PatientRestricted => Some(Cell::Flag(true)),
        Column::PatientCareTeam => Some(Cell::Users(TEAM)),
        Column::PatientId => Some(Cell::Patient(id(9))),
        // Without a value.
        _ => None,
    }
}

fn evaluate(text: &str) -> Option<bool> {
    Predicate::parse(Object::Patient, text).unwrap().evaluate(&subject(), &row)
}

#[test]
fn what_covers_a_row() {
    for (text, expected) in [
        ("all", Some(true)),
        ("patient.ward = \"4 West\"", Some(true)),
        ("patient.ward = \"4 west\"", Some(false)),
        ("patient.ward in [\"3 East\", \"4 West\"]", Some(true)),
        ("patient.unit within user.units", Some(true)),
        ("patient.care_team contains user.id", Some(true)),
        ("patient.restricted", Some(true)),
        ("not patient.restricted", Some(false)),
        ("not patient.restricted or user.break_glass", Some(true)),
        ("not (patient.restricted and user.break_glass)", Some(false)),
        ("patient.birth_year is missing", Some(true)),
        ("patient.ward is missing", Some(false)),
        // Unknown: neither it nor its negation covers the row.
        ("patient.birth_year = 1950", None),
        ("not patient.birth_year = 1950", None),
        ("patient.birth_year = 1950 or all", Some(true)),
        ("patient.birth_year = 1950 and all", None),
        ("patient.birth_year = 1950 and patient.ward = \"x\"", Some(false)),
    ] {
        assert_eq!(evaluate(text), expected, "{text}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_where_it_stands() {
    let deep = format!("{}all{}", "(".repeat(17), ")".repeat(17));
    let long = format!("patient.ward in [{}\"x\"]", "\"x\", ".repeat(100));
    for (object, text, at, problem) in [
        (Object::Patient, "", 1, "expected a column"),
        (Object::Patient, "patient.wing = \"x\"", 1, "patient.ward"),
        (Object::Patient, "patient.name = \"Ada\"", 1, "expected a column"),
        (Object::Patient, "device.id = \"x\"", 1, "expected a column"),
        (Object::Rule, "rule.name = \"x\"", 1, "write \"all\""),
        (Object::Rule, "user.break_glass", 1, "about no patient"),
        (Object::Patient, "patient.ward", 13, "\"=\" or \"in\""),
        (Object::Patient, "patient.ward within user.units", 14, "needs a unit"),
        (Object::Patient, "patient.unit contains user.id", 14, "needs a list of users"),
        (Object::Patient, "patient.unit = \"x\"", 16, "not compared"),
        (Object::Patient, "patient.ward = 4", 16, "a text in quotation marks"),
        (Object::Patient, "patient.birth_year = \"1950\"", 22, "a whole number"),
        (Object::Patient, "patient.birth_year = 99999999999999999999", 22, "64 bits"),
        (Object::Patient, "patient.id = \"seven\"", 14, "a UUID"),
        (Object::Patient, "patient.ward in []", 18, "a text in quotation marks"),
        (Object::Patient, "patient.ward = \"x", 16, "closing"),
        (Object::Patient, "patient.ward = \"x\\n\"", 18, "after \\"),
        (Object::Patient, "all all", 5, "\"and\", \"or\" or the end"),
        (Object::Patient, "(all", 5, "expected ')'"),
        (Object::Patient, "patient.unit within users", 21, "user.units"),
        (Object::Patient, "all; drop", 4, "no meaning"),
        (Object::Patient, deep.as_str(), 17, "at most 16 deep"),
        (Object::Patient, long.as_str(), 518, "at most 100 values"),
    ] {
        let error = Predicate::parse(object, text).unwrap_err();
        assert!(error.at == at && error.problem.contains(problem), "{text}: {error}");
    }
    let error = Predicate::parse(Object::Patient, &"x".repeat(MAX_CHARACTERS + 1)).unwrap_err();
    assert!(error.problem.contains("2000"), "{error}");
}

/// Predicates of every form, as the parser makes them.
fn any_predicate() -> impl Strategy<Value = Predicate> {
    let text = "[ -~äß]{0,8}".prop_map(Value::Text);
    let leaf = prop_oneof![
        Just(Predicate::All),
        Just(Predicate::BreakGlass),
        Just(Predicate::Is(Column::PatientRestricted)),
        Just(Predicate::Within(Column::PatientUnit)),
        Just(Predicate::Contains(Column::PatientCareTeam)),
        Just(Predicate::Missing(Column::PatientBirthYear)),
        text.clone().prop_map(|value| Predicate::Equals(Column::PatientWard, value)),
        any::<i64>().prop_map(|n| Predicate::Equals(Column::PatientBirthYear, Value::Number(n))),
        proptest::collection::vec(text, 1..4).prop_map(|values| Predicate::In(Column::PatientWard, values)),
        any::<u128>().prop_map(|n| Predicate::Equals(Column::PatientId, Value::Patient(id(n)))),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Predicate::Not(Box::new(inner))),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Predicate::And),
            proptest::collection::vec(inner, 2..4).prop_map(Predicate::Or),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(predicate in any_predicate()) {
        let text = predicate.to_string();
        prop_assume!(text.chars().count() <= MAX_CHARACTERS);
        prop_assert_eq!(Predicate::parse(Object::Patient, &text), Ok(predicate), "{}", text);
    }

    /// What is said of a row of which only some columns are known holds once all are.
    #[test]
    fn what_is_known_of_a_part_holds_for_the_whole(predicate in any_predicate(), known in any::<u16>()) {
        let part = |column: Column| (known >> (column as u16) & 1 == 1).then(|| row(column));
        if let Some(covered) = predicate.evaluate_partly(&subject(), &part) {
            prop_assert_eq!(predicate.evaluate(&subject(), &row), Some(covered), "{}", predicate);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(all|not|and|or|patient\\.(ward|unit|id)|[()\\[\\]=,\" ]|\\PC){0,40}") {
        let length = text.chars().count();
        if let Err(error) = Predicate::parse(Object::Patient, &text) {
            prop_assert!((1..=length + 1).contains(&error.at), "{error}");
        }
    }
}
