//! What a device asks for or answers is done beside its messages, one thing after the other.

use std::collections::VecDeque;

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

    pub(super) fn are_there(&self) -> bool {
        !self.0.lock().is_empty()
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

/// Until none is left.
pub(super) async fn run(session: &Session) {
    while let Some(errand) = session.errands.next() {
        if let Some(frame) = session.answer(errand).await {
            let topic = session.rights.place(&frame.topic);
            let said =
                Said { topic: &topic, payload: frame.payload.into(), qos: Qos::AtMostOnce, expires_at: None };
            session.hub.say(session.rights.tenant(), said);
        }
    }
}

impl Session {
    async fn answer(&self, errand: Errand) -> Option<Frame> {
        let (attendant, tenant) = (&self.hub.attendant, self.rights.tenant());
        let device = |of: Option<DeviceId>| of.or_else(|| self.device().cloned());
        match errand {
            Errand::Say(frame) => {
                self.subscribed().await;
                Some(frame)
            }
            Errand::Twin { of, answer } => {
                self.subscribed().await;
                answer(attendant.twin(tenant, &device(of)?).await.as_ref())
            }
            Errand::Register { model, answer } => {
                self.subscribed().await;
                Some(answer(attendant.register(tenant, self.device()?, model.as_deref()).await))
            }
            Errand::Enrol { newcomer, answer } => {
                self.subscribed().await;
                Some(answer(attendant.enrol(newcomer, self.info.peer.ip(), self.correlation).await))
            }
            Errand::Answered { of, id, answer } => {
                attendant.answered(tenant, &device(of)?, id, answer);
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
