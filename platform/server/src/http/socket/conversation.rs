//! One connection: who it is, that it lives, that it stays within bounds.

use std::{collections::HashSet, time::Duration};

use actix_web::web::Data;
use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseReason, Closed, MessageStream, Session};
use async_graphql::http::{ClientMessage, WsMessage};
use graphql_schema::MAX_BODY_BYTES;
use serde::Deserialize;
use tenants::{CorrelationId, ErrorKind, TenantId, access::Caller, audit::Origin, clock::Stopwatch};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval, timeout},
};

use super::{
    super::{
        caller::{Identified, Presented, bearer, channel},
        site::Site,
    },
    protocol::Protocol,
};

/// Time to send `connection_init`.
const INIT_TIMEOUT: Duration = Duration::from_secs(10);
/// How often the client is pinged, and its credential looked at again: one that runs out stops receiving within this
/// time. One that is revoked does at once.
const TICK: Duration = Duration::from_secs(15);
/// A client from which nothing has come for so long is gone.
const SILENCE: Duration = Duration::from_secs(45);
/// Time to take one message; who needs longer does not keep up.
const SEND_TIMEOUT: Duration = Duration::from_secs(20);
/// Operations at a time. The admin UI needs three.
const MAX_OPERATIONS: usize = 100;

/// Why a connection ends: codes of the protocol (44xx), of WebSockets (1xxx), or nothing when the client left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Said(u16, &'static str),
    Gone,
}

const UNAUTHORIZED: End = End::Said(4401, "Unauthorized");
const FORBIDDEN: End = End::Said(4403, "Forbidden");
const INIT_TIMED_OUT: End = End::Said(4408, "Connection initialisation timeout");
const INIT_AGAIN: End = End::Said(4429, "Too many initialisation requests");
const DUPLICATE: End = End::Said(4409, "Subscriber for this id already exists");
const TOO_MANY: End = End::Said(4400, "Too many operations at a time");
const NOT_A_MESSAGE: End = End::Said(4400, "Not a message of graphql-transport-ws");
const UNAVAILABLE: End = End::Said(1013, "Try again later");
const RIGHTS_CHANGED: End = End::Said(1012, "Connect again");
const GOING_AWAY: End = End::Said(1001, "The server is shutting down");
const SILENT: End = End::Said(3008, "Nothing was heard for too long");

#[derive(Deserialize)]
struct Init {
    #[serde(default, alias = "Authorization")]
    authorization: String,
    /// The hospital in which an operator acts who was let in.
    #[serde(default, rename = "actIn")]
    act_in: Option<TenantId>,
}

/// What a client says who it is.
struct Claim {
    presented: Presented,
    act_in: Option<TenantId>,
}

pub(super) struct Conversation {
    site: Data<Site>,
    session: Session,
    correlation: CorrelationId,
    origin: Origin,
    heard: Stopwatch,
    operations: HashSet<String>,
}

impl Conversation {
    pub(super) fn new(
        site: Data<Site>,
        session: Session,
        correlation: CorrelationId,
        origin: Origin,
    ) -> Self {
        Self { site, session, correlation, origin, heard: Stopwatch::start(), operations: HashSet::new() }
    }

    /// From the handshake to the end.
    pub(super) async fn run(mut self, frames: MessageStream, presented: Presented) {
        let sockets = self.site.parts.metrics.sockets.clone();
        sockets.inc();
        let frames = frames.max_frame_size(MAX_BODY_BYTES).aggregate_continuations();
        let mut frames = frames.max_continuation_size(MAX_BODY_BYTES);
        // From before the credential is looked up: what is revoked in between must not be missed.
        let revocations = self.site.parts.identity.revocations().subscribe();
        let end = match self.greet(&mut frames, presented).await {
            Ok((claim, identified)) => self.converse(&mut frames, &claim, identified, revocations).await,
            Err(end) => end,
        };
        sockets.dec();
        tracing::debug!(correlation = %self.correlation, ?end, "a WebSocket has ended");
        if let End::Said(code, reason) = end {
            let reason = CloseReason { code: code.into(), description: Some(reason.to_owned()) };
            // A client that cannot be told will notice by itself.
            let _told = timeout(SEND_TIMEOUT, self.session.close(Some(reason))).await;
        }
    }

    /// Waits for `connection_init` and finds out who it is.
    async fn greet(
        &mut self,
        frames: &mut AggregatedMessageStream,
        presented: Presented,
    ) -> Result<(Claim, Identified), End> {
        let closing = self.site.closing.clone();
        let init = tokio::select! {
            () = closing.cancelled() => return Err(GOING_AWAY),
            init = timeout(INIT_TIMEOUT, self.init(frames)) => init.map_err(|_| INIT_TIMED_OUT)??,
        };
        let presented = match bearer(&init.authorization) {
            Some(token) => Presented::Bearer(token.to_owned()),
            None => presented,
        };
        let claim = Claim { presented, act_in: init.act_in };
        let identified = self.identify(&claim, &self.origin.address).await?;
        Ok((claim, identified))
    }

    async fn init(&mut self, frames: &mut AggregatedMessageStream) -> Result<Init, End> {
        loop {
            match self.next(frames).await? {
                Some(ClientMessage::ConnectionInit { payload }) => {
                    let payload = payload.unwrap_or_else(|| serde_json::json!({}));
                    return serde_json::from_value(payload).map_err(|_| NOT_A_MESSAGE);
                }
                Some(ClientMessage::Ping { .. }) => self.send(PONG).await.map_err(|_| End::Gone)?,
                Some(ClientMessage::Pong { .. }) | None => {}
                Some(_) => return Err(UNAUTHORIZED),
            }
        }
    }

    /// `from`: the client's address, empty when it is looked at again.
    async fn identify(&self, claim: &Claim, from: &str) -> Result<Identified, End> {
        let (identity, presented, from) =
            (self.site.parts.identity.clone(), claim.presented.clone(), from.to_owned());
        let identified = match self.site.run(async move { presented.identify(&identity, &from).await }).await
        {
            Ok(Ok(identified)) => identified,
            Ok(Err(error)) if error.kind() == ErrorKind::Unauthenticated => return Err(UNAUTHORIZED),
            Ok(Err(_)) | Err(_) => return Err(UNAVAILABLE),
        };
        let Some(hospital) = claim.act_in else { return Ok(identified) };
        let access = self.site.parts.access.clone();
        match self.site.run(async move { identified.acting(&access, hospital).await }).await {
            Ok(Ok(acting)) => Ok(acting),
            Ok(Err(error)) if error.kind() == ErrorKind::Forbidden => Err(FORBIDDEN),
            Ok(Err(_)) | Err(_) => Err(UNAVAILABLE),
        }
    }

    async fn converse(
        &mut self,
        frames: &mut AggregatedMessageStream,
        claim: &Claim,
        identified: Identified,
        mut revocations: watch::Receiver<u64>,
    ) -> End {
        let (site, correlation) = (self.site.clone(), self.correlation);
        // The message that begins the conversation may have brought a token in place of the cookie.
        let origin = Origin { channel: channel(&claim.presented), ..self.origin.clone() };
        let schema = site.parts.schema.clone();
        let mut protocol = Protocol::start(&site.parts.runtime, schema, &identified, (correlation, origin));
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.reset();
        loop {
            let step = tokio::select! {
                () = site.closing.cancelled() => Err(GOING_AWAY),
                message = self.next(frames) => match message {
                    Ok(Some(message)) => self.take(message, &protocol).await,
                    Ok(None) => Ok(()),
                    Err(end) => Err(end),
                },
                answer = protocol.outbox.recv() => self.pass_on(answer).await,
                _ = ticks.tick() => self.look_after(claim, &identified.caller).await,
                Ok(()) = revocations.changed() => self.still(claim, &identified.caller).await,
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    /// The next message of the client; `None` for a frame that is not one.
    async fn next(&mut self, frames: &mut AggregatedMessageStream) -> Result<Option<ClientMessage>, End> {
        let frame = frames.recv().await;
        self.heard = Stopwatch::start();
        match frame {
            Some(Ok(AggregatedMessage::Text(text))) => {
                serde_json::from_str(&text).map(Some).map_err(|_| NOT_A_MESSAGE)
            }
            Some(Ok(AggregatedMessage::Ping(payload))) => {
                self.session.pong(&payload).await.map_err(|Closed| End::Gone)?;
                Ok(None)
            }
            Some(Ok(AggregatedMessage::Pong(_))) => Ok(None),
            Some(Ok(AggregatedMessage::Binary(_))) => Err(NOT_A_MESSAGE),
            Some(Err(_)) => Err(End::Said(1009, "The message is too large, or no valid frame")),
            Some(Ok(AggregatedMessage::Close(_))) | None => Err(End::Gone),
        }
    }

    /// Checks a message's place in the protocol and hands it on.
    async fn take(&mut self, message: ClientMessage, protocol: &Protocol) -> Result<(), End> {
        match &message {
            ClientMessage::ConnectionInit { .. } => return Err(INIT_AGAIN),
            ClientMessage::ConnectionTerminate => return Err(End::Gone),
            ClientMessage::Start { id, .. } => {
                if self.operations.len() >= MAX_OPERATIONS {
                    return Err(TOO_MANY);
                }
                if !self.operations.insert(id.clone()) {
                    return Err(DUPLICATE);
                }
            }
            ClientMessage::Stop { id } => {
                self.operations.remove(id);
            }
            ClientMessage::Ping { .. } => return self.send(PONG).await.map_err(|Closed| End::Gone),
            ClientMessage::Pong { .. } => return Ok(()),
        }
        protocol.inbox.send(message).await.map_err(|_| UNAVAILABLE)
    }

    async fn pass_on(&mut self, answer: Option<WsMessage>) -> Result<(), End> {
        match answer {
            Some(WsMessage::Text(text)) => {
                if let Some(id) = completed(&text) {
                    self.operations.remove(&id);
                }
                self.send(text).await.map_err(|Closed| End::Gone)
            }
            Some(WsMessage::Close(_, _)) => Err(NOT_A_MESSAGE),
            None => Err(UNAVAILABLE),
        }
    }

    /// Every now and then: is the client still there, and still who it was?
    async fn look_after(&mut self, claim: &Claim, caller: &Caller) -> Result<(), End> {
        if self.heard.elapsed() > SILENCE {
            return Err(SILENT);
        }
        self.still(claim, caller).await?;
        // The first keeps proxies and sockets awake, the second pages, which do not see the first.
        self.session.ping(b"").await.map_err(|Closed| End::Gone)?;
        self.send(PING).await.map_err(|Closed| End::Gone)
    }

    /// Whether the credential still counts, for the same caller.
    async fn still(&self, claim: &Claim, caller: &Caller) -> Result<(), End> {
        match self.identify(claim, "").await {
            Ok(now) if now.caller == *caller => Ok(()),
            Ok(_) => Err(RIGHTS_CHANGED),
            // While the database cannot be asked, alarms must go on arriving.
            Err(UNAVAILABLE) => Ok(()),
            Err(end) => Err(end),
        }
    }

    async fn send(&mut self, text: impl Into<String>) -> Result<(), Closed> {
        timeout(SEND_TIMEOUT, self.session.text(text.into())).await.unwrap_or(Err(Closed))
    }
}

const PING: &str = r#"{"type":"ping"}"#;
const PONG: &str = r#"{"type":"pong"}"#;

/// The operation that a message to the client ends.
fn completed(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Complete {
        id: String,
    }
    // `type` stands first, so data is not parsed only to see that it is data.
    if !text.starts_with(r#"{"type":"complete""#) {
        return None;
    }
    serde_json::from_str::<Complete>(text).ok().map(|complete| complete.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_operation_is_recognised() {
        assert_eq!(completed(r#"{"type":"complete","id":"a\"b"}"#).as_deref(), Some("a\"b"));
        assert_eq!(completed(r#"{"type":"next","id":"1","payload":{"data":{"type":"complete"}}}"#), None);
        assert_eq!(completed(PING), None);
    }
}
