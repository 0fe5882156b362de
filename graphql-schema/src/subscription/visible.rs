//! What a follower may see now, all of it: page by page where the store has pages.

use care::{Alarm, AlarmState};
use tenants::{PatientId, access::Scope};
use twins::store::directory::{AlarmFilter, MAX_PAGE, PageRequest, PatientRecord};

use super::recheck::Follower;
use crate::errors::Result;

const FIRST_PAGE: PageRequest = PageRequest { first: MAX_PAGE, after: None, search: None, count: false };

/// Those of the patients that the scope covers.
pub(super) async fn patients(
    follower: &Follower,
    scope: &Scope,
    ids: Vec<PatientId>,
) -> Result<Vec<PatientRecord>> {
    let mut visible = Vec::with_capacity(ids.len());
    for ids in ids.chunks(MAX_PAGE as usize) {
        visible.extend(follower.services.patients.by_ids(scope, ids).await?);
    }
    Ok(visible)
}

/// All patients that the scope covers.
pub(super) async fn all_patients(follower: &Follower, scope: &Scope) -> Result<Vec<PatientRecord>> {
    let mut request = FIRST_PAGE;
    let mut visible = Vec::new();
    loop {
        let page = follower.services.patients.page(scope, &request).await?;
        request.after = page.rows.last().map(|(cursor, _)| cursor.clone());
        visible.extend(page.rows.into_iter().map(|(_, patient)| patient));
        if !page.has_next || request.after.is_none() {
            return Ok(visible);
        }
    }
}

/// All alarms that the scope covers and that are not cleared.
pub(super) async fn open_alarms(follower: &Follower, scope: &Scope) -> Result<Vec<Alarm>> {
    let filter =
        AlarmFilter { states: vec![AlarmState::Raised, AlarmState::Acknowledged], ..AlarmFilter::default() };
    let mut request = FIRST_PAGE;
    let mut open = Vec::new();
    loop {
        let page = follower.services.alarms.page(scope, &filter, &request).await?;
        request.after = page.rows.last().map(|(cursor, _)| cursor.clone());
        open.extend(page.rows.into_iter().map(|(_, alarm)| alarm));
        if !page.has_next || request.after.is_none() {
            return Ok(open);
        }
    }
}
