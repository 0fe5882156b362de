//! Properties of a device, reported and desired: JSON merge patches (RFC 7396), and how a device confirms that it has taken
//! desired ones on.

use serde_json::{Map, Value};

/// Levels of nesting that properties may have.
pub const MAX_DEPTH: usize = 8;
/// Bytes of all reported or all desired properties as JSON: what the hubs that devices come from allow, too.
pub const MAX_BYTES: usize = 32 * 1024;
/// Where a version stands among properties.
pub const VERSION: &str = "$version";

/// Why properties are not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PropertiesError {
    /// They are something else.
    #[error("must be a JSON object")]
    NotAnObject,
    /// They nest too deeply.
    #[error("must have at most {MAX_DEPTH} levels")]
    TooDeep,
    /// They would become too large.
    #[error("must not exceed {MAX_BYTES} bytes together")]
    TooLarge,
    /// A name that is kept for the platform.
    #[error("must have names that do not begin with $")]
    Reserved,
}

/// The properties after a patch.
///
/// # Errors
/// [`PropertiesError::TooDeep`], [`PropertiesError::TooLarge`].
pub fn merged(
    known: &Map<String, Value>,
    patch: Map<String, Value>,
) -> Result<Map<String, Value>, PropertiesError> {
    let mut properties = known.clone();
    merge(&mut properties, patch, MAX_DEPTH).ok_or(PropertiesError::TooDeep)?;
    let bytes = serde_json::to_vec(&properties).map_or(usize::MAX, |json| json.len());
    if bytes > MAX_BYTES { Err(PropertiesError::TooLarge) } else { Ok(properties) }
}

/// What is desired after a change, which names nothing that is the platform's.
///
/// # Errors
/// As [`merged`], and [`PropertiesError::Reserved`].
pub fn desired(
    known: &Map<String, Value>,
    patch: Map<String, Value>,
) -> Result<Map<String, Value>, PropertiesError> {
    if patch.keys().any(|name| name.starts_with('$')) {
        return Err(PropertiesError::Reserved);
    }
    merged(known, patch)
}

/// Which version of the desired properties a report confirms: the one that it names as `$version`, which is taken out of it, or
/// the newest that an answer of IoT Plug and Play to a property (`value`, `ac`, `av`) names.
pub(super) fn take_confirmation(report: &mut Map<String, Value>) -> Option<u64> {
    if let Some(version) = report.remove(VERSION) {
        return version.as_u64();
    }
    let answered = |value: &Value| value.get("ac").and(value.get("av")).and_then(Value::as_u64);
    report.values().filter_map(answered).max()
}

fn merge(into: &mut Map<String, Value>, patch: Map<String, Value>, depth: usize) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    for (name, value) in patch {
        match value {
            Value::Null => {
                into.remove(&name);
            }
            Value::Object(inner) => {
                let slot = into.entry(name).or_insert(Value::Null);
                if !slot.is_object() {
                    *slot = Value::Object(Map::new());
                }
                if let Value::Object(slot) = slot {
                    merge(slot, inner, depth)?;
                }
            }
            other => {
                into.insert(name, other);
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(map) = value else { panic!("not an object") };
        map
    }

    #[test]
    fn patches_merge_as_rfc_7396_says() {
        // Rows of the RFC's appendix A whose documents are objects.
        let rows = [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ];
        for (known, patch, expected) in rows {
            assert_eq!(merged(&object(known), object(patch)), Ok(object(expected)));
        }
    }

    #[test]
    fn a_patch_that_nests_too_deeply_changes_nothing() {
        let mut deep = json!(1);
        for _ in 0..MAX_DEPTH + 1 {
            deep = json!({ "a": deep });
        }
        assert_eq!(merged(&Map::new(), object(deep)), Err(PropertiesError::TooDeep));
    }

    #[test]
    fn properties_stay_within_their_size() {
        let large = object(json!({ "a": "x".repeat(MAX_BYTES - 100) }));
        let known = merged(&Map::new(), large).unwrap();
        let more = || object(json!({ "b": "x".repeat(100) }));
        assert_eq!(merged(&known, more()), Err(PropertiesError::TooLarge));
        let Value::Object(instead) = json!({ "a": null, "b": "x".repeat(100) }) else { panic!() };
        assert_eq!(merged(&known, instead), Ok(more()), "what is taken out makes room");
    }

    #[test]
    fn a_report_confirms_what_is_desired() {
        let rows = [
            (json!({ "rate": 5, "$version": 3 }), Some(3), json!({ "rate": 5 })),
            (json!({ "rate": 5, "$version": "3" }), None, json!({ "rate": 5 })),
            (json!({ "rate": 5 }), None, json!({ "rate": 5 })),
            (json!({ "rate": { "value": 5, "av": 4 } }), None, json!({ "rate": { "value": 5, "av": 4 } })),
            (
                json!({ "rate": { "value": 5, "ac": 200, "av": 4 }, "on": { "value": true, "ac": 200, "av": 2 } }),
                Some(4),
                json!({ "rate": { "value": 5, "ac": 200, "av": 4 }, "on": { "value": true, "ac": 200, "av": 2 } }),
            ),
        ];
        for (report, version, left) in rows {
            let mut report = object(report);
            assert_eq!((take_confirmation(&mut report), Value::Object(report)), (version, left));
        }
    }

    #[test]
    fn names_of_the_platform_cannot_be_desired() {
        let patch = object(json!({ "$version": 7 }));
        assert_eq!(desired(&Map::new(), patch), Err(PropertiesError::Reserved));
    }
}
