//! Rules.

use std::{collections::HashMap, sync::Arc};

use async_graphql::dataloader::Loader;
use rules::Rule;
use tenants::{RuleId, access::Object};

use super::Rows;
use crate::errors::{ApiError, Result};

impl Loader<RuleId> for Rows {
    type Value = Arc<Rule>;
    type Error = ApiError;

    async fn load(&self, keys: &[RuleId]) -> Result<HashMap<RuleId, Self::Value>> {
        let scope = self.grant_read(Object::Rule).await?;
        // A tenant has some dozens; all of them is one query.
        let rules = self.services.rules.all(&scope).await?;
        let wanted = rules.into_iter().filter(|rule| keys.contains(&rule.id));
        Ok(wanted.map(|rule| (rule.id, Arc::new(rule))).collect())
    }
}
