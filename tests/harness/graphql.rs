//! A GraphQL client with a bearer token.
use reqwest::Client;
use serde_json::{Value, json};

use crate::http;

/// Speaks for one token.
#[derive(Clone)]
pub struct GraphQl {
    http: Client,
    url: String,
    token: String,
}

/// What came back: data, errors, or both.
#[derive(Debug)]
pub struct Answer {
    pub data: Value,
    pub errors: Vec<Value>,
}

impl GraphQl {
    pub fn new(url: &str, token: &str) -> GraphQl {
        GraphQl { http: http::client(), url: url.into(), token: token.into() }
    }

    /// Runs a document; an answer that is no GraphQL answer fails the test.
    pub async fn run(&self, document: &str, variables: Value) -> Answer {
        self.attempt(document, variables).await.unwrap_or_else(|reason| panic!("{reason}\nin {document}"))
    }

    /// As `run`, for a server that may be away.
    pub async fn attempt(&self, document: &str, variables: Value) -> Result<Answer, String> {
        let request = self.http.post(&self.url).bearer_auth(&self.token);
        let body = json!({ "query": document, "variables": variables });
        let response = request.json(&body).send().await.map_err(|error| error.to_string())?;
        let status = response.status();
        let text = response.text().await.map_err(|error| error.to_string())?;
        let mut answer: Value =
            serde_json::from_str(&text).map_err(|_| format!("HTTP {status} is not JSON: {text}"))?;
        let errors = match answer["errors"].take() {
            Value::Array(errors) => errors,
            Value::Null if answer["data"].is_object() => Vec::new(),
            _ => return Err(format!("HTTP {status} is no GraphQL answer: {text}")),
        };
        Ok(Answer { data: answer["data"].take(), errors })
    }

    /// Runs a document that must succeed.
    pub async fn data(&self, document: &str, variables: Value) -> Value {
        let answer = self.run(document, variables).await;
        assert!(answer.errors.is_empty(), "{:#?}\nin {document}", answer.errors);
        answer.data
    }

    /// Runs a document that must be refused, and returns the code of the first error.
    pub async fn refusal(&self, document: &str, variables: Value) -> String {
        let answer = self.run(document, variables).await;
        let code = answer.errors.first().and_then(|error| error["extensions"]["code"].as_str());
        code.unwrap_or_else(|| panic!("not refused with a code: {answer:#?}\nin {document}")).into()
    }
}
