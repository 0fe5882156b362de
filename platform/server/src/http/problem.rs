//! What a client is told when something does not work: RFC 9457 problem details.

use std::{error::Error as StdError, fmt};

use actix_web::{
    HttpRequest, HttpResponse, Responder, ResponseError,
    body::BoxBody,
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
};
use identity::IdentityError;
use serde_json::{Value, json};
use tenants::{ErrorKind, access::AccessError, quotas::TooMuch};

const INTERNAL: &str = "something went wrong on our side; report it with the X-Correlation-Id of this answer";
const UNAVAILABLE: &str = "the platform cannot do this right now; try again in a moment";

/// An error as a client sees it. What went wrong inside is logged where it is turned into one.
#[derive(Debug)]
pub(super) struct Problem {
    code: &'static str,
    status: StatusCode,
    detail: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    graphql: bool,
}

impl Problem {
    pub(super) fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(kind.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { code: kind.code(), status, detail: detail.into(), headers: Vec::new(), graphql: false }
    }

    pub(super) fn bad_input(detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::BadInput, detail)
    }

    /// Our fault; only the log says how.
    pub(super) fn internal(error: &(dyn StdError + 'static)) -> Self {
        tracing::error!(error, "a request failed");
        Self::new(ErrorKind::Internal, INTERNAL)
    }

    pub(super) fn unavailable() -> Self {
        Self::new(ErrorKind::Unavailable, UNAVAILABLE)
    }

    /// There is nothing at this address.
    pub(super) fn nothing_here() -> Self {
        Self::new(ErrorKind::NotFound, "there is nothing at this address")
    }

    /// The address does not take this method.
    pub(super) fn method_not_allowed(allowed: &'static str) -> Self {
        Self::bad_input(format!("this address takes only {allowed}"))
            .with_status(StatusCode::METHOD_NOT_ALLOWED)
            .with_header(header::ALLOW, HeaderValue::from_static(allowed))
    }

    /// A status that says more than the kind does.
    pub(super) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    pub(super) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Carries the same as a GraphQL error, which is what clients of that address look for.
    pub(super) fn for_graphql(self) -> Self {
        Self { graphql: true, ..self }
    }

    /// The challenge that belongs to a refusal.
    pub(super) fn challenge(self, scheme: &'static str) -> Self {
        if self.status != StatusCode::UNAUTHORIZED {
            return self;
        }
        self.with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static(scheme))
    }

    fn body(&self) -> Value {
        let code = self.code;
        let mut body = json!({
            "type": format!("urn:iomt:problem:{code}"),
            "title": title(self.status),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "code": code,
        });
        if self.graphql
            && let Some(members) = body.as_object_mut()
        {
            let errors = json!([{ "message": self.detail, "extensions": { "code": code } }]);
            members.insert("data".to_owned(), Value::Null);
            members.insert("errors".to_owned(), errors);
        }
        body
    }
}

/// Standard words of a status.
fn title(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Error")
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        for (name, value) in &self.headers {
            response.insert_header((name.clone(), value.clone()));
        }
        response.content_type("application/problem+json").body(self.body().to_string())
    }
}

/// For handlers that have nothing else to say.
impl Responder for Problem {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.error_response()
    }
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        match error.kind() {
            ErrorKind::Internal | ErrorKind::Unavailable => {
                tracing::error!(error = &error as &dyn std::error::Error, "rights cannot be used");
                Self::new(error.kind(), "the platform cannot do this right now; try again in a moment")
            }
            kind => Self::new(kind, error.to_string()),
        }
    }
}

impl From<TooMuch> for Problem {
    fn from(error: TooMuch) -> Self {
        let seconds = error.retry_after.as_secs().max(1);
        Self::new(error.kind(), error.to_string())
            .with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }
}

impl From<IdentityError> for Problem {
    fn from(error: IdentityError) -> Self {
        let kind = error.kind();
        let detail = match kind {
            ErrorKind::Internal => return Self::internal(&error),
            ErrorKind::Unavailable if !matches!(error, IdentityError::Busy) => {
                tracing::warn!(error = &error as &dyn StdError, "identity is not available");
                return Self::unavailable();
            }
            _ => error.to_string(),
        };
        let problem = Self::new(kind, detail);
        match error {
            // For the sign-in page, which asks for it next.
            IdentityError::CodeNeeded => Self { code: "SECOND_FACTOR_NEEDED", ..problem },
            IdentityError::HeldBack { retry_after } => {
                let seconds = retry_after.as_secs().max(1);
                problem.with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
            }
            _ => problem,
        }
    }
}
