//! Sees hospitals off that leave, whoever decided it: their twins and MQTT sessions are let go, their keys destroyed, their rows deleted.

use std::{collections::HashSet, sync::Arc, time::Duration};

use broker::Handle;
use tenants::{TenantId, offboarding::Offboarding, stores::Tenants};
use tokio::time::MissedTickBehavior;
use twins::Twins;

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Goes on for ever; what fails is tried again with the next look.
pub(crate) async fn follow(
    offboarding: Offboarding,
    tenants: Arc<dyn Tenants>,
    twins: Twins,
    broker: Handle,
) {
    // Whose twins were let go. Of whom nothing was left at the start there never was one.
    let mut gone: Option<HashSet<TenantId>> = None;
    let mut due = tokio::time::interval(LOOK_EVERY);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        let all = match tenants.all().await {
            Ok(all) => all,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "whether a hospital leaves cannot be read");
                continue;
            }
        };
        let leaving = all.into_iter().filter_map(|tenant| Some((tenant.id, tenant.departure?)));
        let leaving: Vec<_> = leaving.collect();
        let gone = gone.get_or_insert_with(|| {
            leaving.iter().filter(|(_, departure)| departure.erased_at.is_some()).map(|(id, _)| *id).collect()
        });
        for (tenant, _) in leaving {
            if gone.contains(&tenant) {
                continue;
            }
            if let Err(error) = twins.dismiss(tenant).await {
                tracing::warn!(%tenant, error = &error as &dyn std::error::Error, "twins cannot be let go");
                continue;
            }
            broker.forget(tenant);
            // Also after another process has: a twin may have written something meanwhile.
            match offboarding.finish(tenant).await {
                Ok(erased) => {
                    gone.insert(tenant);
                    tracing::info!(%tenant, keys = ?erased.keys, "what was kept for a hospital that left is deleted");
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(%tenant, error, "a hospital that leaves cannot be deleted; trying again");
                }
            }
        }
    }
}
