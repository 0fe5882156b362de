//! Whether a stream may go on.

use std::{sync::Arc, time::Duration};

use async_graphql::Context;
use tenants::{
    CorrelationId,
    access::{Action, Caller, Object, Scope},
};
use tokio::{
    sync::watch,
    time::{Instant, Interval, MissedTickBehavior, interval_at},
};

use crate::{Services, context::RequestContext, errors::Result, reads::Reads};

/// How long a row that was moved out of sight may still be told of by a stream that is open.
const EVERY: Duration = Duration::from_secs(5);

/// Who follows what, and their right to it. Rights are checked before each change that is sent (the decision
/// is remembered by `Access`, so this is a look-up), rows every few seconds.
pub(super) struct Follower {
    pub(super) services: Arc<Services>,
    pub(super) correlation: CorrelationId,
    /// Who sends something of a patient says so.
    pub(super) reads: Reads,
    caller: Caller,
    object: Object,
    due: Interval,
    changes: watch::Receiver<u64>,
}

impl Follower {
    pub(super) fn new(ctx: &Context<'_>, object: Object) -> Result<Self> {
        let (services, caller) = (Arc::clone(ctx.services()?), ctx.caller()?.clone());
        let mut due = interval_at(Instant::now() + EVERY, EVERY);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let changes = services.access.changes();
        let (correlation, reads) = (ctx.correlation(), ctx.reads()?.clone());
        Ok(Self { services, correlation, reads, caller, object, due, changes })
    }

    /// The scope as it is now.
    pub(super) async fn grant(&self) -> Result<Scope> {
        Ok(self.services.access.grant(&self.caller, self.object, Action::Read).await?)
    }

    /// Resolves when the rows are to be looked at again: every few seconds, and at once when rights change.
    pub(super) async fn due(&mut self) {
        tokio::select! {
            _ = self.due.tick() => {}
            // An error means that `Access` is gone, which `services` keeps alive.
            Ok(()) = self.changes.changed() => {}
        }
    }
}
