//! Reported properties: JSON merge patches (RFC 7396).

use serde_json::{Map, Value};

/// Levels of nesting a report may have; deeper ones are set aside.
const MAX_DEPTH: usize = 8;

/// The properties after a patch, or `None` when it nests too deeply.
pub(super) fn merged(known: &Map<String, Value>, patch: Map<String, Value>) -> Option<Map<String, Value>> {
    let mut properties = known.clone();
    merge(&mut properties, patch, MAX_DEPTH)?;
    Some(properties)
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
            assert_eq!(merged(&object(known), object(patch)), Some(object(expected)));
        }
    }

    #[test]
    fn a_patch_that_nests_too_deeply_changes_nothing() {
        let mut deep = json!(1);
        for _ in 0..MAX_DEPTH + 1 {
            deep = json!({ "a": deep });
        }
        assert_eq!(merged(&Map::new(), object(deep)), None);
    }
}
