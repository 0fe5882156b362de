//! Holds answers back until it is written down what they show.

use std::sync::{Arc, OnceLock};

use async_graphql::{
    Request, Response, ServerResult,
    extensions::{
        Extension, ExtensionContext, ExtensionFactory, NextPrepareRequest, NextRequest, NextSubscribe,
    },
};
use futures_util::{StreamExt, stream::BoxStream};
use tenants::{CorrelationId, access::Caller, audit::Origin, clock::Clock};

use super::{ReadLog, Reads};
use crate::context::request_data;

/// Gives each request of a known caller its [`Reads`], and lets its answer go when they are committed.
pub(crate) struct Auditing {
    pub(crate) log: ReadLog,
    pub(crate) clock: Arc<dyn Clock>,
}

impl ExtensionFactory for Auditing {
    fn create(&self) -> Arc<dyn Extension> {
        let (log, clock) = (self.log.clone(), Arc::clone(&self.clock));
        Arc::new(RequestAuditing(Arc::new(Held { log, clock, reads: OnceLock::new() })))
    }
}

/// The same for one request; who sends it is known once it is prepared.
struct RequestAuditing(Arc<Held>);

struct Held {
    log: ReadLog,
    clock: Arc<dyn Clock>,
    reads: OnceLock<Reads>,
}

impl Held {
    async fn release(&self, response: Response) -> Response {
        let Some(reads) = self.reads.get() else { return response };
        match reads.commit(&self.log).await {
            Ok(()) => response,
            Err(error) => Response::from_errors(vec![error.into()]),
        }
    }
}

#[async_trait::async_trait]
impl Extension for RequestAuditing {
    async fn request(&self, ctx: &ExtensionContext<'_>, next: NextRequest<'_>) -> Response {
        let response = next.run(ctx).await;
        self.0.release(response).await
    }

    fn subscribe<'s>(
        &self,
        ctx: &ExtensionContext<'_>,
        stream: BoxStream<'s, Response>,
        next: NextSubscribe<'_>,
    ) -> BoxStream<'s, Response> {
        let held = Arc::clone(&self.0);
        let released = next.run(ctx, stream).then(move |response| {
            let held = Arc::clone(&held);
            async move { held.release(response).await }
        });
        released.boxed()
    }

    async fn prepare_request(
        &self,
        ctx: &ExtensionContext<'_>,
        mut request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        if let Some(caller) = request_data::<Caller>(ctx, &request).cloned() {
            let origin = request_data::<Origin>(ctx, &request).cloned().unwrap_or_default();
            let correlation = request_data::<CorrelationId>(ctx, &request).copied().unwrap_or_default();
            let reads = self
                .0
                .reads
                .get_or_init(|| Reads::new(caller, origin, correlation, Arc::clone(&self.0.clock)));
            request.data.insert(reads.clone());
        }
        next.run(ctx, request).await
    }
}
