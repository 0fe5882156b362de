//! Vital signs as they change.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use async_graphql::{Context, ID, SimpleObject, Subscription};
use futures_util::{
    StreamExt,
    stream::{self, BoxStream, SelectAll},
};
use jiff::Timestamp;
use tenants::{
    ErrorKind, PatientId,
    access::{Object, Scope},
};
use tokio::time::{Instant, sleep_until};
use twins::{feed::VitalsChanged, patient::PatientState, store::directory::PatientRecord};

use super::{
    listen::{Heard, listen},
    pace::Held,
    recheck::Follower,
    visible::{all_patients, patients},
};
use crate::{
    arguments,
    errors::{ApiError, Result},
    loaders::{TWINS_AT_ONCE, twins},
    reads::Kind,
    types::{News2, Vital, vitals},
};

/// The most patients that are followed by name; who wants more follows all.
const MAX_NAMED: usize = 1_000;

/// A patient's vital signs as they now stand.
#[derive(SimpleObject)]
pub(super) struct VitalsUpdate {
    patient_id: ID,
    vitals: Vec<Vital>,
    news2: News2,
}

impl VitalsUpdate {
    fn of(patient: &PatientRecord, state: &PatientState, now: Timestamp) -> Self {
        Self {
            patient_id: ID(patient.id.to_string()),
            vitals: vitals(state, now),
            news2: state.news2(now, patient.spo2_scale).into(),
        }
    }
}

#[derive(Default)]
pub(super) struct VitalsSubscription;

#[Subscription]
impl VitalsSubscription {
    /// Vitals of the given patients, or of all the caller may see; the current state first, then every change.
    async fn vitals(
        &self,
        ctx: &Context<'_>,
        patients: Option<Vec<ID>>,
    ) -> Result<BoxStream<'static, Result<VitalsUpdate>>> {
        let named = patients.map(|ids| named(&ids)).transpose()?;
        let follower = Follower::new(ctx, Object::Patient)?;
        let reads = follower.reads.clone();
        let wanted: Vec<_> = match &named {
            Some(ids) => ids.iter().copied().map(Some).collect(),
            None => vec![None],
        };
        let following = Following::begin(follower, named).await;
        let following = following.inspect_err(|error| reads.refused_because(error, Kind::Vitals, wanted))?;
        let next = |mut following: Following| async move {
            let item = following.next().await?;
            Some((item, following))
        };
        Ok(stream::unfold(following, next).boxed())
    }
}

fn named(ids: &[ID]) -> Result<BTreeSet<PatientId>> {
    if ids.is_empty() || ids.len() > MAX_NAMED {
        let message =
            format!("patients: expected 1 to {MAX_NAMED} ids, got {}; omit it to follow all", ids.len());
        return Err(ApiError::bad_input(message));
    }
    ids.iter().map(arguments::id).collect()
}

/// A patient whom the client follows and may see.
struct Followed {
    record: PatientRecord,
    /// As last sent.
    sent: Option<Arc<PatientState>>,
}

struct Following {
    follower: Follower,
    /// `None`: everyone the caller may see.
    named: Option<BTreeSet<PatientId>>,
    feed: SelectAll<BoxStream<'static, Heard>>,
    followed: BTreeMap<PatientId, Followed>,
    /// Heard of, but not among those followed: perhaps new.
    strangers: BTreeSet<PatientId>,
    /// Whose state is to be read from their twin.
    unread: BTreeSet<PatientId>,
    /// Whose twin did not answer; asked again with the next check.
    silent: BTreeSet<PatientId>,
    held: Held<PatientId, Arc<PatientState>>,
    ready: VecDeque<VitalsUpdate>,
    ended: bool,
}

impl Following {
    async fn begin(follower: Follower, named: Option<BTreeSet<PatientId>>) -> Result<Self> {
        let scope = follower.grant().await?;
        // Listening begins before any state is read, so that no change falls between.
        let feed = listen(follower.services.twins.feed(), &scope, named.as_ref());
        let mut following = Self {
            follower,
            named,
            feed,
            followed: BTreeMap::new(),
            strangers: BTreeSet::new(),
            unread: BTreeSet::new(),
            silent: BTreeSet::new(),
            held: Held::default(),
            ready: VecDeque::new(),
            ended: false,
        };
        let records = match &following.named {
            Some(ids) => patients(&following.follower, &scope, ids.iter().copied().collect()).await?,
            None => all_patients(&following.follower, &scope).await?,
        };
        if following.named.is_some() && records.is_empty() {
            return Err(ApiError::not_found("patient"));
        }
        following.follow(records);
        Ok(following)
    }

    async fn next(&mut self) -> Option<Result<VitalsUpdate>> {
        while !self.ended {
            if let Some(update) = self.ready.pop_front() {
                return Some(Ok(update));
            }
            let done = if self.unread.is_empty() { self.wait().await } else { self.read_some().await };
            match done {
                Ok(true) => {}
                Ok(false) => self.ended = true,
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }

    /// Waits for the next thing to do, and does it; false when the feed has ended.
    async fn wait(&mut self) -> Result<bool> {
        let now = Instant::now();
        let due = self.held.due(now);
        tokio::select! {
            heard = self.feed.next() => match heard {
                Some(Heard::Changed(change)) => self.hold(change),
                Some(Heard::Missed(Some(patient))) => drop(self.unread.insert(patient)),
                Some(Heard::Missed(None)) => self.unread.extend(self.followed.keys()),
                None => return Ok(false),
            },
            () = sleep_until(due.unwrap_or(now)), if due.is_some() => self.release().await?,
            () = self.follower.due() => self.recheck().await?,
        }
        Ok(true)
    }

    fn hold(&mut self, change: VitalsChanged) {
        if self.followed.contains_key(&change.patient) {
            self.held.hold(change.patient, change.state);
        } else if self.named.is_none() {
            self.strangers.insert(change.patient);
        }
    }

    /// Sends what was held back, if the caller still may see it.
    async fn release(&mut self) -> Result<()> {
        let scope = self.follower.grant().await?;
        for (patient, state) in self.held.take(Instant::now()) {
            self.send(&scope, patient, state);
        }
        Ok(())
    }

    fn send(&mut self, scope: &Scope, patient: PatientId, state: Arc<PatientState>) {
        let Some(followed) = self.followed.get_mut(&patient) else { return };
        // Read from the twin and heard from the feed cross each other: what the client has is never older.
        if followed.sent.as_ref().is_some_and(|sent| is_older(&state, sent)) {
            return;
        }
        self.follower.reads.saw(scope, Kind::Vitals, [patient]);
        self.ready.push_back(VitalsUpdate::of(&followed.record, &state, self.follower.services.clock.now()));
        followed.sent = Some(state);
    }

    /// Reads the states of some of those whose state is not known.
    async fn read_some(&mut self) -> Result<bool> {
        let scope = self.follower.grant().await?;
        let some: Vec<PatientId> =
            std::iter::from_fn(|| self.unread.pop_first()).take(TWINS_AT_ONCE).collect();
        let asked = some.into_iter().filter(|patient| self.followed.contains_key(patient));
        let states = twins(asked, |patient| self.follower.services.twins.patient(&scope, patient)).await;
        for (patient, state) in states {
            match state {
                Ok(state) => {
                    // It was heard before the twin was asked, so it is in the answer.
                    self.held.forget(&patient);
                    self.send(&scope, patient, state);
                }
                Err(error) if error.kind() == ErrorKind::Forbidden => return Err(error),
                Err(error) => {
                    error.log(self.follower.correlation);
                    self.silent.insert(patient);
                }
            }
        }
        Ok(true)
    }

    /// Looks at rights and rows again: who was moved out of sight is no longer sent, who is new is.
    async fn recheck(&mut self) -> Result<()> {
        let scope = self.follower.grant().await?;
        self.unread.append(&mut self.silent);
        let ids = match &self.named {
            Some(ids) => ids.iter().copied().collect(),
            None => self.followed.keys().chain(&self.strangers).copied().collect(),
        };
        self.strangers.clear();
        let records = patients(&self.follower, &scope, ids).await?;
        self.follow(records);
        Ok(())
    }

    /// Follows exactly these.
    fn follow(&mut self, records: Vec<PatientRecord>) {
        let mut before = std::mem::take(&mut self.followed);
        for record in records {
            let id = record.id;
            let known = before.remove(&id);
            // Another SpO2 scale is another score.
            if known.as_ref().is_none_or(|known| known.record.spo2_scale != record.spo2_scale) {
                self.unread.insert(id);
            }
            self.followed.insert(id, Followed { record, sent: known.and_then(|known| known.sent) });
        }
        for gone in before.keys() {
            self.held.forget(gone);
        }
    }
}

/// Whether everything in `state` is in `than` already, and `than` has more.
fn is_older(state: &PatientState, than: &PatientState) -> bool {
    let behind = |(device, cursor)| than.cursors.get(device).is_some_and(|other| cursor <= other);
    state.cursors != than.cursors && state.cursors.iter().all(behind)
}
