//! What comes back.

use std::{pin::Pin, time::Duration};

use async_graphql::Response;
use futures_util::{Stream, StreamExt};
use serde_json::Value;

/// Nothing here takes longer than this unless it is broken.
const BOUND: Duration = Duration::from_secs(20);

/// The code of an answer's first error.
pub(crate) fn code(answer: &Value) -> Option<String> {
    answer["errors"][0]["extensions"]["code"].as_str().map(str::to_owned)
}

/// An open subscription.
pub(crate) struct Following(Pin<Box<dyn Stream<Item = Value> + Send>>);

impl Following {
    pub(crate) fn of(answers: impl Stream<Item = Response> + Send + 'static) -> Self {
        Self(Box::pin(answers.map(|answer| serde_json::to_value(answer).unwrap())))
    }

    /// The next answer; fails the test when there is none in time.
    pub(crate) async fn next(&mut self) -> Value {
        let next = tokio::time::timeout(BOUND, self.0.next()).await.expect("an answer in time");
        next.expect("the subscription goes on")
    }

    /// The first answer that fits, and how many came before it.
    pub(crate) async fn until(&mut self, fits: impl Fn(&Value) -> bool) -> (Value, usize) {
        for passed in 0.. {
            let answer = self.next().await;
            if fits(&answer) {
                return (answer, passed);
            }
        }
        unreachable!()
    }

    pub(crate) async fn ends(&mut self) -> bool {
        tokio::time::timeout(BOUND, self.0.next()).await.expect("an end in time").is_none()
    }
}
