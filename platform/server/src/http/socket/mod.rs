//! GraphQL over WebSockets, in the protocol `graphql-transport-ws`.
//!
//! A worker of actix-web holds the connection ([`conversation`]); the protocol itself and the subscriptions
//! run on the platform's runtime ([`protocol`]), with bounded channels between the two. A client that reads
//! too slowly makes its own subscriptions wait and, in the end, loses its connection.

mod conversation;
mod protocol;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Data, Payload},
};

use self::conversation::Conversation;
use super::{
    caller::{Presented, correlation, origin},
    problem::Problem,
    site::Site,
};

const PROTOCOL: &str = "graphql-transport-ws";

/// Accepts the connection. Whether its sender may use it is decided after `connection_init`, which may
/// bring the token; before that nothing is executed.
pub(super) async fn open(
    site: Data<Site>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    require_protocol(&request, PROTOCOL)?;
    let presented = Presented::of(&site, &request);
    match &presented {
        // The browser adds the cookie for any page; only ours may use it.
        Presented::Cookie(_) => site.origins.require_ours(&request)?,
        Presented::Bearer(_) | Presented::Nothing => {}
    }
    let (response, session, frames) = actix_ws::handle_with_protocols(&request, payload, &[PROTOCOL])
        .map_err(|_| Problem::bad_input("the request is not a valid WebSocket handshake"))?;
    let conversation = Conversation::new(site, session, correlation(&request), origin(&request, &presented));
    actix_web::rt::spawn(conversation.run(frames, presented));
    Ok(response)
}

/// That a client offers to speak what is spoken here.
pub(super) fn require_protocol(request: &HttpRequest, protocol: &str) -> Result<(), Problem> {
    let offered =
        request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL).filter_map(|value| value.to_str().ok());
    if offered.flat_map(|value| value.split(',')).any(|offered| offered.trim() == protocol) {
        return Ok(());
    }
    Err(Problem::bad_input(format!("connect as a WebSocket with the sub-protocol {protocol}")))
}
