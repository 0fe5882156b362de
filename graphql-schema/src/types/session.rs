//! Where somebody is signed in.

use async_graphql::{ID, SimpleObject};
use tenants::{SessionId, account};

use crate::scalars::DateTime;

/// A browser in which somebody is signed in.
#[derive(SimpleObject)]
pub(crate) struct Session {
    id: ID,
    /// When they signed in.
    created_at: DateTime,
    /// To about a minute. It ends when it is not used for an hour.
    last_used_at: DateTime,
    /// It ends then at the latest.
    expires_at: DateTime,
    /// The network address from which they signed in; empty where it is not known.
    address: String,
    /// What their browser said it is; empty when it said nothing.
    agent: String,
    /// Whether it is the one in which this is asked.
    current: bool,
}

impl Session {
    pub(crate) fn new(session: account::Session, current: Option<SessionId>) -> Self {
        let id = session.id();
        Self {
            id: ID(id.to_string()),
            created_at: session.created_at.into(),
            last_used_at: session.last_used_at.into(),
            expires_at: session.expires_at.into(),
            address: session.address,
            agent: session.agent,
            current: current == Some(id),
        }
    }
}
