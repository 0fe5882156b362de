//! Listening to the feed of vital signs.

use std::collections::BTreeSet;

use futures_util::{
    StreamExt,
    stream::{self, BoxStream, SelectAll},
};
use tenants::{PatientId, access::Scope};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use twins::feed::{Feed, VitalsChanged};

/// The most patients whose own channels are listened to; beyond that one channel for all is cheaper, and
/// the others' changes are passed over.
const MAX_OWN_CHANNELS: usize = 32;

/// What a channel of the feed says.
pub(super) enum Heard {
    Changed(VitalsChanged),
    /// Changes were missed, of this patient or of any.
    Missed(Option<PatientId>),
}

/// The changes of these patients, or of all; perhaps of others too.
pub(super) fn listen(
    feed: &Feed,
    scope: &Scope,
    named: Option<&BTreeSet<PatientId>>,
) -> SelectAll<BoxStream<'static, Heard>> {
    match named {
        Some(ids) if ids.len() <= MAX_OWN_CHANNELS => {
            ids.iter().map(|id| heard(feed.vitals(scope, *id), Some(*id))).collect()
        }
        _ => std::iter::once(heard(feed.all_vitals(scope), None)).collect(),
    }
}

fn heard(channel: Receiver<VitalsChanged>, of: Option<PatientId>) -> BoxStream<'static, Heard> {
    let next = move |mut channel: Receiver<VitalsChanged>| async move {
        match channel.recv().await {
            Ok(change) => Some((Heard::Changed(change), channel)),
            Err(RecvError::Lagged(_)) => Some((Heard::Missed(of), channel)),
            Err(RecvError::Closed) => None,
        }
    };
    stream::unfold(channel, next).boxed()
}
