//! Rules, set up through the API as an administrator would.
use serde_json::{Value, json};

use crate::graphql::GraphQl;

const ALL: &str =
    "{ rules { id name path raiseWhen raiseValue holdSeconds clearWhen clearValue clearHoldSeconds unit
    priority enabled version } }";
const SAVE: &str = "mutation ($input: SaveRuleInput!) { saveRule(input: $input) { id version } }";

/// Oxygen saturation below 90 % for so many seconds; clears at 92 % or more for so many.
pub fn low_oxygen(hold_s: u32, clear_hold_s: u32) -> Value {
    json!({
        "name": "Oxygen saturation is low", "path": "spo2", "unit": "%", "priority": "HIGH", "enabled": true,
        "raiseWhen": "BELOW", "raiseValue": 90.0, "holdSeconds": hold_s,
        "clearWhen": "AT_LEAST", "clearValue": 92.0, "clearHoldSeconds": clear_hold_s,
    })
}

/// Saves one rule, and switches off every rule that was there before. Returns its id.
pub async fn only(admin: &GraphQl, rule: Value) -> String {
    let existing = admin.data(ALL, json!({})).await;
    for mut other in existing["rules"].as_array().expect("rules is a list").iter().cloned() {
        if other["enabled"] == true {
            other["enabled"] = json!(false);
            admin.data(SAVE, json!({ "input": other })).await;
        }
    }
    let saved = admin.data(SAVE, json!({ "input": rule })).await;
    saved["saveRule"]["id"].as_str().expect("a saved rule has an id").into()
}
