//! The schema as a whole.

use std::sync::Arc;

use tenants::quotas::Meter;

use crate::{
    Limits, Services,
    context::Loading,
    errors::Rendering,
    limits::Guard,
    metering::Metering,
    mutation::Mutation,
    query::Query,
    reads::{Auditing, ReadLog},
    subscription::Subscription,
};

/// Executes requests. Each needs the `tenants::access::Caller` in its data or in that of its connection
/// (without one every field answers UNAUTHENTICATED), and should have the `tenants::CorrelationId`.
pub type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

/// The schema on its services. Call it on a runtime of tokio, where the writer of reads goes on.
pub fn schema(services: Services, limits: Limits) -> Schema {
    let services = Arc::new(services);
    let log = ReadLog::start(Arc::clone(&services.audit));
    guarded(limits, Arc::clone(&services.meter))
        .extension(Auditing { log, clock: Arc::clone(&services.clock) })
        .extension(Loading(Arc::clone(&services)))
        .data(services)
        .finish()
}

fn guarded(limits: Limits, meter: Arc<Meter>) -> async_graphql::SchemaBuilder<Query, Mutation, Subscription> {
    // The first extension is the outermost: it also completes what the others refuse, and what the guard refuses costs
    // nothing.
    let metering = Metering(meter);
    builder()
        .extension(Rendering)
        .extension(metering)
        .extension(Guard(limits))
        .limit_directives(limits.directives)
}

/// The schema in GraphQL's own language, as it stands in `schema.graphql`.
pub fn sdl() -> String {
    use async_graphql::SDLExportOptions;
    builder().finish().sdl_with_options(
        SDLExportOptions::new().prefer_single_line_descriptions().use_space_ident().indent_width(2),
    )
}

fn builder() -> async_graphql::SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
}

#[cfg(test)]
mod tests;
