//! Which topics an API token may use; null for none.

use super::step::Step;

pub(super) const MIGRATION: Step =
    Step { name: "m0021_token_topics", sql: TOPICS, creates: &[], grants: &[] };

const TOPICS: &str = "ALTER TABLE api_tokens ADD COLUMN topics {text};";
