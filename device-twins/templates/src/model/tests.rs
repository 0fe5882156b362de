//! Models, and why some are refused.

use super::*;
use crate::Schema;
use readings::{Unit, VitalSign};

/// A model with these contents.
fn model(contents: &str) -> String {
    format!(
        r#"{{"@context":["dtmi:dtdl:context;2"],"@id":"dtmi:test:Thing;1","@type":"Interface","displayName":{{"de":"Ding","en":"Thing"}},"contents":[{contents}]}}"#
    )
}

fn parse(contents: &str) -> Result<Template, TemplateError> {
    Template::parse(&model(contents))
}

#[test]
fn what_a_model_says_is_read() {
    let template = parse(
        r#"{"@type":"Property","name":"serial","schema":"string"},
           {"@type":["Telemetry","Temperature"],"name":"probe","displayName":"Probe","schema":"float","unit":"degreeCelsius"},
           {"@type":"Telemetry","name":"spot","schema":"geopoint"},
           {"@type":"Telemetry","name":"beats","schema":"dtmi:dtdl:instance:Schema:integer;2","ucum":"/min","vitalSign":"heart_rate"},
           {"@type":"Telemetry","name":"gas","unit":"percent","schema":"long"}"#,
    )
    .unwrap();
    assert_eq!((template.id(), template.display_name()), ("dtmi:test:Thing;1", "Thing"));
    let read: Vec<_> = template
        .telemetry()
        .map(|t| {
            (t.path().as_str(), t.display_name(), t.schema().clone(), t.unit().map(Unit::code), t.sign())
        })
        .collect();
    let expected = [
        ("probe", "Probe", Schema::Number, Some("Cel"), None),
        ("spot.lat", "lat", Schema::Number, None, None),
        ("spot.lon", "lon", Schema::Number, None, None),
        ("spot.alt", "alt", Schema::Number, None, None),
        ("beats", "beats", Schema::Integer { bits: 32 }, Some("/min"), Some(VitalSign::HeartRate)),
        ("gas", "gas", Schema::Integer { bits: 64 }, Some("%"), None),
    ];
    assert_eq!(read, expected);
    let path = readings::Path::parse("spot.lat").unwrap();
    assert_eq!(template.find(&path).unwrap().path(), &path);
    assert!(template.find(&readings::Path::parse("spot").unwrap()).is_none());
}

#[test]
fn a_model_without_a_name_is_called_by_its_id() {
    let template = Template::parse(
        r#"{"@context":"dtmi:dtdl:context;2","@id":"dtmi:a:b:Pump_2;7","@type":"Interface"}"#,
    );
    assert_eq!(template.unwrap().display_name(), "Pump_2");
}

#[test]
fn what_an_interface_extends_is_part_of_it() {
    let document = format!(
        r#"[{},{}]"#,
        r#"{"@context":"dtmi:dtdl:context;2","@id":"dtmi:test:A;1","@type":"Interface","extends":["dtmi:test:B;1","dtmi:test:C;1"]}"#,
        r#"{"@id":"dtmi:test:B;1","@type":"Interface","contents":[{"@type":"Telemetry","name":"b","schema":"double"}]}"#,
    );
    let template = Template::parse(&document).unwrap();
    assert_eq!(template.telemetry().map(|t| t.path().as_str()).collect::<Vec<_>>(), ["b"]);
    assert_eq!(template.unresolved().collect::<Vec<_>>(), ["dtmi:test:C;1"]);
}

#[test]
fn a_refusal_names_the_place_and_the_reason() {
    let telemetry = |rest: &str| model(&format!(r#"{{"@type":"Telemetry","name":"x",{rest}}}"#));
    let twice = r#"{"@type":"Telemetry","name":"x","schema":"double"}"#;
    let rows = [
        ("{".to_owned(), "line 1, column 1"),
        ("[]".to_owned(), "empty array"),
        ("5".to_owned(), "@type Interface"),
        (r#"{"@type":"Interface","@id":"urn:x:1"}"#.to_owned(), "@id: expected a DTMI"),
        (r#"{"@type":"Interface","@id":"dtmi:x;1"}"#.to_owned(), "dtmi:dtdl:context;2"),
        (
            r#"{"@type":"Interface","@id":"dtmi:x;1","@context":"dtmi:dtdl:context;3"}"#.to_owned(),
            "dtmi:dtdl:context;2",
        ),
        (model(&format!("{twice},{twice}")), "contents/1 (x): there are two telemetries x"),
        (model("5"), "contents/0: expected an object"),
        (
            model(r#"{"@type":"Telemetry","name":"1x","schema":"double"}"#),
            "contents/0 (1x): name: expected a letter",
        ),
        (model(r#"{"@type":"Telemetry","schema":"double"}"#), "contents/0 (): name"),
        (model(r#"{"@type":"Telemetry","name":"x"}"#), "contents/0 (x): schema: missing"),
        (telemetry(r#""schema":"number""#), r#"schema: "number" is not of DTDL 2"#),
        (telemetry(r#""schema":{"@type":"Enum","valueSchema":"string"}"#), "enumValues: missing"),
        (
            telemetry(r#""schema":{"@type":"Enum","valueSchema":"string","enumValues":[{"enumValue":1}]}"#),
            "is a string in each",
        ),
        (
            telemetry(r#""schema":"double","unit":"mmHg""#),
            r#"unit: "mmHg" is not a unit of DTDL 2; add its UCUM code"#,
        ),
        (telemetry(r#""schema":"double","ucum":"bpm""#), r#"ucum: "bpm" is not a unit of UCUM"#),
        (
            telemetry(r#""schema":"double","unit":"kelvin","ucum":"Cel""#),
            "unit: kelvin is K, but ucum says Cel",
        ),
        (telemetry(r#""schema":"string","ucum":"Cel""#), "only numbers and waveforms"),
        (telemetry(r#""schema":"double","vitalSign":"pulse""#), r#"vitalSign: "pulse" is not a vital sign"#),
        (
            telemetry(r#""schema":"double","vitalSign":"heart_rate""#),
            "unit: missing; x must have one that converts to /min",
        ),
        (
            telemetry(r#""schema":"double","ucum":"Cel","vitalSign":"heart_rate""#),
            "a value in Cel cannot be converted to /min",
        ),
        (
            telemetry(r#""schema":"double","vitalSign":"supplemental_oxygen""#),
            "supplemental_oxygen must be a boolean",
        ),
        (
            telemetry(r#""schema":"string","vitalSign":"consciousness""#),
            "must be an Enum of A, C, V, P and U",
        ),
        (telemetry(r#""schema":"vector","vitalSign":"heart_rate""#), "vitalSign: an object is none"),
        (
            telemetry(r#""schema":{"@type":"Object","fields":[{"name":"a b","schema":"double"}]}"#),
            "not a name of DTDL",
        ),
        (
            model(
                r#"{"@type":"Component","name":"c","schema":{"@type":"Interface","@id":"dtmi:c;1","contents":[{"@type":"Component","name":"d","schema":"dtmi:d;1"}]}}"#,
            ),
            "a component cannot contain a component",
        ),
        (
            r#"{"@type":"Interface","@id":"dtmi:x;1","@context":"dtmi:dtdl:context;2","extends":"dtmi:x;1"}"#
                .to_owned(),
            "extends itself",
        ),
        (" ".repeat(MAX_BYTES + 1), "at most 2097152 are read"),
    ];
    for (document, expected) in rows {
        let error = Template::parse(&document).expect_err(&document);
        assert!(error.to_string().contains(expected), "{document:.200}\n{error}\nexpected {expected}");
    }
}

#[test]
fn nesting_and_numbers_have_limits() {
    let nested = |depth: usize| {
        let open = r#"{"@type":"Object","fields":[{"name":"f","schema":"#.repeat(depth);
        format!(r#"{{"@type":"Telemetry","name":"x","schema":{open}"double"{}}}"#, "}]}".repeat(depth))
    };
    assert_eq!(parse(&nested(5)).unwrap().telemetry().next().unwrap().path().as_str(), "x.f.f.f.f.f");
    assert!(parse(&nested(6)).is_err());
    // The JSON library stops this one before the stack does.
    assert!(parse(&nested(5000)).is_err());
    let many = |count: usize| {
        let contents: Vec<_> = (0..count)
            .map(|n| format!(r#"{{"@type":"Telemetry","name":"t{n}","schema":"double"}}"#))
            .collect();
        parse(&contents.join(","))
    };
    assert_eq!(many(300).unwrap().telemetry().count(), 300);
    assert!(many(301).is_err());
}
