//! The protocol of one admitted connection, on the platform's runtime.

use std::pin::pin;

use async_graphql::{
    Data,
    http::{ClientMessage, WebSocket, WebSocketProtocols, WsMessage},
};
use futures_util::{StreamExt, stream};
use tenants::{CorrelationId, audit::Origin};
use tokio::{runtime::Handle, sync::mpsc};
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use graphql_schema::Schema;

use super::super::caller::Identified;

/// Messages of the client that wait to be looked at. When it is full, the connection is read no further.
const INBOX: usize = 16;
/// Messages to the client that wait to be sent. When it is full, the connection's subscriptions wait.
const OUTBOX: usize = 64;

/// Ends when it is dropped.
pub(super) struct Protocol {
    pub(super) inbox: mpsc::Sender<ClientMessage>,
    pub(super) outbox: mpsc::Receiver<WsMessage>,
    _task: AbortOnDropHandle<()>,
}

impl Protocol {
    /// Begins where the client has been identified: the acknowledgement is its first message.
    pub(super) fn start(
        runtime: &Handle,
        schema: Schema,
        identified: &Identified,
        (correlation, origin): (CorrelationId, Origin),
    ) -> Self {
        let (inbox, mut received) = mpsc::channel(INBOX);
        let (sending, outbox) = mpsc::channel(OUTBOX);
        let mut data = Data::default();
        data.insert(identified.caller.clone());
        if let Some(session) = identified.own_session() {
            data.insert(session);
        }
        data.insert(correlation);
        data.insert(origin);
        let task = async move {
            let init = stream::once(async { ClientMessage::ConnectionInit { payload: None } });
            let rest = stream::poll_fn(move |context| received.poll_recv(context));
            let messages = pin!(init.chain(rest).map(Ok));
            let socket = WebSocket::from_message_stream(schema, messages, WebSocketProtocols::GraphQLWS);
            let mut answers = pin!(socket.connection_data(data));
            while let Some(answer) = answers.next().await {
                if sending.send(answer).await.is_err() {
                    return;
                }
            }
        };
        let span = tracing::info_span!("socket", %correlation);
        Self { inbox, outbox, _task: AbortOnDropHandle::new(runtime.spawn(task.instrument(span))) }
    }
}
