//! GraphQL over HTTP.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{Data, Payload},
};
use async_graphql::Request;
use graphql_schema::MAX_BODY_BYTES;

use super::{
    body,
    caller::{Intent, Presented, caller, correlation, origin},
    graphql_document::is_queries_only,
    problem::Problem,
    site::Site,
};

/// Takes one operation as JSON. Forms, uploads and batches are not taken: each is a way around a limit.
pub(super) async fn post(
    site: Data<Site>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let answer = async {
        let caller = caller(&site, &request, Intent::Change).await?;
        let operation: Request = body::json(&request, payload, MAX_BODY_BYTES).await?;
        execute(&site, &request, caller.attach(operation)).await
    };
    answer.await.map_err(Problem::for_graphql)
}

/// Takes a query in the address.
pub(super) async fn get(site: Data<Site>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let answer = async {
        let caller = caller(&site, &request, Intent::Read).await?;
        let operation = async_graphql::http::parse_query_string(request.query_string())
            .map_err(|_| Problem::bad_input("the address must have a query, and variables as JSON if any"))?;
        if !is_queries_only(&operation.query) {
            return Err(Problem::bad_input("GET takes only queries; send anything else with POST")
                .with_status(StatusCode::METHOD_NOT_ALLOWED)
                .with_header(header::ALLOW, header::HeaderValue::from_static("POST")));
        }
        execute(&site, &request, caller.attach(operation)).await
    };
    answer.await.map_err(Problem::for_graphql)
}

pub(super) async fn not_allowed() -> Problem {
    Problem::method_not_allowed("GET, POST").for_graphql()
}

async fn execute(site: &Site, request: &HttpRequest, operation: Request) -> Result<HttpResponse, Problem> {
    let origin = origin(request, &Presented::of(site, request));
    let (schema, operation) = (site.parts.schema.clone(), operation.data(correlation(request)).data(origin));
    let response = site.run(async move { schema.execute(operation).await }).await?;
    Ok(HttpResponse::Ok().json(response))
}
