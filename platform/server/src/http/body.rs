//! Reading a request's body, with a limit.

use actix_web::{
    HttpMessage, HttpRequest,
    http::StatusCode,
    web::{self, Bytes, Payload},
};
use serde::de::DeserializeOwned;
use tenants::ErrorKind;

use super::problem::Problem;

/// The body, if it is no larger than `limit` bytes.
pub(super) async fn bytes(payload: Payload, limit: usize) -> Result<Bytes, Problem> {
    match payload.to_bytes_limited(limit).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(Problem::bad_input("the body could not be read to its end")),
        Err(_) => Err(Problem::new(ErrorKind::TooLarge, format!("the body is larger than {limit} bytes"))),
    }
}

/// The body as a form.
pub(super) async fn form<T: DeserializeOwned>(
    request: &HttpRequest,
    payload: Payload,
    limit: usize,
) -> Result<T, Problem> {
    if !request.content_type().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Problem::bad_input(
            "the body must be application/x-www-form-urlencoded, and its Content-Type must say so",
        )
        .with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let bytes = bytes(payload, limit).await?;
    let form = web::Query::<T>::from_query(std::str::from_utf8(&bytes).unwrap_or_default());
    form.map(web::Query::into_inner)
        .map_err(|_| Problem::bad_input("the body does not have the expected fields"))
}

/// The body as JSON. Only what is declared as JSON is taken: forms of other sites cannot declare that.
pub(super) async fn json<T: DeserializeOwned>(
    request: &HttpRequest,
    payload: Payload,
    limit: usize,
) -> Result<T, Problem> {
    if !request.content_type().eq_ignore_ascii_case("application/json") {
        return Err(Problem::bad_input(
            "the body must be application/json, and its Content-Type must say so",
        )
        .with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let bytes = bytes(payload, limit).await?;
    // Not the error's own text: it can quote what was sent, a password for one.
    serde_json::from_slice(&bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let problem = match error.classify() {
            serde_json::error::Category::Data => "does not have the expected fields",
            _ => "is not valid JSON",
        };
        Problem::bad_input(format!("the body {problem} (line {line}, column {column})"))
    })
}
