//! Keeps each hospital to its share of what the platform can answer.

use std::sync::Arc;

use async_graphql::{
    ServerError, ValidationResult,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextValidation},
};
use tenants::{
    TenantId,
    access::Caller,
    quotas::{Meter, TooMuch},
};

use crate::errors::ApiError;

/// Takes what a request will cost from its hospital's minute, before anything is resolved. The platform's operators are
/// in none.
#[derive(Clone)]
pub(crate) struct Metering(pub(crate) Arc<Meter>);

impl ExtensionFactory for Metering {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Extension for Metering {
    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let valid = next.run(ctx).await?;
        let hospital = ctx.data_opt::<Caller>().map(|caller| caller.tenant);
        if let Some(hospital) = hospital.filter(|tenant| *tenant != TenantId::PLATFORM) {
            self.0.query(hospital, valid.complexity as u64).map_err(|error| vec![refusal(error)])?;
        }
        Ok(valid)
    }
}

/// Programs find in it when to ask again.
fn refusal(error: TooMuch) -> ServerError {
    let seconds = error.retry_after.as_secs().max(1);
    let mut refusal = ServerError::from(ApiError::of(error.kind(), error));
    refusal.extensions.get_or_insert_default().set("retryAfterSeconds", seconds);
    refusal
}
