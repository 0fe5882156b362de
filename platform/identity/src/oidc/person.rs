//! What claims tell about a person.

use serde_json::{Map, Value};
use tenants::account::email_address;

/// Groups of one person that are looked at.
const MAX_GROUPS: usize = 2_000;
const MAX_NAME_CHARACTERS: usize = 100;

/// Somebody as the provider describes them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) subject: String,
    pub(crate) sid: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) email_is_verified: bool,
    pub(crate) name: Option<String>,
    pub(crate) groups: Option<Vec<String>>,
}

impl Person {
    /// `group_claim` is a path; a claim that has a dot in its own name is found, too.
    pub(crate) fn new(claims: &Map<String, Value>, group_claim: &str) -> Self {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        let name = text("name").or_else(|| text("preferred_username"));
        Self {
            subject: text("sub").unwrap_or_default(),
            sid: text("sid"),
            email: text("email").as_deref().and_then(email_address),
            email_is_verified: ["email_verified", "xms_edov"].iter().any(|name| is_true(claims.get(*name))),
            name: name.map(|name| presentable(&name)).filter(|name| !name.is_empty()),
            groups: groups(claims, group_claim),
        }
    }

    /// Completes what the ID token left out by what the userinfo endpoint says about the same person.
    pub(crate) fn or(self, other: Self) -> Self {
        if other.subject != self.subject {
            return self;
        }
        let (email, email_is_verified) = match self.email {
            Some(_) => (self.email, self.email_is_verified),
            None => (other.email, other.email_is_verified),
        };
        Self {
            email,
            email_is_verified,
            name: self.name.or(other.name),
            groups: self.groups.or(other.groups),
            ..self
        }
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.email.is_some() && self.groups.is_some()
    }
}

/// Some providers write truth as a text or a number.
fn is_true(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(truth)) => *truth,
        Some(Value::String(text)) => text == "true" || text == "1",
        Some(Value::Number(number)) => number.as_i64() == Some(1),
        _ => false,
    }
}

fn presentable(name: &str) -> String {
    let plain: String = name.chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARACTERS).collect();
    plain.trim().to_owned()
}

fn groups(claims: &Map<String, Value>, path: &str) -> Option<Vec<String>> {
    let nested = || {
        let mut steps = path.split('.');
        let first = claims.get(steps.next()?)?;
        steps.try_fold(first, |value, step| value.get(step))
    };
    let texts = |several: &Vec<Value>| {
        several.iter().filter_map(Value::as_str).take(MAX_GROUPS).map(str::to_owned).collect()
    };
    match claims.get(path).or_else(nested)? {
        Value::Array(several) => Some(texts(several)),
        Value::String(one) => Some(vec![one.clone()]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[allow(clippy::needless_pass_by_value, reason = "claims read best where they are made")]
    fn person(claims: Value, path: &str) -> Person {
        Person::new(claims.as_object().unwrap(), path)
    }

    #[test]
    fn groups_are_found_where_providers_put_them() {
        for (claims, path, expected) in [
            (json!({ "groups": ["a", 7, "b"] }), "groups", Some(vec!["a", "b"])),
            (json!({ "groups": "a" }), "groups", Some(vec!["a"])),
            (json!({ "realm_access": { "roles": ["a"] } }), "realm_access.roles", Some(vec!["a"])),
            (json!({ "https://x.example/groups": ["a"] }), "https://x.example/groups", Some(vec!["a"])),
            (json!({ "groups": [] }), "groups", Some(vec![])),
            (json!({ "groups": { "a": true } }), "groups", None),
            (json!({ "realm_access": ["a"] }), "realm_access.roles", None),
            (json!({}), "groups", None),
        ] {
            let found = person(claims.clone(), path).groups;
            assert_eq!(found, expected.map(|all| all.into_iter().map(str::to_owned).collect()), "{claims}");
        }
    }

    #[test]
    fn an_address_counts_only_when_it_was_verified() {
        for (claims, verified) in [
            (json!({ "email_verified": true }), true),
            (json!({ "email_verified": "true" }), true),
            (json!({ "xms_edov": true }), true),
            (json!({ "xms_edov": 1 }), true),
            (json!({ "email_verified": false }), false),
            (json!({ "email_verified": "no" }), false),
            (json!({ "email_verified": null }), false),
            (json!({}), false),
        ] {
            assert_eq!(person(claims.clone(), "groups").email_is_verified, verified, "{claims}");
        }
        let other = person(json!({ "sub": "1", "email": "b@x.example", "email_verified": true }), "g");
        let own = person(json!({ "sub": "1", "email": "A@x.example" }), "g").or(other);
        assert_eq!(
            (own.email.as_deref(), own.email_is_verified),
            (Some("a@x.example"), false),
            "each with its own word"
        );
        let stranger = person(json!({ "sub": "2", "email": "b@x.example", "email_verified": true }), "g");
        assert_eq!(person(json!({ "sub": "1" }), "g").or(stranger).email, None, "about somebody else");
    }
}
