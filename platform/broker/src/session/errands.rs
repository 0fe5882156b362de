//! What a device asks for or answers is done beside its messages, one thing after the other.

use std::{collections::VecDeque, convert::Infallible, future::poll_fn, sync::atomic::Ordering, task::Poll};

use parking_lot::Mutex;
use tenants::DeviceId;

use super::Session;
use crate::{
    dialect::{Errand, Frame},
    hub::Said,
    protocol::Qos,
};

/// So many may wait before nothing further is read from the device.
const MANY: usize = 16;

/// Those that wait.
#[derive(Default)]
pub(super) struct Errands(Mutex<VecDeque<Errand>>);

impl Errands {
    pub(super) fn add(&self, errands: Vec<Errand>) {
        if !errands.is_empty() {
            self.0.lock().extend(errands);
        }
    }

    pub(super) fn are_many(&self) -> bool {
        self.0.lock().len() >= MANY
    }

    fn next(&self) -> Option<Errand> {
        let mut waiting = self.0.lock();
        let next = waiting.pop_front();
        if waiting.is_empty() {
            *waiting = VecDeque::new(); // idle sessions hold nothing
        }
        next
    }
}

/// Goes on for as long as the connection.
pub(super) async fn run(session: &Session) -> Infallible {
    let Some(device) = session.device() else { return std::future::pending().await };
    loop {
        // The reader, which brings them, runs in the same task.
        let errand = poll_fn(|_| session.errands.next().map_or(Poll::Pending, Poll::Ready)).await;
        if let Some(frame) = session.answer(device, errand).await {
            let topic = format!("devices/{device}/{}", frame.topic);
            let said =
                Said { topic: &topic, payload: frame.payload.into(), qos: Qos::AtMostOnce, expires_at: None };
            session.hub.say(session.rights.tenant(), said);
        }
        session.progress.store(true, Ordering::Relaxed); // the reader may have waited for it
    }
}

impl Session {
    async fn answer(&self, device: &DeviceId, errand: Errand) -> Option<Frame> {
        let (attendant, tenant) = (&self.hub.attendant, self.rights.tenant());
        match errand {
            Errand::Say(frame) => {
                self.subscribed().await;
                Some(frame)
            }
            Errand::Twin { of, answer } => {
                self.subscribed().await;
                answer(attendant.twin(tenant, of.as_ref().unwrap_or(device)).await.as_ref())
            }
            Errand::Register { model, answer } => {
                self.subscribed().await;
                Some(answer(attendant.register(tenant, device, model.as_deref()).await))
            }
            Errand::Answered { of, id, answer } => {
                attendant.answered(tenant, of.as_ref().unwrap_or(device), id, answer);
                None
            }
        }
    }

    /// Subscriptions of a session that is kept are made in their turn.
    async fn subscribed(&self) {
        if self.standing.mailbox.is_some()
            && let Some(turn) = self.hub.exchange.say(self.standing.clone(), Vec::new()).await
        {
            turn.await.ok(); // nothing is taken any more: the session ends
        }
    }
}
