//! How a state becomes bytes and back.

use serde::{Serialize, de::DeserializeOwned};
use tenants::Sequence;

use crate::store::journal::Snapshot;

/// The form that this version writes: one version byte, then JSON. A snapshot in another form is passed
/// over and the log folded instead.
const VERSION: u8 = 1;

pub(crate) fn encode<S: Serialize>(
    cursor: Sequence,
    state: &S,
    quarantine: Option<String>,
) -> Option<Snapshot> {
    let mut bytes = vec![VERSION];
    match serde_json::to_writer(&mut bytes, state) {
        Ok(()) => Some(Snapshot { cursor, state: bytes, quarantine }),
        Err(error) => {
            // Only time is lost: the twin is folded from its last snapshot instead.
            tracing::error!(%error, "a twin's state could not be encoded");
            None
        }
    }
}

pub(crate) fn decode<S: DeserializeOwned>(snapshot: &Snapshot) -> Option<S> {
    let (version, json) = snapshot.state.split_first()?;
    if *version != VERSION {
        return None;
    }
    serde_json::from_slice(json).inspect_err(|error| tracing::warn!(%error, "a snapshot cannot be read")).ok()
}
