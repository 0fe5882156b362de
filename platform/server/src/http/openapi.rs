//! The description of the REST addresses.

use actix_web::HttpResponse;

/// Kept by hand; a test asks the server for each address in it.
pub(crate) const DESCRIPTION: &str = include_str!("openapi.json");

pub(super) async fn description() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(DESCRIPTION)
}
