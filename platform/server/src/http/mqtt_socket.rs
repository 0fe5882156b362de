//! MQTT over WebSockets (MQTT 5, section 6): the broker speaks MQTT, this carries its bytes.
//!
//! Frames of the WebSocket have nothing to do with packets of MQTT. Two directions run side by side, each waiting for its
//! own slower end, so that neither a client that reads slowly nor a broker that does holds the other direction up.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::uri::Authority,
    web::{Bytes, Data, Payload},
};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseCode, Session};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split},
    time::timeout,
};

use super::{problem::Problem, site::Site, socket::require_protocol};

/// What the standard calls it.
const PROTOCOL: &str = "mqtt";
/// Bytes on their way between the two, in each direction.
const PIPE_BYTES: usize = 16 * 1024;
/// Largest frame of the WebSocket: a message of full size in one.
const MAX_FRAME_BYTES: usize = 300 * 1024;
/// How long a client may take to receive the last frame.
const FAREWELL: Duration = Duration::from_secs(2);

/// Accepts the connection; who it is, the broker finds out.
pub(super) async fn open(
    site: Data<Site>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    require_protocol(&request, PROTOCOL)?;
    let peer = request.peer_addr().ok_or_else(Problem::unavailable)?;
    let (response, session, frames) = actix_ws::handle_with_protocols(&request, payload, &[PROTOCOL])
        .map_err(|_| Problem::bad_input("the request is not a valid WebSocket handshake"))?;
    let frames = frames.max_frame_size(MAX_FRAME_BYTES).aggregate_continuations();
    let frames = frames.max_continuation_size(MAX_FRAME_BYTES);
    let (ours, theirs) = duplex(PIPE_BYTES);
    site.parts.mqtt.enter(theirs, &host(&request), peer);
    actix_web::rt::spawn(carry(site, session, frames, ours));
    Ok(response)
}

/// The name by which the client came, without a port.
fn host(request: &HttpRequest) -> String {
    let authority: Result<Authority, _> = request.connection_info().host().parse();
    authority.map(|authority| authority.host().to_owned()).unwrap_or_default()
}

async fn carry(site: Data<Site>, session: Session, frames: AggregatedMessageStream, pipe: DuplexStream) {
    let sockets = site.parts.metrics.sockets.clone();
    sockets.inc();
    let (from_broker, to_broker) = split(pipe);
    let reason = tokio::select! {
        reason = inwards(frames, to_broker, session.clone()) => reason,
        reason = outwards(from_broker, session.clone()) => reason,
    };
    sockets.dec();
    // A client that cannot be told will notice by itself.
    let _told = timeout(FAREWELL, session.close(Some(reason.into()))).await;
}

/// From the client to the broker, until the client ends it or breaks the rules.
async fn inwards(
    mut frames: AggregatedMessageStream,
    mut to_broker: WriteHalf<DuplexStream>,
    mut session: Session,
) -> CloseCode {
    while let Some(frame) = frames.recv().await {
        match frame {
            Ok(AggregatedMessage::Binary(bytes)) => {
                if to_broker.write_all(&bytes).await.is_err() {
                    // The broker takes no more; its last words are still on their way out.
                    return std::future::pending().await;
                }
            }
            Ok(AggregatedMessage::Ping(bytes)) => {
                if session.pong(&bytes).await.is_err() {
                    return CloseCode::Normal;
                }
            }
            Ok(AggregatedMessage::Pong(_)) => {}
            // MQTT-6.0.0-1: packets travel in binary frames only.
            Ok(AggregatedMessage::Text(_)) => return CloseCode::Unsupported,
            Ok(AggregatedMessage::Close(_)) => return CloseCode::Normal,
            Err(_) => return CloseCode::Protocol,
        }
    }
    CloseCode::Away
}

/// From the broker to the client, until the broker ends it.
async fn outwards(mut from_broker: ReadHalf<DuplexStream>, mut session: Session) -> CloseCode {
    let mut buffer = vec![0; PIPE_BYTES];
    loop {
        let length = from_broker.read(&mut buffer).await.unwrap_or(0);
        let bytes = buffer.get(..length).unwrap_or_default();
        if bytes.is_empty() || session.binary(Bytes::copy_from_slice(bytes)).await.is_err() {
            return CloseCode::Normal;
        }
    }
}
