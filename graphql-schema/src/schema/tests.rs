use std::fmt::Write;

use async_graphql::{Request, Variables};
use futures_util::StreamExt;
use serde_json::json;

use super::*;

/// What GraphiQL and code generators send.
const INTROSPECTION: &str = "
    query IntrospectionQuery { __schema { queryType { name } mutationType { name } subscriptionType { name }
      types { ...FullType } directives { name description isRepeatable locations args { ...InputValue } } } }
    fragment FullType on __Type { kind name description specifiedByURL
      fields(includeDeprecated: true) { name description args { ...InputValue } type { ...TypeRef }
        isDeprecated deprecationReason }
      inputFields { ...InputValue } interfaces { ...TypeRef }
      enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
      possibleTypes { ...TypeRef } }
    fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
    fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name
      ofType { kind name ofType { kind name ofType { kind name ofType { kind name
        ofType { kind name ofType { kind name } } } } } } } } } }";

/// A full page of a ward board with more than any page of the admin UI shows.
const BOARD: &str = "
    query Board($first: Int!) { patients(first: $first) { totalCount pageInfo { hasNextPage endCursor } nodes {
      id name mrn birthYear ward bed
      vitals { sign label loinc value code unit measuredAt receivedAt stale staleAfterSeconds device }
      news2 { score complete missing risk spo2Scale parameters { sign label points ageSeconds reason } }
      devices { id name connected lastSeenAt quarantine }
      openAlarms { id title priority state value unit raisedAt acknowledgedBy } } } }";

/// The codes of the errors of an answer. Without services what is let through is INTERNAL or UNAUTHENTICATED.
async fn codes(request: impl Into<Request>) -> Vec<String> {
    let response = guarded(Limits::default(), std::sync::Arc::default()).finish().execute(request).await;
    let code = |error: &async_graphql::ServerError| {
        let extensions = serde_json::to_value(&error.extensions).unwrap();
        extensions["code"].as_str().unwrap().to_owned()
    };
    response.errors.iter().map(code).collect()
}

fn board(first: u32) -> Request {
    Request::new(BOARD).variables(Variables::from_json(json!({ "first": first })))
}

#[tokio::test]
async fn what_clients_need_is_let_through() {
    assert_eq!(codes(INTROSPECTION).await, [] as [&str; 0]);
    assert_eq!(codes("{ viewer { id } }").await, ["UNAUTHENTICATED"]);
    assert_eq!(codes(board(200)).await, ["INTERNAL"]);
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_it_runs() {
    let aliases = |count: usize| {
        let fields = (0..count).fold(String::new(), |mut fields, n| {
            write!(fields, "a{n}: viewer {{ id }} ").unwrap();
            fields
        });
        format!("{{ {fields} }}")
    };
    let doubling = (0..20).fold(String::from("{ ...F0 }"), |mut document, n| {
        write!(document, " fragment F{n} on Query {{ ...F{m} ... {{ ...F{m} }} }}", m = n + 1).unwrap();
        document
    }) + " fragment F20 on Query { viewer { id } }";
    let rows = [
        ("a long document", format!("{{ viewer {{ id }} }} #{}", "x".repeat(16 * 1024))),
        ("brackets that would exhaust the stack", "{a".repeat(5_000)),
        ("lists that would exhaust the stack", format!("{{ a(x: {} }}", "[".repeat(5_000))),
        (
            "fields within fields",
            format!("{{ {} id {} }}", "patient(id: 1) { devices { ".repeat(6), "} } ".repeat(6)),
        ),
        ("one alias too many", aliases(31)),
        ("fragments that double", doubling),
        (
            "types of fields of types of fields",
            "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }".to_owned(),
        ),
        (
            "a trend for each of 200",
            "{ patients(first: 200) { nodes { trend(sign: HEART_RATE) { at } } } }".to_owned(),
        ),
        (
            "fragments",
            (0..51).fold(String::from("{ a }"), |all, n| format!("{all} fragment F{n} on Q {{ a }}")),
        ),
    ];
    for (what, document) in rows {
        assert_eq!(codes(document).await, ["TOO_LARGE"], "{what}");
    }
    assert_eq!(codes(aliases(30)).await.len(), 30, "so many are served");
}

#[tokio::test]
async fn what_does_not_fit_the_schema_is_bad_input() {
    let circle = "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A ...A }";
    let directives = format!("{{ viewer {} {{ id }} }}", "@skip(if: false) ".repeat(5));
    for document in [
        "",
        "{ viewer { password } }",
        "{ viewer",
        circle,
        &directives,
        "{ patients(first: \"x\") { totalCount } }",
    ] {
        let codes = codes(document).await;
        assert!(!codes.is_empty() && codes.iter().all(|code| code == "BAD_INPUT"), "{document}: {codes:?}");
    }
}

#[tokio::test]
async fn a_subscription_is_measured_and_told_its_code_too() {
    let schema = guarded(Limits::default(), std::sync::Arc::default()).finish();
    let rows = [
        ("subscription { vitals { patientId } }", "INTERNAL"),
        (
            "subscription { alarms { device { patient { devices { patient { devices { patient { devices { patient { devices { id } } } } } } } } } } }",
            "TOO_LARGE",
        ),
        ("subscription { temperature }", "BAD_INPUT"),
    ];
    for (document, code) in rows {
        let answers: Vec<_> = schema.execute_stream(document).collect().await;
        let answer = serde_json::to_value(&answers[0]).unwrap();
        assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{document}");
        assert_eq!(answers.len(), 1, "{document}: it ends with its error");
    }
}
