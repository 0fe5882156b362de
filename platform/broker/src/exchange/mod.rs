//! Where what programs say becomes durable before it is handed out.
//!
//! One task takes what sessions say in turn, as much as there is. It writes what somebody is to have later (a session that is
//! kept hears it, or it is retained), all in one commit, and then hands everything out in the order in which it came. What
//! nobody needs later costs no write, but keeps its place.

mod tidy;
mod turn;

use std::{sync::Arc, time::Duration};

use tenants::TenantId;
use tokio::{
    sync::{mpsc, oneshot},
    time::{MissedTickBehavior, interval},
};

use self::turn::Turn;
use crate::{
    fan_out::Addressed, gate::Receipt, hub::Hub, mailbox::Mailbox, message::Publication, protocol::Version,
    standing::Standing, sys, topics::Filter, tree::Options,
};

/// What may wait to be taken, each at most what one read of a socket brings.
const QUEUE: usize = 256;
/// What is written together at most.
const TOGETHER: usize = 1_024;
/// How often it is looked what has expired, and what was acknowledged.
const TIDY_EVERY: Duration = Duration::from_secs(1);
/// Every how many of these the publication logs are trimmed.
const TRIM_EVERY: u32 = 10;

/// After how many of those rounds who listens to `$SYS` is told.
const TELL_EVERY: u32 = 10;

/// The way to it. What waits for room is told by its receipt that it is durable and handed out.
pub(crate) struct Exchange {
    works: mpsc::Sender<Work>,
    notes: mpsc::UnboundedSender<Note>,
}

/// What is to be done in turn.
pub(crate) enum Work {
    /// What a session says.
    Said { standing: Arc<Standing>, ops: Vec<Op>, receipt: oneshot::Sender<()> },
    /// What a client wanted to be said when it is gone.
    Will { tenant: TenantId, publication: Publication },
    /// What the platform says to somebody who is to have it later.
    Platform { addressed: Addressed },
    /// A session that is kept has begun, or goes on.
    Put { mailbox: Arc<Mailbox>, receipt: oneshot::Sender<()> },
    /// A session that is kept is over.
    End { mailbox: Arc<Mailbox>, receipt: oneshot::Sender<()> },
    /// Nothing is taken after this.
    Stop,
}

/// What is to be written down about a session that is kept; nobody waits for it. There are few for each session at a time.
pub(crate) enum Note {
    /// How far its messages have come.
    Flight(Arc<Mailbox>),
    /// All of it, as its client has gone.
    Left(Arc<Mailbox>),
    /// That its time is over, if its client has not come back.
    Expired(Arc<Mailbox>),
    /// That it is over.
    Over(Arc<Mailbox>),
}

/// A packet of a client.
pub(crate) enum Op {
    Publish(Publication),
    /// Of the message before, which is QoS 2 of a session that is kept.
    Received(u16),
    Subscribe {
        packet_id: u16,
        wanted: Vec<Wanted>,
    },
    Unsubscribe {
        packet_id: u16,
        filters: Vec<Result<Filter, u8>>,
    },
    /// A PUBREL of a session that is kept.
    Release(u16),
}

/// A filter that a client wants to subscribe to, or why it may not.
pub(crate) struct Wanted {
    pub(crate) filter: Result<Filter, u8>,
    pub(crate) options: Options,
    pub(crate) id: Option<u32>,
    pub(crate) stored: WantStored,
}

/// Whether retained messages are wanted (MQTT 5, 3.8.3.1, retain handling).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WantStored {
    Always,
    OnNewSubscription,
    Never,
}

impl Exchange {
    /// The way to it, and what it takes from there.
    pub(crate) fn new() -> (Self, Inlet) {
        let (works, works_out) = mpsc::channel(QUEUE);
        let (notes, notes_out) = mpsc::unbounded_channel();
        (Self { works, notes }, Inlet { works: works_out, notes: notes_out })
    }

    /// What a session says, in its order. `None` once nothing is taken any more.
    pub(crate) async fn say(&self, standing: Arc<Standing>, ops: Vec<Op>) -> Option<Receipt> {
        self.ask(|receipt| Work::Said { standing, ops, receipt }).await
    }

    /// Writes a session that is kept.
    pub(crate) async fn put(&self, mailbox: Arc<Mailbox>) -> Option<Receipt> {
        self.ask(|receipt| Work::Put { mailbox, receipt }).await
    }

    /// Ends a session that was kept.
    pub(crate) async fn end(&self, mailbox: Arc<Mailbox>) -> Option<Receipt> {
        self.ask(|receipt| Work::End { mailbox, receipt }).await
    }

    /// The will of a client that is gone. `None` once nothing is taken any more.
    pub(crate) async fn will(&self, tenant: TenantId, publication: Publication) -> Option<()> {
        self.works.send(Work::Will { tenant, publication }).await.ok()
    }

    /// What the platform says; it is given back where there is no room for it now.
    pub(crate) fn publish(&self, addressed: Addressed) -> Result<(), Addressed> {
        match self.works.try_reserve() {
            Ok(place) => place.send(Work::Platform { addressed }),
            Err(_) => return Err(addressed),
        }
        Ok(())
    }

    pub(crate) fn note(&self, note: Note) {
        self.notes.send(note).ok(); // after it has stopped nothing is written any more
    }

    pub(crate) async fn stop(&self) {
        self.works.send(Work::Stop).await.ok();
    }

    async fn ask(&self, work: impl FnOnce(oneshot::Sender<()>) -> Work) -> Option<Receipt> {
        let (sender, receipt) = oneshot::channel();
        self.works.send(work(sender)).await.ok()?;
        Some(receipt)
    }
}

/// What comes to it.
pub(crate) struct Inlet {
    works: mpsc::Receiver<Work>,
    notes: mpsc::UnboundedReceiver<Note>,
}

/// Runs until it is told to stop, or another process has taken over.
pub(crate) async fn run(hub: Arc<Hub>, mut inlet: Inlet) {
    let mut due = interval(TIDY_EVERY);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut works, mut round) = (Vec::new(), 0_u32);
    loop {
        let mut notes = Vec::new();
        let mut tidy = false;
        tokio::select! {
            _ = inlet.works.recv_many(&mut works, TOGETHER) => {}
            Some(note) = inlet.notes.recv() => notes.push(note),
            _ = due.tick() => tidy = true,
        }
        while let Ok(note) = inlet.notes.try_recv() {
            notes.push(note);
        }
        if tidy {
            notes.extend(tidy::due(&hub));
            round = round.wrapping_add(1);
        }
        let stops = works.iter().position(|work| matches!(work, Work::Stop));
        works.truncate(stops.unwrap_or(works.len()));
        let mut turn = Turn::new(&hub);
        works.drain(..).for_each(|work| turn.take(work));
        notes.into_iter().for_each(|note| turn.note(note));
        if turn.finish().await.is_err() || stops.is_some() {
            return;
        }
        if tidy && round.is_multiple_of(TRIM_EVERY) {
            tidy::trim(&hub).await;
        }
        if tidy && round.is_multiple_of(TELL_EVERY) {
            sys::tell(&hub);
        }
    }
}

/// Reason of a SUBACK: the client has as many subscriptions as it may.
pub(crate) const QUOTA_EXCEEDED: u8 = 0x97;

/// The code of a SUBACK that refuses; v3.1.1 has one for all reasons.
pub(crate) const fn refusal(version: Version, code: u8) -> u8 {
    match version {
        Version::V311 => 0x80,
        Version::V5 => code,
    }
}
