//! What the first hospital may use while it is measured.
use std::time::Duration;

use serde_json::json;
use tests::{Server, eventually};

/// More than any machine takes.
pub(crate) const NO_LIMIT: u64 = 1_000_000_000;

/// Says what it may: messages a second, query cost a minute; counts when this returns.
pub(crate) async fn allow(server: &Server, messages: u64, cost: u64) {
    let operator = server.graphql(&server.credentials.operator.token);
    let all = operator.data("{ tenants { id slug } }", json!({})).await["tenants"].take();
    let slug = server.first_tenant().slug.as_str();
    let found = all.as_array().and_then(|all| all.iter().find(|tenant| tenant["slug"] == slug));
    let tenant = &found.expect("the demo has this hospital")["id"];
    let document = "mutation ($tenant: ID!, $input: QuotasInput!) {
        setQuotas(tenant: $tenant, input: $input) { messagesPerSecond } }";
    let input = json!({ "devices": NO_LIMIT, "users": NO_LIMIT, "messagesPerSecond": messages,
        "deviceMessagesPerSecond": NO_LIMIT, "queryCostPerMinute": cost, "storedDays": null });
    operator.data(document, json!({ "tenant": tenant, "input": input })).await;
    let admin = server.graphql_as("admin");
    eventually("the quotas are known", Duration::from_secs(90), async || {
        let usage = admin.attempt("{ usage { quotas { messagesPerSecond } } }", json!({})).await?;
        let known = &usage.data["usage"]["quotas"]["messagesPerSecond"];
        if *known == messages { Ok(()) } else { Err(usage.data.to_string()) }
    })
    .await;
}
