//! What a client is told when something does not work.
//!
//! Every error carries `extensions.code`. The message says what was wrong, where, and what to do; what went
//! wrong inside is logged once under the correlation id and never returned.

use std::{
    error::Error as StdError,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use async_graphql::{
    ErrorExtensionValues, Request, Response, ServerError, ServerResult, Value,
    extensions::{
        Extension, ExtensionContext, ExtensionFactory, NextPrepareRequest, NextRequest, NextSubscribe,
    },
};
use futures_util::{StreamExt, stream::BoxStream};
use tenants::{
    CorrelationId, ErrorKind, IdError, StoreError, access::AccessError, break_glass::BreakGlassError,
    device_authority::CertificateError, elevation::ElevationError, enrolment::DeviceKeyError,
    second_factor::SecondFactorError,
};
use twins::{TwinError, downlink::DownlinkError};

use crate::context::request_data;

/// What resolvers return.
pub(crate) type Result<T> = std::result::Result<T, ApiError>;

const UNAVAILABLE: &str = "the platform cannot do this right now; try again in a moment";
const INTERNAL: &str = "something went wrong on our side; report it with the correlation id of this error";

/// An error as a client sees it. It has no `Display` on purpose: async-graphql would turn anything that has
/// one into an error without a code.
#[derive(Clone)]
pub(crate) struct ApiError {
    kind: ErrorKind,
    message: String,
    cause: Option<Arc<Cause>>,
}

/// What went wrong inside; shared by all fields that one failed load leaves without a value.
struct Cause {
    error: Box<dyn StdError + Send + Sync>,
    logged: AtomicBool,
}

impl ApiError {
    /// With a message for the client.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), cause: None }
    }

    /// The input is wrong; the message names the argument and what it must be.
    pub(crate) fn bad_input(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::BadInput, message)
    }

    /// Not there, or not visible to the caller.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(ErrorKind::NotFound, format!("{what} not found"))
    }

    /// Our fault; only the log says how.
    pub(crate) fn internal(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { cause: Some(Cause::new(error.into())), ..Self::new(ErrorKind::Internal, INTERNAL) }
    }

    /// From an error of a lower floor: its own words where they are for the user, ours where they are not.
    pub(crate) fn of(kind: ErrorKind, error: impl StdError + Send + Sync + 'static) -> Self {
        let message = match kind {
            ErrorKind::Internal => INTERNAL.to_owned(),
            ErrorKind::Unavailable => UNAVAILABLE.to_owned(),
            _ => return Self::new(kind, error.to_string()),
        };
        Self { kind, message, cause: Some(Cause::new(error.into())) }
    }

    /// What it means to the caller.
    pub(crate) fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Other words for the client; the cause stays for the log.
    pub(crate) fn saying(self, message: impl Into<String>) -> Self {
        Self { message: message.into(), ..self }
    }

    /// Logs the cause where no client will ever be told.
    pub(crate) fn log(&self, correlation: CorrelationId) {
        if let Some(cause) = &self.cause {
            cause.log(correlation, "");
        }
    }
}

impl Cause {
    fn new(error: Box<dyn StdError + Send + Sync>) -> Arc<Self> {
        Arc::new(Self { error, logged: AtomicBool::new(false) })
    }

    fn log(&self, correlation: CorrelationId, path: &str) {
        if self.logged.swap(true, Ordering::Relaxed) {
            return;
        }
        let mut chain = self.error.to_string();
        let mut source = self.error.source();
        while let Some(error) = source {
            chain.push_str(": ");
            chain.push_str(&error.to_string());
            source = error.source();
        }
        tracing::error!(%correlation, path, error = chain, "a GraphQL field failed");
    }
}

impl From<AccessError> for ApiError {
    fn from(error: AccessError) -> Self {
        Self::of(error.kind(), error)
    }
}
impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::of(error.kind(), error)
    }
}
impl From<BreakGlassError> for ApiError {
    fn from(error: BreakGlassError) -> Self {
        Self::of(error.kind(), error)
    }
}
impl From<ElevationError> for ApiError {
    fn from(error: ElevationError) -> Self {
        Self::of(error.kind(), error)
    }
}
impl From<SecondFactorError> for ApiError {
    fn from(error: SecondFactorError) -> Self {
        Self::of(error.kind(), error)
    }
}
impl From<TwinError> for ApiError {
    fn from(error: TwinError) -> Self {
        Self::of(error.kind(), error)
    }
}
impl From<DownlinkError> for ApiError {
    fn from(error: DownlinkError) -> Self {
        Self::of(error.kind(), error)
    }
}
impl From<DeviceKeyError> for ApiError {
    fn from(error: DeviceKeyError) -> Self {
        Self::of(error.kind(), error)
    }
}
impl From<CertificateError> for ApiError {
    fn from(error: CertificateError) -> Self {
        Self::bad_input(error.to_string())
    }
}
impl From<IdError> for ApiError {
    fn from(error: IdError) -> Self {
        Self::of(ErrorKind::BadInput, error)
    }
}

impl From<ApiError> for async_graphql::Error {
    fn from(error: ApiError) -> Self {
        let mut rendered = Self::new(error.message);
        rendered.extensions = Some(coded(error.kind));
        rendered.source = error.cause.map(|cause| cause as _);
        rendered
    }
}

impl From<ApiError> for ServerError {
    fn from(error: ApiError) -> Self {
        let mut rendered = Self::new(error.message, None);
        rendered.extensions = Some(coded(error.kind));
        rendered.source = error.cause.map(|cause| cause as _);
        rendered
    }
}

fn coded(kind: ErrorKind) -> ErrorExtensionValues {
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", kind.code());
    extensions
}

/// Completes the errors of every answer: a code where async-graphql gave none, the cause to the log.
pub(crate) struct Rendering;

impl ExtensionFactory for Rendering {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(RequestRendering::default())
    }
}

/// The same for one request; its correlation id is known once the request is prepared.
#[derive(Default)]
struct RequestRendering {
    correlation: Arc<OnceLock<CorrelationId>>,
}

fn complete(response: &mut Response, correlation: CorrelationId) {
    for error in &mut response.errors {
        let path = error.path.iter().map(|segment| match segment {
            async_graphql::PathSegment::Field(name) => name.clone(),
            async_graphql::PathSegment::Index(index) => index.to_string(),
        });
        if let Some(cause) = error.source::<Cause>() {
            cause.log(correlation, &path.collect::<Vec<_>>().join("."));
            error
                .extensions
                .get_or_insert_default()
                .set("correlationId", Value::String(correlation.to_string()));
        }
        // What has no code comes from async-graphql itself: the document or a value does not fit the schema.
        if error.extensions.as_ref().and_then(|extensions| extensions.get("code")).is_none() {
            error.extensions.get_or_insert_default().set("code", ErrorKind::BadInput.code());
        }
    }
}

#[async_trait::async_trait]
impl Extension for RequestRendering {
    async fn request(&self, ctx: &ExtensionContext<'_>, next: NextRequest<'_>) -> Response {
        let mut response = next.run(ctx).await;
        complete(&mut response, self.correlation.get().copied().unwrap_or_default());
        response
    }

    fn subscribe<'s>(
        &self,
        ctx: &ExtensionContext<'_>,
        stream: BoxStream<'s, Response>,
        next: NextSubscribe<'_>,
    ) -> BoxStream<'s, Response> {
        let correlation = Arc::clone(&self.correlation);
        let completed = next.run(ctx, stream).map(move |mut response| {
            complete(&mut response, correlation.get().copied().unwrap_or_default());
            response
        });
        completed.boxed()
    }

    async fn prepare_request(
        &self,
        ctx: &ExtensionContext<'_>,
        request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        let correlation = request_data::<CorrelationId>(ctx, &request).copied().unwrap_or_default();
        self.correlation.get_or_init(|| correlation);
        next.run(ctx, request).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(error: ApiError) -> (String, String, Option<String>) {
        let mut response = Response::from_errors(vec![error.into()]);
        complete(&mut response, CorrelationId(0xabc));
        let error = response.errors.remove(0);
        let extensions = serde_json::to_value(&error.extensions).unwrap();
        let text = |name: &str| extensions[name].as_str().map(str::to_owned);
        (error.message, text("code").unwrap(), text("correlationId"))
    }

    #[test]
    fn what_is_for_the_user_is_said_and_what_is_not_is_kept() {
        let secret = || Box::<dyn StdError + Send + Sync>::from("password=hunter2 at /var/lib");
        let rows = [
            (ApiError::from(StoreError::NotFound { what: "alarm" }), "NOT_FOUND", "alarm not found", false),
            (
                StoreError::Conflict { what: "the rule was changed meanwhile".into() }.into(),
                "CONFLICT",
                "the rule was changed meanwhile",
                false,
            ),
            (StoreError::Unavailable(secret()).into(), "UNAVAILABLE", UNAVAILABLE, true),
            (StoreError::Fenced { epoch: 7 }.into(), "UNAVAILABLE", UNAVAILABLE, true),
            (StoreError::Corrupt { what: "row 7".into() }.into(), "INTERNAL", INTERNAL, true),
            (AccessError::Policy(secret()).into(), "INTERNAL", INTERNAL, true),
            (ApiError::bad_input("first must be 1 to 200"), "BAD_INPUT", "first must be 1 to 200", false),
        ];
        for (error, code, message, correlated) in rows {
            let correlation = correlated.then(|| "0000000000000abc".to_owned());
            assert_eq!(answer(error), (message.to_owned(), code.to_owned(), correlation));
        }
    }

    #[test]
    fn what_does_not_fit_the_schema_is_bad_input() {
        let mut response = Response::from_errors(vec![ServerError::new("Unknown field", None)]);
        complete(&mut response, CorrelationId::default());
        let code = response.errors[0].extensions.as_ref().and_then(|all| all.get("code"));
        assert_eq!(code, Some(&Value::from("BAD_INPUT")));
    }

    #[test]
    fn one_cause_is_logged_once_however_many_fields_it_fails() {
        let error = ApiError::internal("broken");
        let copies = [error.clone(), error];
        let cause = copies[0].cause.clone().unwrap();
        assert!(!cause.logged.load(Ordering::Relaxed));
        for copy in copies {
            answer(copy);
        }
        assert!(cause.logged.load(Ordering::Relaxed));
        assert_eq!(Arc::strong_count(&cause), 1);
    }
}
