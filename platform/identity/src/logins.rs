//! Looks devices up for all who ask at the same time in one query of their hospital: a fleet that comes back after a
//! power cut asks for thousands at once.
//!
//! As with commits, what comes while a query is under way waits for the next one, so nobody waits for others without need.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use parking_lot::Mutex;
use tenants::{
    DeviceId, StoreError, TenantId,
    audit::AuditEntry,
    credentials::SecretHash,
    device_certificate::Fingerprint,
    stores::{DeviceCredentials, DeviceLogin},
};
use tokio::sync::oneshot;

/// Devices of one query at most.
const TOGETHER: usize = 64;

/// Somebody who waits for what is known of a device.
type Asked = (DeviceId, oneshot::Sender<Option<DeviceLogin>>);

pub(crate) struct Logins {
    devices: Arc<dyn DeviceCredentials>,
    /// By hospital; there while somebody looks up for it.
    asked: Mutex<HashMap<TenantId, Vec<Asked>>>,
}

impl Logins {
    pub(crate) fn new(devices: Arc<dyn DeviceCredentials>) -> Arc<Self> {
        Arc::new(Self { devices, asked: Mutex::default() })
    }

    /// How a device is known; `None` when it is not.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn of(
        self: &Arc<Self>,
        tenant: TenantId,
        device: &DeviceId,
    ) -> Result<Option<DeviceLogin>, StoreError> {
        let (answer, answered) = oneshot::channel();
        let asked = (device.clone(), answer);
        let is_first = match self.asked.lock().entry(tenant) {
            Entry::Occupied(mut waiting) => {
                waiting.get_mut().push(asked);
                false
            }
            Entry::Vacant(nobody) => {
                nobody.insert(vec![asked]);
                true
            }
        };
        if is_first {
            tokio::spawn(Arc::clone(self).look_up(tenant));
        }
        match answered.await {
            Ok(found) => Ok(found),
            // The query failed: one's own says how.
            Err(_) => {
                let found = self.devices.device_logins(tenant, std::slice::from_ref(device)).await?;
                Ok(found.into_iter().next())
            }
        }
    }

    /// The device whose token has this hash.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn device(
        &self,
        tenant: TenantId,
        hash: &SecretHash,
    ) -> Result<Option<DeviceLogin>, StoreError> {
        self.devices.device_of_token(tenant, hash).await
    }

    /// A device has shown a certificate of its own, and named its hospital.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn prove(
        &self,
        tenant: TenantId,
        device: &DeviceId,
        fingerprint: Fingerprint,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        self.devices.prove_certificate(tenant, device, fingerprint, audit).await
    }

    /// Until nobody of the hospital waits any more.
    async fn look_up(self: Arc<Self>, tenant: TenantId) {
        let turn = Turn { logins: &self, tenant };
        while let Some(asked) = self.next(tenant) {
            let devices: Vec<DeviceId> = asked.iter().map(|(device, _)| device.clone()).collect();
            // Where it fails those who wait are let go, and look for themselves.
            let Ok(found) = self.devices.device_logins(tenant, &devices).await else { continue };
            let mut found: HashMap<DeviceId, DeviceLogin> =
                found.into_iter().map(|login| (login.device.clone(), login)).collect();
            for (device, answer) in asked {
                // Whoever has given up does not hear it.
                answer.send(found.remove(&device)).ok();
            }
        }
        std::mem::forget(turn); // the queue is gone already, or somebody else's by now
    }

    fn next(&self, tenant: TenantId) -> Option<Vec<Asked>> {
        let mut all = self.asked.lock();
        let waiting = all.get_mut(&tenant)?;
        if waiting.is_empty() {
            all.remove(&tenant);
            return None;
        }
        let count = waiting.len().min(TOGETHER);
        Some(waiting.drain(..count).collect())
    }
}

/// Somebody looks up for a hospital. Should that panic, those who wait are let go: nobody else would.
struct Turn<'a> {
    logins: &'a Logins,
    tenant: TenantId,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.logins.asked.lock().remove(&self.tenant);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use async_trait::async_trait;
    use futures_util::future::join_all;
    use tokio::sync::Semaphore;

    use super::*;

    /// Knows every device whose name begins with `m`, and fails where one is called `broken`.
    struct Slow {
        may_answer: Semaphore,
        queries: AtomicUsize,
    }

    #[async_trait]
    impl DeviceCredentials for Slow {
        async fn device_logins(
            &self,
            _: TenantId,
            devices: &[DeviceId],
        ) -> Result<Vec<DeviceLogin>, StoreError> {
            self.queries.fetch_add(1, SeqCst);
            self.may_answer.acquire().await.unwrap().forget();
            assert!(devices.iter().all(|device| device.as_str() != "panics"), "on purpose");
            if devices.iter().any(|device| device.as_str() == "broken") {
                return Err(StoreError::Unavailable("broken on purpose".into()));
            }
            let known = devices.iter().filter(|device| device.as_str().starts_with('m'));
            Ok(known.map(|device| login(device.as_str())).collect())
        }

        async fn device_of_token(
            &self,
            _: TenantId,
            _: &SecretHash,
        ) -> Result<Option<DeviceLogin>, StoreError> {
            Ok(None)
        }

        async fn prove_certificate(
            &self,
            _: TenantId,
            _: &DeviceId,
            _: Fingerprint,
            _: &AuditEntry,
        ) -> Result<(), StoreError> {
            Ok(())
        }
    }

    fn login(id: &str) -> DeviceLogin {
        DeviceLogin {
            device: device(id),
            token: SecretHash::of(id.as_bytes()),
            certificates: Vec::new(),
            blocked: false,
            behind: Vec::new(),
        }
    }

    fn device(id: &str) -> DeviceId {
        DeviceId::parse(id).unwrap()
    }

    fn slow(may_answer: usize) -> (Arc<Slow>, Arc<Logins>) {
        let slow = Arc::new(Slow { may_answer: Semaphore::new(may_answer), queries: AtomicUsize::new(0) });
        (slow.clone(), Logins::new(slow))
    }

    #[tokio::test]
    async fn who_asks_meanwhile_is_answered_together() {
        let (slow, hashes) = slow(0);
        let names: Vec<String> =
            (0..100).map(|number| format!("m-{number}")).chain(["unknown".into()]).collect();
        let asking = names.iter().map(|name| {
            let (hashes, device) = (hashes.clone(), device(name));
            async move { hashes.of(TenantId::PLATFORM, &device).await.unwrap() }
        });
        let answered = tokio::spawn(join_all(asking.collect::<Vec<_>>()));
        while slow.queries.load(SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        slow.may_answer.add_permits(100);
        for (name, found) in names.iter().zip(answered.await.unwrap()) {
            let expected = name.starts_with('m').then(|| login(name));
            assert_eq!(found, expected, "{name}");
        }
        let queries = slow.queries.load(SeqCst);
        assert!((2..=4).contains(&queries), "{queries} queries for 101 who asked");
        assert!(hashes.asked.lock().is_empty(), "nothing is left of them");
    }

    #[tokio::test]
    async fn a_query_that_fails_is_everybodys_own() {
        let (_, hashes) = slow(100);
        let (broken, known) = (device("broken"), device("m-1"));
        let (failed, found) =
            tokio::join!(hashes.of(TenantId::PLATFORM, &broken), hashes.of(TenantId::PLATFORM, &known));
        assert!(failed.is_err());
        assert_eq!(found.unwrap(), Some(login("m-1")), "the other one is not to blame");
    }

    #[tokio::test]
    async fn nobody_waits_for_good_where_a_query_panics() {
        let (_, hashes) = slow(100);
        let own = tokio::spawn({
            let hashes = hashes.clone();
            async move { hashes.of(TenantId::PLATFORM, &device("panics")).await }
        });
        assert!(own.await.is_err(), "it looks for itself, and panics itself");
        let found = hashes.of(TenantId::PLATFORM, &device("m-1")).await;
        assert_eq!(found.unwrap(), Some(login("m-1")));
    }
}
