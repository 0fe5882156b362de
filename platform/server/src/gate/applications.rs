//! Programs that were let in over MQTT, so that each can be looked at again while it is connected.

use std::collections::HashMap;

use broker::{Client, Grants, Handle};
use parking_lot::Mutex;
use tenants::{
    TenantId,
    access::{Caller, Principal},
    clock::Stopwatch,
    credentials::SecretHash,
};

use super::ON_THE_WAY;

/// A program that was let in.
#[derive(Clone)]
pub(super) struct Application {
    pub(super) tenant: TenantId,
    pub(super) client: Client,
    pub(super) grants: Grants,
    pub(super) slug: String,
    /// In memory only, for as long as it is connected.
    pub(super) secret: String,
    since: Stopwatch,
}

/// All of them.
#[derive(Default)]
pub(super) struct Applications(Mutex<HashMap<(TenantId, Client), Application>>);

impl Applications {
    /// Keeps one in mind, and names it to the broker; `None` for whoever is no person's program.
    pub(super) fn remember(
        &self,
        caller: &Caller,
        grants: &Grants,
        slug: &str,
        secret: &str,
    ) -> Option<Client> {
        let Principal::User { email, .. } = &caller.principal else { return None };
        // One person's programs are told apart by their tokens.
        let hash = SecretHash::of(secret.as_bytes());
        let short = hash.as_bytes().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        let client = Client::Application { name: format!("{email} {short:016x}").into() };
        let known = Application {
            tenant: caller.tenant,
            client: client.clone(),
            grants: grants.clone(),
            slug: slug.to_owned(),
            secret: secret.to_owned(),
            since: Stopwatch::start(),
        };
        self.0.lock().insert((caller.tenant, client.clone()), known);
        Some(client)
    }

    /// Those that are connected, or on their way; the others are forgotten.
    pub(super) fn connected(&self, broker: &Handle) -> Vec<Application> {
        let mut all = self.0.lock();
        all.retain(|(tenant, client), known| {
            known.since.elapsed() < ON_THE_WAY || !broker.sessions(*tenant, client).is_empty()
        });
        all.values().cloned().collect()
    }
}
