//! Cuts off hospitals that are suspended, by whichever process.

use std::{collections::HashSet, sync::Arc, time::Duration};

use identity::Identity;
use tenants::{TenantId, stores::Tenants};
use tokio::time::MissedTickBehavior;

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Ends the MQTT sessions of suspended hospitals, and has `identity` look anew when one is suspended or served again.
/// What people do is refused by their rights, which rest on the same row.
pub(crate) async fn follow(tenants: Arc<dyn Tenants>, identity: Arc<Identity>, broker: broker::Handle) {
    let mut suspended = HashSet::new();
    let mut due = tokio::time::interval(LOOK_EVERY);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        let now: HashSet<TenantId> = match tenants.all().await {
            Ok(all) => all.into_iter().filter(|t| t.suspended_since.is_some()).map(|t| t.id).collect(),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "whether a hospital is suspended cannot be read");
                continue;
            }
        };
        if now != suspended {
            identity.forget_tenants();
            suspended = now;
        }
        for tenant in &suspended {
            // Again and again: somebody may have been let in while it was not noticed yet.
            let ended = broker.expel(*tenant);
            if ended > 0 {
                tracing::info!(%tenant, ended, "MQTT sessions of a suspended hospital were ended");
            }
        }
    }
}
