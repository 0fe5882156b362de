//! Alarms as they change.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use async_graphql::{Context, Subscription};
use care::Alarm;
use futures_util::{StreamExt, stream, stream::BoxStream};
use tenants::{
    AlarmId,
    access::{Object, Scope},
};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use twins::store::directory::MAX_PAGE;

use super::{recheck::Follower, visible::open_alarms};
use crate::{errors::Result, reads::Kind, types};

#[derive(Default)]
pub(super) struct AlarmSubscription;

#[Subscription]
impl AlarmSubscription {
    /// Every change of an alarm the caller may see; open alarms first.
    async fn alarms(&self, ctx: &Context<'_>) -> Result<BoxStream<'static, Result<types::Alarm>>> {
        let follower = Follower::new(ctx, Object::Alarm)?;
        let scope = follower.grant().await;
        let scope = scope.inspect_err(|error| follower.reads.refused_because(error, Kind::Alarm, [None]))?;
        // Listening begins before the open ones are read, so that no change falls between.
        let changes = follower.services.twins.feed().alarms(&scope);
        let mut following =
            Following { follower, changes, sent: HashMap::new(), ready: VecDeque::new(), ended: false };
        following.catch_up(&scope).await?;
        let next = |mut following: Following| async move {
            let item = following.next().await?;
            Some((item, following))
        };
        Ok(stream::unfold(following, next).boxed())
    }
}

struct Following {
    follower: Follower,
    changes: Receiver<Arc<Alarm>>,
    /// The version that the client has of each open alarm.
    sent: HashMap<AlarmId, u32>,
    ready: VecDeque<Arc<Alarm>>,
    ended: bool,
}

impl Following {
    async fn next(&mut self) -> Option<Result<types::Alarm>> {
        while !self.ended {
            if let Some(alarm) = self.ready.pop_front() {
                return Some(Ok(types::Alarm(alarm)));
            }
            let done = tokio::select! {
                change = self.changes.recv() => match change {
                    Ok(alarm) => self.offer(alarm).await,
                    Err(RecvError::Lagged(_)) => self.catch_up_as_granted().await,
                    Err(RecvError::Closed) => return None,
                },
                () = self.follower.due() => self.follower.grant().await.map(drop),
            };
            if let Err(error) = done {
                self.ended = true;
                return Some(Err(error));
            }
        }
        None
    }

    /// A change from the feed.
    async fn offer(&mut self, alarm: Arc<Alarm>) -> Result<()> {
        let scope = self.follower.grant().await?;
        if self.visible(&scope, &alarm).await? {
            self.send(&scope, alarm);
        }
        Ok(())
    }

    /// Queues an alarm unless the client has it in this version or a later one.
    fn send(&mut self, scope: &Scope, alarm: Arc<Alarm>) {
        if self.sent.get(&alarm.id).is_some_and(|sent| *sent >= alarm.version) {
            return;
        }
        if alarm.state.is_open() {
            self.sent.insert(alarm.id, alarm.version);
        } else {
            self.sent.remove(&alarm.id);
        }
        self.follower.reads.saw(scope, Kind::Alarm, alarm.patient);
        self.ready.push_back(alarm);
    }

    /// Where a scope has conditions, only the store can tell: an alarm does not carry its patient's ward.
    async fn visible(&self, scope: &Scope, alarm: &Alarm) -> Result<bool> {
        if scope.rows().are_all() {
            return Ok(true);
        }
        Ok(!self.follower.services.alarms.by_ids(scope, &[alarm.id]).await?.is_empty())
    }

    async fn catch_up_as_granted(&mut self) -> Result<()> {
        let scope = self.follower.grant().await?;
        self.catch_up(&scope).await
    }

    /// Sends every open alarm that the client does not have as it stands, and the end of those that are
    /// no longer open.
    async fn catch_up(&mut self, scope: &Scope) -> Result<()> {
        let open = open_alarms(&self.follower, scope).await?;
        let closed: Vec<AlarmId> =
            self.sent.keys().filter(|id| !open.iter().any(|alarm| alarm.id == **id)).copied().collect();
        let mut ended = Vec::new();
        for ids in closed.chunks(MAX_PAGE as usize) {
            ended.extend(self.follower.services.alarms.by_ids(scope, ids).await?);
        }
        for alarm in ended.into_iter().chain(open) {
            self.send(scope, Arc::new(alarm));
        }
        Ok(())
    }
}
