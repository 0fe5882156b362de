//! Patients and their twins.

use std::{collections::HashMap, sync::Arc};

use async_graphql::dataloader::Loader;
use tenants::{PatientId, access::Object};
use twins::{patient::PatientState, store::directory::PatientRecord};

use super::{Rows, twins};
use crate::{
    errors::{ApiError, Result},
    reads::Kind,
};

/// Key: the state of a patient's twin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PatientTwin(pub(crate) PatientId);

impl Loader<PatientId> for Rows {
    type Value = Arc<PatientRecord>;
    type Error = ApiError;

    async fn load(&self, keys: &[PatientId]) -> Result<HashMap<PatientId, Self::Value>> {
        let scope = self.grant_read(Object::Patient).await?;
        let records = self.services.patients.by_ids(&scope, keys).await?;
        self.reads.saw(&scope, Kind::Patient, records.iter().map(|record| record.id));
        Ok(records.into_iter().map(|record| (record.id, Arc::new(record))).collect())
    }
}

impl Loader<PatientTwin> for Rows {
    type Value = Result<Arc<PatientState>>;
    type Error = ApiError;

    async fn load(&self, keys: &[PatientTwin]) -> Result<HashMap<PatientTwin, Self::Value>> {
        let scope = self.grant_read(Object::Patient).await?;
        self.reads.saw(&scope, Kind::Vitals, keys.iter().map(|key| key.0));
        let states = twins(keys.iter().copied(), |key| self.services.twins.patient(&scope, key.0));
        Ok(states.await.into_iter().collect())
    }
}
