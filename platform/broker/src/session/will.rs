//! What is said for a client that vanishes.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tenants::{CorrelationId, DeviceId, TenantId};
use tokio::{sync::oneshot, time::timeout};

use crate::{
    frame,
    gate::{Chunk, Inbound},
    hub::Hub,
    message::{Message, Publication},
    protocol::Qos,
    topics::{Route, Space},
};

/// How long it may take to be accepted.
const TAKEN_WITHIN: Duration = Duration::from_secs(5);

/// The message that is published for a client that vanishes. Its topic was checked at CONNECT.
pub(crate) struct Will {
    pub(crate) route: Route,
    pub(crate) payload: Bytes,
    pub(crate) qos: Qos,
    pub(crate) retain: bool,
    /// As they go on to v5 subscribers.
    pub(crate) properties: Bytes,
    /// Seconds that it lasts from when it is published.
    pub(crate) expiry: Option<u32>,
    /// How long the client may take to come back before it is published, where its session is kept.
    pub(crate) delay: Duration,
}

/// A will that has come to be said.
pub(super) struct Testament {
    pub(super) hub: Arc<Hub>,
    pub(super) tenant: TenantId,
    pub(super) device: Option<DeviceId>,
    pub(super) correlation: CorrelationId,
    pub(super) will: Will,
}

impl Testament {
    /// Says it when the time is over, or at once when it is told true; not when it is told false.
    pub(super) fn wait(self, delay: Duration) -> oneshot::Sender<bool> {
        let (decide, decision) = oneshot::channel();
        tokio::spawn(async move {
            if timeout(delay, decision).await != Ok(Ok(false)) {
                self.publish().await;
            }
        });
        decide
    }

    /// Goes the way of any other message. Nobody waits for the receipt: there is nobody left to tell.
    pub(super) async fn publish(self) {
        let correlation = self.correlation;
        if timeout(TAKEN_WITHIN, self.hand_over()).await != Ok(Some(())) {
            tracing::warn!(%correlation, "will of a lost client was not taken");
        }
    }

    async fn hand_over(self) -> Option<()> {
        let Self { hub, tenant, device, will, .. } = self;
        let Will { route, payload, qos, retain, properties, expiry, .. } = will;
        match route {
            Route::Ingest(..) | Route::OfChild(..) => {
                let (device, channel, of_topic) = match route {
                    Route::OfChild(child, channel) => (Some(child), channel, None),
                    Route::Ingest(channel, of_topic) => (device, channel, of_topic),
                    Route::Request(_) | Route::Topic(_) => return None,
                };
                let (received_at, correlation) = (hub.clock.now(), hub.correlations.take(1));
                let user_properties = frame::user_properties(&properties, of_topic);
                let messages = vec![Inbound { channel, user_properties, payload, received_at, correlation }];
                let chunk = Chunk { tenant, device: device?, messages, received: Vec::new() };
                hub.ingest.submit(chunk).await.ok()?;
                hub.metrics.messages_in.inc();
                hub.metrics.tenants.of(tenant).received.inc();
            }
            Route::Request(_) => return None, // was refused with the CONNECT
            Route::Topic(topic) => {
                let expires_at = expiry.map(|seconds| hub.expiry(seconds));
                let message = Message { space: Space::Topics, topic, payload, properties, expires_at };
                let publication = Publication { message: Arc::new(message), qos, retain };
                hub.exchange.will(tenant, publication).await?;
                hub.metrics.publications.inc();
                hub.metrics.tenants.of(tenant).received.inc();
            }
        }
        Some(())
    }
}
