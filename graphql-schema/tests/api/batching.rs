//! Nested fields of many rows are loaded together.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;
use storage::Database;
use tenants::{
    DeviceId, PatientId, StoreError, UnitId,
    access::{Role, Scope},
    audit::AuditEntry,
    credentials::SecretHash,
};
use twins::store::{
    directory::{DeviceRecord, Devices, NewDevice, Page, PageRequest},
    journal::SetAside,
};

use crate::hospital::Hospital;

/// The devices' store, which counts what it is asked.
pub(crate) struct Counted(pub(crate) Database, pub(crate) AtomicUsize);

impl Counted {
    fn count(&self) -> &Database {
        self.1.fetch_add(1, Ordering::Relaxed);
        &self.0
    }
}

#[async_trait]
impl Devices for Counted {
    async fn page(&self, scope: &Scope, page: &PageRequest) -> Result<Page<DeviceRecord>, StoreError> {
        Devices::page(self.count(), scope, page).await
    }
    async fn by_ids(&self, scope: &Scope, ids: &[DeviceId]) -> Result<Vec<DeviceRecord>, StoreError> {
        Devices::by_ids(self.count(), scope, ids).await
    }
    async fn by_patients(&self, scope: &Scope, of: &[PatientId]) -> Result<Vec<DeviceRecord>, StoreError> {
        Devices::by_patients(self.count(), scope, of).await
    }
    async fn set_aside(&self, scope: &Scope, of: &DeviceId, first: u32) -> Result<Vec<SetAside>, StoreError> {
        Devices::set_aside(self.count(), scope, of, first).await
    }
    async fn create_all(&self, scope: &Scope, devices: &[NewDevice]) -> Result<(), StoreError> {
        Devices::create_all(self.count(), scope, devices).await
    }
    async fn place(
        &self,
        scope: &Scope,
        device: &DeviceId,
        unit: UnitId,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        Devices::place(self.count(), scope, device, unit, audit).await
    }
    async fn block(
        &self,
        scope: &Scope,
        device: &DeviceId,
        since: Option<Timestamp>,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        Devices::block(self.count(), scope, device, since, audit).await
    }
    async fn behind(&self, scope: &Scope, of: &DeviceId) -> Result<Vec<DeviceRecord>, StoreError> {
        Devices::behind(self.count(), scope, of).await
    }
    async fn set_gateway(
        &self,
        scope: &Scope,
        device: &DeviceId,
        gateway: Option<&DeviceId>,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        Devices::set_gateway(self.count(), scope, device, gateway, audit).await
    }
    async fn renew_token(
        &self,
        scope: &Scope,
        device: &DeviceId,
        token: &SecretHash,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        Devices::renew_token(self.count(), scope, device, token, audit).await
    }
}

#[tokio::test]
async fn the_devices_of_fifty_patients_are_not_fifty_queries() {
    let hospital = Hospital::open().await;
    for bed in 100..149 {
        hospital.add_patient(PatientId::new(&hospital.clock), &bed.to_string()).await;
    }
    let document =
        "{ patients(first: 50) { nodes { devices { id messageCount patient { bed } } openAlarms { id } } } }";
    let before = hospital.devices.1.load(Ordering::Relaxed);
    let data = hospital.data(Role::Nurse, document, json!({})).await;
    assert_eq!(data["patients"]["nodes"].as_array().unwrap().len(), 50);
    // Rows are resolved 32 at a time, and a batch closes after a millisecond: a busy machine makes some more of them.
    let asked = hospital.devices.1.load(Ordering::Relaxed) - before;
    assert!((1..=10).contains(&asked), "{asked}");
}
