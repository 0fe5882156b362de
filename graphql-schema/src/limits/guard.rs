//! Refuses what is too large, before it is walked.

use std::sync::Arc;

use async_graphql::{
    Request, ServerError, ServerResult, ValidationResult,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextPrepareRequest, NextValidation},
    parser::types::ExecutableDocument,
};
use tenants::ErrorKind;

use super::{
    Limits,
    measure::{Endless, measure},
    nesting::nesting,
};
use crate::errors::{ApiError, Result};

/// The describing lists that tools ask for within each other.
const MAX_DESCRIBING_LISTS: usize = 2;

/// Checks every request against the limits.
#[derive(Clone, Copy)]
pub(crate) struct Guard(pub(crate) Limits);

impl ExtensionFactory for Guard {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(*self)
    }
}

#[async_trait::async_trait]
impl Extension for Guard {
    async fn prepare_request(
        &self,
        ctx: &ExtensionContext<'_>,
        mut request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        within("document bytes", request.query.len(), self.0.document_bytes)?;
        within("brackets within brackets", nesting(&request.query), self.0.nesting)?;
        self.document(request.parsed_query()?)?;
        next.run(ctx, request).await
    }

    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> std::result::Result<ValidationResult, Vec<ServerError>> {
        let valid = next.run(ctx).await?;
        within("complexity (fields times the rows asked for)", valid.complexity, self.0.complexity)
            .map_err(|error| vec![error.into()])?;
        Ok(valid)
    }
}

impl Guard {
    fn document(&self, document: &ExecutableDocument) -> Result<()> {
        within("fragments", document.fragments.len(), self.0.fragments)?;
        let size = measure(document).map_err(|endless| match endless {
            Endless::Cycle(name) => ApiError::bad_input(format!("the fragment {name} contains itself")),
            Endless::TooDeep => {
                ApiError::new(ErrorKind::TooLarge, "the request has too many selections within selections")
            }
        })?;
        within("fields, with fragments written out,", size.fields, self.0.fields)?;
        within("aliases", size.aliases, self.0.aliases)?;
        within("fields within fields", size.depth, self.0.depth)?;
        within("fields within fields of __schema", size.introspection_depth, self.0.introspection_depth)?;
        within("lists within lists of __schema", size.describing_lists, MAX_DESCRIBING_LISTS)
    }
}

fn within(what: &str, given: usize, most: usize) -> Result<()> {
    if given <= most {
        return Ok(());
    }
    let message = format!("the request has {given} {what}; at most {most} are allowed: ask for less at once");
    Err(ApiError::new(ErrorKind::TooLarge, message))
}
